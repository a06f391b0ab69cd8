"use strict";
/* Up to five regions side by side. */

const MOST_PLACES = 5;

async function comparePage(_, asked) {
  const unknown = asked.filter((code) => !book.region.has(code));
  const places = [...new Set(asked)].filter((code) => book.region.has(code)).slice(0, MOST_PLACES).map((code) => book.region.get(code));
  const data = await Promise.all(places.map((region) => load(`region/${region.file}`)));
  const byPlace = data.map((one) => new Map(rows(one.clusters).map((row) => [row.c, row])));
  const hrefWith = (codes) => `#compare/${codes.map(encodeURIComponent).join(",")}`;
  const codes = places.map((one) => String(one.code));
  const picker = combobox({
    id: "add-place",
    label: `Add a ${book.noun}`,
    placeholder: `Add a ${book.noun}`,
    options: () => regionOptions().filter((one) => !codes.includes(String(one.region.code))),
    choose: (one) => { location.hash = hrefWith([...codes, String(one.region.code)]); },
  });
  const chips = h("ul", { class: "chips" }, places.map((one, k) => h("li", {},
    h("i", { class: `place place-${k + 1}`, "aria-hidden": "true" }), link(regionHref(one), one.name),
    h("button", { type: "button", "aria-label": `Take ${one.name} out`, onclick: () => { location.hash = hrefWith(codes.filter((code) => code !== String(one.code))); } }, "×"))));
  const dots = places.length ? compareFigure(places, byPlace) : null;
  const largest = [...book.regions].sort((a, b) => (b.size ?? 0) - (a.size ?? 0)).slice(0, 3);

  const element = h("div", { class: "wide" },
    pageHead({ kicker: "Compare", title: places.length ? listed(places.map((one) => one.name.split(",")[0])) : `Compare up to five ${book.nouns}` }),
    h("div", { class: "picker" }, chips, places.length < MOST_PLACES ? picker : h("p", { class: "quiet-line" }, "Five is the most; take one out to add another.")),
    unknown.length ? h("p", { class: "fault" }, `Not in this book: ${unknown.join(", ")}.`) : null,
    places.length ? null : h("p", {}, "Pick the first above, or start with ", link(hrefWith(largest.map((one) => String(one.code))), `the largest: ${listed(largest.map((one) => one.name))}`), "."),
    places.length ? [
      caveat(book.levels, book.trends),
      section("In figures", `${book.year}`, compareFigures(places), h("p", { class: "source" }, levelsSource(), has(places, "growth") ? ` ${trendsSource()}` : "")),
      dots.element,
      section("Cluster by cluster", `Location quotient of ${book.size.label}, ${book.year}`, compareTable(places, byPlace), h("p", { class: "source" }, levelsSource())),
    ] : null);
  return { title: places.length ? `Compare ${places.length}` : "Compare", element, drawn: () => dots?.draw() };
}

function compareFigures(places) {
  const lines = [
    [capital(book.size.label), "size", "size", book.size.unit],
    ["Rank by size", "rank", "rank"],
    ["Strong clusters", "n_strong", "count"],
    ["In strong clusters", "strong_share", "share"],
    ["Traded share", "traded_share", "share"],
    ["Effective clusters", "effective_clusters", "amount"],
    ["Share of the largest cluster", "largest_share", "share"],
    ["Complexity (ECI)", "eci", "index"],
    ["Related variety", "related_variety", "index", "bits"],
    ["Unrelated variety", "unrelated_variety", "index", "bits"],
    ["Growth a year", "growth", "growth", growthYears()],
    ["Wage", "wage", "amount", book.units?.wage],
    ["Population", "population", "size"],
  ].filter(([, key]) => has(places, key));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Figures of the places" }, h("table", { class: "side" },
    h("caption", { class: "away" }, "Figures of the places side by side"),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Figure"), places.map((one, k) => h("th", { scope: "col", class: "right" }, h("i", { class: `place place-${k + 1}`, "aria-hidden": "true" }), one.name)))),
    h("tbody", {}, lines.map(([name, key, kind, unit]) => h("tr", {}, h("th", { scope: "row" }, name, unit ? h("small", {}, ` ${unit}`) : null),
      places.map((one) => h("td", { class: "right" }, figureText(one[key], kind, one)))))))) ;
}

function compareFigure(places, byPlace) {
  const traded = book.clusters.filter((one) => one.kind !== "local");
  const top = (cluster) => Math.max(...byPlace.map((rowsOf) => rowsOf.get(cluster.position)?.lq ?? 0));
  const weight = (cluster) => Math.max(...byPlace.map((rowsOf) => rowsOf.get(cluster.position)?.region_share ?? 0));
  const chosen = [...traded].sort((a, b) => weight(b) - weight(a)).slice(0, 16).sort((a, b) => top(b) - top(a));
  const points = chosen.flatMap((cluster, order) => byPlace.flatMap((rowsOf, k) => {
    const row = rowsOf.get(cluster.position);
    return row?.lq > 0 ? [{ order, lq: row.lq, place: k + 1, id: cluster.id }] : [];
  }));
  return figure({
    title: "Where they differ",
    sub: `Location quotient of the ${chosen.length} ${book.kinds.includes("traded") ? "traded " : ""}clusters that weigh most in any of the places, ${book.year}; log axis, 1 is the share in ${book.all}`,
    source: levelsSource(),
    wide: true,
    legend: places.map((one, k) => ({ label: one.name, colour: `var(--place-${k + 1})`, place: k + 1 })),
    note: "Places in which nothing of a cluster is recorded have no mark in its line.",
    chart: {
      name: "quotients", height: 470,
      signals: { labels: chosen.map((one) => twoLines(one.label)), ...roomFor(chosen.map((one) => ({ label: twoLines(one.label) }))), ...quotientRange(points) },
      data: { rows: points },
      tip: (datum) => {
        if (!known(datum.place)) return null;
        const cluster = book.cluster.get(datum.id);
        return tip.lines(`${cluster.label}, ${places[datum.place - 1].name}`, rowTip(byPlace[datum.place - 1].get(cluster.position)));
      },
      pick: (datum) => { if (datum.id) location.hash = clusterHref(book.cluster.get(datum.id)); },
    },
  });
}

function compareTable(places, byPlace) {
  const classes = ["below-2", "below-1", "above-1", "above-2", "above-3", "above-4"];
  const list = book.clusters.map((cluster) => ({ ...cluster, found: byPlace.map((rowsOf) => rowsOf.get(cluster.position)) })).filter((row) => row.found.some(Boolean));
  const heat = (row, k, value) => h("span", { class: `heat ${classes[classOf(value, QUOTIENT_BREAKS)]}`, title: `${places[k].name}: ${withUnit(row.found[k].size, row.found[k])}` }, text(value, "quotient", row.found[k]));
  return dataTable({
    name: "clusters",
    caption: "Location quotients side by side",
    list,
    sort: "-place-0",
    short: 20,
    filter: (row) => row.label,
    filters: kindFilters(),
    columns: [
      { key: "label", label: "Cluster", kind: "text", always: true, cell: clusterCell },
      ...places.map((one, k) => ({
        key: `place-${k}`, label: one.name.split(",")[0], kind: "quotient", always: true,
        value: (row) => (row.found[k] ? row.found[k].lq ?? null : 0),
        cell: (row, value) => (row.found[k] ? heat(row, k, value) : h("span", { class: "heat none" }, "none")),
      })),
    ],
  }).element;
}
