"use strict";
/* The pieces pages are made of: heads, headline figures, charts with title and source, columns of figures. */

const QUOTIENT_BREAKS = [0.5, 1, 1.5, 3, 6];

function pageHead({ kicker, title, finding, actions }) {
  return h("div", { class: "head" },
    kicker ? h("p", { class: "kicker" }, kicker) : null,
    h("h1", { tabindex: "-1" }, title),
    finding ? h("p", { class: "finding" }, finding) : null,
    actions ? h("p", { class: "actions" }, actions) : null);
}

/* One line on what is missing from the figures, on every page that shows any. */
function caveat(...sources) {
  const lines = [...new Set((sources.length ? sources : [book.levels]).flatMap((source) => source.caveats ?? []))];
  if (!lines.length) return null;
  return h("p", { class: "caveat" }, h("b", {}, "Mind: "), lines[0], " ", link("#method", lines.length > 1 ? "All caveats" : "Method"));
}

/* Four figures; each says what it counts, its unit, year and rank. */
function headline(list) {
  return h("dl", { class: "headline" }, list.filter(Boolean).map(({ label, value, note, key }) =>
    h("div", {}, h("dt", {}, key ? term(key, label) : label), h("dd", {}, value, note ? h("small", {}, note) : null))));
}

function section(title, sub, ...children) {
  return h("section", {}, h("div", { class: "section-head" }, h("h2", {}, title), sub ? h("p", {}, sub) : null), children);
}

const kindMark = (kind) => (kind ? h("span", { class: `kind ${kind}`, "data-term": kind }, kind) : null);

/* The name of a cluster in a table, with a dot for its kind. */
function clusterCell(row) {
  const dot = row.kind ? h("i", { class: `dot ${row.kind}`, "data-term": row.kind }, h("span", { class: "away" }, `${row.kind} `)) : null;
  return h("span", { class: "named" }, dot, h("span", {}, link(clusterHref(row), row.label)));
}

/* A chart with its title (the finding), what is measured, legend, source and buttons to keep it. */
function figure({ title, sub, source, note, legend, chart: wish, tools, wide }) {
  const canvas = h("div", { class: `canvas ${wish.name.split("_")[0]}`, style: wish.height ? `min-height:${wish.height}px` : null });
  const heading = h("h2", { class: "claim" }, title);
  const under = h("p", { class: "sub" }, sub);
  const legendPlace = h("div", { class: "legend" }, legend ? legendSwatches(legend) : null);
  const notePlace = h("p", { class: "note", hidden: !note }, note);
  let view = null;
  let keys = legend ?? [];
  const buttons = h("span", { class: "keep" }, ["SVG", "PNG"].map((kind) =>
    h("button", { type: "button", class: "quiet", "aria-label": `Save as ${kind}: ${title}`, onclick: () => keep(kind) }, kind)));

  async function keep(kind) {
    if (!view) return;
    const words = { title: heading.textContent, subtitle: under.textContent, source, legend: keys };
    const svg = await keepsake.svg(view, words);
    const blob = kind === "SVG" ? new Blob([svg], { type: "image/svg+xml" }) : await keepsake.png(svg);
    keepsake.save(blob, `${fileName(words.title)}.${kind.toLowerCase()}`);
  }

  async function draw(next = wish) {
    try {
      const ready = await next.prepare?.();
      const options = { ...next, ...ready };
      if (!canvas.isConnected) return null;
      canvas.replaceChildren();
      if (options.legend) {
        keys = options.legend.classes ?? options.legend;
        replace(legendPlace, options.legend.element ?? legendSwatches(keys));
      }
      if (options.note !== undefined) { notePlace.textContent = options.note ?? ""; notePlace.hidden = !options.note; }
      view = await chart.draw(canvas, options.name, { ...options, label: `${heading.textContent}. ${under.textContent}` });
      return view;
    } catch (error) {
      replace(canvas, h("p", { class: "fault" }, error.message));
      return null;
    }
  }

  const element = h("figure", { class: wide ? "wide-figure" : null },
    h("figcaption", {}, heading, under), tools ? h("div", { class: "tools" }, tools) : null,
    canvas, legendPlace, notePlace, h("p", { class: "source" }, h("span", {}, source), buttons));
  return {
    element,
    draw,
    view: () => view,
    title: (words) => { heading.textContent = words; },
    sub: (words) => { under.textContent = words; },
  };
}

function legendSwatches(list) {
  return h("ul", { class: "swatches" }, list.map(({ label, colour, round, place }) =>
    h("li", {}, h("i", { class: place ? `place place-${place}` : round ? "round" : null, style: place ? null : `background:${colour}` }), label)));
}

const kindLegend = () => book.kinds.map((kind) => ({ label: `${capital(kind)} clusters`, colour: `var(--${kind})`, round: true }));

/* A map of one value of each region. */
function regionMap({ name, title, sub, source, byRegion, tipOf, pick, picked, tools, strongNote }) {
  const wish = (chartName, values) => ({
    name: chartName,
    prepare: async () => {
      const [{ ground }, charts] = await Promise.all([atlasMap.load(), load("charts")]);
      const shapes = atlasMap.shapes(values);
      const missing = book.regions.length - shapes.length;
      const classes = mapLegend(charts[chartName].usermeta, shapes);
      const outlined = shapes.some((shape) => shape.strong) && strongNote ? h("p", { class: "outlined" }, h("i"), strongNote) : null;
      const lined = shapes.some((shape) => shape.estimated) ? h("p", { class: "outlined lined" }, h("i"), "lined: estimated, because the source withholds part of it") : null;
      return { note: missing ? `${regionsCounted(missing)} without a known outline ${missing === 1 ? "is" : "are"} not on the map but in the tables.` : null, data: { shapes, ground }, signals: { picked: panel.picked ?? "" }, legend: { classes: outlined ? [...classes, { label: strongNote, colour: "none", line: "var(--ink)" }] : classes, element: [legendBars(classes), outlined, lined].filter(Boolean) } };
    },
    tip: (datum) => (datum.region ? tipOf(datum) : null),
    pick: (datum) => { if (datum.region) pick(datum.region === panel.picked ? null : datum.region); },
  });
  const panel = figure({ title, sub, source, tools, chart: wish(name, byRegion) });
  panel.picked = picked;
  panel.show = (chartName, values) => panel.draw(wish(chartName, values));
  panel.pick = (code) => {
    panel.picked = code;
    panel.view()?.signal("picked", code ?? "").runAsync();
  };
  panel.element.querySelector(".canvas").style.setProperty("--ratio", book.map_ratio);
  return panel;
}

/* --- columns of figures, named once for all tables --- */

const COLUMN = {
  size: () => ({ key: "size", label: capital(book.size.label), unit: book.size.unit, kind: "size", term: "size", bounded: true }),
  establishments: () => ({ key: "establishments", label: "Establish\u00ADments", kind: "size" }),
  lq: () => ({ key: "lq", label: "LQ", kind: "quotient", term: "lq", bounded: true, cell: (row, value) => quotientCell(row, value, QUOTIENT_BREAKS) }),
  lq_low95: () => ({ key: "lq_low95", label: "LQ, 95% from", kind: "quotient", onlySaved: true }),
  lq_high95: () => ({ key: "lq_high95", label: "LQ, 95% to", kind: "quotient", onlySaved: true }),
  lq_q: () => ({ key: "lq_q", label: "q", kind: "index", onlySaved: true }),
  national_share: () => ({ key: "national_share", label: "Share of cluster", kind: "share", term: "national_share" }),
  region_share: () => ({ key: "region_share", label: "Share of place", kind: "share", term: "region_share" }),
  rank: () => ({ key: "rank", label: "Rank", kind: "rank", term: "rank" }),
  rank_lq: () => ({ key: "rank_lq", label: "Rank by LQ", kind: "rank", term: "rank_lq" }),
  trend: () => ({ key: "trend", label: book.trendYears.length ? `${book.trendYears[0]}–${book.trendYears.at(-1)}` : "Trend", kind: "growth",
    value: (row) => (series(row).filter((point) => known(point.value)).length > 1 ? row.growth ?? 0 : null), csv: (row) => series(row).map((point) => point.value ?? "").join(" "), cell: (row) => sparkline(series(row)) }),
  growth: () => ({ key: "growth", label: "Growth a year", kind: "growth", term: "growth", dim: thinTrend }),
  growth_relative: () => ({ key: "growth_relative", label: "Against all", kind: "points", term: "growth_relative", dim: thinTrend }),
  wage: () => ({ key: "wage", label: "Wage", unit: book.units?.wage ?? "", kind: "amount", term: "wage", dim: thinTrend }),
  wage_relative: () => ({ key: "wage_relative", label: "Wage against all", kind: "ratio", term: "wage_relative", dim: thinTrend }),
  stars: () => ({ key: "stars", label: "Stars", kind: "rank", term: "stars", cell: (row, value) => h("span", { class: "stars", role: "img", "aria-label": `${value} of 3 stars` }, starText(value)) }),
  rule: (flag) => ({ key: "rule", label: capital(flag.title), kind: "text", short: true, value: (row) => applies(flag, row) ? ({ true: "yes", false: "no" })[meets(row, flag.name)] ?? null : "does not apply",
    cell: (row, value) => flagMark(value, doubtOf(row, flag.name)), csv: (row) => applies(flag, row) ? [({ true: "yes", false: "no" })[meets(row, flag.name)] ?? "not known", doubtOf(row, flag.name)].filter(Boolean).join(", ") : "does not apply" }),
  card: (here) => ({ key: "card", label: "Card", kind: "text", short: true, value: () => (hasTable("profile_elements") ? "card" : null), csv: () => null, cell: (row) => { const { region, cluster } = here(row); return h("a", { href: placeHref(region, cluster), "aria-label": `Card of ${cluster.label} in ${region.name}` }, "Card"); } }),
  stage: () => ({ key: "stage", label: "Stage", kind: "text", short: true, term: "stage", value: (row) => stageOf(row) ?? (hasTable("stages") ? "–" : null), order: (row) => row.stage ?? null, cell: (row, value) => (value === "–" ? h("span", { class: "no" }, "–", h("span", { class: "away" }, "not classified")) : value) }),
};

const stageOf = (row) => (known(row.stage) ? book.stages[row.stage] : null);

const BORDERLINE_NOTE = "Borderline: chance, or what is withheld, could turn the mark; read it as a question.";

/* A flag as a mark: a dot for yes, half a dot where chance or bounds could turn it. */
function flagMark(value, doubt) {
  const unsure = doubt === "borderline";
  const sign = value === "yes" ? (unsure ? "◐" : "●") : value === "no" ? "–" : "";
  return h("span", { class: `${value === "yes" ? "yes" : "no"}${unsure ? " borderline" : ""}`, "data-term": unsure ? "borderline" : null },
    sign, unsure ? h("small", {}, " borderline") : null, h("span", { class: "away" }, value));
}

/* A name in at most two lines. */
function twoLines(label) {
  if (label.length <= 34) return label;
  const spaces = [...label].flatMap((sign, k) => (sign === " " && k <= 36 ? [k] : []));
  if (!spaces.length) return label;
  const middle = label.length / 2;
  const cut = spaces.reduce((best, k) => (Math.abs(k - middle) < Math.abs(best - middle) ? k : best));
  const rest = label.slice(cut + 1);
  return [label.slice(0, cut), rest.length > 36 ? `${rest.slice(0, 34).trimEnd()}…` : rest];
}

/* The signals that give bars room for their names. */
const roomFor = (list) => ({ y_step: list.some((row) => Array.isArray(row.label)) ? 34 : 27 });

/* What a bar shows of how sure its quotient is: its interval, and a lighter tone where it is estimated. */
const spread = (row) => ({ low: row.lq_low95 ?? null, high: row.lq_high95 ?? null, estimated: row.status === "imputed" });
const INTERVAL_NOTE = "Thin lines: 95% intervals, from the number of establishments.";

/* The signals that give quotients an axis around 1. */
const quotientRange = (list) => ({ low: Math.min(0.5, ...list.map((row) => row.lq)), high: Math.max(2, ...list.map((row) => row.lq)) });

/* Growth that rests on less than half of the main source's figure is drawn lighter. */
const thinTrend = (row) => known(row.trend_coverage) && row.trend_coverage < 0.5;
const THIN_NOTE = "Figures in grey italics rest on less than half of the cluster: the trend source does not see the rest.";

function trendNote(list) {
  return list.some(thinTrend) ? THIN_NOTE : null;
}

/* Pick by which rule 'strong' is said; shown where there is more than one. */
function ruleChoice(flags, current, change) {
  if (flags.length < 2) return null;
  const select = h("select", { "aria-label": "Rule by which places are marked", onchange: (event) => change(event.target.value) },
    flags.map((flag) => h("option", { value: flag.name, selected: flag.name === current }, `${capital(flag.title)} (${flag.profile})`)));
  return h("label", { class: "pick-rule" }, "Outline by ", select);
}

const ruleOf = (flags = book.flags) => flags.find((flag) => flag.name === address.get("rule")) ?? flags.find((flag) => flag.name === "strong") ?? flags[0];

function faultPage(title, words, remedy) {
  return h("div", { class: "wide notice" }, h("h1", { tabindex: "-1" }, title), h("p", {}, words), h("p", {}, remedy), h("p", {}, link("#overview", "Go to the overview")));
}
