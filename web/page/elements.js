/** Small pieces of the page. Main thread. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Return a part of the page that must be there.
 *
 * @template {Element} [T=HTMLElement]
 * @param {ParentNode} within
 * @param {string} selector
 * @param {new () => T} [kind] What it must be; an HTMLElement unless said.
 * @returns {T}
 */
export function part(within, selector, kind) {
  const found = within.querySelector(selector);
  if (found instanceof (kind ?? HTMLElement)) return /** @type {T} */ (found);
  throw new TypeError(`the page has no ${selector}`);
}

/**
 * Write a text, but only where it is another: a reader of the screen hears each change.
 *
 * @param {Element} place
 * @param {string} text
 */
export function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

/**
 * @param {string} tag
 * @param {string} className
 * @param {string} [text]
 */
export function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 */
function svg(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}

/** @param {string} path On the 24-unit grid. */
export function glyph(path) {
  const picture = svg("svg", { class: "glyph", viewBox: "0 0 24 24", "aria-hidden": "true" });
  picture.append(svg("path", { d: path }));
  return /** @type {SVGElement} */ (picture);
}

/**
 * A piece of an aspect line, as the wheel draws it.
 *
 * @param {string} colour
 * @param {readonly number[]} dash
 */
export function line(colour, dash) {
  const picture = svg("svg", { class: "line", viewBox: "0 0 30 2", "aria-hidden": "true" });
  const stroke = { stroke: colour, "stroke-dasharray": dash.join(" ") };
  picture.append(svg("line", { x1: 0, y1: 1, x2: 30, y2: 1, ...stroke }));
  return picture;
}
