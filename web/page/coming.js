/**
 * What comes next, with the time until then: in the sky, as the sky that sounds runs, and in the
 * form of the music. A click jumps there. Main thread.
 */

import { BODY_GLYPHS } from "../picture/glyphs.js";
import { BODIES, aspectStyle, aspectText, hoursText } from "../picture/zodiac.js";
import { element, glyph, line, write } from "./elements.js";

const ROWS = 4;
const HOURS = 24;
const MOST_HOURS = 240;
const MS_PER_HOUR = 3600000;
/** A listener is taken to shortly before it, to hear it come (stream seconds). */
const BEFORE_S = 4;
/** Kinds of the music's own events that deserve a row. */
const OF_FORM = new Set(["section", "key"]);

/**
 * @typedef {{at: string, kind: string, name: string, bodies: string[], text: string}} SkyComing
 * @typedef {{id: string, index: number, event: SkyComing}} Coming
 */

export class ComingList {
  /**
   * @param {HTMLElement} list
   * @param {(index: number) => void} jump
   */
  constructor(list, jump) {
    this.list = list;
    this.jump = jump;
    /** @type {SkyComing[]} Rising by time. */
    this.events = [];
    /** @type {{id: string, index: number, when: HTMLElement}[]} */
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
      // The server is away; what was known before still holds.
    }
  }

  /** No sky moves: only the music's own events come. */
  forget() {
    this.events = [];
  }

  /**
   * Show what is still to come, and how long until then; what has come leaves the list.
   *
   * @param {number} index Heard now.
   * @param {(utcMs: number) => number} indexOf Where a moment of the sky sounds.
   * @param {readonly import("../types.js").SkyEvent[]} due Events of the music that have arrived.
   */
  show(index, indexOf, due) {
    const sky = this.events.map((event) => ({
      id: `${event.at} ${event.text}`,
      index: indexOf(Date.parse(event.at)),
      event,
    }));
    // Where a movement begins its first section does too: one row says both.
    const begins = new Set(due.filter(({ kind }) => kind === "key").map((one) => one.index));
    const ofForm = due.filter(
      ({ kind, index: at }) => OF_FORM.has(kind) && (kind === "key" || !begins.has(at)),
    );
    const form = ofForm.map(({ index: at, kind, text, bodies }) => ({
      id: `${at} ${text}`,
      index: at,
      event: { at: "", kind, name: "", bodies, text },
    }));
    const coming = [...form, ...sky]
      .filter((one) => one.index > index)
      .sort((a, b) => a.index - b.index)
      .slice(0, ROWS);
    if (coming.length !== this.rows.length || coming.some(({ id }, n) => id !== this.rows[n].id)) {
      const made = coming.map((one) => this.rowOf(one));
      this.rows = made;
      this.list.replaceChildren(...made.map(({ row }) => row));
    }
    for (const [n, { when }] of this.rows.entries()) {
      this.rows[n].index = coming[n].index;
      write(when, `in ${untilText((coming[n].index - index) / 48000)}`);
    }
  }

  /** @param {Coming} coming */
  rowOf({ id, index, event }) {
    const row = element("li", "");
    const button = element("button", "coming-row");
    button.setAttribute("type", "button");
    const when = element("span", "number");
    button.append(signOf(event), element("span", "", textOf(event)), when);
    button.title = "Jump to it";
    row.append(button);
    const made = { id, index, row, when };
    button.addEventListener("click", () => this.jump(made.index - 48000 * BEFORE_S));
    return made;
  }
}

/** @param {number} seconds Of listening. */
function untilText(seconds) {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  if (seconds < 600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  return hoursText(seconds / 3600);
}

/** @param {SkyComing} event */
function signOf({ kind, name, bodies }) {
  const [body] = bodies;
  if (kind === "aspect") {
    const { colour, dash } = aspectStyle(name);
    return line(colour, dash);
  }
  const picture = glyph(BODY_GLYPHS[/** @type {keyof BODY_GLYPHS} */ (body)] ?? BODY_GLYPHS.sun);
  picture.style.color = BODIES[/** @type {keyof BODIES} */ (body)]?.colour ?? "";
  return picture;
}

/** @param {SkyComing} event */
function textOf({ kind, name, bodies, text }) {
  const [a, b] = bodies;
  return kind === "aspect" && name ? aspectText({ a, b, kind: name }) : text;
}
