"use strict";
/* The library: search and filters of the entrance, matrices that open and close, light and dark. */

const root = document.body.dataset.root;

function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function themeButton() {
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const mark = () => button.setAttribute("aria-pressed", String(dark()));
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = dark() ? "light" : "dark";
    try { localStorage.setItem("theme", document.documentElement.dataset.theme); } catch { /* private mode keeps nothing */ }
    mark();
  });
  system.addEventListener("change", mark);
  mark();
}

/* --- words: the same stems as in the index ------------------------------------------------------------------------ */

const STOP = new Set(`a an and any are as at be been both but by can could do does each for from had has have how if in
into is it its may more most no nor not of on one only or other our out over own same so some such than that the their
them then there these they this those through to too under up very was we were what when where which while who whom
whose why will with would you your`.split(/\s+/));

function stem(word) {
  let w = word.replace("-", "").normalize("NFKD").replace(/\p{M}/gu, "");
  w = w.replace(/i[sz](e|ed|es|ing|ation|ations)$/, "is$1");
  if (w.length > 5) w = w.replace(/(?<=[^aeiou])our(s?)$/, "or$1");
  w = w.replace(/^(program)me(s?)$/, "$1$2").replace(/^(cent|theat|met|fib)re(s?)$/, "$1er$2");
  return silentE(verbEnding(singular(w)));
}

function singular(w) {
  if (w.length < 4 || !w.endsWith("s") || /(ss|us|is)$/.test(w)) return w;
  if (w.endsWith("ies")) return w.length > 4 ? `${w.slice(0, -3)}y` : w.slice(0, -1);
  return /(sses|shes|ches|xes|zes)$/.test(w) ? w.slice(0, -2) : w.slice(0, -1);
}

function verbEnding(w) {
  for (const ending of ["ing", "ed"]) {
    const rest = w.endsWith(ending) ? w.slice(0, -ending.length) : w;
    if (rest !== w && rest.length >= 3 && /[aeiouy]/.test(rest) && !w.endsWith("eed")) {
      const doubled = rest.length > 3 && rest.at(-1) === rest.at(-2) && !"lsz".includes(rest.at(-1));
      return doubled ? rest.slice(0, -1) : rest;
    }
  }
  return w;
}

const silentE = (w) => (w.length > 4 && w.endsWith("e") && !w.endsWith("ee") ? w.slice(0, -1) : w);
const WORD = /\b[Cc]o-[\p{L}\p{N}]+|[\p{L}\p{N}]+/gu;
const wordsOf = (text) => (text.toLowerCase().match(WORD) ?? []).filter((word) => !STOP.has(word));

/* --- search --------------------------------------------------------------------------------------------------------- */

/* BM25 as in Python. Every word must be met; a word that no entry has counts as the beginning of one, and so does the
   last word while it is being typed. Returns entry -> score, or null where nothing was asked. */
function scores(query, typing) {
  const words = wordsOf(query);
  if (!words.length) return null;
  const { lengths, terms } = window.library;
  const mean = lengths.reduce((sum, n) => sum + n, 0) / lengths.length;
  let all = null;
  words.forEach((word, at) => {
    const found = new Map();
    for (const term of known(word, typing && at === words.length - 1)) {
      const postings = terms[term];
      const count = postings.length / 2;
      const rarity = Math.log(1 + (lengths.length - count + 0.5) / (count + 0.5));
      for (let k = 0; k < postings.length; k += 2) {
        const weight = postings[k + 1];
        const score = (rarity * weight * 2.2) / (weight + 1.2 * (0.25 + (0.75 * lengths[postings[k]]) / mean));
        found.set(postings[k], Math.max(found.get(postings[k]) ?? 0, score));
      }
    }
    if (all === null) all = found;
    else all = new Map([...all].filter(([entry]) => found.has(entry)).map(([entry, score]) => [entry, score + found.get(entry)]));
  });
  return all;
}

function known(word, typing) {
  const { terms } = window.library;
  const exact = stem(word);
  const has = Object.hasOwn(terms, exact);
  if (has && !typing) return [exact];
  const plain = word.normalize("NFKD").replace(/\p{M}/gu, "");
  const longer = plain.length < 3 ? [] : Object.keys(terms).filter((term) => term.startsWith(plain));
  return [...new Set([...(has ? [exact] : []), ...longer])];
}

/* The address says what is asked: #q=trust&kind=instruments&risk=low,medium */
function asked() {
  const state = new URLSearchParams(location.hash.slice(1) || location.search.slice(1));
  const query = state.get("q") ?? "";
  state.delete("q");
  return { query, filters: new Map([...state].map(([name, values]) => [name, new Set(values.split(",").filter(Boolean))]).filter(([, values]) => values.size)) };
}

function addressOf({ query, filters }) {
  const state = new URLSearchParams();
  if (query.trim()) state.set("q", query);
  for (const [name, values] of filters) if (values.size) state.set(name, [...values].join(","));
  return `#${state.toString().replaceAll("%2C", ",")}`;
}

const changed = (state, name, value) => {
  const filters = new Map([...state.filters].map(([key, values]) => [key, new Set(values)]));
  const values = filters.get(name) ?? new Set();
  if (!values.delete(value)) values.add(value);
  filters.set(name, values);
  if (name === "kind") for (const key of [...filters.keys()]) if (key !== "kind" && key !== "source") filters.delete(key);
  return { query: state.query, filters };
};

/* Facets that apply: kind and source always, the others where one kind is chosen. */
function facetsOf(filters) {
  const { kinds, facets } = window.library;
  const chosen = [...(filters.get("kind") ?? [])];
  const own = chosen.length === 1 ? (facets[chosen[0]] ?? []).filter(([name]) => name !== "source") : [];
  return [["kind", "Kind", kinds.map(([kind, many]) => [kind, many, 0])], ...own, ["source", "Source", sources()]];
}

let allSources = null;
function sources() {
  if (allSources) return allSources;
  const found = new Map();
  for (const facets of Object.values(window.library.facets)) for (const value of facets.at(-1)[2]) found.set(value[0], value);
  const order = new Map(window.library.entries.filter(([kind]) => kindName(kind) === "bibliography").map(([, id], at) => [id, at]));
  allSources = [...found.values()].sort((a, b) => order.get(a[0]) - order.get(b[0]));
  return allSources;
}

const kindName = (number) => window.library.kinds[number][0];

/* The values of a facet that an entry has; null where its kind has no such facet. */
function valuesOf(entry, name) {
  const kind = kindName(entry[0]);
  if (name === "kind") return [kind];
  const facets = window.library.facets[kind];
  const at = facets.findIndex((facet) => facet[0] === name);
  return at < 0 ? null : entry[4][at].map((k) => facets[at][2][k][0]);
}

const passes = (entry, filters, except) =>
  [...filters].every(([name, wanted]) => name === except || (valuesOf(entry, name) ?? []).some((value) => wanted.has(value)));

const href = (entry) => {
  const kind = kindName(entry[0]);
  return kind === "glossary" || kind === "bibliography" ? `${root}library/${kind}.html#${entry[1]}` : `${root}library/${kind}/${entry[1]}.html`;
};

function searchPage() {
  const box = document.getElementById("q");
  const results = document.getElementById("results");
  const opened = new Map();
  let shown = 60;

  function show(typing = false) {
    const state = asked();
    if (box.value.trim() !== state.query.trim()) box.value = state.query;
    const active = state.query.trim() !== "" || state.filters.size > 0;
    document.getElementById("shelves").hidden = active;
    document.getElementById("browse").hidden = !active;
    const score = scores(state.query, typing);
    const met = window.library.entries
      .map((entry, at) => [entry, score ? score.get(at) : 0])
      .filter(([entry, points]) => points !== undefined && (kindName(entry[0]) !== "tables" || state.filters.get("kind")?.has("tables")));
    const found = met.filter(([entry]) => passes(entry, state.filters));
    if (score) found.sort((a, b) => b[1] - a[1]);
    chips(state);
    facets(state, met.map(([entry]) => entry));
    list(state, found);
    const words = !active ? "" : found.length === 0 ? "Nothing found. Take a filter away, or try another word." : found.length === 1 ? "1 entry" : `${found.length.toLocaleString("en")} entries`;
    document.getElementById("found").textContent = words;
    document.body.dataset.ready = addressOf(state);
  }

  function chips(state) {
    const all = facetsOf(state.filters);
    const items = [...state.filters].flatMap(([name, values]) => [...values].map((value) => {
      const facet = all.find(([one]) => one === name);
      const words = `${facet?.[1] ?? name}: ${facet?.[2].find(([one]) => one === value)?.[1] ?? value}`;
      return el("li", {}, words, el("button", { type: "button", "aria-label": `Take away the filter ${words}`, onclick: () => go(changed(state, name, value)) }, "×"));
    }));
    if (items.length > 1) items.push(el("li", { class: "clear" }, el("a", { href: addressOf({ query: state.query, filters: new Map() }) }, "Clear all")));
    document.getElementById("chips").replaceChildren(...items);
    document.getElementById("chips").hidden = items.length === 0;
  }

  function facets(state, met) {
    const focused = document.activeElement?.id;
    const sets = facetsOf(state.filters).map(([name, label, values]) => {
      const counts = new Map();
      for (const entry of met) if (passes(entry, state.filters, name)) for (const value of valuesOf(entry, name) ?? []) counts.set(value, (counts.get(value) ?? 0) + 1);
      const wanted = state.filters.get(name) ?? new Set();
      const rows = values.filter(([value]) => counts.get(value) || wanted.has(value));
      if (!rows.length) return null;
      const open = opened.get(name) ?? (name === "kind" ? !wanted.size : wanted.size > 0 || rows.length < 8);
      const boxes = rows.map(([value, title, depth]) => el("label", { class: `depth-${depth}` },
        el("input", { type: "checkbox", id: `${name}:${value}`, checked: wanted.has(value), onchange: () => go(changed(state, name, value)) }),
        el("span", {}, title), el("small", {}, String(counts.get(value) ?? 0))));
      return el("details", { open, ontoggle: (event) => opened.set(name, event.target.open) },
        el("summary", {}, label, wanted.size ? el("small", {}, ` ${wanted.size} chosen`) : null),
        el("fieldset", {}, el("legend", { class: "away" }, label), boxes));
    });
    document.getElementById("facets").replaceChildren(...sets.filter(Boolean));
    if (focused?.includes(":")) document.getElementById(focused)?.focus();
  }

  function list(state, found) {
    const stems = new Set(wordsOf(state.query).map(stem));
    const byKind = new Map();
    for (const [entry] of found) byKind.set(entry[0], [...(byKind.get(entry[0]) ?? []), entry]);
    const alone = byKind.size === 1;
    const groups = [...byKind].map(([kind, entries]) => {
      const [name, many] = window.library.kinds[kind];
      const few = entries.slice(0, alone ? shown : 5);
      const more = entries.length - few.length;
      return el("section", {}, el("h2", {}, many, " ", el("small", {}, String(entries.length))),
        el("ul", { class: "hits" }, few.map((entry) => el("li", {},
          el("a", { href: href(entry) }, marked(entry[2], stems)), el("p", {}, marked(entry[3], stems))))),
        more === 0 ? null : alone
          ? el("button", { type: "button", class: "more", onclick: () => { shown += 60; show(); } }, `Show ${Math.min(60, more)} more of ${more}`)
          : el("a", { class: "all", href: addressOf(changed({ query: state.query, filters: new Map([...state.filters].filter(([n]) => n !== "kind")) }, "kind", name)) }, `All ${entries.length} ${many.toLowerCase()}`));
    });
    results.replaceChildren(...groups);
  }

  function marked(text, stems) {
    if (!stems.size) return text;
    const parts = [];
    let at = 0;
    for (const match of text.matchAll(WORD)) {
      const word = match[0].toLowerCase();
      if (STOP.has(word) || !(stems.has(stem(word)) || [...stems].some((one) => one.length > 2 && word.startsWith(one)))) continue;
      parts.push(text.slice(at, match.index), el("mark", {}, match[0]));
      at = match.index + match[0].length;
    }
    return [...parts, text.slice(at)];
  }

  function go(state) {
    shown = 60;
    location.hash = addressOf(state);
  }

  /* From the box down the results and up again; Escape leads back to the box. */
  function keys(event) {
    const links = [...results.querySelectorAll(".hits a")];
    const at = links.indexOf(document.activeElement);
    if (event.key === "ArrowDown" && (event.target === box || at >= 0)) links[at + 1]?.focus();
    else if (event.key === "ArrowUp" && at >= 0) (links[at - 1] ?? box).focus();
    else if (event.key === "Escape" && at >= 0) box.focus();
    else return;
    event.preventDefault();
  }

  box.addEventListener("input", () => {
    shown = 60;
    const state = { query: box.value, filters: asked().filters };
    history.replaceState(null, "", addressOf(state));
    show(true);
  });
  document.querySelector(".ask").addEventListener("submit", (event) => {
    event.preventDefault();
    results.querySelector(".hits a")?.focus();
  });
  document.addEventListener("keydown", keys);
  window.addEventListener("hashchange", () => show());
  document.getElementById("filters").open = matchMedia("(min-width: 961px)").matches;
  document.getElementById("search").hidden = false;
  show();
}

/* --- matrices ------------------------------------------------------------------------------------------------------- */

function matrixPage() {
  const groups = [...document.querySelectorAll(".matrix tbody")];
  const set = (group, open) => {
    group.classList.toggle("closed", !open);
    group.querySelector("button").setAttribute("aria-expanded", String(open));
  };
  for (const group of groups) {
    const name = group.querySelector(".goal-name");
    const button = el("button", { type: "button", onclick: () => set(group, group.classList.contains("closed")) }, ...name.childNodes);
    name.append(button);
    set(group, location.hash === `#${group.id}`);
  }
  const tools = document.querySelector(".matrix-tools");
  tools.hidden = false;
  tools.addEventListener("click", (event) => {
    const all = event.target.dataset.all;
    if (all) groups.forEach((group) => set(group, all === "true"));
  });
  window.addEventListener("hashchange", () => groups.forEach((group) => location.hash === `#${group.id}` && set(group, true)));
  window.addEventListener("beforeprint", () => groups.forEach((group) => set(group, true)));
}

/* --- every page ------------------------------------------------------------------------------------------------------ */

themeButton();
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.matches("input, select, textarea")) return;
  event.preventDefault();
  document.querySelector("#q, .quick")?.focus();
});
/* What is folded is printed unfolded. */
window.addEventListener("beforeprint", () => document.querySelectorAll("main details").forEach((one) => { one.open = true; }));
if (document.querySelector(".matrix")) matrixPage();
if (window.library) searchPage();
