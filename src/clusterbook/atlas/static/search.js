"use strict";
/* Search boxes: type a few letters, choose with arrows and Enter (the combobox pattern). */

function combobox({ id, label, placeholder, options, choose, hint }) {
  const list = h("ul", { id: `${id}-list`, role: "listbox", "aria-label": label, hidden: true });
  const input = h("input", {
    id, type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", placeholder,
    "aria-label": label, "aria-expanded": "false", "aria-controls": `${id}-list`, "aria-autocomplete": "list",
  });
  let found = [];
  let at = -1;

  function open() {
    found = matches(options(), input.value).slice(0, 12);
    at = found.length ? 0 : -1;
    replace(list, found.map((one, k) => h("li", {
      id: `${id}-${k}`, role: "option", "aria-selected": String(k === at),
      onpointerdown: (event) => { event.preventDefault(); take(k); },
    }, h("span", {}, one.label), h("small", {}, one.note))),
    found.length ? null : h("li", { class: "nothing", role: "option", "aria-disabled": "true", "aria-selected": "false" }, "Nothing found"));
    show(input.value.trim() !== "");
  }

  function show(on) {
    list.hidden = !on;
    input.setAttribute("aria-expanded", String(on));
    mark();
  }

  function mark() {
    [...list.children].forEach((item, k) => item.setAttribute("aria-selected", String(k === at && found.length > 0)));
    if (!list.hidden && at >= 0) {
      input.setAttribute("aria-activedescendant", `${id}-${at}`);
      list.children[at].scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  }

  function take(k) {
    const one = found[k];
    if (!one) return;
    input.value = "";
    show(false);
    choose(one);
  }

  input.addEventListener("input", open);
  input.addEventListener("blur", () => show(false));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      if (list.hidden) input.value = "";
      show(false);
    } else if (event.key === "Enter" && !list.hidden) {
      event.preventDefault();
      take(at);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) open();
      else at = (at + (event.key === "ArrowDown" ? 1 : -1) + found.length) % found.length;
      mark();
    }
  });
  return h("div", { class: "combobox" }, input, hint ?? null, list);
}

/* Words may stand anywhere; names that begin with what is typed come first, larger ones before smaller ones. */
function matches(options, typed) {
  const words = typed.toLowerCase().split(/[\s,]+/).filter(Boolean);
  if (!words.length) return [];
  const score = (one) => {
    const name = one.label.toLowerCase();
    if (!words.every((word) => name.includes(word) || one.code === word)) return 0;
    if (name.startsWith(words[0])) return 3;
    return new RegExp(`\\b${words[0].replace(/[^\p{L}\p{N}]/gu, "")}`, "u").test(name) ? 2 : 1;
  };
  return options
    .map((one) => [score(one), one])
    .filter(([points]) => points)
    .sort(([a, one], [b, two]) => b - a || (two.weight ?? 0) - (one.weight ?? 0))
    .map(([, one]) => one);
}

const regionOptions = () => book.regions.map((region) => ({ label: region.name, note: region.kind ?? book.noun, code: String(region.code).toLowerCase(), weight: region.size, region }));
const clusterOptions = () => book.clusters.map((cluster) => ({ label: cluster.label, note: `${cluster.kind ? `${cluster.kind} ` : ""}cluster`, code: String(cluster.id).toLowerCase(), weight: 1e12 + (cluster.size ?? 0), cluster }));

function siteSearch() {
  const all = [...clusterOptions(), ...regionOptions()];
  const box = combobox({
    id: "search",
    label: `Search clusters and ${book.nouns}`,
    placeholder: `Find a cluster or a ${book.noun}`,
    options: () => all,
    choose: (one) => { location.hash = one.cluster ? clusterHref(one.cluster) : regionHref(one.region); },
    hint: h("kbd", { "aria-hidden": "true" }, "/"),
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.matches("input, select, textarea")) return;
    event.preventDefault();
    document.getElementById("search").focus();
  });
  return box;
}
