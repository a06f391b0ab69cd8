"use strict";
/* One cluster: where it stands, how concentrated it is, what it is made of, how it moves. */

async function clusterPage(id) {
  const cluster = book.cluster.get(id);
  if (!cluster) return { title: "Unknown cluster", element: faultPage("No such cluster", `There is no cluster '${id}' in this book.`, "Search for it by name above; the overview lists all.") };
  const data = await load(`cluster/${cluster.file}`);
  const list = rows(data.regions).map((row) => ({ ...row, ...placeOf(row.r) }));
  const byCode = new Map(list.map((row) => [row.code, row]));
  const rules = book.flags.filter((flag) => applies(flag, cluster));
  let rule = ruleOf(rules);
  let picked = address.get("region");

  const ruleTitle = () => `${capital(rule.title)} in ${WHOLE.format(strongIn().length)} of ${regionsCounted(book.regions.length)}`;
  const strongIn = () => list.filter((row) => meets(row, rule?.name));
  const map = clusterMap();
  const bars = clusterBars();
  const card = h("div", { class: "card", "aria-live": "polite" });
  const table = clusterRegions();
  const tablePlace = h("div", {}, table.element);

  function select(code) {
    picked = code;
    address.set({ region: code });
    map?.pick(code);
    table.pick(code ?? "");
    bars.view()?.signal("picked", code ?? "").runAsync();
    describe();
  }

  function describe() {
    const region = book.region.get(picked);
    const row = byCode.get(picked);
    if (!region) {
      replace(card, h("p", { class: "quiet-line" }, `Select a ${book.noun} on the map, in the bars or in the table.`));
    } else if (!row) {
      replace(card, h("h3", {}, link(regionHref(region), region.name)), h("p", {}, `None of this cluster is recorded here in ${book.year}.`));
    } else {
      replace(card, h("h3", {}, link(regionHref(region), region.name)), h("dl", { class: "pairs" }, rowPairs(row)), cardLink(region, cluster));
    }
  }

  function rowPairs(row) {
    return [
      pair("Location quotient", figureText(row.lq, "quotient", row), interval(row) ? ` (95%: ${interval(row)})` : "", known(row.rank_lq) ? `, rank ${row.rank_lq}` : ""),
      known(row.lq_q) ? pair("Chance", `${sure(row) ? "hardly" : "cannot be ruled out"} (q ${chance(row.lq_q)})`) : null,
      pair(capital(book.size.label), sized(row), known(row.rank) ? `, rank ${row.rank}` : ""),
      pair("Share of the cluster", figureText(row.national_share, "share", row)),
      known(row.growth) ? pair("Growth a year", FORMATS.growth(row.growth)) : null,
      book.flags.length ? pair("Meets", listed(book.flags.filter((flag) => meets(row, flag.name)).map((flag) => [flag.title, doubtOf(row, flag.name) === "borderline" ? " (borderline)" : ""].join(""))) || "no rule") : null,
    ];
  }

  function clusterMap() {
    if (!atlasMap.available()) return null;
    const values = () => new Map(list.map((row) => [row.code, { value: row.lq ?? null, strong: meets(row, rule?.name) === true, estimated: row.status === "imputed" }]));
    const panel = regionMap({
      name: "map_quotient",
      title: rule ? ruleTitle() : "Where it stands",
      sub: `Location quotient of ${book.size.label}, ${book.year}: 1 is the share it has in ${book.all}`,
      source: levelsSource(),
      byRegion: values(),
      picked,
      pick: select,
      strongNote: rule ? `outlined: ${rule.title}` : null,
      tipOf: ({ region }) => {
        const row = byCode.get(region);
        const name = book.region.get(region).name;
        return row ? tip.lines(name, rowTip(row), `${book.year}. Click to select.`) : tip.lines(name, [], "Nothing recorded.");
      },
      tools: ruleChoice(rules, rule?.name, (value) => {
        rule = book.flags.find((flag) => flag.name === value);
        address.set({ rule: value === "strong" ? null : value });
        panel.title(ruleTitle());
        panel.show("map_quotient", values());
        bars.draw(bars.wish());
        const next = clusterRegions();
        replace(tablePlace, next.element);
        table.pick = next.pick;
      }),
    });
    return panel;
  }

  function clusterBars() {
    const kinds = {
      lq: { key: "lq", kind: "quotient", title: "Most specialised", sub: `Location quotient of ${book.size.label}, ${book.year}` },
      size: { key: "size", kind: "size", title: "Largest", sub: `${capital(book.size.label)}${book.size.unit ? ` (${book.size.unit})` : ""}, ${book.year}` },
    };
    let kind = kinds[address.get("bars")] ?? kinds.size;
    const largest = () => [...list].filter((row) => known(row[kind.key])).sort((a, b) => b[kind.key] - a[kind.key]).slice(0, 14);
    const barOf = (row, order) => ({ order, id: row.code, label: twoLines(row.name), value: row[kind.key], text: FORMATS[kind.kind](row[kind.key]), group: meets(row, rule?.name) ? "strong" : "other", ...(kind === kinds.lq ? spread(row) : { estimated: row.status === "imputed" }) });
    const wish = (bars = largest().map(barOf)) => ({
      name: "bars",
      data: { rows: bars },
      signals: { picked: picked ?? "", ...roomFor(bars) },
      legend: rule ? [{ label: capital(rule.title), colour: "var(--accent)" }, { label: "Others", colour: "var(--other)" }] : [],
      note: barNote(kind === kinds.lq, list) ?? "",
      tip: (datum) => { const row = byCode.get(datum.id); return row && tip.lines(row.name, rowTip(row), `${book.year}. Click to select.`); },
      pick: (datum) => { if (datum.id) select(datum.id === picked ? null : datum.id); },
    });
    const panel = figure({
      title: `${kind.title} ${book.nouns}`, sub: kind.sub, source: levelsSource(), chart: { ...wish(), height: 40 + 30 * Math.min(14, list.length) },
      tools: choice("Order of the bars", [{ value: "size", text: "By size" }, { value: "lq", text: "By LQ" }], kind === kinds.lq ? "lq" : "size", (value) => {
        kind = kinds[value];
        address.set({ bars: value === "size" ? null : value });
        panel.title(`${kind.title} ${book.nouns}`);
        panel.sub(kind.sub);
        panel.draw(wish());
      }),
    });
    panel.wish = wish;
    return panel;
  }

  function clusterRegions() {
    const most = Math.max(...list.map((row) => row.size ?? 0));
    return dataTable({
      name: "places",
      caption: `${cluster.label} in ${book.nouns}`,
      list,
      sort: "-size",
      filter: (row) => `${row.name} ${row.code}`,
      filters: rule ? [{ value: "all", text: "All" }, { value: "marked", text: capital(rule.title), test: (row) => meets(row, rule.name) }] : [],
      pick: atlasMap.available() ? { key: (row) => row.code, label: (row) => row.name, to: select } : null,
      picked,
      columns: [
        { key: "name", label: capital(book.noun), kind: "text", always: true, cell: (row) => link(regionHref(row), row.name) },
        COLUMN.card((row) => ({ region: row, cluster })),
        COLUMN.rank(),
        { ...COLUMN.size(), cell: (row, value) => barCell(value, most, text(value, "size", row)) },
        COLUMN.lq(),
        COLUMN.lq_low95(),
        COLUMN.lq_high95(),
        COLUMN.lq_q(),
        COLUMN.rank_lq(),
        COLUMN.national_share(),
        rule ? COLUMN.rule(rule) : null,
        COLUMN.stars(),
        COLUMN.stage(),
        COLUMN.establishments(),
        COLUMN.trend(),
        COLUMN.growth(),
        COLUMN.growth_relative(),
        COLUMN.wage(),
      ].filter(Boolean),
      note: [`${capital(book.nouns)} in which nothing is recorded are not listed (${WHOLE.format(book.regions.length - list.length)}).`, trendNote(list), list.some((row) => rule && doubtOf(row, rule.name) === "borderline") ? BORDERLINE_NOTE : null].filter(Boolean).join(" "),
    });
  }

  const leader = list.reduce((best, row) => ((row.national_share ?? 0) > (best?.national_share ?? 0) ? row : best), null);
  const counted = known(cluster.regions_strong) && rules.some((flag) => flag.name === "strong");
  const finding = [
    counted ? `Strong in ${WHOLE.format(cluster.regions_strong)} of ${regionsCounted(book.regions.length)}` : `Present in ${regionsCounted(cluster.regions_present ?? list.length)}`,
    leader ? `; ${leader.name} holds ${FORMATS.share(leader.national_share)} of it${known(leader.lq) ? `, ${FORMATS.quotient(leader.lq)} times its share in ${book.all}` : ""}` : "",
    ".",
  ].join("");
  const concentration = concentrationFigure(cluster);
  const linked = await linkedIndustries(cluster);
  const trend = trendFigure(cluster, rows(data.trend));
  const multiples = smallTrends(
    list.filter((row) => known(row.size)).sort((a, b) => b.size - a.size),
    (row) => ({ title: row.name, href: regionHref(row) }),
    `The largest ${book.nouns}`);

  const element = h("div", { class: "wide" },
    pageHead({ kicker: [kindMark(cluster.kind), " cluster"], title: cluster.label, finding }),
    headline([
      { label: capital(book.size.label), key: "size", value: sized(cluster), note: `${known(cluster.share) ? `${FORMATS.share(cluster.share)} of everything, ` : ""}${book.year}` },
      counted
        ? { label: "Strong in", key: "regions_strong", value: WHOLE.format(cluster.regions_strong), note: `of ${regionsCounted(cluster.regions_present ?? book.regions.length)} that have any, ${book.year}` }
        : { label: "Present in", value: text(cluster.regions_present, "count"), note: `of ${regionsCounted(book.regions.length)}, ${book.year}` },
      { label: "Concentration", key: "gini", value: text(cluster.gini, "index"), note: known(cluster.gini) ? `${known(cluster.gini_rank) ? `rank ${cluster.gini_rank} of ${book.clusters.length}, ` : ""}${book.year}` : null },
      known(cluster.growth) ? { label: "Growth a year", key: "growth", value: FORMATS.growth(cluster.growth), note: growthYears() } : { label: "Effective places", key: "effective_regions", value: text(cluster.effective_regions, "amount"), note: `${book.year}` },
      known(cluster.growth) && known(cluster.wage) ? { label: "Wage", key: "wage", value: FORMATS.amount(cluster.wage), note: `${book.units.wage}, ${cluster.wage_year ?? growthYears()}` } : null,
    ].slice(0, 5)),
    h("p", { class: "source under-headline" }, levelsSource(), known(cluster.growth) ? ` ${trendsSource()}` : ""),
    caveat(book.levels, book.trends),
    h("div", { class: "grid" },
      map ? h("div", { class: "span-7" }, map.element, card) : null,
      h("div", { class: map ? "span-5" : "span-12" }, bars.element)),
    section(`${capital(book.nouns)}, ranked`, `Every ${book.noun} with some of the cluster, ${book.year}`, tablePlace,
      h("p", { class: "source" }, levelsSource(), has(list, "growth") ? ` ${trendsSource()}` : "")),
    h("div", { class: "grid" },
      h("div", { class: "span-6" }, concentration?.element, concentrationFacts(cluster)),
      h("div", { class: "span-6" }, trend?.element ?? noTrend(rows(data.trend)))),
    multiples ? section("How the largest have moved", `${capital(book.size.label)} over the years, each on its own scale from zero`, multiples.element, h("p", { class: "source" }, trendsSource())) : null,
    section("What it is made of", memberLine(cluster, rows(data.members)), membersTable(cluster, rows(data.members)), h("p", { class: "source" }, levelsSource(), ` Definitions: ${book.definitions.method || "as given"}${book.definitions.source ? `, ${book.definitions.source}` : ""}. `, link("#method", "How clusters are defined"))),
    relatedSection(cluster, rows(data.related)),
    linked,
    blindSpots());
  return {
    title: cluster.label,
    element,
    drawn: () => { describe(); return Promise.all([map?.draw(), bars.draw(), concentration?.draw(), trend?.draw(), multiples?.draw()]); },
  };
}

function placeOf(position) {
  const { name, code } = book.regions[position];
  return { name, code: String(code) };
}

function rowTip(row) {
  return [
    [capital(book.size.label), withUnit(row.size, row)],
    ["Location quotient", text(row.lq, "quotient", row)],
    interval(row) ? ["95% interval", interval(row)] : null,
    known(row.lq_q) ? ["Chance (q)", chance(row.lq_q)] : null,
    known(row.lq) && boundsText(row, "quotient") ? ["LQ within", boundsText(row, "quotient")] : null,
    known(row.national_share) ? ["Share of the cluster", FORMATS.share(row.national_share)] : null,
    known(row.establishments) ? ["Establishments", FORMATS.size(row.establishments)] : null,
    known(row.growth) ? [`Growth a year, ${growthYears()}`, FORMATS.growth(row.growth)] : null,
    known(row.lo) || known(row.hi) ? [`${capital(book.size.label)} within`, `${text(row.lo, "size")}–${text(row.hi, "size")}`] : null,
  ];
}

function barNote(quotients, list) {
  const lines = [
    quotients && list.some(interval) ? INTERVAL_NOTE : null,
    list.some((row) => row.status === "imputed") ? "Lighter bars: more than a tenth is estimated, because the source withholds it." : null,
  ].filter(Boolean);
  return lines.join(" ") || null;
}

function concentrationFigure(cluster) {
  if (!known(cluster.gini)) return null;
  return figure({
    title: known(cluster.gini_rank) ? `${capital(ordinal(cluster.gini_rank))} most concentrated of ${book.clusters.length} clusters` : `Locational Gini of ${FORMATS.index(cluster.gini)}`,
    sub: `Locational Gini of every cluster, ${book.year}: 0 is spread like everything else, 1 is all in one ${book.noun}`,
    source: levelsSource(),
    legend: kindLegend(),
    chart: {
      name: "strip_gini", height: 110,
      data: { rows: book.clusters.filter((one) => known(one.gini)).map((one) => ({ value: one.gini, group: one.kind ?? "other", marked: one === cluster, side: sideOf(one.gini, book.clusters.map((each) => each.gini ?? 0)), text: `${FORMATS.index(one.gini)} ${one.label}`, id: one.id })) },
      tip: (datum) => { const one = book.cluster.get(datum.id); return one && tip.lines(one.label, [["Locational Gini", text(one.gini, "index")]]); },
      pick: (datum) => { if (datum.id) location.hash = clusterHref(book.cluster.get(datum.id)); },
    },
  });
}

/* Other ways to ask how concentrated it is, each with what its figure says. */
function concentrationFacts(cluster) {
  const facts = [
    known(cluster.effective_regions) ? ["effective_regions", FORMATS.amount(cluster.effective_regions), `As concentrated as if spread evenly over that many ${book.nouns}.`] : null,
    known(cluster.gamma_counts) ? ["gamma_counts", THREE_DECIMALS.format(cluster.gamma_counts).replace("-", "\u2212"), `${gammaWords(cluster.gamma_counts)} Counts establishments, whatever their size.`] : null,
    known(cluster.moran) ? ["moran", FORMATS.index(cluster.moran), moranWords(cluster)] : null,
  ].filter(Boolean);
  return facts.length ? h("dl", { class: "facts" }, facts.map(([key, value, words]) => h("div", {}, h("dt", {}, term(key, book.terms[key].name)), h("dd", {}, h("b", {}, value), h("span", {}, words))))) : null;
}

/* Ellison and Glaeser read their index so: below 0.02 little, above 0.05 strongly localised. */
function gammaWords(value) {
  if (value < 0) return "More evenly spread than chance would have it.";
  if (value < 0.02) return "Little more concentrated than chance would have it.";
  return value > 0.05 ? "Strongly concentrated beyond chance." : "Concentrated beyond chance.";
}

function moranWords({ moran, moran_p: p }) {
  const found = !known(p) || p >= SURE
    ? `No sign that neighbouring ${book.nouns} are alike in it.`
    : moran > 0 ? `Neighbouring ${book.nouns} tend to share the cluster: it reaches across borders.` : `Neighbouring ${book.nouns} tend to differ: it stands in single places.`;
  return `${found}${known(p) ? ` p ${chance(p)}` : ""}`;
}

/* On which side of its mark a name starts so that it stays inside the chart. */
function sideOf(value, all) {
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const part = (value - low) / (high - low || 1);
  return part < 0.35 ? "left" : part > 0.65 ? "right" : "center";
}

function ordinal(n) {
  if (n === 1) return "the";
  const suffix = { one: "st", two: "nd", few: "rd", other: "th" }[new Intl.PluralRules("en", { type: "ordinal" }).select(n)];
  return `${n}${suffix}`;
}

const noTrend = (years) => (years.length < 2 ? oneYearOnly() : h("p", { class: "quiet-line" }, "Change over time cannot be shown: the figures of all but one year are withheld."));
const oneYearOnly = () => h("p", { class: "quiet-line" }, "One year only: change over time cannot be shown.");

function trendFigure(cluster, years) {
  const list = years.filter((one) => known(one.size));
  if (list.length < 2) return null;
  const ends = [list[0], list.at(-1)];
  const gaps = years.length - list.length;
  return figure({
    title: known(cluster.growth) ? `${FORMATS.growth(cluster.growth)} a year, ${growthYears()}` : "Over the years",
    sub: `${capital(book.size.label)}${book.size.unit ? ` (${book.size.unit})` : ""} in ${book.all}, ${years[0].year}–${years.at(-1).year}`,
    source: trendsSource(),
    note: [gaps ? `${plural(gaps, "year is", "years are")} not shown: figures withheld.` : null, book.trends === book.levels ? null : "The trend source may see less than the main source; compare over time, not between the two."].filter(Boolean).join(" ") || null,
    chart: {
      name: "trend", height: 240,
      data: { rows: years.map((one) => ({ year: one.year, value: one.size ?? null, text: ends.includes(one) ? FORMATS.size(one.size) : "" })) },
      tip: (datum) => { const one = years.find((each) => each.year === datum.year); return one && tip.lines(String(one.year), [[capital(book.size.label), text(one.size, "size", one)], known(one.establishments) ? ["Establishments", FORMATS.size(one.establishments)] : null, known(one.wage) ? ["Wage", `${FORMATS.amount(one.wage)} ${book.units.wage}`] : null]); },
    },
  });
}

/* The same small chart for each of the largest: comparable in shape, each on its own scale. */
function smallTrends(list, nameOf, label) {
  if (book.trendYears.length < 2) return null;
  const chosen = list.filter((row) => series(row).filter((point) => known(point.value)).length > 1).slice(0, 8);
  if (!chosen.length) return null;
  const cells = chosen.map((row) => {
    const { title, href } = nameOf(row);
    const points = series(row);
    const last = points.findLast((point) => known(point.value));
    const canvas = h("div", { class: "canvas small" });
    return {
      element: h("li", {}, link(href, title), h("p", {}, h("b", {}, FORMATS.size(last.value)), ` in ${last.year}`, known(row.growth) ? h("span", { class: row.growth < 0 ? "down" : "up" }, FORMATS.growth(row.growth), " a year") : null), canvas),
      draw: () => chart.draw(canvas, "small_trend", {
        data: { rows: points.map((point) => ({ ...point, text: "" })) },
        label: `${title}: ${points.map((point) => `${point.year} ${text(point.value, "size")}`).join(", ")}`,
        tip: (datum) => known(datum.year) && tip.lines(`${title}, ${datum.year}`, [[capital(book.size.label), text(datum.value, "size")]]),
      }),
    };
  });
  return { element: h("ul", { class: "multiples", "aria-label": label }, cells.map((cell) => cell.element)), draw: () => Promise.all(cells.map((cell) => cell.draw())) };
}

function membersTable(cluster, members) {
  const most = Math.max(...members.map((row) => row.share ?? 0));
  return dataTable({
    name: "members",
    caption: `Industries of ${cluster.label}`,
    list: members,
    sort: "-share",
    filter: (row) => `${row.title} ${row.industry}`,
    columns: [
      { key: "title", label: "Industry", kind: "text", always: true, value: (row) => row.title ?? row.industry, cell: (row, value) => [value, " ", h("small", { class: "code" }, row.industry)] },
      { key: "subcluster", label: "Part", kind: "text", term: "subcluster" },
      { key: "outlier", label: "Outlier", kind: "text", term: "outlier", value: (row) => row.outlier ?? (has(members, "outlier") ? "–" : null), cell: (row, value) => (row.outlier ? h("span", { class: "outlier" }, value) : h("span", { class: "no" }, "–", h("span", { class: "away" }, "fits"))) },
      { key: "share", label: "Share of cluster", kind: "share", cell: (row, value) => barCell(value, most, FORMATS.share(value)) },
      { key: "size", label: `${capital(book.size.label)}, whole industry`, unit: book.size.unit, kind: "size" },
      has(members.filter((row) => row.weight !== 1), "weight") ? { key: "weight", label: "Weight", kind: "percent", term: "weight" } : null,
      { key: "similarity", label: "Likeness to the others", kind: "index", term: "similarity_own" },
      { key: "stability", label: "Stability", kind: "index", term: "stability" },
      { key: "closest", label: "Closest other cluster", kind: "text", value: (row) => book.clusters[row.closest]?.label ?? null, cell: (row) => clusterCell(book.clusters[row.closest]) },
      { key: "closest_similarity", label: "Likeness to it", kind: "index" },
      { key: "gini", label: "Concentration", kind: "index", term: "gini" },
    ].filter(Boolean),
    note: has(members, "similarity") && !has(members, "outlier") ? "No member is an outlier: each is more alike to its own cluster than to any other." : null,
  }).element;
}

function memberLine(scores, members) {
  const line = `Member industries from core to edge, ${book.year}.`;
  if (!known(scores?.within) || !known(scores?.between)) return line;
  const parts = has(members, "subcluster") ? "" : " The cluster stays whole: it has no parts that hold together more closely.";
  return [line, " ", term("within", "Likeness within"), ` ${FORMATS.index(scores.within)}, `, term("between", "to other clusters"), ` ${FORMATS.index(scores.between)}.`, known(scores.stability) ? [" ", term("stability", "Stability"), ` ${FORMATS.index(scores.stability)}: ${stabilityWords(scores.stability)}.`] : null, known(scores.resource_share) && scores.resource_share > 0 ? ` ${FORMATS.share(scores.resource_share)} of it grows, catches or digs natural resources.` : null, parts];
}

function blindSpots() {
  return h("section", { class: "blind" }, h("h2", {}, "What this view cannot see"), h("ul", {},
    h("li", {}, "Ties between firms, and those with schools, research and finance: figures by industry show neighbours, not partners."),
    h("li", {}, "Activity that the classification puts elsewhere, or that crosses the border of the place."),
    h("li", {}, "Quality: a high quotient says that much is here, not that it does well."),
    (book.levels.caveats ?? []).map((words) => h("li", {}, words))),
  h("p", {}, link("#method", "Method and sources"), " · ", link("#downloads", "Downloads")));
}

/* Hennig (2007): above 0.75 the same cluster is found again, below 0.5 it is another each time. */
const STABLE = 0.75;
const DISSOLVED = 0.5;
const stabilityWords = (value) => (value > STABLE ? "found again in other samples of the regions" : value < DISSOLVED ? "other samples of the regions give another cluster" : "its core is found again in other samples of the regions, its edges are not");

function cardLink(region, cluster) {
  return hasTable("profile_elements") ? h("p", {}, link(placeHref(region, cluster), "Open the card of this cluster here")) : null;
}

function relatedSection(cluster, list) {
  if (!list.length) return null;
  const table = dataTable({
    name: "related",
    caption: `Clusters related to ${cluster.label}`,
    list: list.map((row) => ({ ...row, other: book.clusters[row.o] })),
    sort: "rank",
    columns: [
      { key: "label", label: "Cluster", kind: "text", always: true, value: (row) => row.other.label, cell: (row) => clusterCell(row.other) },
      { key: "rank", label: "Rank", kind: "rank" },
      { key: "similarity", label: "Likeness", kind: "index", term: "similarity_clusters" },
      { key: "share", label: "Industries near to it", kind: "percent", term: "related_share", cell: (row, value) => barCell(value, 1, FORMATS.percent(value)) },
      { key: "size", label: capital(book.size.label), unit: book.size.unit, kind: "size", value: (row) => row.other.size ?? null },
    ],
  });
  return section("Related clusters", "Among the most alike tenth of all pairs of clusters, and with at least a fifth of the industries of one near to the other", table.element, h("p", { class: "source" }, `${levelsSource()} Definitions: ${book.definitions.method || "as given"}. `, link("#definitions", "How the clusters were made")));
}
