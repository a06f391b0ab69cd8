"use strict";
/* The first page: what the book covers, where clusters are strong, which are large, which grow. */

function overviewPage() {
  const { headline: sums, nouns, year } = book;
  const most = book.regions.reduce((best, one) => ((one.n_strong ?? 0) > (best?.n_strong ?? 0) ? one : best), null);
  const page = { title: book.title };
  const picked = address.get("region");
  const map = overviewMap(picked, (code) => select(code));
  const card = h("div", { class: "card", "aria-live": "polite" });
  const bars = overviewBars();
  const space = spaceFigure();

  function select(code) {
    address.set({ region: code });
    map?.pick(code);
    describe(code);
  }

  function describe(code) {
    const region = book.region.get(code);
    if (!region) {
      replace(card, h("p", { class: "quiet-line" }, `Select a ${book.noun} on the map, or find one by name.`));
      return;
    }
    const largest = book.clusters[region.largest];
    replace(card, h("h3", {}, link(regionHref(region), region.name)), h("dl", { class: "pairs" },
      pair(capital(book.size.label), withUnit(region.size, region)),
      known(region.n_strong) ? pair("Strong clusters", FORMATS.count(region.n_strong)) : null,
      pair("In strong clusters", figureText(region.strong_share, "share", region)),
      largest ? pair("Largest cluster", [link(clusterHref(largest), largest.label), ` ${text(region.largest_share, "share", region)}`]) : null));
  }

  const strongWords = known(sums.strong)
    ? `${WHOLE.format(sums.strong)} strong clusters hold ${text(sums.strong_share, "share")} of traded ${book.size.label}${most ? `; ${most.name} has the most, ${most.n_strong}` : ""}.`
    : `${plural(book.clusters.length, "cluster", "clusters")} in ${regionsCounted(book.regions.length)}.`;

  page.element = h("div", { class: "wide" },
    pageHead({ title: book.title, finding: strongWords, actions: [link("#definitions", "How the clusters were made")] }),
    headline([
      { label: capital(nouns), value: WHOLE.format(book.regions.length), note: book.region_set || `${year}` },
      { label: "Clusters", key: "cluster", value: WHOLE.format(book.clusters.length), note: book.kinds.map((kind) => `${book.clusters.filter((one) => one.kind === kind).length} ${kind}`).join(", ") || null },
      known(sums.strong) ? { label: "Strong clusters", key: "strong", value: WHOLE.format(sums.strong), note: `a cluster strong in a ${book.noun}, counted each time, ${year}` } : null,
      known(sums.strong)
        ? { label: `${capital(book.size.unit || book.size.label)} in strong clusters`, key: "strong_share", value: text(sums.strong_size, "size"), note: `${text(sums.strong_share, "share")} of traded ${book.size.label}, ${year}` }
        : { label: capital(book.size.label), value: withUnit(sums.size), note: `${year}` },
    ]),
    h("p", { class: "source under-headline" }, levelsSource(), sums.hidden ? ` ${WHOLE.format(sums.hidden)} cells are withheld or not known and not in the sums.` : ""),
    warningLine(),
    caveat(book.levels),
    h("div", { class: "grid" },
      map ? h("div", { class: "span-7" }, map.element, card) : null,
      h("div", { class: map ? "span-5" : "span-12" }, bars.element)),
    clusterTable(),
    space?.element,
    section(capital(nouns), `Every ${book.noun} of the book, ${year}`, regionTable()));
  page.drawn = () => { describe(picked); return Promise.all([map?.draw(), bars.draw(), space?.draw()]); };
  return page;
}

const pair = (name, ...value) => [h("dt", {}, name), h("dd", {}, value)];

function overviewMap(picked, select) {
  if (!atlasMap.available()) return null;
  const kinds = {
    count: { chart: "map_count", key: "n_strong", kind: "count", title: "Where clusters are strong", sub: `Number of strong clusters in each ${book.noun}, ${book.year}`, name: "Strong clusters" },
    share: { chart: "map_share", key: "strong_share", kind: "share", title: "How much depends on strong clusters", sub: `Share of traded ${book.size.label} in strong clusters, ${book.year}`, name: "In strong clusters" },
  };
  const available = Object.entries(kinds).filter(([, one]) => has(book.regions, one.key));
  if (!available.length) return null;
  let kind = kinds[address.get("map")] ?? available[0][1];
  const values = () => new Map(book.regions.map((region) => [String(region.code), { value: region[kind.key] ?? null }]));
  const panel = regionMap({
    name: kind.chart, title: kind.title, sub: kind.sub, source: levelsSource(), byRegion: values(), picked, pick: select,
    tipOf: ({ region }) => {
      const one = book.region.get(region);
      return tip.lines(one.name, available.map(([, each]) => [each.name, text(one[each.key], each.kind, one)])
        .concat([[capital(book.size.label), withUnit(one.size, one)]]), `${book.year}. Click to select.`);
    },
    tools: choice("What the map shows", [{ value: "count", text: "Number" }, { value: "share", text: "Share" }], kind === kinds.share ? "share" : "count", (value) => {
      kind = kinds[value];
      address.set({ map: value === "count" ? null : value });
      panel.title(kind.title);
      panel.sub(kind.sub);
      panel.show(kind.chart, values());
    }),
  });
  return panel;
}

function overviewBars() {
  const kinds = {
    largest: { key: "size", kind: "size", title: "The largest clusters", sub: `${capital(book.size.label)}${book.size.unit ? ` (${book.size.unit})` : ""} in ${book.all}, ${book.year}`, source: levelsSource() },
    growing: { key: "growth", kind: "growth", title: "The fastest growing clusters", sub: `Change of ${book.size.label} a year, ${growthYears()}, clusters of at least average size`, source: trendsSource() },
  };
  let kind = kinds[has(book.clusters, "growth") ? address.get("bars") : "largest"] ?? kinds.largest;
  const wish = () => {
    const typical = book.clusters.map((one) => one.size ?? 0).sort((a, b) => a - b)[Math.floor(book.clusters.length / 2)];
    const list = book.clusters
      .filter((one) => known(one[kind.key]) && (!book.kinds.includes("traded") || one.kind === "traded") && (kind === kinds.largest || one.size >= typical))
      .sort((a, b) => b[kind.key] - a[kind.key])
      .slice(0, 14);
    const bars = list.map((one, order) => ({ order, label: twoLines(one.label), value: one[kind.key], text: FORMATS[kind.kind](one[kind.key]), group: one.kind ?? "other", id: one.id }));
    return {
      name: "bars",
      data: { rows: bars },
      signals: roomFor(bars),
      tip: (datum) => {
        const one = book.cluster.get(datum.id);
        return one && tip.lines(one.label, [[capital(book.size.label), withUnit(one.size, one)], known(one.growth) ? ["Growth a year", FORMATS.growth(one.growth)] : null, known(one.regions_strong) ? ["Strong in", regionsCounted(one.regions_strong)] : null]);
      },
      pick: (datum) => { if (datum.id) location.hash = clusterHref(book.cluster.get(datum.id)); },
    };
  };
  const panel = figure({
    title: kind.title, sub: kind.sub, source: kind.source,
    chart: { ...wish(), height: 34 * wish().data.rows.length },
    note: book.kinds.includes("traded") ? "Traded clusters only; local ones are in the table." : null,
    tools: has(book.clusters, "growth") ? choice("Which clusters", [{ value: "largest", text: "Largest" }, { value: "growing", text: "Fastest growing" }], kind === kinds.growing ? "growing" : "largest", (value) => {
      kind = kinds[value];
      address.set({ bars: value === "largest" ? null : value });
      panel.title(kind.title);
      panel.sub(kind.sub);
      panel.element.querySelector(".source span").textContent = kind.source;
      panel.draw(wish());
    }) : null,
  });
  return panel;
}

const kindFilters = () => [{ value: "all", text: "All" }, ...book.kinds.map((kind) => ({ value: kind, text: capital(kind), test: (row) => row.kind === kind }))];

function clusterTable() {
  const most = Math.max(...book.clusters.map((one) => one.size ?? 0));
  const block = dataTable({
    name: "clusters",
    caption: "Clusters",
    list: book.clusters,
    sort: "-size",
    short: 20,
    filter: (row) => row.label,
    filters: kindFilters(),
    columns: [
      { key: "label", label: "Cluster", kind: "text", always: true, cell: clusterCell },
      { ...COLUMN.size(), cell: (row, value) => barCell(value, most, text(value, "size", row)) },
      COLUMN.trend(),
      COLUMN.growth(),
      { key: "regions_strong", label: "Strong in", kind: "count", term: "regions_strong", cell: (row, value) => (book.flags.some((flag) => flag.name === "strong" && applies(flag, row)) ? FORMATS.count(value) : h("span", { class: "no" }, "–", h("span", { class: "away" }, "does not apply"))) },
      { key: "regions_present", label: "Present in", kind: "count" },
      { key: "gini", label: "Concentration", kind: "index", term: "gini" },
      { key: "moran", label: "Neighbours", kind: "index", term: "moran" },
      COLUMN.wage(),
    ],
    note: trendNote(book.clusters),
  });
  return section("Clusters", `All clusters in ${book.all}, ${book.year}`, block.element, h("p", { class: "source" }, levelsSource(), " ", has(book.clusters, "growth") ? trendsSource() : ""));
}

function regionTable() {
  return [dataTable({
    name: "regions",
    caption: capital(book.nouns),
    list: book.regions,
    sort: "-size",
    short: 10,
    filter: (row) => `${row.name} ${row.code}`,
    columns: [
      { key: "name", label: capital(book.noun), kind: "text", always: true, cell: (row) => link(regionHref(row), row.name) },
      COLUMN.size(),
      { key: "n_strong", label: "Strong clusters", kind: "count", term: "strong" },
      { key: "strong_share", label: "In strong clusters", kind: "share", term: "strong_share" },
      { key: "effective_clusters", label: "Effective clusters", kind: "amount", term: "effective_clusters" },
      { key: "eci", label: "Complexity", kind: "index", term: "eci" },
      { key: "largest", label: "Largest cluster", kind: "text", value: (row) => book.clusters[row.largest]?.label ?? null, cell: (row) => link(clusterHref(book.clusters[row.largest]), book.clusters[row.largest].label) },
      { key: "largest_share", label: "Its share", kind: "share", term: "largest_share" },
      COLUMN.growth(),
    ],
  }).element, h("p", { class: "source" }, levelsSource(), " ", has(book.regions, "growth") ? trendsSource() : "")];
}

/* How many warnings the edition gives, and where they stand. */
function warningLine() {
  const { all, pairs, serious = 0, caution = 0, note = 0 } = book.warned ?? {};
  if (!all) return null;
  const kinds = [[serious, "serious"], [caution, "to be cautious"], [note, "to note"]].filter(([n]) => n).map(([n, words]) => `${WHOLE.format(n)} ${words}`);
  return h("p", { class: "warnings-line" }, h("b", {}, plural(all, "warning", "warnings")), ` on ${plural(pairs, `cluster in a ${book.noun}`, `clusters in ${book.nouns}`)}, ${book.year}: ${listed(kinds)}. Each stands on the card of its cluster; open one from any table.`);
}
