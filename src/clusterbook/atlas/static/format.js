"use strict";
/* Figures as text. They arrive rounded; here they only get separators, signs and units. */

const plain = (digits) => new Intl.NumberFormat("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const WHOLE = plain(0);
const ONE = plain(1);
const TWO = plain(2);
const THREE_DECIMALS = new Intl.NumberFormat("en", { maximumFractionDigits: 3 });
const THREE_DIGITS = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const THREE_ALWAYS = new Intl.NumberFormat("en", { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
const SIGNED = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: "exceptZero" });
const SIGNED_WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0, signDisplay: "exceptZero" });
const SIGNED_SHORT = new Intl.NumberFormat("en", { maximumSignificantDigits: 2, signDisplay: "exceptZero" });
const minus = (text) => text.replace("-", "\u2212");

const FORMATS = {
  size: (x) => (Math.abs(x) >= 100 ? WHOLE : THREE_DIGITS).format(x),
  count: (x) => WHOLE.format(x),
  quotient: (x) => (x > 0 && x < 0.005 ? "< 0.01" : (x < 10 ? TWO : x < 100 ? ONE : WHOLE).format(x)),
  share: (x) => (x > 0 && x < 0.00005 ? "< 0.01%" : `${(x > 0 && x < 0.01 ? TWO : ONE).format(100 * x)}%`),
  percent: (x) => `${WHOLE.format(100 * x)}%`,
  growth: (x) => `${minus(SIGNED.format(100 * x))}%`,
  points: (x) => `${minus(SIGNED.format(100 * x))} pp`,
  index: (x) => minus(TWO.format(x + 0)),
  ratio: (x) => `${TWO.format(x)}×`,
  amount: (x) => THREE_ALWAYS.format(x),
  rank: (x) => WHOLE.format(x),
  change: (x) => minus((Math.abs(x) >= 10 ? SIGNED_WHOLE : SIGNED_SHORT).format(x)),
  interval: (x) => x,
  text: (x) => String(x),
};

/* What bounds are known of a figure, by its kind. */
const BOUNDS = { size: ["lo", "hi"], quotient: ["lq_lo", "lq_hi"] };
const SURE = 0.05;

const estimated = (row, kind) => row?.status === "imputed" && ["size", "quotient", "share"].includes(kind);
const sure = (row) => known(row?.lq_q) && row.lq_q < SURE;
const span = (low, high, kind) => `${FORMATS[kind](low)}–${FORMATS[kind](high)}`;

function text(value, kind, row) {
  if (!known(value)) return hiddenText(row, kind);
  return `${estimated(row, kind) ? "≈ " : ""}${FORMATS[kind](value)}`;
}

function hiddenText(row, kind = "size") {
  const name = row?.status === "suppressed" ? "suppressed" : "not known";
  const bounds = row ? boundsText(row, kind) : "";
  return bounds ? `${name}, ${bounds}` : name;
}

/* The bounds of a figure that is withheld, or hangs on one that is: "10–99", "at least 10", or nothing. */
function boundsText(row, kind) {
  const [low, high] = (BOUNDS[kind] ?? []).map((key) => row[key]);
  if (known(low) && known(high)) return span(low, high, kind);
  return known(low) && low > 0 ? `at least ${FORMATS[kind](low)}` : "";
}

const interval = (row) => (known(row.lq_low95) && known(row.lq_high95) ? span(row.lq_low95, row.lq_high95, "quotient") : null);
const chance = (p) => (p < 0.001 ? "< 0.001" : THREE_DECIMALS.format(p));

/* What stands behind an estimate, for the box that explains it. */
function estimateText(row, kind) {
  const bounds = boundsText(row, kind);
  return `Estimated: the source withholds part of it.${bounds ? ` What is published leaves ${bounds}.` : ""}`;
}

/* A figure as an element; what is not known has a mark of its own. */
function figureText(value, kind, row) {
  if (known(value)) return estimated(row, kind) ? estimate(row, kind, text(value, kind, row)) : FORMATS[kind](value);
  const suppressed = row?.status === "suppressed";
  return h("span", { class: "unknown", "data-term": suppressed ? "suppressed" : "not_known" }, hiddenText(row, kind));
}

/* An estimated figure: lighter and in italics; its bounds are said on hover. */
const estimate = (row, kind, ...content) => h("span", { class: "estimated", "data-note": estimateText(row, kind) }, content);

const withUnit = (value, row) => `${text(value, "size", row)}${known(value) && book.size.unit ? ` ${book.size.unit}` : ""}`;
/* The same in a table, short: s for suppressed, n for not known, with the bounds where the cell has any. */
function hiddenCell(column, row) {
  const suppressed = row.status === "suppressed";
  const bounds = column.bounded ? boundsText(row, column.kind) : "";
  return h("span", { class: "unknown", "data-term": suppressed ? "suppressed" : "not_known" },
    h("span", { "aria-hidden": "true" }, suppressed ? "s" : "n"), h("span", { class: "away" }, suppressed ? "suppressed" : "not known"), bounds ? ` ${bounds}` : "");
}

const HIDDEN_NOTE = "s: suppressed by the source, n: not known; neither is zero.";
const ESTIMATED_NOTE = "≈ in italics: estimated, because the source withholds part of it; point at the figure for the bounds that are known.";
const SURE_NOTE = "* establishments would hardly fall so by chance (q < 0.05).";

const sized = (row) => [figureText(row.size, "size", row), known(row.size) ? h("span", { class: "unit" }, ` ${book.size.unit}`) : null];
const plural = (n, one, many) => `${WHOLE.format(n)} ${n === 1 ? one : many}`;
const regionsCounted = (n) => plural(n, book.noun, book.nouns);
const capital = (words) => words.charAt(0).toUpperCase() + words.slice(1);
const listed = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);
