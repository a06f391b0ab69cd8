"use strict";
/* One region: what it is strong in, how it moves, how much hangs on one cluster, who is alike. */

async function regionPage(id) {
  const region = book.region.get(id);
  if (!region) return { title: `Unknown ${book.noun}`, element: faultPage(`No such ${book.noun}`, `There is no ${book.noun} '${id}' in this book.`, "Search for it by name above; borders and codes change, so look for its newer name too.") };
  const data = await load(`region/${region.file}`);
  const list = rows(data.clusters).map((row) => ({ ...row, ...clusterOf(row.c) }));
  const rule = ruleOf();
  const strong = list.filter((row) => meets(row, rule?.name));
  const best = [...(strong.length ? strong : list)].filter((row) => known(row.lq) && row.kind !== "local").sort((a, b) => b.lq - a.lq)[0];
  const portfolio = portfolioFigure(region, list);
  const strongBars = strongFigure(region, strong, rule);
  const strips = exposureStrips(region);
  const changed = shiftFigure(region, rows(data.shift_share));
  const next = await nextSection(region, rows(data.opportunities));
  const multiples = smallTrends(
    list.filter((row) => known(row.size) && row.kind !== "local").sort((a, b) => b.size - a.size),
    (row) => ({ title: row.label, href: clusterHref(book.clusters[row.c]) }), "The largest traded clusters");
  const largest = book.clusters[region.largest];
  const finding = best
    ? ["Stands out in ", link(clusterHref(best), best.label), `: ${FORMATS.quotient(best.lq)} times its share in ${book.all}, rank ${best.rank_lq} by quotient and ${best.rank} by size.`]
    : `No traded cluster is recorded here in ${book.year}.`;

  const element = h("div", { class: "wide" },
    pageHead({
      kicker: region.kind ? capital(String(region.kind)) : capital(book.noun),
      title: region.name,
      finding,
      actions: [link(`#compare/${encodeURIComponent(region.code)}`, "Compare with other places")],
    }),
    headline([
      { label: capital(book.size.label), key: "size", value: sized(region), note: `${known(region.rank) ? `rank ${region.rank} of ${WHOLE.format(book.regions.length)}, ` : ""}${book.year}` },
      known(region.n_strong) ? { label: "Strong clusters", key: "strong", value: WHOLE.format(region.n_strong), note: known(region.strong_share) ? `${FORMATS.share(region.strong_share)} of traded ${book.size.label}, ${book.year}` : `${book.year}` } : null,
      { label: "Largest cluster", key: "largest_share", value: text(region.largest_share, "share", region), note: largest ? [link(clusterHref(largest), largest.label), `, ${book.year}`] : null },
      known(region.growth)
        ? { label: "Growth a year", key: "growth", value: FORMATS.growth(region.growth), note: `${known(region.growth_relative) ? `${FORMATS.points(region.growth_relative)} against all, ` : ""}${growthYears()}` }
        : { label: "Effective clusters", key: "effective_clusters", value: text(region.effective_clusters, "amount"), note: `${book.year}` },
    ]),
    h("p", { class: "source under-headline" }, levelsSource(), known(region.growth) ? ` ${trendsSource()}` : "",
      known(region.coverage) ? ` The figures by industry cover ${FORMATS.share(region.coverage)} of what the source publishes for the whole ${book.noun}.` : ""),
    caveat(book.levels, book.trends),
    h("div", { class: "grid" },
      h("div", { class: "span-7" }, portfolio?.element ?? (book.trendYears.length > 1 ? h("p", { class: "quiet-line" }, "Growth cannot be set against quotients: too much of either is not known here.") : oneYearOnly())),
      h("div", { class: "span-5" }, strongBars.element, marksList(region, strong))),
    changed || multiples ? null : section("What changed", null, oneYearOnly()),
    changed ? section("What changed", `Change of ${book.size.label}, ${growthYears()}, split into three parts that add up`, changed.element) : null,
    multiples ? section(changed ? "Over the years" : "What changed", `${capital(book.size.label)} of the largest clusters, each on its own scale from zero`, multiples.element, h("p", { class: "source" }, trendsSource())) : null,
    next?.element,
    strips.length ? section("How varied, how exposed", `Every ${book.noun} is a thin line, ${book.year}`, h("div", { class: "grid" }, strips.map((strip) => h("div", { class: "span-6" }, strip.element)))) : null,
    allClusters(region, list, rule),
    similarSection(region, rows(data.similar)),
    peersSection(region, rows(data.peers)),
    blindSpots());
  return { title: region.name, element, drawn: () => Promise.all([portfolio?.draw(), strongBars.draw?.(), changed?.draw(), multiples?.draw(), next?.draw(), ...strips.map((strip) => strip.draw())]) };
}

function clusterOf(position) {
  const { label, kind, id } = book.clusters[position];
  return { label, kind, id };
}

function portfolioFigure(region, list) {
  const drawable = (row) => known(row.growth_relative) && row.lq > 0 && known(row.size);
  if (!list.some(drawable)) return null;
  const kinds = book.kinds.length > 1 && list.some((row) => row.kind === "traded" && drawable(row)) ? ["traded", "all"] : ["all"];
  let kind = address.get("portfolio") === "all" ? "all" : kinds[0];
  const wish = () => {
    const inside = list.filter((row) => kind === "all" || row.kind === "traded");
    const drawn = inside.filter(drawable);
    const largest = [...drawn].sort((a, b) => b.size - a.size).slice(0, 14);
    const swings = drawn.map((row) => Math.abs(row.growth_relative)).sort((a, b) => a - b);
    const reach = Math.min(0.5, Math.max(0.03, 1.1 * (swings[Math.floor(swings.length * 0.85)] ?? 0), 1.1 * Math.max(0, ...largest.slice(0, 8).map((row) => Math.abs(row.growth_relative)))));
    const beyond = drawn.filter((row) => Math.abs(row.growth_relative) > reach).length;
    const gone = inside.length - drawn.length;
    return {
      name: "portfolio",
      signals: { reach, ...quotientRange(drawn) },
      data: { rows: drawn.map((row) => ({ id: row.id, lq: row.lq, growth: row.growth_relative, size: row.size, group: row.kind ?? "other", label: largest.includes(row) ? short(row.label) : "" })) },
      legend: kindLegend().filter((one) => kind === "all" || one.label.startsWith("Traded")),
      note: [
        beyond ? `${plural(beyond, "cluster grows or shrinks", "clusters grow or shrink")} faster than the axis shows and ${beyond === 1 ? "stands" : "stand"} at its edge.` : null,
        gone ? `${plural(gone, "cluster is", "clusters are")} not drawn: growth not known.` : null,
      ].filter(Boolean).join(" ") || null,
      tip: (datum) => {
        const row = list.find((one) => one.id === datum.id);
        return row && tip.lines(row.label, [...rowTip(row), ["Against all", text(row.growth_relative, "points", row)], known(row.trend_coverage) ? ["Trend source sees", FORMATS.share(row.trend_coverage)] : null], "Click to open the cluster.");
      },
      pick: (datum) => { if (datum.id) location.hash = clusterHref(book.cluster.get(datum.id)); },
    };
  };
  const panel = figure({
    title: "Specialised and growing, or not",
    sub: `Location quotient, ${book.year}, by growth a year against the same cluster everywhere, ${growthYears()}; area: ${book.size.label}${book.size.unit ? ` (${book.size.unit})` : ""}`,
    source: `${levelsSource()} ${trendsSource()}`,
    chart: { ...wish(), height: 440 },
    tools: kinds.length > 1 ? choice("Which clusters", [{ value: "traded", text: "Traded" }, { value: "all", text: "Traded and local" }], kind, (value) => {
      kind = value;
      address.set({ portfolio: value === "traded" ? null : value });
      panel.draw(wish());
    }) : null,
  });
  const first = panel.draw;
  panel.draw = (next = wish()) => first(next);
  return panel;
}

const short = (label, limit = 24) => (label.length > limit ? `${label.slice(0, limit - 2).replace(/[\s,;]+$/, "")}…` : label);

function strongFigure(region, strong, rule) {
  const list = [...strong].sort((a, b) => (b.lq ?? 0) - (a.lq ?? 0));
  if (!list.length) {
    return { element: h("div", { class: "card" }, h("h2", { class: "claim" }, rule ? `No cluster meets the rule “${rule.title}” here` : "No rule is applied"), h("p", {}, `The table below shows all clusters of this ${book.noun}.`)) };
  }
  const shown = list.slice(0, 13);
  const bars = shown.map((row, order) => ({ order, label: twoLines(row.label), value: row.lq, text: FORMATS.quotient(row.lq) + (known(row.rank) ? ` · #${row.rank}` : ""), group: row.kind ?? "other", id: row.id, ...spread(row) }));
  return figure({
    title: rule.name === "strong" ? plural(list.length, "strong cluster", "strong clusters") : `${plural(list.length, "cluster meets", "clusters meet")} “${rule.title}”`,
    sub: `Location quotient of ${book.size.label} and rank by size among all ${book.nouns}, ${book.year}`,
    source: `${levelsSource()} Rule: ${rule.profile}.`,
    note: [list.length > shown.length ? `The ${shown.length} most specialised; all are in the table.` : null, barNote(true, shown)].filter(Boolean).join(" ") || null,
    legend: kindLegend(),
    chart: {
      name: "bars", height: 30 + 30 * shown.length,
      data: { rows: bars },
      signals: roomFor(bars),
      tip: (datum) => { const row = list.find((one) => one.id === datum.id); return row && tip.lines(row.label, [...rowTip(row), ["Rank by size", text(row.rank, "rank", row)]], "Click to open the cluster."); },
      pick: (datum) => { if (datum.id) location.hash = clusterHref(book.cluster.get(datum.id)); },
    },
  });
}

function exposureStrips(region) {
  const more = [
    known(region.unrelated_variety) ? `Unrelated variety: ${FORMATS.index(region.unrelated_variety)} bits.` : null,
    known(region.diversity) ? `Industries with a quotient of at least 1: ${FORMATS.count(region.diversity)}.` : null,
  ].filter(Boolean).join(" ");
  const most = (word) => (n, all) => `${capital(ordinal(n))} most ${word} of ${WHOLE.format(all)}`;
  return [
    positionFigure(region, "strip_variety", "effective_clusters", "amount", most("varied"), `Effective number of clusters in each ${book.noun}, ${book.year}`),
    positionFigure(region, "strip_dependency", "largest_share", "share", (n, all) => `Its largest cluster holds ${text(region.largest_share, "share", region)}: ${ordinal(n)} highest of ${WHOLE.format(all)}`, `Share of the largest cluster in each ${book.noun}'s ${book.size.label}, ${book.year}`),
    positionFigure(region, "strip_complexity", "eci", "index", most("complex"), `Economic complexity of each ${book.noun}, ${book.year}: 0 is the mean, 1 a standard deviation above it`, "High where industries are that few other places have. What it orders need not be sophistication: look at the industries."),
    positionFigure(region, "strip_related", "related_variety", "index", most("varied within its sectors"), `Related variety of each ${book.noun}, ${book.year}: how mixed its sectors are inside`, more || null),
  ].filter(Boolean);
}

function positionFigure(region, name, key, kind, title, sub, note) {
  if (!known(region[key])) return null;
  const others = book.regions.filter((one) => known(one[key]));
  if (others.length < 3) return null;
  const place = 1 + others.filter((one) => one[key] > region[key]).length;
  return figure({
    title: title(place, others.length),
    sub,
    note,
    source: levelsSource(),
    chart: {
      name, height: 110,
      data: { rows: others.map((one) => ({ value: one[key], group: "other", marked: one === region, side: sideOf(one[key], others.map((each) => each[key])), text: `${FORMATS[kind](one[key])} ${one.name.split(",")[0]}`, code: one.code })) },
      tip: (datum) => { const one = book.region.get(String(datum.code)); return one && tip.lines(one.name, [[book.terms[key].name, text(one[key], kind)], book.clusters[one.largest] ? ["Largest cluster", book.clusters[one.largest].label] : null]); },
      pick: (datum) => { if (datum.code) location.hash = regionHref(datum); },
    },
  });
}

function allClusters(region, list, rule) {
  const most = Math.max(...list.map((row) => row.size ?? 0));
  const filters = [...kindFilters()];
  if (rule) filters.push({ value: "marked", text: capital(rule.title), test: (row) => meets(row, rule.name) });
  const block = dataTable({
    name: "clusters",
    caption: `Clusters in ${region.name}`,
    list,
    sort: "-size",
    short: 20,
    filter: (row) => row.label,
    filters,
    columns: [
      { key: "label", label: "Cluster", kind: "text", always: true, cell: clusterCell },
      COLUMN.card((row) => ({ region, cluster: row })),
      { ...COLUMN.size(), cell: (row, value) => barCell(value, most, text(value, "size", row)) },
      COLUMN.lq(),
      COLUMN.lq_low95(),
      COLUMN.lq_high95(),
      COLUMN.lq_q(),
      COLUMN.rank(),
      COLUMN.region_share(),
      COLUMN.national_share(),
      rule ? COLUMN.rule(rule) : null,
      COLUMN.stars(),
      COLUMN.stage(),
      { key: "types", label: "Types", kind: "text" },
      { key: "warned", label: "Warnings", kind: "count", onlySaved: true, value: (row) => row.warned ?? (hasTable("warnings") ? 0 : null) },
      { ...COLUMN.establishments(), onlySaved: hasTable("profile_elements") },
      COLUMN.trend(),
      COLUMN.growth(),
      COLUMN.growth_relative(),
      COLUMN.wage(),
      { ...COLUMN.wage_relative(), onlySaved: hasTable("profile_elements") },
    ].filter(Boolean),
    note: [trendNote(list), list.some((row) => rule && doubtOf(row, rule.name) === "borderline") ? BORDERLINE_NOTE : null].filter(Boolean).join(" ") || null,
  });
  return section("All clusters", `${book.year}; clusters in which nothing is recorded are not listed (${book.clusters.length - list.length})`, block.element, h("p", { class: "source" }, levelsSource(), has(list, "growth") ? ` ${trendsSource()}` : ""));
}

function similarSection(region, alike) {
  if (!alike.length) return null;
  const first = alike.slice(0, 4).map((one) => book.regions[one.o].code);
  return section("Most alike", `${capital(book.nouns)} whose clusters have the most similar shares, ${book.year}`,
    h("ol", { class: "alike" }, alike.map((one) => {
      const other = book.regions[one.o];
      return h("li", {}, link(regionHref(other), other.name), h("span", { class: "in-bar", style: `--part:${100 * one.similarity}%`, "data-term": "similarity" }, FORMATS.percent(one.similarity)), h("small", {}, withUnit(other.size, other)));
    })),
    h("p", {}, link(`#compare/${[region.code, ...first].map(encodeURIComponent).join(",")}`, "Compare with the four most alike")),
    h("p", { class: "source" }, levelsSource()));
}

/* What else is known of the strong clusters, in a word each: stage, types, warnings. */
function marksList(region, strong) {
  if (!hasTable("profile_elements") || !strong.length) return null;
  const list = [...strong].sort((a, b) => (b.lq ?? 0) - (a.lq ?? 0)).slice(0, 13);
  return h("div", { class: "card marks" }, h("h3", {}, "The card of each"), h("ul", {}, list.map((row) => h("li", {},
    link(placeHref(region, row), row.label), " ",
    stageOf(row) ? h("span", { class: "mark", "data-term": "stage" }, stageOf(row)) : null, row.types ? h("span", { class: "mark" }, row.types.replaceAll(",", ", ")) : null,
    doubtOf(row, "strong") === "borderline" ? h("span", { class: "mark borderline", "data-term": "borderline" }, "borderline") : null,
    row.warned ? h("span", { class: "mark warned" }, plural(row.warned, "warning", "warnings")) : null))),
  list.some(stageOf) ? null : h("p", { class: "note" }, "No stage is given: too few years are known, or the figures fit several."));
}

const PEER_PARTS = ["structure", "size", "setting"];

/* The columns of a table of peers: how far, and in what. */
const peerColumns = (most) => [
  { key: "distance", label: "Distance", kind: "index", term: "distance", cell: (row, value) => partsBar(row, most, FORMATS.index(value)) },
  ...PEER_PARTS.map((part) => ({ key: part, label: capital(part), kind: "index", term: `distance_${part}` })),
  { key: "known", label: "Compared", kind: "percent", term: "compared", value: (row) => row.known ?? 1 },
];

function partsBar(row, most, words) {
  return h("span", { class: "parts-bar" }, h("span", { class: "bar", "aria-hidden": "true", style: `width:${((100 * row.distance) / (most || 1)).toFixed(1)}%` },
    PEER_PARTS.map((part, k) => h("i", { class: `part-${k + 1}`, style: `flex-grow:${1000 * row[part]}` }))), h("b", {}, words));
}

const partsLegend = () => legendSwatches(PEER_PARTS.map((part, k) => ({ label: `${capital(part)}`, colour: `var(--place-${k + 1})` })));

function peersSection(region, list) {
  if (!list.length) return null;
  const most = Math.max(...list.map((row) => row.distance));
  const table = dataTable({
    name: "peers",
    caption: `Peers of ${region.name}`,
    list: list.map((row) => ({ ...row, other: book.regions[row.o] })),
    sort: "rank",
    columns: [
      { key: "name", label: capital(book.noun), kind: "text", always: true, value: (row) => row.other.name, cell: (row) => link(regionHref(row.other), row.other.name) },
      { key: "rank", label: "Rank", kind: "rank" },
      ...peerColumns(most),
    ],
  });
  return section("Best compared with", `${capital(book.nouns)} whose economy is most like this one in structure, size and setting together, ${book.year}; 0 is alike`, partsLegend(), table.element,
    h("p", { class: "source" }, levelsSource()));
}
