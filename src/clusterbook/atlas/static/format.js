"use strict";
/* Figures as text. They arrive rounded; here they only get separators, signs and units. */

const plain = (digits) => new Intl.NumberFormat("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const WHOLE = plain(0);
const ONE = plain(1);
const TWO = plain(2);
const THREE_DIGITS = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const THREE_ALWAYS = new Intl.NumberFormat("en", { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
const SIGNED = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: "exceptZero" });
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
  text: (x) => String(x),
};

function text(value, kind, row) {
  return known(value) ? FORMATS[kind](value) : hiddenText(row);
}

function hiddenText(row) {
  if (row?.status !== "suppressed") return "not known";
  if (known(row.lo) && known(row.hi)) return `suppressed, ${FORMATS.size(row.lo)}–${FORMATS.size(row.hi)}`;
  return known(row.lo) && row.lo > 0 ? `suppressed, at least ${FORMATS.size(row.lo)}` : "suppressed";
}

/* A figure as an element; what is not known has a mark of its own. */
function figureText(value, kind, row) {
  if (known(value)) return FORMATS[kind](value);
  const suppressed = row?.status === "suppressed";
  return h("span", { class: "unknown", "data-term": suppressed ? "suppressed" : "not_known" }, hiddenText(row));
}

const withUnit = (value, row) => `${text(value, "size", row)}${known(value) && book.size.unit ? ` ${book.size.unit}` : ""}`;
/* The same in a table, short: s for suppressed, n for not known, with the bounds where the cell has any. */
function hiddenCell(column, row) {
  const suppressed = row.status === "suppressed";
  const bounds = column.key === "size" && suppressed ? hiddenText(row).replace(/^suppressed,?/, "") : "";
  return h("span", { class: "unknown", "data-term": suppressed ? "suppressed" : "not_known" },
    h("span", { "aria-hidden": "true" }, suppressed ? "s" : "n"), h("span", { class: "away" }, suppressed ? "suppressed" : "not known"), bounds);
}

const HIDDEN_NOTE = "s: suppressed by the source, n: not known; neither is zero.";

const sized = (row) => [figureText(row.size, "size", row), known(row.size) ? h("span", { class: "unit" }, ` ${book.size.unit}`) : null];
const plural = (n, one, many) => `${WHOLE.format(n)} ${n === 1 ? one : many}`;
const regionsCounted = (n) => plural(n, book.noun, book.nouns);
const capital = (words) => words.charAt(0).toUpperCase() + words.slice(1);
const listed = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);
