"use strict";
/* Shapes for maps: whole numbers in steps on disk, GeoJSON for the chart. */

const atlasMap = {
  features: null,

  async load() {
    const data = await load("map");
    atlasMap.features ??= unpacked(data.regions);
    atlasMap.ground ??= unpacked(data.ground);
    return atlasMap;
  },

  available: () => hasTable("geometry"),

  /* Features with the value of each region; regions without a row have nothing recorded (0). Outlined ones come last,
     so that no neighbour covers their line. */
  shapes(byRegion, empty = 0) {
    return atlasMap.features
      .filter((shape) => book.region.has(shape.region))
      .map((shape) => {
        const { lon, lat, name } = book.region.get(shape.region);
        return { ...shape, lon, lat, name, value: empty, strong: false, estimated: false, ...byRegion.get(shape.region) };
      })
      .sort((a, b) => Number(a.strong) - Number(b.strong));
  },
};

function unpacked({ origin, step, shapes }) {
  const ring = (steps) => {
    const points = [];
    let [x, y] = [0, 0];
    for (let k = 0; k < steps.length; k += 2) {
      x += steps[k];
      y += steps[k + 1];
      points.push([origin[0] + x * step, origin[1] + y * step]);
    }
    points.push(points[0]);
    return points;
  };
  return Object.entries(shapes).map(([region, polygons]) => ({
    type: "Feature",
    region,
    geometry: { type: "MultiPolygon", coordinates: polygons.map((rings) => rings.map(ring)) },
  }));
}

/* The class of a value: its place among the lower bounds. */
const classOf = (value, breaks) => breaks.filter((bound) => value >= bound).length;

/* The legend is a histogram: how many regions fall in each class. */
function mapLegend(meta, shapes) {
  const classes = meta.legend.map((one) => ({ label: one.label, colour: `var(--${one.colour})`, n: 0 }));
  const none = { label: "none", colour: "var(--none)", n: 0, edge: true };
  const unknown = { label: "not known", colour: "url(#hatch)", n: 0, hatched: true };
  for (const { value } of shapes) {
    if (!known(value)) unknown.n += 1;
    else if (value === 0) none.n += 1;
    else classes[classOf(value, meta.breaks)].n += 1;
  }
  return [none, ...classes, unknown].filter((one) => one.n || !(one === none || one === unknown));
}

function legendBars(classes) {
  const most = Math.max(...classes.map((one) => one.n), 1);
  return h("ul", { class: "legend-bars", "aria-label": `Legend: number of ${book.nouns} in each class` },
    classes.map((one) => h("li", {},
      h("span", { class: "n" }, WHOLE.format(one.n)),
      h("span", { class: "bar", style: `height:${Math.max(1, Math.round((34 * one.n) / most))}px` }),
      h("span", { class: `swatch${one.hatched ? " hatched" : ""}`, style: one.hatched ? null : `background:${one.colour}` }),
      h("span", { class: "label" }, one.label))));
}
