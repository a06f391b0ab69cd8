"use strict";
/* What changed in a region, and what could come next. */

const PARTS = [
  { key: "national", name: () => "Growth of all together", words: "had each of its clusters grown like everything together" },
  { key: "mix", name: () => "Industry mix", words: "because its clusters grew faster or slower everywhere" },
  { key: "local", name: () => "Local effect", words: "what its clusters did better or worse here than elsewhere" },
];

/* The change of a region, part by part, and the clusters in which the local part is largest. */
function shiftFigure(region, parts) {
  const whole = parts.find((row) => !known(row.c));
  const list = parts.filter((row) => known(row.c) && known(row.local)).map((row) => ({ ...row, ...clusterOf(row.c) }));
  const chart = whole && PARTS.every(({ key }) => known(whole[key])) ? shiftChart(region, whole) : null;
  if (!chart && !list.length) return null;
  const element = h("div", { class: "grid" },
    chart ? h("div", { class: "span-6" }, chart.element, partWords()) : null,
    list.length ? h("div", { class: chart ? "span-6" : "span-12" }, shiftTable(region, list)) : null);
  return { element, draw: () => chart?.draw() };
}

function shiftChart(region, whole) {
  const unit = book.size.unit || book.size.label;
  let at = 0;
  const bars = PARTS.map(({ key, name }, order) => {
    const start = at;
    at += whole[key];
    return { order, label: twoLines(name()), start, end: at, text: FORMATS.change(whole[key]), group: whole[key] < 0 ? "less" : "more" };
  });
  bars.push({ order: bars.length, label: "Change", start: 0, end: whole.change, text: FORMATS.change(whole.change), group: "total" });
  const verb = whole.change < 0 ? "Lost" : "Gained";
  return figure({
    title: `${verb} ${WHOLE.format(Math.abs(whole.change))} ${unit}; ${FORMATS.change(whole.local)} by local effect`,
    sub: `Change of ${book.size.label}${book.size.unit ? ` (${book.size.unit})` : ""} in ${region.name}, ${growthYears()}, by shift-share`,
    source: trendsSource(),
    chart: {
      name: "waterfall", height: 160,
      data: { rows: bars },
      tip: (datum) => { const part = PARTS[datum.order]; return known(datum.order) && tip.lines(part ? part.name() : "Change", [["Change", `${datum.text} ${unit}`]], part && `${capital(part.words)}.`); },
    },
  });
}

const partWords = () => h("dl", { class: "facts words" }, PARTS.map(({ key, name, words }) => h("div", {}, h("dt", {}, term(`shift_${key}`, name())), h("dd", {}, h("span", {}, `${capital(words)}.`)))));

function shiftTable(region, list) {
  const column = (key, label) => ({ key, label, kind: "change", term: `shift_${key}`, cell: (row, value) => h("span", { class: value < 0 ? "down" : value > 0 ? "up" : null }, FORMATS.change(value)) });
  return [h("h3", {}, "By cluster"), dataTable({
    name: "shift",
    caption: `Change in ${region.name} by cluster and part`,
    list,
    sort: "-local",
    short: 8,
    columns: [
      { key: "label", label: "Cluster", kind: "text", always: true, cell: clusterCell },
      { key: "change", label: "Change", kind: "change" },
      column("national", "All together"),
      column("mix", "Mix"),
      column("local", "Local"),
    ],
  }).element];
}

/* Industries that the region lacks and that are near to what it has. */
async function nextSection(region, chances) {
  if (!chances.length) return null;
  const { industries } = await industryBook();
  const list = chances.map((row) => ({ ...industries[row.i], ...row, status: null }));
  const chart = nextFigure(region, list);
  const element = section("What could come next", `The traded industries nearest to what ${region.name} is specialised in, and in which it is not, ${book.year}. Nearness is no promise: it says what places like this one have.`,
    h("div", { class: "grid" },
      chart ? h("div", { class: "span-5" }, chart.element) : null,
      h("div", { class: chart ? "span-7" : "span-12" }, nextTable(region, list), h("p", { class: "source" }, levelsSource(), has(list, "wage") ? ` ${trendsSource()}` : ""))));
  return { element, draw: () => chart?.draw() };
}

function nextFigure(region, list) {
  const kinds = [
    { value: "complexity", text: "Complexity", key: "pci", kind: "index", name: "next_complexity", title: "Near and complex, near and simple", sub: "complexity of the industry" },
    { value: "wage", text: "Wage", key: "wage", kind: "amount", name: "next_wage", title: "Near and well paid, near and not", sub: `wage in the industry everywhere (${book.units?.wage ?? ""})` },
  ].filter(({ key }) => has(list, key));
  if (!kinds.length) return null;
  let kind = kinds.find(({ value }) => value === address.get("next")) ?? kinds[0];
  const sub = () => `Relatedness density of the ${list.length} nearest industries by ${kind.sub}, ${book.year}`;
  const wish = () => {
    const drawn = list.filter((row) => known(row[kind.key]));
    return {
      name: kind.name,
      note: drawn.length < list.length ? `${plural(list.length - drawn.length, "industry is", "industries are")} not drawn: ${kind.text.toLowerCase()} not known.` : null,
      data: { rows: drawn.map((row) => ({ i: row.i, density: row.density, value: row[kind.key], size: row.size ?? 0, group: "traded", label: shortTitle(row.title ?? row.industry, 26) })) },
      tip: (datum) => {
        const row = list.find((one) => one.i === datum.i);
        return row && tip.lines(row.title ?? row.industry, [row.group ? ["Cluster", row.group.label] : null, ["Density", FORMATS.index(row.density)], ["LQ here", text(row.lq, "quotient")], known(row.pci) ? ["Complexity", FORMATS.index(row.pci)] : null, known(row.wage) ? ["Wage everywhere", `${FORMATS.amount(row.wage)} ${book.units?.wage ?? ""}`] : null], "Click to open its cluster.");
      },
      pick: (datum) => { const row = list.find((one) => one.i === datum.i); if (row?.group) location.hash = clusterHref(row.group); },
    };
  };
  const panel = figure({
    title: kind.title, sub: sub(), source: kind.key === "wage" ? `${levelsSource()} ${trendsSource()}` : levelsSource(), chart: { ...wish(), height: 380 },
    tools: kinds.length > 1 ? choice("What the chart shows upwards", kinds, kind.value, (value) => {
      kind = kinds.find((one) => one.value === value);
      address.set({ next: kind === kinds[0] ? null : value });
      panel.title(kind.title);
      panel.sub(sub());
      panel.draw(wish());
    }) : null,
  });
  return panel;
}

function nextTable(region, list) {
  return dataTable({
    name: "next",
    caption: `Industries near to ${region.name}`,
    list,
    sort: "rank",
    columns: [
      { key: "title", label: "Industry", kind: "text", always: true, value: (row) => row.title ?? row.industry, cell: (row, value) => [value, row.group ? h("small", { class: "under" }, link(clusterHref(row.group), row.group.label)) : null] },
      { key: "rank", label: "Rank", kind: "rank" },
      { key: "density", label: "Density", kind: "index", term: "density" },
      { key: "lq", label: "LQ", kind: "quotient", term: "lq" },
      { key: "pci", label: "Complexity", kind: "index", term: "pci" },
      { key: "wage", label: "Wage", unit: book.units?.wage ?? "", kind: "amount", term: "wage" },
    ],
  }).element;
}
