"use strict";
/* From address to page. */

const PAGES = { overview: overviewPage, cluster: clusterPage, region: regionPage, compare: comparePage, definitions: definitionsPage, place: placePage, method: methodPage, downloads: downloadsPage };
let shownPath = null;

async function show() {
  const { page, id, codes, parts } = address.read();
  const path = `${page}/${id}`;
  const main = document.getElementById("main");
  const again = shownPath !== null;
  const moved = shownPath !== path;
  shownPath = path;
  chart.close();
  main.setAttribute("aria-busy", "true");
  const late = setTimeout(() => replace(main, h("p", { class: "wide notice" }, "Loading …")), 150);
  const result = await pageOf(page, id, codes, parts);
  clearTimeout(late);
  if (shownPath !== path) return;
  replace(main, result.element);
  main.removeAttribute("aria-busy");
  document.title = result.title === book.title ? book.title : `${result.title} · ${book.title}`;
  for (const one of document.querySelectorAll("header nav a")) {
    if (one.hash === `#${page}`) one.setAttribute("aria-current", "page");
    else one.removeAttribute("aria-current");
  }
  if (again && moved) {
    window.scrollTo(0, 0);
    main.querySelector("h1")?.focus({ preventScroll: true });
  }
  await result.drawn?.();
  document.body.dataset.ready = path;
}

async function pageOf(page, id, codes, parts) {
  try {
    if (!book.clusters) throw new Error("The file data/book.js is missing or cannot be read. Copy the whole folder of the atlas, or make it again.");
    const make = Object.hasOwn(PAGES, page) ? PAGES[page] : null;
    if (!make) return { title: "No such page", element: faultPage("No such page", `This atlas has no page '${page}'.`, "Use the links above.") };
    return await make(id, codes, parts);
  } catch (error) {
    return { title: "This page cannot be shown", element: faultPage("This page cannot be shown", error.message, "Then load the page again.") };
  }
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

function skipLink() {
  document.getElementById("skip").addEventListener("click", (event) => {
    event.preventDefault();
    document.getElementById("main").focus();
  });
}

window.addEventListener("hashchange", show);
themeButton();
skipLink();
if (book.clusters) {
  document.getElementById("find").append(siteSearch());
  document.body.append(hiddenTerms());
}
show();
