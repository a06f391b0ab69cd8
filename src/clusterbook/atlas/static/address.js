"use strict";
/* The address says everything: #cluster/aerospace?region=31080&sort=-lq */

const address = {
  read() {
    const [path, query] = location.hash.replace(/^#/, "").split("?");
    const [page, ...rest] = path.split("/");
    const raw = rest.join("/");
    return { page: page || "overview", id: decoded(raw), parts: rest.map(decoded), codes: raw.split(",").filter(Boolean).map(decoded), state: new URLSearchParams(query ?? "") };
  },
  get(key) {
    return address.read().state.get(key);
  },
  /* Change the state without leaving the page; null takes a key away. */
  set(changes) {
    const { state } = address.read();
    for (const [key, value] of Object.entries(changes)) {
      if (value === null || value === "") state.delete(key);
      else state.set(key, value);
    }
    const path = location.hash.replace(/^#/, "").split("?")[0] || "overview";
    const query = state.toString().replaceAll("%2C", ",");
    history.replaceState(null, "", `#${path}${query ? `?${query}` : ""}`);
  },
};

function decoded(words) {
  try {
    return decodeURIComponent(words);
  } catch {
    return words;
  }
}
