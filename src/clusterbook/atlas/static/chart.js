"use strict";
/* Charts: compiled before, drawn here with the rows of the page. */

const chart = {
  open: [],

  /* Draw a chart into an element.
     data: rows by the name of the data; signals: values of its parameters;
     tip: datum -> what to show; pick: datum -> what to do on a click. */
  async draw(element, name, { data, signals = {}, tip: describe, pick, label }) {
    const [charts] = await Promise.all([load("charts"), chart.runtime()]);
    if (!element.isConnected) return null;
    const { view } = await vegaEmbed(element, chart.filled(charts[name], data, signals), chart.plain);
    const picture = element.querySelector("svg");
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", label);
    element.classList.add("drawn");
    if (describe) chart.explain(view, describe);
    if (pick) view.addEventListener("click", (_, item) => { if (item?.datum) pick(item.datum); });
    chart.open.push(view);
    return view;
  },

  plain: { mode: "vega", renderer: "svg", actions: false, defaultStyle: false, tooltip: false, hover: false },

  filled(spec, data, signals) {
    return {
      ...spec,
      data: spec.data.map((one) => (Object.hasOwn(data, one.name) ? { ...one, values: data[one.name] } : one)),
      signals: spec.signals.map((one) => (Object.hasOwn(signals, one.name) ? { ...one, value: signals[one.name] } : one)),
    };
  },

  explain(view, describe) {
    view.addEventListener("pointermove", (event, item) => {
      const content = item?.datum && describe(item.datum);
      if (content) tip.show(content, event.clientX, event.clientY);
      else tip.hide();
    });
    view.addEventListener("pointerout", () => tip.hide());
  },

  close() {
    chart.open.splice(0).forEach((view) => view.finalize());
    tip.hide();
  },

  runtime() {
    chart.ready ??= script("static/vega.js");
    return chart.ready;
  },
};

/* A chart to keep: its picture with title, subtitle, legend and source around it. */
const keepsake = {
  colour(text) {
    const style = getComputedStyle(document.documentElement);
    return text.replace(/var\((--[\w-]+)\)/g, (_, name) => style.getPropertyValue(name).trim());
  },

  async svg(view, { title, subtitle, source, legend }) {
    const inner = new DOMParser().parseFromString(await view.toSVG(), "image/svg+xml").documentElement;
    const width = Math.max(480, Number(inner.getAttribute("width")));
    const height = Number(inner.getAttribute("height"));
    const words = (x, y, size, ink, content, weight) =>
      s("text", { x, y, "font-size": size, fill: `var(--${ink})`, "font-weight": weight ?? 400 }, content);
    const lines = (content, size) => wrapped(content, Math.floor((width - 32) / (size * 0.52)));
    const parts = [];
    let y = 16;
    for (const line of lines(title, 16)) parts.push(words(16, (y += 18), 16, "ink", line, 600));
    for (const line of lines(subtitle, 12)) parts.push(words(16, (y += 17), 12, "muted", line));
    inner.setAttribute("x", 16);
    inner.setAttribute("y", (y += 14));
    y += height + 8;
    let x = 16;
    for (const { label, colour, line } of legend ?? []) {
      const step = 26 + label.length * 6.6;
      if (x + step > width) { x = 16; y += 20; }
      parts.push(s("rect", { x, y: y + 4, width: 12, height: 12, fill: colour, stroke: line ?? "var(--line)" }), words(x + 17, y + 14, 12, "muted", label));
      x += step;
    }
    if (legend?.length) y += 24;
    for (const line of lines(source, 11)) parts.push(words(16, (y += 15), 11, "muted", line));
    const all = s("svg", { xmlns: SVG, width: width + 32, height: y + 16, "font-family": "system-ui, sans-serif" },
      document.querySelector("svg.defs defs").cloneNode(true),
      s("rect", { width: "100%", height: "100%", fill: "var(--raised)" }), inner, parts);
    return keepsake.colour(new XMLSerializer().serializeToString(all));
  },

  async png(svg) {
    const picture = new Image();
    picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
    await picture.decode();
    const canvas = h("canvas", { width: picture.width * 2, height: picture.height * 2 });
    const pen = canvas.getContext("2d");
    pen.scale(2, 2);
    pen.drawImage(picture, 0, 0);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  },

  save(blob, name) {
    const href = URL.createObjectURL(blob);
    h("a", { href, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(href), 1000);
    say(`${name} saved`);
  },
};

function wrapped(content, limit) {
  const lines = [""];
  for (const word of content.split(" ")) {
    if (lines.at(-1).length + word.length + 1 > limit) lines.push(word);
    else lines[lines.length - 1] = `${lines.at(-1)} ${word}`.trim();
  }
  return lines;
}

const fileName = (words) => words.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 60);
