"use strict";
/* A cluster in a place by elements and dimensions: a dot from 0 to 100 with its range, and behind it every indicator. */

/* Values of one region's file: a column is a list by cluster, or one value for all. */
const valueIn = (column, k) => (Array.isArray(column) ? column[k] : column) ?? null;
const entryIn = (columns, k) => Object.fromEntries(Object.entries(columns ?? {}).map(([name, column]) => [name, valueIn(column, k)]));

/* What a region's file knows of one of its clusters. */
function profileOf(file, cluster) {
  const all = file.profile ?? {};
  const k = (all.c ?? []).indexOf(cluster.position);
  if (k < 0) return null;
  const of = (group) => Object.fromEntries(Object.entries(all[group] ?? {}).map(([id, columns]) => [id, entryIn(columns, k)]));
  return { elements: of("elements"), indicators: of("indicators"), certainty: entryIn(all.certainty, k) };
}

const unitText = (unit) => (unit === "employment" ? book.size.label : unit);

/* A value of an indicator as people write it, with its unit. */
function indicatorText(value, unit) {
  if (!known(value)) return null;
  if (unit === "share a year") return `${FORMATS.growth(value)} a year`;
  if (unit?.startsWith("share")) return FORMATS.share(value);
  if (unit === "quotient") return FORMATS.quotient(value);
  if (unit === "times") return FORMATS.ratio(value);
  if (unit === "rank") return `#${FORMATS.rank(value)}`;
  const number = Math.abs(value) >= 100 ? WHOLE.format(value) : minus(THREE_DIGITS.format(value));
  return `${number} ${unitText(unit) ?? ""}`.trim();
}

function spanText(row, unit) {
  const [low, high] = [indicatorText(row.lo, unit), indicatorText(row.hi, unit)];
  if (low && high) return `${low} to ${high}`;
  return low ? `at least ${low}` : high ? `at most ${high}` : null;
}

const yearOf = (indicator, row) => row.y ?? indicator.year;

function sourceOf(indicator, row) {
  if (row.src) return row.src;
  const table = (indicator.figure ?? "").split(".")[0];
  const base = ["change", "trends"].includes(table) || indicator.figure === "profile.establishments_growth" ? book.trends : book.levels;
  return `${base.title} (${indicator.figure})`;
}

const scoreText = (score) => WHOLE.format(score);

/* The dot and its range on a line from 0 to 100; what is not known has a mark of its own. */
function scoreTrack({ s: score, sl: low, sh: high }) {
  if (!known(score)) return h("span", { class: "track unknown-track", "aria-hidden": "true" });
  return h("span", { class: "track", "aria-hidden": "true" },
    known(low) && known(high) ? h("i", { class: "range", style: `left:${low}%;width:${Math.max(0, high - low)}%` }) : null,
    h("i", { class: "dot-at", style: `left:${score}%` }));
}

function scoreWords({ s: score, sl: low, sh: high }) {
  if (!known(score)) return h("span", { class: "unknown" }, "not known");
  return [h("b", {}, scoreText(score)), known(low) && known(high) && low < high ? h("small", {}, ` ${scoreText(low)}–${scoreText(high)}`) : null];
}

/* One element or dimension: a row that opens. */
function aspectRow(aspect, profile, words, facts) {
  const summary = profile.elements[aspect.id] ?? {};
  const own = words.indicators.filter((one) => one[aspect.scheme] === aspect.id);
  const counted = own.filter((one) => one.weight > 0);
  const inHand = own.filter((one) => profile.indicators[one.id]?.v !== undefined && hasAnything(profile.indicators[one.id]));
  const missing = counted.filter((one) => !inHand.includes(one));
  return h("details", { class: `aspect${known(summary.s) ? "" : " aspect-unknown"}`, id: `aspect-${aspect.id}` },
    h("summary", {},
      h("span", { class: "aspect-title" }, aspect.title),
      scoreTrack(summary),
      h("span", { class: "aspect-score" }, scoreWords(summary)),
      h("span", { class: "aspect-known" }, known(summary.s) ? `${summary.k} of ${summary.n} known` : tellingFact(missing))),
    h("div", { class: "aspect-inside" },
      h("p", {}, aspect.question, " ", h("span", { class: "quiet-line" }, `0 is “${aspect.poles[0]}”, 100 is “${aspect.poles[1]}”.`)),
      inHand.length ? indicatorTable(aspect, inHand, profile, facts) : null,
      missing.length ? missingList(missing, facts) : null));
}

const hasAnything = (row) => known(row.v) || known(row.lo) || known(row.hi);

const tellingFact = (missing) => {
  const fact = missing.find((one) => !one.figure) ?? missing[0];
  return fact ? `would be told by: ${fact.title.toLowerCase()}` : "nothing asks for it";
};

function indicatorTable(aspect, list, profile, facts) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Indicators: ${aspect.title}` }, h("table", { class: "indicators" },
    h("caption", { class: "away" }, `Indicators of ${aspect.title.toLowerCase()}`),
    h("thead", {}, h("tr", {}, ["Indicator", "Value", "Within", "Score", "Year", "Source"].map((name, k) => h("th", { scope: "col", class: [1, 2, 3, 4].includes(k) ? "right" : null }, name)))),
    h("tbody", {}, list.map((indicator) => {
      const row = profile.indicators[indicator.id];
      const said = facts.find((fact) => fact.fact === indicator.id)?.text;
      return h("tr", {}, h("th", { scope: "row" }, h("span", { "data-note": `${indicator.tells} Cannot tell: ${indicator.cannot}` }, indicator.title), indicator.weight ? null : h("small", { class: "under" }, "shown, not counted")),
        h("td", { class: "right" }, row.src && said ? said : indicatorText(row.v, indicator.unit) ?? h("span", { class: "unknown" }, "not known")),
        h("td", { class: "right" }, spanText(row, indicator.unit) ?? h("span", { class: "no" }, "–", h("span", { class: "away" }, "no interval"))),
        h("td", { class: "right" }, known(row.s) ? [scoreText(row.s), known(row.sl) && known(row.sh) ? h("small", { class: "under" }, `${scoreText(row.sl)}–${scoreText(row.sh)}`) : null] : h("span", { class: "unknown" }, "no score")),
        h("td", { class: "right" }, yearOf(indicator, row) ?? "–"), h("td", {}, sourceOf(indicator, row)));
    }))));
}

function missingList(missing, facts) {
  return [h("p", { class: "missing-head" }, "Not known here"), h("ul", { class: "missing" }, missing.map((one) => h("li", {}, h("b", {}, one.title), ` – ${one.figure ? "the edition has no figure for it here" : one.tells}`,
    facts.some((fact) => fact.fact === one.id) ? h("small", {}, " (looked for in vain)") : null)))];
}

function aspectsSection(scheme, title, sub, profile, words, facts) {
  const list = words.aspects.filter((one) => one.scheme === scheme);
  return section(title, sub, h("p", { class: "track-legend" }, h("span", {}, "0"), h("span", {}, "50"), h("span", {}, "100")),
    h("div", { class: "aspects" }, list.map((aspect) => aspectRow(aspect, profile, words, facts))),
    h("p", { class: "note" }, `Dot: score from 0 to 100, its place among the ${book.nouns} that have the cluster; bar: how far it could lie otherwise. Hatched: not known, which is not low. Open a row for its indicators.`));
}

/* What stands out, in one sentence. */
function profileFinding(profile, words) {
  const elements = words.aspects.filter((one) => one.scheme === "element").map((one) => ({ ...one, ...profile.elements[one.id] }));
  const named = (list) => listed(list.map((one) => `${one.title.toLowerCase()} (${scoreText(one.s)} of 100)`));
  const telling = elements.filter((one) => known(one.s) && one.k > 1).sort((a, b) => b.s - a.s);
  const strong = telling.filter((one) => one.s >= words.high).slice(0, 2);
  const weak = telling.filter((one) => one.s <= words.low).reverse().slice(0, 2);
  const unknown = elements.filter((one) => !known(one.s)).map((one) => one.title.toLowerCase());
  const parts = [strong.length ? `high in ${named(strong)}` : "", weak.length ? `low in ${named(weak)}` : "", strong.length || weak.length ? "" : "nothing stands out", unknown.length ? `not known: ${listed(unknown)}` : ""].filter(Boolean);
  return `${capital(parts.join("; "))}.`;
}
