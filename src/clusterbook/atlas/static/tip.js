"use strict";
/* One small box that explains: terms of the field, and what the pointer is on in a chart. */

const tip = {
  show(content, x, y) {
    const box = document.getElementById("tip");
    replace(box, content);
    box.hidden = false;
    const { width, height } = box.getBoundingClientRect();
    const left = Math.min(Math.max(8, x + 14), document.documentElement.clientWidth - width - 8);
    const above = y + 18 + height > window.innerHeight;
    box.style.left = `${left}px`;
    box.style.top = `${Math.max(8, above ? y - height - 12 : y + 18)}px`;
  },
  hide() {
    document.getElementById("tip").hidden = true;
  },
  /* The lines of a chart's tip: a title and pairs of name and figure. */
  lines(title, pairs, note) {
    const shown = pairs.filter(Boolean).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
    return [h("b", {}, title), h("dl", {}, shown), note ? h("p", {}, note) : null].filter(Boolean);
  },
};

function termLines(key) {
  const term = book.terms?.[key];
  if (!term) return null;
  return [h("b", {}, term.name), h("p", {}, term.text), term.formula ? h("p", { class: "formula" }, term.formula) : null, term.source ? h("p", {}, `Source: ${term.source}`) : null].filter(Boolean);
}

function explain(event) {
  const target = event.target.closest?.("[data-term], [data-note]");
  const lines = target && (target.dataset.note ? [h("p", {}, target.dataset.note)] : termLines(target.dataset.term));
  if (!lines) return;
  const box = target.getBoundingClientRect();
  tip.show(lines, box.left - 14, box.bottom - 10);
}

/* A word that explains itself on hover and focus. */
function term(key, words) {
  if (!book.terms[key]) return words;
  return h("button", { type: "button", class: "term", "data-term": key, "aria-describedby": `term-${key}` }, words);
}

/* The definitions as hidden text, to which words point for those who do not see the box. */
function hiddenTerms() {
  return h("div", { hidden: true }, Object.entries(book.terms).map(([key, one]) => h("p", { id: `term-${key}` }, one.text)));
}

document.addEventListener("pointerover", explain);
document.addEventListener("focusin", explain);
for (const leave of ["pointerout", "focusout"]) {
  document.addEventListener(leave, (event) => { if (event.target.closest?.("[data-term], [data-note]")) tip.hide(); });
}
document.addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hide(); });
document.addEventListener("scroll", () => tip.hide(), { passive: true });
