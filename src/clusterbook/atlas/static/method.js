"use strict";
/* How it was made, from what, and what to take away. */

function methodPage() {
  const sources = book.sources.map((source) => h("div", { class: "card" },
    h("h3", {}, source.title, h("small", {}, { levels: " levels: sizes, shares, quotients", trends: " trends: growth and wages" }[source.role] ?? "")),
    h("dl", { class: "pairs" },
      source.publisher ? pair("Publisher", source.publisher) : null,
      source.vintage ? pair("Vintage", source.vintage) : null,
      source.licence ? pair("Licence", source.licence) : null,
      pair("Years", (source.role === "trends" ? book.trend_years : book.years)?.join(", ") ?? String(book.year))),
    source.note ? h("p", {}, source.note) : null,
    source.caveats?.length ? [h("p", {}, h("b", {}, "Mind")), h("ul", {}, source.caveats.map((words) => h("li", {}, words)))] : null));
  const profiles = book.profiles.map((profile) => h("div", { class: "card" },
    h("h3", {}, profile.title, profile.verified ? null : h("small", {}, " not checked against the original")),
    profile.source ? h("p", {}, profile.source) : null,
    h("dl", { class: "rules" }, profile.flags.map((flag) => [h("dt", {}, capital(flag.title)), h("dd", {}, ruleText(flag.rule))])),
    profile.note ? h("p", { class: "note" }, profile.note) : null));
  const terms = Object.values(book.terms).map((one) => [h("dt", {}, one.name), h("dd", {}, one.text, one.formula ? h("code", {}, one.formula) : null, one.source ? h("small", {}, one.source) : null)]);
  const definitions = book.definitions;
  return {
    title: "Method and sources",
    element: h("div", { class: "wide text" },
      pageHead({ kicker: "Method and sources", title: "How this atlas was made", finding: `Figures of ${book.year} for ${plural(book.clusters.length, "cluster", "clusters")} in ${regionsCounted(book.regions.length)}. No page computes a measure: all of them are in the files you can download.` }),
      section("Sources", "What the figures come from, and what is missing from them", h("div", { class: "cards" }, sources), book.region_note ? h("p", { class: "note" }, book.region_note) : null),
      section("What makes a cluster strong", "The rules, as they were applied", h("div", { class: "cards" }, profiles)),
      section("How clusters are defined", link("#definitions", "How the set was made: candidates, sides, stability"), h("dl", { class: "pairs" },
        pair("Method", definitions.method), pair("Source", definitions.source),
        book.classification ? pair("Classification", book.classification) : null,
        Object.entries(definitions.parameters ?? {}).map(([name, value]) => pair(words(name), plainValue(value))),
        Object.entries(definitions.scores ?? {}).map(([name, value]) => pair(words(name), plainValue(value)))),
      definitions.notes?.length ? h("ul", {}, definitions.notes.map((note) => h("li", {}, note))) : null),
      section("Terms and formulas", "The same words explain themselves wherever they are underlined", h("dl", { class: "terms" }, terms)),
      section("What made this edition", "Anyone with the same inputs and software gets the same files, byte for byte", h("dl", { class: "pairs" },
        pair("Software", book.software),
        Object.entries(book.parameters ?? {}).map(([name, value]) => pair(words(name), plainValue(value))),
        Object.entries(book.inputs ?? {}).map(([name, value]) => pair(`Input: ${words(name)}`, h("code", { class: "hash" }, plainValue(value))))),
      h("details", {}, h("summary", {}, "Files and their SHA-256"), h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Files and their hashes" }, h("table", {}, h("caption", { class: "away" }, "Files of the edition"),
        h("thead", {}, h("tr", {}, ["File", "Rows", "SHA-256"].map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, Object.entries(book.tables).map(([name, one]) => h("tr", {}, h("th", { scope: "row" }, `${name}.parquet`), h("td", { class: "right" }, WHOLE.format(one.rows)), h("td", {}, h("code", { class: "hash" }, one.sha256))))))))),
      section("What no atlas of figures can see", null, h("p", {}, "Figures by industry and place show what stands side by side. They do not show who works with whom, what is learned, what is planned, or why. Location quotients favour small places; absolute size favours large ones; read both. Confirm what you find here with people who know the place."))),
  };
}

const words = (name) => capital(String(name).replaceAll("_", " "));
const plainValue = (value) => (Array.isArray(value) ? value.map(plainValue).join(", ") : typeof value === "number" && !Number.isInteger(value) ? THREE_DIGITS.format(value) : typeof value === "object" && value ? JSON.stringify(value) : String(value));
const ruleText = (rule) => (typeof rule === "string" ? rule : JSON.stringify(rule));

function downloadsPage() {
  const groups = [
    ["For spreadsheets", "CSV with six significant digits; missing is empty, never 0", (name) => /\.csv(\.zip)?$/.test(name)],
    ["For map programs", "GeoJSON, longitude and latitude", (name) => name.endsWith(".geojson")],
    ["The edition itself", "Parquet, byte for byte, and the manifest that says what made it", (name) => /\.(parquet|json)$/.test(name)],
  ];
  return {
    title: "Downloads",
    element: h("div", { class: "wide text" },
      pageHead({ kicker: "Downloads", title: "Take the figures with you", finding: "Every table and chart of this atlas can be saved; these are the whole tables." }),
      caveat(book.levels, book.trends),
      groups.map(([title, sub, test]) => {
        const list = book.downloads.filter((file) => test(file.name));
        return list.length ? section(title, sub, fileList(list), title === "The edition itself" && book.left_behind?.length ? h("p", { class: "note" }, `Too large to carry along, and in the edition itself: ${listed(book.left_behind)}.`) : null) : null;
      }),
      section("Single charts and tables", null, h("p", {}, "Below each chart stand SVG and PNG, above each table CSV: they save what you see, with title, unit, year and source.")),
      section("Cite as", null, h("p", {}, `${book.title}, ${book.year}. ${book.sources.map(sourceText).join("; ")}. Made with ${book.software}.`))),
  };
}

const fileList = (list) => h("ul", { class: "files" }, list.map((file) => h("li", {},
  h("a", { href: `downloads/${file.name}`, download: file.name }, file.name), h("span", {}, file.what),
  h("small", {}, [file.rows ? plural(file.rows, "row", "rows") : null, bytes(file.bytes)].filter(Boolean).join(", ")))));

const bytes = (n) => (n < 1e6 ? `${THREE_DIGITS.format(Math.max(1, Math.round(n / 1e3)))} kB` : `${THREE_DIGITS.format(n / 1e6)} MB`);
