/** What comes next in the sky, with the time until then as the sky that sounds runs. Main thread. */

import { BODY_GLYPHS } from "../picture/glyphs.js";
import { BODIES, aspectStyle, aspectText, hoursText } from "../picture/zodiac.js";
import { element, glyph, line } from "./elements.js";

const ROWS = 4;
const HOURS = 24;
const MOST_HOURS = 240;
const MS_PER_HOUR = 3600000;

/**
 * @typedef {{at: string, kind: string, name: string, bodies: string[], text: string}} Coming
 */

export class ComingList {
  /** @param {HTMLElement} list */
  constructor(list) {
    this.list = list;
    /** @type {Coming[]} Rising by time. */
    this.events = [];
    this.rows = [];
  }

  /**
   * Ask for the events after a moment.
   *
   * @param {number} utcMs
   * @param {number} perLookMs How far the sky runs until this is called again.
   */
  async look(utcMs, perLookMs) {
    const hours = Math.min(MOST_HOURS, Math.ceil(HOURS + perLookMs / MS_PER_HOUR));
    const query = new URLSearchParams({ from: new Date(utcMs).toISOString(), hours: String(hours) });
    try {
      const response = await fetch(`/api/sky?${query}`);
      if (response.ok) this.events = (await response.json()).events;
    } catch {
      return; // The server is away; what was known before still holds.
    }
    this.rows = [];
    this.show(utcMs);
  }

  /**
   * Show what is still to come, and how long until then; what has come leaves the list.
   *
   * @param {number} utcMs
   */
  show(utcMs) {
    const coming = this.events.filter(({ at }) => Date.parse(at) > utcMs).slice(0, ROWS);
    const isNew = coming.length !== this.rows.length || coming[0] !== this.rows[0]?.event;
    if (isNew) {
      this.rows = coming.map((event) => rowOf(event));
      this.list.replaceChildren(...this.rows.map(({ row }) => row));
    }
    for (const { event, when } of this.rows) {
      const text = `in ${hoursText((Date.parse(event.at) - utcMs) / MS_PER_HOUR)}`;
      if (when.textContent !== text) when.textContent = text;
    }
  }
}

/** @param {Coming} event */
function rowOf(event) {
  const row = document.createElement("li");
  const when = element("span", "number");
  row.append(signOf(event), element("span", "", textOf(event)), when);
  return { event, row, when };
}

/** @param {Coming} event */
function signOf({ kind, name, bodies }) {
  const [body] = bodies;
  if (kind === "aspect") {
    const { colour, dash } = aspectStyle(name);
    return line(colour, dash);
  }
  const picture = glyph(BODY_GLYPHS[body] ?? BODY_GLYPHS.sun);
  picture.style.color = BODIES[body]?.colour ?? "";
  return picture;
}

/** @param {Coming} event */
function textOf({ kind, name, bodies, text }) {
  const [a, b] = bodies;
  return kind === "aspect" ? aspectText({ a, b, kind: name }) : text;
}
