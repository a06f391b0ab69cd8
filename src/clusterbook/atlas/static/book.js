"use strict";
/* The data: small scripts that call receive(), asked for when a page needs them. */

const book = {};
const arrived = new Map();
const awaited = new Map();

function receive(name, data) {
  if (name === "book") Object.assign(book, opened(data));
  arrived.set(name, data);
  awaited.get(name)?.(data);
}

/* Data of which there is much comes deflated. */
async function receivePacked(name, text) {
  const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  receive(name, JSON.parse(await new Response(stream).text()));
}

function script(src) {
  return new Promise((resolve, reject) => {
    document.head.append(h("script", {
      src,
      onload: resolve,
      onerror: () => reject(new Error(`The file ${src} is missing or cannot be read. Copy the whole folder of the atlas, or make it again.`)),
    }));
  });
}

const loading = new Map();

function load(name) {
  if (arrived.has(name)) return Promise.resolve(arrived.get(name));
  if (/^(place|reach)\//.test(name) && !("DecompressionStream" in window)) return Promise.reject(new Error("This browser is too old to unpack the figures of this page: use one of 2023 or later."));
  if (!loading.has(name)) {
    const data = new Promise((resolve) => awaited.set(name, resolve));
    const file = script(`data/${name.split("/").map(encodeURIComponent).join("/")}.js`);
    loading.set(name, file.then(() => data).catch((error) => { loading.delete(name); throw error; }));
  }
  return loading.get(name);
}

/* Columns are short on disk; pages read rows. A column that is left out holds no value. A column may name its values
   once: { of, at } by place, { of, all } one for all rows. */
const lengthOf = (column) => column.length ?? column.all ?? column.at.length;
const valueAt = (column, k) => (Array.isArray(column) ? column[k] : column.of[column.all ? 0 : column.at[k]]);

function rows(columns) {
  const names = Object.keys(columns ?? {});
  const length = names.length ? lengthOf(columns[names[0]]) : 0;
  return Array.from({ length }, (_, k) => Object.fromEntries(names.map((name) => [name, valueAt(columns[name], k)])));
}

function opened(data) {
  const clusters = rows(data.clusters);
  const regions = rows(data.regions);
  clusters.forEach((cluster, k) => { cluster.position = k; });
  regions.forEach((region, k) => { region.position = k; });
  return {
    ...data,
    clusters,
    regions,
    cluster: new Map(clusters.map((cluster) => [String(cluster.id), cluster])),
    region: new Map(regions.map((region) => [String(region.code), region])),
    noun: data.noun[0],
    nouns: data.noun[1],
    all: `all ${data.noun[1]} together`,
    size: data.measures[0],
    trendYears: (data.trend_years ?? []).filter((year) => data.clusters[`t${year}`]),
    levels: data.sources.find((source) => source.role === "levels") ?? data.sources[0],
    trends: data.sources.find((source) => source.role === "trends") ?? data.sources[0],
    kinds: ["traded", "local"].filter((kind) => clusters.some((cluster) => cluster.kind === kind)),
  };
}

const has = (list, key) => list.some((row) => known(row[key]));
const known = (value) => value !== null && value !== undefined;
const clusterHref = (cluster) => `#cluster/${encodeURIComponent(cluster.id)}`;
const placeHref = (region, cluster) => `#place/${encodeURIComponent(region.code)}/${encodeURIComponent(cluster.id)}`;
const regionHref = (region) => `#region/${encodeURIComponent(region.code)}`;

/* Some rules are for traded clusters only. */
const applies = (flag, row) => !flag.applies_to || flag.applies_to === "all" || !row.kind || row.kind === flag.applies_to;

/* Whether a row meets a rule: true, false, or null where that is not known. */
function meets(row, flag) {
  const bit = 2 ** book.flags.findIndex((one) => one.name === flag);
  if (bit < 1) return null;
  if (Math.floor((row.unsure ?? 0) / bit) % 2) return null;
  return Math.floor((row.met ?? 0) / bit) % 2 === 1;
}

/* How sure a flag is: "borderline", "likely" or "" (sure, or nothing said). */
function doubtOf(row, flag) {
  const bit = 2 ** book.flags.findIndex((one) => one.name === flag);
  if (bit < 1) return "";
  return ["borderline", "likely"].find((word) => Math.floor((row[word] ?? 0) / bit) % 2) ?? "";
}

const hasTable = (name) => (book.tables[name]?.rows ?? 0) > 0;

/* The figures of a row over the years of the trend source. */
const series = (row) => book.trendYears.map((year) => ({ year, value: row[`t${year}`] ?? null }));

/* What to print under a figure. */
const sourceText = (source) => [source.title, source.publisher].filter(Boolean).join(", ") + (source.vintage ? ` (${source.vintage})` : "");
const levelsSource = () => `Source: ${sourceText(book.levels)}, ${book.year}; own computation.`;
const growthYears = () => (book.growth_years ?? book.trendYears).filter((_, k, all) => k === 0 || k === all.length - 1).join("–");
const trendsSource = () => `Source of growth${book.units?.wage ? " and wages" : ""}: ${sourceText(book.trends)}, ${growthYears()}; own computation.`;
