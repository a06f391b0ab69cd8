"use strict";
/* A table that sorts, filters and saves itself.
   columns: {key, label, kind, term?, value?(row), cell?(row, value), bounded?, onlySaved?, short?}; a text column is aligned
   left, a bounded one marks estimates, one that is onlySaved stands in the CSV alone, a short one keeps to one
   line. */

const SHORT = 25;

function dataTable({ name, caption, columns, list, sort, filter, filters = [], pick, picked, note, file, short = SHORT }) {
  const state = {
    sort: address.get(`${name}.sort`) ?? sort,
    all: address.get(`${name}.show`) === "all" || list.length <= short + 5,
    find: address.get(`${name}.find`) ?? "",
    kept: filters.find((one) => one.value === address.get(`${name}.only`)) ?? filters[0],
    picked,
  };
  const kept = columns.filter((column) => column.always || list.some((row) => known(valueOf(column, row)) || (column.bounded && boundsText(row, column.kind))));
  const shown = kept.filter((column) => !column.onlySaved);
  const body = h("tbody");
  const more = h("button", { type: "button", class: "more", onclick: () => keep({ all: true }, { show: "all" }) });
  const count = h("p", { class: "count", role: "status" });
  const heads = shown.map((column) => headOf(column));
  const table = h("table", {}, h("caption", { class: "away" }, caption), h("thead", {}, h("tr", {}, pick ? h("th", { class: "choose" }, h("span", { class: "away" }, "Show on the map")) : null, heads)), body);

  function headOf(column) {
    const right = column.kind !== "text";
    return h("th", { scope: "col", class: right ? "right" : null },
      h("button", {
        type: "button",
        "data-term": column.term ?? null,
        "aria-describedby": column.term ? `term-${column.term}` : null,
        onclick: () => turn(column),
      }, column.label, h("span", { class: "arrow", "aria-hidden": "true" }, "\u2060")),
      column.unit ? h("span", { class: "unit" }, column.unit) : null);
  }

  function turn(column) {
    const first = column.kind === "text" || column.kind === "rank" ? column.key : `-${column.key}`;
    const other = first.startsWith("-") ? column.key : `-${column.key}`;
    keep({ sort: state.sort === first ? other : first }, { sort: state.sort === first ? other : first });
  }

  function keep(changes, words) {
    Object.assign(state, changes);
    address.set(Object.fromEntries(Object.entries(words).map(([key, value]) => [`${name}.${key}`, value])));
    draw();
  }

  function chosen() {
    const words = state.find.toLowerCase().split(/\s+/).filter(Boolean);
    const inside = (row) => words.every((word) => filter(row).toLowerCase().includes(word));
    return sorted(list.filter((row) => (!state.kept?.test || state.kept.test(row)) && (!words.length || inside(row))), shown, state.sort);
  }

  function draw() {
    const found = chosen();
    const visible = state.all ? found : found.slice(0, short);
    replace(body, visible.map((row) => rowOf(row)));
    shown.forEach((column, k) => {
      const on = state.sort.replace(/^-/, "") === column.key;
      if (on) heads[k].setAttribute("aria-sort", state.sort.startsWith("-") ? "descending" : "ascending");
      else heads[k].removeAttribute("aria-sort");
    });
    more.hidden = visible.length === found.length;
    more.textContent = `Show all ${WHOLE.format(found.length)}`;
    count.textContent = found.length ? `${WHOLE.format(visible.length)} of ${WHOLE.format(found.length)}` : "Nothing found. Change the words or the filter.";
  }

  /* Draw anew without losing the button that was pressed. */
  function redrawn() {
    const key = body.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    draw();
    if (key) body.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  }

  function rowOf(row) {
    const on = state.picked !== undefined && pick?.key(row) === state.picked;
    const cells = shown.map((column, k) => {
      const value = valueOf(column, row);
      const content = known(value) ? shownCell(column, row, value) : hiddenCell(column, row);
      if (k === 0) return h("th", { scope: "row" }, content);
      return h("td", { class: [column.kind === "text" ? "" : "right", column.short ? "short" : "", column.dim?.(row) ? "dim" : ""].join(" ").trim() || null }, content);
    });
    const choose = pick && h("td", { class: "choose" }, h("button", {
      type: "button",
      "data-key": pick.key(row),
      "aria-pressed": String(on),
      "aria-label": `Show ${pick.label(row)} on the map`,
      onclick: () => pick.to(on ? null : pick.key(row)),
    }));
    return h("tr", { class: on ? "picked" : null }, choose, cells);
  }

  const find = filter && list.length > 12 ? h("input", {
    type: "search",
    class: "narrow",
    placeholder: "Narrow down",
    "aria-label": `Narrow down: ${caption}`,
    value: state.find,
    oninput: (event) => keep({ find: event.target.value }, { find: event.target.value }),
  }) : null;
  const only = filters.length > 1 ? choice(`Show in the table: ${caption}`, filters, state.kept.value, (value) =>
    keep({ kept: filters.find((one) => one.value === value) }, { only: value === filters[0].value ? null : value })) : null;
  const save = h("button", { type: "button", class: "quiet", onclick: () => keepsake.save(asCsv(kept, chosen()), `${fileName(file ?? caption)}.csv`) }, "CSV");
  const gaps = list.some((row) => shown.some((column) => !known(valueOf(column, row))));
  const guessed = shown.some((column) => BOUNDS[column.kind]) && list.some((row) => row.status === "imputed");
  const marked = shown.some((column) => column.key === "lq") && list.some(sure);
  const notes = [note, guessed ? ESTIMATED_NOTE : null, marked ? SURE_NOTE : null, gaps ? HIDDEN_NOTE : null].filter(Boolean).join(" ");
  draw();
  const element = h("div", { class: "table-block" },
    h("div", { class: "tools" }, only, find, h("span", { class: "spring" }), count, save),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, table),
    more, notes ? h("p", { class: "note" }, notes) : null);
  return { element, pick: (key) => { state.picked = key; redrawn(); } };
}

const valueOf = (column, row) => (column.value ? column.value(row) : row[column.key]);

function shownCell(column, row, value) {
  const content = column.cell ? column.cell(row, value) : text(value, column.kind, column.bounded ? row : null);
  return column.bounded && estimated(row, column.kind) ? estimate(row, column.kind, content) : content;
}

function sorted(list, columns, sort) {
  const key = sort.replace(/^-/, "");
  const column = columns.find((one) => one.key === key);
  if (!column) return list;
  const sign = sort.startsWith("-") ? -1 : 1;
  const order = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a - b);
  const value = column.order ?? ((row) => valueOf(column, row));
  return list
    .map((row) => [value(row), row])
    .sort(([a], [b]) => Number(!known(a)) - Number(!known(b)) || (known(a) && known(b) ? sign * order(a, b) : 0))
    .map(([, row]) => row);
}

function asCsv(given, list) {
  const columns = list.some((row) => row.status) ? [...given, { label: "Status", csv: (row) => row.status ?? "as published" }] : given;
  const quoted = (value) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const cell = (column, row) => {
    const value = column.csv ? column.csv(row) : valueOf(column, row);
    return quoted(known(value) ? String(value) : "");
  };
  const name = ({ label, unit }) => (unit ? `${label} (${unit})` : label).replaceAll("\u00AD", "");
  const head = columns.map((column) => quoted(name(column)));
  const lines = [head, ...list.map((row) => columns.map((column) => cell(column, row)))];
  return new Blob([lines.map((line) => line.join(",")).join("\r\n"), "\r\n"], { type: "text/csv;charset=utf-8" });
}

/* --- cells that several tables share --- */

function sparkline(points) {
  const values = points.map((point) => point.value);
  const seen = values.filter(known);
  if (seen.length < 2) return null;
  const [low, high] = [Math.min(...seen), Math.max(...seen)];
  const x = (k) => 2 + (64 * k) / (values.length - 1);
  const y = (value) => 18 - (14 * (value - low)) / (high - low || 1);
  const path = values.map((value, k) => (known(value) ? `${k && known(values[k - 1]) ? "L" : "M"}${x(k).toFixed(1)} ${y(value).toFixed(1)}` : "")).join("");
  const last = values.findLastIndex(known);
  return s("svg", { class: "spark", width: 70, height: 22, viewBox: "0 0 70 22", role: "img", "aria-label": points.map((point) => `${point.year}: ${text(point.value, "size")}`).join(", ") },
    s("path", { d: path }), s("circle", { cx: x(last), cy: y(values[last]), r: 2.4 }));
}

function barCell(value, most, words) {
  return h("span", { class: "in-bar", style: `--part:${Math.max(0.5, (100 * value) / (most || 1)).toFixed(1)}%` }, words);
}

function quotientCell(row, value, breaks) {
  const classes = ["below-2", "below-1", "above-1", "above-2", "above-3", "above-4"];
  const mark = known(row.lq_q) ? h("span", { class: "sure", "data-term": "lq_q" }, sure(row) ? ["*", h("span", { class: "away" }, " significant")] : null) : null;
  return h("span", { class: "chip" }, h("i", { style: `background:var(--${classes[classOf(value, breaks)]})`, "aria-hidden": "true" }), text(value, "quotient", row), mark, interval(row) ? [" ", h("small", { class: "interval", "data-term": "lq_interval" }, interval(row))] : null);
}

const starText = (n) => "★".repeat(n) + "☆".repeat(3 - n);
