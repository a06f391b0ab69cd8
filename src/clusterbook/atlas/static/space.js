"use strict";
/* The industry space: which industries are found in the same places, as a network and as a table. */

const COLOURED = 4;
const HUBS = 14;

/* The industries of the book and the links between them; asked for by the pages that show them. */
async function industryBook() {
  const data = await load("industries");
  const industries = rows(data.industries).map((one, k) => ({ ...one, position: k, group: book.clusters[one.c] }));
  const links = rows(data.links).map((link) => ({ ...link, one: industries[link.i], other: industries[link.j] }));
  return { industries, links };
}

const shortTitle = (title, limit) => short(title.replace(/ Manufacturing$/, ""), limit);

/* Industries with their place in the drawing; the largest clusters have a colour, the most linked a name. */
function spaceOf({ industries, links }) {
  const placed = industries.filter((one) => known(one.x));
  const present = new Set(placed.map((one) => one.group));
  const coloured = [...book.clusters].filter((one) => present.has(one)).sort((a, b) => (b.size ?? 0) - (a.size ?? 0)).slice(0, COLOURED);
  const degree = new Map(placed.map((one) => [one, 0]));
  links.flatMap(({ one, other }) => [one, other]).forEach((end) => degree.set(end, degree.get(end) + 1));
  const hubs = spacedOut([...placed].sort((a, b) => degree.get(b) - degree.get(a) || (b.size ?? 0) - (a.size ?? 0)));
  const nodes = placed.map((one) => ({ x: one.x, y: one.y, size: one.size ?? 0, place: 1 + coloured.indexOf(one.group), label: hubs.has(one) ? shortTitle(one.title ?? one.industry, 30) : "", at: one.position }));
  const lines = links.map(({ one, other, proximity }) => ({ x: one.x, y: one.y, x2: other.x, y2: other.y, proximity, i: one.position, j: other.position }));
  return { nodes, lines, coloured };
}

/* The first of a list that leave each other room for a name. */
function spacedOut(list) {
  const kept = [];
  for (const one of list) {
    if (kept.length === HUBS) break;
    if (kept.every((other) => Math.abs(one.x - other.x) > 0.16 || Math.abs(one.y - other.y) > 0.07)) kept.push(one);
  }
  return new Set(kept);
}

function spaceFigure() {
  if (!hasTable("space_nodes")) return null;
  const panel = figure({
    title: "Industries that stand together",
    sub: `The industry space, ${book.year}: industries are near and linked where the same ${book.nouns} are specialised in them; area: ${book.size.label}${book.size.unit ? ` (${book.size.unit})` : ""}`,
    source: levelsSource(),
    wide: true,
    note: "Named are industries with many links. Where a dot stands says only what it is near to. Click on it to open its cluster.",
    chart: {
      name: "space", height: 580,
      prepare: async () => {
        const all = await industryBook();
        const { nodes, lines, coloured } = spaceOf(all);
        return {
          data: { rows: nodes, links: lines },
          legend: [...coloured.map((one, k) => ({ label: one.label, colour: `var(--place-${k + 1})`, round: true })), { label: "Other clusters", colour: "var(--other)", round: true }],
          tip: (datum) => (known(datum.at) ? industryTip(all.industries[datum.at]) : linkTip(all, datum)),
          pick: (datum) => { const group = all.industries[datum.at]?.group; if (group) location.hash = clusterHref(group); },
        };
      },
    },
  });
  return panel;
}

function industryTip(one) {
  return tip.lines(one.title ?? one.industry, [
    one.group ? ["Cluster", one.group.label] : null,
    [capital(book.size.label), withUnit(one.size, one)],
    known(one.pci) ? ["Complexity", FORMATS.index(one.pci)] : null,
    known(one.ubiquity) ? ["Specialised", regionsCounted(one.ubiquity)] : null,
  ], one.group ? "Click to open the cluster." : null);
}

function linkTip({ industries }, { i, j, proximity }) {
  return known(i) && tip.lines(`${industries[i].title} – ${industries[j].title}`, [["Proximity", FORMATS.index(proximity)]]);
}

/* The nearest industries of other clusters: where the cluster touches the rest of the economy. */
async function linkedIndustries(cluster) {
  if (!hasTable("space_links")) return null;
  const { links } = await industryBook();
  const ours = links
    .flatMap(({ one, other, proximity }) => [{ own: one, other, proximity }, { own: other, other: one, proximity }])
    .filter(({ own, other }) => own.group === cluster && other.group && other.group !== cluster);
  if (!ours.length) return null;
  const table = dataTable({
    name: "linked",
    caption: `Neighbours of ${cluster.label} in the industry space`,
    list: ours,
    sort: "-proximity",
    short: 8,
    columns: [
      { key: "other", label: "Industry nearby", kind: "text", always: true, value: (row) => row.other.title ?? row.other.industry },
      { key: "cluster", label: "Its cluster", kind: "text", value: (row) => row.other.group.label, cell: (row) => clusterCell(row.other.group) },
      { key: "own", label: "Near to", kind: "text", value: (row) => row.own.title ?? row.own.industry },
      { key: "proximity", label: "Proximity", kind: "index", term: "proximity", cell: (row, value) => barCell(value, 1, FORMATS.index(value)) },
    ],
  });
  return section("Its neighbours", `Industries of other clusters in which the same ${book.nouns} are specialised, ${book.year}; the strongest links of the whole economy only`, table.element, h("p", { class: "source" }, levelsSource()));
}
