"use strict";
/* The card of one cluster in one region: what is known of it, how sure, what is not, and what to do about it. */

async function placePage(_, __, [code, id] = []) {
  const region = book.region.get(code);
  const cluster = book.cluster.get(id);
  if (!region || !cluster) return { title: "No such card", element: faultPage("No such card", `There is no ${region ? `cluster '${id ?? ""}'` : `${book.noun} '${code ?? ""}'`} in this book.`, "Open a card from the table of a region or of a cluster.") };
  const [inRegion, file, reach, words] = await Promise.all([load(`region/${region.file}`), load(`place/${region.file}`), load(`reach/${cluster.file}`), load("words")]);
  const row = rows(inRegion.clusters).find((one) => one.c === cluster.position) ?? null;
  const own = (name) => rows(file[name]).filter((one) => one.c === cluster.position);
  const profile = profileOf(file, cluster);
  const facts = own("facts");
  const full = row ? { ...row, kind: cluster.kind } : null;
  const element = h("div", { class: "wide" },
    pageHead({
      kicker: [kindMark(cluster.kind), " card of a cluster in a ", book.noun],
      title: `${cluster.label} in ${region.name}`,
      finding: profile ? profileFinding(profile, words) : full ? "This edition has figures of it, but no profile." : "Nothing is recorded of it here, which is not to say that there is nothing.",
      actions: [link(regionHref(region), region.name), " · ", link(clusterHref(cluster), cluster.label), " · ", link(`#compare/${[code, ...own("peers").slice(0, 4).map((one) => book.regions[one.o].code)].map(encodeURIComponent).join(",")}`, "Compare with its peers")],
    }),
    full ? placeFigures(full) : null,
    h("p", { class: "source under-headline" }, levelsSource(), full && known(full.growth) ? ` ${trendsSource()}` : ""),
    warningList(own("warnings")),
    full ? flagList(full, profile) : null,
    profile ? aspectsSection("element", "Seven elements", `What makes a cluster, ${book.year}`, profile, words, facts) : null,
    profile ? aspectsSection("dimension", "Nine dimensions", `What kind of cluster it is, ${book.year}`, profile, words, facts) : null,
    stageSection(own("stages")[0], words),
    typeSection(own("types"), facts, words),
    otherFacts(facts, words, profile),
    evidenceSection(own("evidence"), own("agreement")[0], words),
    reachSection(region, cluster, reach),
    placePeers(region, cluster, own("peers"), words),
    placeFiles(region, cluster, profile, words, facts),
    blindSpots());
  return { title: `${cluster.label} in ${region.name}`, element };
}

function placeFigures(row) {
  return headline([
    { label: capital(book.size.label), key: "size", value: sized(row), note: `${known(row.rank) ? `rank ${row.rank} of ${book.nouns}, ` : ""}${book.year}` },
    { label: "Location quotient", key: "lq", value: figureText(row.lq, "quotient", row), note: `${interval(row) ? `95%: ${interval(row)}, ` : ""}${known(row.rank_lq) ? `rank ${row.rank_lq}, ` : ""}${book.year}` },
    { label: "Share of the cluster", key: "national_share", value: figureText(row.national_share, "share", row), note: `${known(row.region_share) ? `${FORMATS.share(row.region_share)} of the place, ` : ""}${book.year}` },
    { label: "Growth a year", key: "growth", value: known(row.growth) ? FORMATS.growth(row.growth) : h("span", { class: "unknown" }, "not known"), note: `${known(row.growth_relative) ? `${FORMATS.points(row.growth_relative)} against all, ` : ""}${growthYears()}` },
  ]);
}

function flagList(row, profile) {
  const rules = book.flags.filter((flag) => applies(flag, row));
  if (!rules.length) return null;
  const item = (flag) => {
    const met = meets(row, flag.name);
    const doubt = doubtOf(row, flag.name);
    const chanceOf = profile?.certainty[flag.name];
    const answer = met === null ? h("span", { class: "unknown" }, "not known") : [flagMark(met ? "yes" : "no", doubt), met ? " yes" : " no"];
    const sureness = met === null || !known(chanceOf) ? "certainty not known" : `${doubt || "sure"}: ${percentText(chanceOf)} likely to meet the rule`;
    return h("li", {}, h("b", {}, flag.title), " ", answer, h("small", {}, sureness));
  };
  return section("Is it a cluster by the rules?", "Each flag with how likely its conditions hold, given few establishments and figures known only within bounds", h("ul", { class: "flags" }, rules.map(item)), h("p", { class: "source" }, levelsSource(), " ", link("#method", "The rules")));
}

const percentText = (n) => (n < 1 ? "less than 1%" : n > 99 ? "more than 99%" : `${n}%`);

const SEVERITIES = ["serious", "caution", "note"];

function warningList(list) {
  if (!list.length) return null;
  const order = [...list].sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
  return h("div", { class: "card warnings" }, h("h2", { class: "claim" }, plural(list.length, "warning", "warnings")), h("ul", {}, order.map((one) => h("li", {},
    h("span", { class: `severity ${one.severity}` }, one.severity), " ", one.text, h("small", { class: "under" }, one.source)))));
}

/* --- stage and type --- */

function stageSection(stage, words) {
  const source = h("p", { class: "source" }, `Stages: our own rule on figures of ${sourceText(book.trends)}${stage?.year ? `, ${stage.year}` : ""}; own computation.`);
  const judged = stage && known(stage.judged_stage) ? h("p", {}, h("b", {}, `${stage.judged_by} says: ${stage.judged_stage}`), ` (${stage.judged_year}): ${stage.judged_reason}${stage.judged_differs ? " This differs from the figures." : ""}`) : null;
  if (!stage?.stage) {
    const why = stage?.because ?? (hasTable("stages") ? "there is no series of figures for it" : "this edition does not classify stages");
    return section("Stage of its life", "Not classified", h("div", { class: "card not-known" }, h("p", {}, h("span", { class: "unknown" }, "not known"), ` ${capital(why)}.`), judged, known(stage?.runner_up) ? h("p", {}, `Next likely: ${stage.runner_up}${known(stage.runner_up_probability) ? ` (${FORMATS.percent(stage.runner_up_probability)})` : ""}.`) : null), source);
  }
  const what = words.stages[stage.stage];
  return section("Stage of its life", `${capital(stage.stage)}, with probability ${FORMATS.percent(stage.stage_probability)}${stage.since ? `, since ${stage.since}` : ""}`, h("div", { class: "card" },
    h("p", {}, h("b", {}, capital(stage.because)), known(stage.runner_up) ? `. The runner-up is ${stage.runner_up} (${FORMATS.percent(stage.runner_up_probability)}).` : "."),
    judged,
    what ? [h("p", {}, what.text), what.needs.length ? [h("p", {}, h("b", {}, "What such a cluster needs")), h("ul", {}, what.needs.map((one) => h("li", {}, one)))] : null] : null), source);
}

const VERDICTS = { type: "", mixed: "Mixed", none: "None of the types", "not enough known": "Not enough known" };

function typeSection(types, facts, words) {
  const source = h("p", { class: "source" }, "Types: rules over recorded facts, weights are our own. ", link("#method", "Method"));
  if (!types.length) {
    return section("Type", "Not enough known: figures alone do not tell the type", h("div", { class: "card not-known" },
      h("p", {}, h("span", { class: "unknown" }, "not known"), facts.length ? " The facts recorded here bear on no typology." : " Nobody has recorded facts of this cluster here."),
      h("p", {}, h("b", {}, "What would tell most")),
      words.typologies.map((one) => h("details", {}, h("summary", {}, one.title), h("ul", {}, one.ask.map((fact) => h("li", {}, words.facts[fact].question)))))), source);
  }
  return section("Type", "By each typology, with what decided and what is missing", h("div", { class: "cards" }, clearFirst(types).map((one) => typeCard(one, words))), source);
}

const clearFirst = (types) => [...types].sort((a, b) => Number(b.verdict === "type") - Number(a.verdict === "type"));

function typeCard(verdict, words) {
  const typology = words.typologies.find((one) => one.id === verdict.typology);
  const type = typology?.types[verdict.type];
  const clear = verdict.verdict === "type";
  const title = (fact) => words.facts[fact]?.title ?? fact;
  const lists = [["For it", verdict.decided_by], ["Against it", verdict.against]].filter(([, list]) => list?.length);
  return h("div", { class: `card${clear ? "" : " not-known"}` },
    h("h3", {}, clear ? type?.title ?? verdict.type : VERDICTS[verdict.verdict] ?? verdict.verdict, h("small", {}, ` ${typology?.title ?? verdict.typology}`)),
    h("p", {}, clear ? type?.rule : type ? `${type.title} comes nearest so far.` : "", ` Confidence ${FORMATS.percent(verdict.confidence)}${verdict.confidence_low < verdict.confidence_high ? ` (${FORMATS.percent(verdict.confidence_low)}–${FORMATS.percent(verdict.confidence_high)})` : ""}; ${FORMATS.percent(verdict.known)} of the evidence is known.${verdict.runner_up ? ` The runner-up is ${typology?.types[verdict.runner_up]?.title ?? verdict.runner_up}.` : ""}`),
    lists.length ? h("dl", { class: "pairs" }, lists.map(([name, list]) => pair(name, list.map(title).join(", ")))) : null,
    clear && type ? h("dl", { class: "pairs" }, pair("Strength", type.strength), pair("Vulnerability", type.vulnerability), pair("Where it may go", type.trajectory), pair("Promising", type.promising), type.interventions.length ? pair("Instruments", type.interventions.join(", ")) : null) : null,
    verdict.missing?.length ? h("details", {}, h("summary", {}, `${plural(verdict.missing.length, "fact is", "facts are")} missing`), h("ul", {}, verdict.missing.slice(0, 6).map((fact) => h("li", {}, words.facts[fact]?.question ?? fact, verdict.decisive?.includes(fact) ? h("b", {}, " The answer alone could change the verdict.") : null)))) : null);
}

/* Recorded facts that no indicator scores. */
function otherFacts(facts, words, profile) {
  const list = facts.filter((one) => !hasAnything(profile?.indicators[one.fact] ?? {}));
  if (!list.length) return null;
  return section("Other recorded facts", "Known, but not scored", h("dl", { class: "pairs" }, list.map((one) => pair(words.facts[one.fact]?.title ?? one.fact, `${one.text}`, h("small", {}, ` ${[one.year, one.source].filter(Boolean).join(", ")}`)))));
}

/* --- evidence --- */

const FINDING_MARKS = { supports: "●", contradicts: "○", mixed: "◐" };

function evidenceSection(list, agreed, words) {
  if (!hasTable("evidence")) return null;
  if (!agreed && !list.length) return section("Evidence", "Not a candidate", h("p", { class: "quiet-line" }, "The rules do not flag it and nobody has named it, so no evidence was set out. That is no proof of absence."));
  const all = words.methods.flatMap((method) => {
    const said = list.filter((one) => one.method === method.id);
    return said.length ? said.map((one) => ({ ...one, title: method.title, cannot: method.cannot })) : [{ title: method.title, finding: "not looked at", text: "Nobody has looked yet.", cannot: method.cannot }];
  });
  const table = dataTable({
    name: "evidence",
    caption: "Evidence by method",
    list: all,
    sort: "",
    columns: [
      { key: "title", label: "Method", kind: "text", always: true, cell: (row, value) => h("span", { "data-note": `Cannot see: ${row.cannot}` }, value) },
      { key: "finding", label: "Finding", kind: "text", short: true, cell: (row, value) => (FINDING_MARKS[value] ? [h("span", { class: "yes", "aria-hidden": "true" }, FINDING_MARKS[value]), ` ${value}`] : h("span", { class: "unknown" }, value)) },
      { key: "reliability", label: "Reliability", kind: "text", short: true, value: (row) => row.reliability ?? "–" },
      { key: "text", label: "What was found", kind: "text", cell: (row, value) => [value, row.scope === "everywhere" ? h("small", { class: "under" }, `of its industries everywhere, not of this ${book.noun}`) : null] },
      { key: "source", label: "Source", kind: "text", value: (row) => row.source ?? "–" },
    ],
  });
  return section("Evidence", agreed ? `${capital(agreed.verdict)}. No method sees a whole cluster` : "No method sees a whole cluster", table.element, h("p", { class: "source" }, levelsSource()));
}

/* --- how far it reaches --- */

function reachSection(region, cluster, reach) {
  if (!hasTable("areas")) return null;
  const me = rows(reach.members).find((one) => one.r === region.position);
  if (!me) return section("How far it reaches", "Part of no functional area", h("p", { class: "quiet-line" }, `The cluster is not flagged here, and no area around a flagged ${book.noun} reaches over.`));
  const area = rows(reach.areas).find((one) => one.a === me.a);
  const others = rows(reach.members).filter((one) => one.a === me.a && one.r !== me.r).map((one) => book.regions[one.r]);
  const borders = rows(reach.boundaries).filter((one) => one.a === me.a && known(one.o)).map((one) => ({ ...one, here: one.r === me.r || one.o === me.r, name: [book.regions[one.r].name, book.regions[one.o].name] }))
    .sort((one, other) => Number(other.here) - Number(one.here) || Number(other.joined) - Number(one.joined));
  const crosses = area.crosses;
  const words = others.length ? `It continues into ${listed(others.slice(0, 6).map((one) => one.name))}${others.length > 6 ? ` and ${others.length - 6} more` : ""}` : area.island ? `No ${book.noun} touches this one` : `It ends at the border of the ${book.noun}`;
  const table = borders.length ? dataTable({
    name: "borders",
    caption: "Borders of the functional area, and why",
    list: borders,
    sort: "",
    short: 10,
    filters: borders.some((one) => !one.here) ? [{ value: "all", text: "Whole area" }, { value: "here", text: `This ${book.noun} only`, test: (one) => one.here }] : [],
    columns: [
      { key: "name", label: "Between", kind: "text", always: true, value: (one) => one.name.join(" – "), cell: (one) => { const other = one.r === me.r ? book.regions[one.o] : book.regions[one.r]; return one.here ? link(placeHref(other, cluster), other.name) : one.name.join(" – "); } },
      { key: "joined", label: "Decision", kind: "text", short: true, value: (one) => (one.joined ? "one area" : "kept apart") },
      { key: "text", label: "Why", kind: "text" },
      { key: "crosses", label: "State border", kind: "text", short: true, value: (one) => (known(one.crosses) ? (one.crosses ? "crossed" : "no") : null) },
    ],
  }) : null;
  return section("How far it reaches", words,
    h("dl", { class: "pairs" },
      pair(`${capital(book.nouns)} in the area`, `${area.regions}, of which ${area.cores} ${area.cores === 1 ? "is" : "are"} flagged; this one ${me.core ? "is" : "is not"}`),
      pair(capital(book.size.label), withUnit(area.size), `, LQ together ${text(area.lq, "quotient")}, ${book.year}`),
      known(area.national_share) ? pair("Share of the cluster", FORMATS.share(area.national_share)) : null,
      pair("State border", known(crosses) ? (crosses ? `crossed: ${area.parents.join(", ")}` : "not crossed") : [h("span", { class: "unknown" }, "not known"), ` ${book.nouns} are not assigned to states here`])),
    table?.element, h("p", { class: "source" }, `${levelsSource()} Areas: our own rule; that clusters cross borders: Enright and Ffowcs-Williams (2000).`));
}

/* --- peers --- */

function placePeers(region, cluster, list, words) {
  if (!list.length) return hasTable("peers") ? section("Peers", "None can be named", h("p", { class: "quiet-line" }, "Too little is known of it to compare.")) : null;
  const close = list.map((one, k) => ({ ...one, rank: k + 1, other: book.regions[one.o], ...Object.fromEntries(["distance", ...PEER_PARTS].map((key) => [key, one[key] / 1000])) }));
  const most = Math.max(...close.map((one) => one.distance));
  const table = dataTable({
    name: "peers",
    caption: `Peers of ${cluster.label} in ${region.name}`,
    list: close,
    sort: "rank",
    columns: [
      { key: "name", label: capital(book.noun), kind: "text", always: true, value: (one) => one.other.name, cell: (one) => link(placeHref(one.other, cluster), one.other.name) },
      { key: "rank", label: "Rank", kind: "rank" },
      ...peerColumns(most),
    ],
  });
  const parts = PEER_PARTS.map((part) => `${capital(part)}: ${words.features.filter((one) => one.part === part).map((one) => `${one.title} (${FORMATS.percent(one.weight)})`).join(", ")}.`);
  return section("Peers", `The same cluster where it is most like this one, ${book.year}; distance 0 is alike`, partsLegend(), table.element, h("p", { class: "note" }, `What is compared, with its weight. ${parts.join(" ")}`), h("p", { class: "source" }, levelsSource()));
}

/* --- to keep --- */

function placeFiles(region, cluster, profile, words, facts) {
  if (!profile) return null;
  const list = words.indicators.filter((one) => profile.indicators[one.id]).map((one) => ({ ...one, row: profile.indicators[one.id] }));
  const columns = [
    { label: "Indicator", csv: (one) => one.title }, { label: "Element", csv: (one) => one.element }, { label: "Dimension", csv: (one) => one.dimension },
    { label: "Value", csv: (one) => one.row.v }, { label: "Low", csv: (one) => one.row.lo }, { label: "High", csv: (one) => one.row.hi }, { label: "Unit", csv: (one) => one.unit },
    { label: "Score", csv: (one) => one.row.s }, { label: "Score low", csv: (one) => one.row.sl }, { label: "Score high", csv: (one) => one.row.sh },
    { label: "Year", csv: (one) => yearOf(one, one.row) }, { label: "Source", csv: (one) => sourceOf(one, one.row) },
  ];
  const wanted = /^(profiles|profile_elements|peers|stages|types|facts|evidence|agreement|warnings|areas|area_members|boundaries)\.(csv|csv\.zip|parquet)$/;
  const files = book.downloads.filter((file) => wanted.test(file.name));
  return section("Take it with you", "This card as a table, or the tables of all cards",
    h("p", {}, h("button", { type: "button", class: "more", onclick: () => keepsake.save(asCsv(columns, list), `${fileName(`${cluster.label} ${region.name}`)}.csv`) }, "Save the indicators of this card as CSV")),
    fileList(files));
}
