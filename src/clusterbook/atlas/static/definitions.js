"use strict";
/* How the set of clusters was made: from what, chosen among what, how sure, what was moved and edited. */

async function definitionsPage() {
  const data = await load("making");
  const making = { ...data, candidates: rows(data.candidates), sides: rows(data.sides), industries: rows(data.industries), related: rows(data.related), edits: rows(data.edits), scores: rows(data.scores) };
  const given = book.definitions;
  const discovered = making.candidates.length > 0;
  const traded = book.clusters.filter((one) => one.kind === "traded").length;
  const stability = making.stability.length ? given.scores?.["stability: mean adjusted Rand index over samples"] : null;
  const sides = sidesFigure(making.sides);
  const candidates = discovered ? candidatesFigure(making, given) : null;
  const stable = stabilityFigure(making.scores, making.stability, stability);
  const space = spaceFigure();
  const title = discovered
    ? `${plural(traded, "traded cluster", "traded clusters")} from ${plural(making.industries.length, "industry", "industries")}, chosen among ${WHOLE.format(making.n_candidates)} candidate sets`
    : `${plural(book.clusters.length, "cluster", "clusters")}, taken as given`;
  const element = h("div", { class: "wide" },
    pageHead({ kicker: "Definitions", title, finding: discovered ? chosenWords(given, making.sides) : "These definitions were read, not discovered here. Who drew them up knows why an industry is where it is; this page says what can be told of them, and what cannot." }),
    headline([
      book.kinds.length ? { label: "Traded clusters", key: "traded", value: WHOLE.format(traded), note: given.source || null } : { label: "Clusters", key: "cluster", value: WHOLE.format(book.clusters.length), note: given.source || null },
      book.kinds.length ? { label: "Local clusters", key: "local", value: WHOLE.format(book.clusters.filter((one) => one.kind === "local").length), note: discovered ? "grouped by sector, not by co-location" : "as given" } : { label: "Traded or local", key: "traded", value: h("span", { class: "unknown" }, "not known"), note: "the set does not say" },
      discovered ? { label: "Mean of all scores", key: "validation", value: THREE_DECIMALS.format(given.scores["mean of all scores"] ?? making.candidates[0].score), note: "share of clusters and industries that fit, 0 to 1" } : { label: "Scores", key: "validation", value: h("span", { class: "unknown" }, "not known"), note: "no sides were compared" },
      known(stability)
        ? { label: "Stability of the whole", key: "adjusted_rand", value: FORMATS.index(stability), note: `mean adjusted Rand index over ${WHOLE.format(making.stability.length)} samples of the ${book.nouns}` }
        : { label: "Stability of the whole", key: "adjusted_rand", value: h("span", { class: "unknown" }, "not known"), note: `no samples of the ${book.nouns} were drawn` },
    ]),
    h("p", { class: "source under-headline" }, definitionsSource()),
    discovered || making.sides.length ? null : unknownMaking(),
    sides || candidates ? h("div", { class: "grid" }, sides ? h("div", { class: "span-6" }, sides.element) : null, candidates ? h("div", { class: "span-6" }, candidates.element) : null) : null,
    sides ? section("The sides, in figures", "Four shares of clusters and industries whose likeness within exceeds that to others, and their mean", sidesTable(making.sides), h("p", { class: "source" }, definitionsSource())) : null,
    stable ? section("Would other regions give the same?", stableWords(making.scores, making.stability, stability), stable.element) : null,
    space?.element,
    industriesSection(making),
    relatedPairs(making.related),
    editsSection(making.edits),
    methodOfDefinitions(given, discovered),
    definitionFiles());
  return { title: "Definitions", element, drawn: () => Promise.all([sides?.draw(), candidates?.draw(), stable?.draw(), space?.draw()]) };
}

const definitionsSource = () => `Definitions: ${book.definitions.method || "as given"}${book.definitions.source ? `; ${book.definitions.source}` : ""}.`;
const WITH = "best with classification";
const WITHOUT = "best without classification";

function chosenWords(given, sides) {
  const score = (name) => given.scores?.[name];
  const [one, other] = [score(WITH), score(WITHOUT)];
  const scores = known(one) && known(other)
    ? ` The best set that looks at the classification scores ${THREE_DECIMALS.format(one)}, the best that does not ${THREE_DECIMALS.format(other)}${known(score("adjusted Rand index of the two")) ? `; the two agree by an adjusted Rand index of ${FORMATS.index(score("adjusted Rand index of the two"))}` : ""}.`
    : "";
  const seen = new Set(sides.filter((row) => row.observed).map((row) => row.side)).size;
  return `${seen ? `Industries are compared from ${plural(seen, "observed side", "observed sides")}; the set that fits them best was kept.` : "The set that fits best was kept."}${scores}`;
}

function unknownMaking() {
  return h("div", { class: "card not-known" }, h("h2", { class: "claim" }, "What is not known of this set"), h("ul", {},
    h("li", {}, "Which other sets would have fitted the figures as well: no candidates were scored."),
    h("li", {}, "How alike the industries of a cluster are in place, trade and work: no sides were compared."),
    h("li", {}, `Whether other ${book.nouns} would have given the same clusters: no samples were drawn.`),
    h("li", {}, "Which industries sit at the edge of their cluster: without likeness there are no outliers.")),
  h("p", {}, "Run ", h("code", {}, "clusterbook discover"), " on the same data to see what the figures alone would say."));
}

function sidesFigure(sides) {
  if (!sides.length) return null;
  const names = [...new Set(sides.map((row) => row.side))];
  const sets = [...new Set(sides.map((row) => row.set))];
  return figure({
    title: "How well the clusters fit each side",
    sub: "Mean of the four validation scores by side: 1 is every cluster and industry more alike within than to others",
    source: definitionsSource(),
    legend: sets.map((set, k) => ({ label: capital(set), place: k + 1, colour: `var(--place-${k + 1})` })),
    note: "Sides are what was observed of the industries; the classification is no observation and is only shown.",
    chart: {
      name: "scores", height: 40 + 34 * names.length,
      data: { rows: sides.map((row) => ({ order: names.indexOf(row.side), value: row.mean, place: 1 + sets.indexOf(row.set), id: `${row.set}|${row.side}` })), thresholds: [] },
      signals: { labels: names.map((name) => twoLines(capital(name))), y_step: 34 },
      tip: (datum) => { const row = sides.find((one) => `${one.set}|${one.side}` === datum.id); return row && tip.lines(capital(row.side), [["Set", row.set], ["Mean of four", FORMATS.index(row.mean)], ["Worth", known(row.worth) ? FORMATS.index(row.worth) : "not observed"], ["Weight", FORMATS.index(row.weight)]]); },
    },
  });
}

function sidesTable(sides) {
  return dataTable({
    name: "sides",
    caption: "Sides, their worth, weight and scores",
    list: sides,
    sort: "set",
    columns: [
      { key: "side", label: "Side", kind: "text", always: true, value: (row) => capital(row.side) },
      { key: "set", label: "Set", kind: "text", short: true, value: (row) => ({ [WITH]: "with classification", [WITHOUT]: "without" })[row.set] ?? row.set },
      { key: "observed", label: "Observed", kind: "text", short: true, value: (row) => (row.observed ? "yes" : "no") },
      { key: "worth", label: "Worth", kind: "index", term: "worth", value: (row) => row.worth ?? (row.observed ? null : 0), cell: (row) => (known(row.worth) ? FORMATS.index(row.worth) : h("span", { class: "no" }, "–", h("span", { class: "away" }, "not observed"))), csv: (row) => row.worth },
      { key: "weight", label: "Weight in the chosen set", kind: "index", term: "side_weight" },
      { key: "cluster_average", label: "Clusters above average", kind: "percent", term: "validation" },
      { key: "cluster_95", label: "Clusters above 95%", kind: "percent", term: "validation" },
      { key: "industry_average", label: "Industries above average", kind: "percent", term: "validation" },
      { key: "industry_95", label: "Industries above 95%", kind: "percent", term: "validation" },
      { key: "mean", label: "Mean", kind: "index" },
    ],
  }).element;
}

/* The candidates: what was tried, and what was kept. */
function candidatesFigure(making, given) {
  const list = making.candidates;
  const algorithms = [...new Set(list.map((row) => row.algorithm))].sort();
  const chosen = { clusters: given.parameters?.["traded clusters kept"], score: given.scores?.["mean of all scores"], fit: given.scores?.fit };
  const kinds = {
    score: { key: "score", title: "The chosen set among the candidates", sub: "Mean of all validation scores of each candidate set by its number of traded clusters" },
    fit: { key: "fit", title: "Among sets that score alike, the fit decides", sub: "Fit: correlation of likeness with being in one cluster, median over sides, by number of traded clusters" },
  };
  let kind = kinds[address.get("candidates")] ?? kinds.score;
  const wish = () => ({
    name: "candidates", height: 340,
    data: { rows: [
      ...list.filter((row) => known(row[kind.key])).map((row) => ({ clusters: row.clusters, value: row[kind.key], place: 1 + (algorithms.indexOf(row.algorithm) % 5), marked: false, label: "", rank: row.rank })),
      ...(known(chosen.clusters) && known(chosen[kind.key]) ? [{ clusters: chosen.clusters, value: chosen[kind.key], place: 1 + (Math.max(0, algorithms.indexOf(given.parameters?.algorithm)) % 5), marked: true, label: "chosen" }] : []),
    ] },
    tip: (datum) => {
      const row = list.find((one) => one.rank === datum.rank);
      return row ? tip.lines(`Candidate ${WHOLE.format(row.rank)}`, [["Mixture", row.mixture], ["Scale", row.scale], ["Algorithm", row.algorithm], ["Clusters", row.clusters], ["Score", THREE_DECIMALS.format(row.score)], known(row.fit) ? ["Fit", THREE_DECIMALS.format(row.fit)] : null])
        : datum.marked ? tip.lines("The chosen set, refined", [["Mixture", given.parameters?.mixture ?? ""], ["Algorithm", given.parameters?.algorithm ?? ""], ["Score", THREE_DECIMALS.format(chosen.score)], known(chosen.fit) ? ["Fit", THREE_DECIMALS.format(chosen.fit)] : null]) : null;
    },
  });
  const panel = figure({
    title: kind.title, sub: kind.sub, source: definitionsSource(),
    legend: algorithms.map((name, k) => ({ label: name, place: 1 + (k % 5), colour: `var(--place-${1 + (k % 5)})` })),
    note: `${list.length < making.n_candidates ? `Drawn are ${WHOLE.format(list.length)} of ${WHOLE.format(making.n_candidates)} candidates, the best of each mixture and algorithm. ` : ""}The chosen set is shown after its outliers were moved.`,
    chart: wish(),
    tools: has(list, "fit") ? choice("Upwards", [{ value: "score", text: "Score" }, { value: "fit", text: "Fit" }], kind.key, (value) => {
      kind = kinds[value];
      address.set({ candidates: value === "score" ? null : value });
      panel.title(kind.title);
      panel.sub(kind.sub);
      panel.draw(wish());
    }) : null,
  });
  return panel;
}

function stabilityFigure(scores, samples, mean) {
  const list = scores.filter((row) => known(row.stability)).sort((a, b) => b.stability - a.stability);
  if (!list.length) return null;
  const place = (value) => (value > STABLE ? 3 : value < DISSOLVED ? 2 : 1);
  const count = (n) => list.filter((row) => place(row.stability) === n).length;
  return figure({
    title: `${plural(count(3), "cluster is", "clusters are")} stable, ${count(1)} in part, ${count(2)} dissolved`,
    sub: `Stability of each traded cluster: mean Jaccard index with the most alike cluster in ${WHOLE.format(samples.length)} samples of the ${book.nouns}; dashed: 0.5 and 0.75`,
    source: `${definitionsSource()} Thresholds: Hennig (2007).`,
    note: known(mean) && samples.length ? `The whole: adjusted Rand index ${FORMATS.index(mean)} on average, from ${FORMATS.index(Math.min(...samples))} to ${FORMATS.index(Math.max(...samples))} over the samples. Samples speak of the geography only.` : null,
    legend: [{ label: "Above 0.75: stable", place: 3, colour: "var(--place-3)" }, { label: "0.5 to 0.75", place: 1, colour: "var(--place-1)" }, { label: "Below 0.5: dissolved", place: 2, colour: "var(--place-2)" }],
    chart: {
      name: "stability", height: 40 + 26 * list.length,
      data: { rows: list.map((row, order) => ({ order, value: row.stability, place: place(row.stability), id: row.c })), thresholds: [{ at: DISSOLVED }, { at: STABLE }] },
      signals: { labels: list.map((row) => short(book.clusters[row.c].label, 38)), y_step: 26 },
      tip: (datum) => { const row = known(datum.id) && scores.find((one) => one.c === datum.id); return row && tip.lines(book.clusters[row.c].label, [["Stability", FORMATS.index(row.stability)], ["Likeness within", text(row.within, "index")], ["To other clusters", text(row.between, "index")]], "Click to open the cluster."); },
      pick: (datum) => { if (known(datum.id)) location.hash = clusterHref(book.clusters[datum.id]); },
    },
  });
}

function stableWords(scores, samples, mean) {
  return known(mean) ? `The ${book.nouns} were drawn anew ${WHOLE.format(samples.length)} times and the clusters found again; 1 would be the same each time` : "Each cluster against those found in samples";
}

function industriesSection({ industries }) {
  if (!industries.length) return null;
  const list = industries.map((row) => ({ ...row, own: book.clusters[row.c], other: book.clusters[row.closest], from: book.clusters[row.moved] }));
  const outliers = list.filter((row) => row.outlier).length;
  const moved = list.filter((row) => row.from).length;
  const filters = [{ value: "all", text: "All" }];
  if (outliers) filters.push({ value: "outliers", text: "Outliers", test: (row) => row.outlier });
  if (moved) filters.push({ value: "moved", text: "Moved", test: (row) => row.from });
  const table = dataTable({
    name: "industries",
    caption: "Industries and how they fit their cluster",
    list,
    sort: "similarity",
    short: 15,
    filter: (row) => `${row.title ?? ""} ${row.industry} ${row.own?.label ?? ""}`,
    filters,
    columns: [
      { key: "title", label: "Industry", kind: "text", always: true, value: (row) => row.title ?? row.industry, cell: (row, value) => [value, " ", h("small", { class: "code" }, row.industry)] },
      { key: "cluster", label: "Cluster", kind: "text", value: (row) => row.own?.label ?? null, cell: (row) => clusterCell(row.own) },
      { key: "similarity", label: "Likeness to the others", kind: "index", term: "similarity_own" },
      { key: "closest", label: "Closest other cluster", kind: "text", value: (row) => row.other?.label ?? null, cell: (row) => clusterCell(row.other) },
      { key: "closest_similarity", label: "Likeness to it", kind: "index" },
      outliers ? { key: "outlier", label: "Outlier", kind: "text", short: true, term: "outlier", value: (row) => row.outlier ?? "–" } : null,
      { key: "stability", label: "Stability", kind: "index", term: "stability" },
      { key: "own_weight", label: "Weight if shared", kind: "percent", term: "own_weight" },
      moved ? { key: "moved", label: "Moved away from", kind: "text", term: "moved", value: (row) => row.from?.label ?? "–", cell: (row, value) => (row.from ? clusterCell(row.from) : h("span", { class: "no" }, value)) } : null,
    ].filter(Boolean),
  });
  const words = `${outliers ? `${plural(outliers, "industry is an outlier", "industries are outliers")}` : "No industry is an outlier: each is more alike to its own cluster than to any other"}${moved ? `; refining moved ${plural(moved, "industry", "industries")} out of the company they were first put in` : ""}`;
  return section("Outliers and moves", words, table.element, h("p", { class: "source" }, definitionsSource()));
}

function relatedPairs(related) {
  const list = related.filter((row) => row.c < row.o || !related.some((other) => other.c === row.o && other.o === row.c)).map((row) => ({ ...row, one: book.clusters[row.c], other: book.clusters[row.o] }));
  if (!list.length) return null;
  const table = dataTable({
    name: "related",
    caption: "Related clusters",
    list,
    sort: "-similarity",
    short: 12,
    filter: (row) => `${row.one.label} ${row.other.label}`,
    columns: [
      { key: "one", label: "Cluster", kind: "text", always: true, value: (row) => row.one.label, cell: (row) => clusterCell(row.one) },
      { key: "other", label: "Related to", kind: "text", value: (row) => row.other.label, cell: (row) => clusterCell(row.other) },
      { key: "similarity", label: "Likeness", kind: "index", term: "similarity_clusters" },
      { key: "share", label: "Industries of the first near to the second", kind: "percent", term: "related_share" },
    ],
  });
  return section("Related clusters", `${plural(list.length, "pair", "pairs")} that are among the most alike tenth, each named once`, table.element, h("p", { class: "source" }, definitionsSource()));
}

function editsSection(edits) {
  if (!edits.length) return section("Edits", "What people changed by hand", h("p", { class: "quiet-line" }, "Nobody has changed this set by hand, or no edits are recorded."));
  const table = dataTable({
    name: "edits", caption: "Edits, with reasons", list: edits, sort: "date",
    columns: [
      { key: "industry", label: "Industry", kind: "text", always: true, value: (row) => row.industry ?? "–" },
      { key: "cluster", label: "Cluster", kind: "text", value: (row) => row.label ?? row.cluster ?? null },
      { key: "former", label: "Before", kind: "text", value: (row) => row.former ?? "–" },
      { key: "reason", label: "Reason", kind: "text" },
      { key: "by", label: "By", kind: "text", short: true },
      { key: "date", label: "Date", kind: "text", short: true },
    ],
  });
  return section("Edits", "What people changed by hand, and why", table.element);
}

function methodOfDefinitions(given, discovered) {
  const steps = discovered ? h("ol", { class: "steps" },
    h("li", {}, "Local industries, found nearly everywhere in proportion to people, are set aside and grouped by sector."),
    h("li", {}, "Traded industries are compared from several sides: where they stand, what they trade, whom they employ, as far as data are given."),
    h("li", {}, "Sides are mixed in several ways, and each mixture is cut into clusters by several algorithms: the candidates."),
    h("li", {}, "Each candidate is scored on every observed side. Of those within a hair of the best score, the one that fits most clearly is kept."),
    h("li", {}, "Industries closer to another cluster than to their own are moved where that does not lower the scores."),
    h("li", {}, `The same is done again on samples of the ${book.nouns}, to see which clusters would be found again.`)) : null;
  return section("Method", discovered ? "After Delgado, Porter and Stern (2016), Defining clusters of related industries, Journal of Economic Geography 16; choice by fit and mixtures by worth are our own rule" : null, steps,
    h("dl", { class: "pairs" }, pair("Method", given.method || "not known"), pair("Source", given.source || "not known"), book.classification ? pair("Classification", book.classification) : null,
      Object.entries(given.parameters ?? {}).map(([name, value]) => pair(words(name), typeof value === "object" && value && !Array.isArray(value) ? Object.entries(value).map(([key, one]) => `${key} ${plainValue(one)}`).join(", ") : plainValue(value))),
      Object.entries(given.scores ?? {}).map(([name, value]) => pair(words(name), plainValue(value)))),
    given.notes?.length ? h("ul", { class: "plain-list" }, given.notes.map((note) => h("li", {}, note))) : null);
}

function definitionFiles() {
  const wanted = /^(members|definitions|definition_\w+|related|overlap)\.(csv|csv\.zip|parquet)$/;
  const list = book.downloads.filter((file) => wanted.test(file.name));
  return list.length ? section("Take it with you", "The whole tables behind this page", fileList(list)) : null;
}
