"use strict";
/* Elements in one expression: h("p", {class: "lead"}, "Text ", h("b", {}, "bold")). */

const SVG = "http://www.w3.org/2000/svg";

function fill(element, props, children) {
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function h(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

function s(tag, props = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function replace(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

function link(href, ...children) {
  return h("a", { href }, ...children);
}

/* A row of buttons of which one is on. */
function choice(label, options, current, change) {
  const group = h("div", { class: "choice", role: "group", "aria-label": label });
  const buttons = options.map(({ value, text }) =>
    h("button", { type: "button", "aria-pressed": String(value === current), onclick: () => press(value) }, text));
  const press = (value) => {
    options.forEach((option, k) => buttons[k].setAttribute("aria-pressed", String(option.value === value)));
    change(value);
  };
  return fill(group, {}, buttons);
}

function say(text) {
  document.getElementById("status").textContent = text;
}
