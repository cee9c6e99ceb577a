/** The column of words: which bodies sound, and what the sky says. Main thread. */

import { BODY_GLYPHS } from "../picture/glyphs.js";
import { BODIES, bodyTitle, degreesText, signAt, wrapDeg } from "../picture/zodiac.js";
import { element, glyph } from "./elements.js";

const VOICES = 4;
/** Rows come at once and leave slowly: words that hop cannot be read. */
const RISE = 0.28;
const FALL = 0.06;
const SILENT = 0.02;

export class Column {
  /**
   * @param {HTMLElement} voices
   * @param {HTMLElement} caption
   */
  constructor(voices, caption) {
    this.voices = voices;
    this.caption = caption;
    this.rows = [];
    this.shown = "";
  }

  /** @param {import("../types.js").Chart} chart */
  show(chart) {
    const strengths = new Map(this.rows.map(({ name, strength }) => [name, strength]));
    this.rows = chart.bodies
      .filter(({ name }) => name in BODIES)
      .map((body) => voiceRow(body, strengths.get(body.name) ?? 0));
    this.shown = "";
  }

  /**
   * Follow the bodies' lights; a few times a second.
   *
   * @param {import("../picture/viztrack.js").VizTrack} track Looked up at the index heard.
   */
  listen(track) {
    for (const voice of this.rows) {
      const place = track.place(voice.name);
      const more = (place < 0 ? 0 : track.values[place]) - voice.strength;
      voice.strength += (more > 0 ? RISE : FALL) * more;
      voice.picture.style.opacity = (0.6 + 0.4 * Math.min(1, 2 * voice.strength)).toFixed(2);
    }
    const strengths = this.rows.map((voice) => voice.strength).sort((a, b) => b - a);
    const least = Math.max(SILENT, strengths[VOICES - 1] ?? 0);
    const audible = this.rows.filter((voice) => voice.strength >= least);
    const names = audible.map((voice) => voice.name).join();
    if (names === this.shown) return;
    this.shown = names;
    this.voices.replaceChildren(...audible.map((voice) => voice.row));
  }

  /** @param {string} text */
  say(text) {
    this.caption.textContent = text;
  }
}

function voiceRow(body, strength) {
  const row = document.createElement("li");
  const place = wrapDeg(body.longitudeDeg);
  const sign = element("span", "quiet", `in ${signAt(place).title}`);
  const degrees = element("span", "number", degreesText(place % 30));
  const picture = glyph(BODY_GLYPHS[body.name]);
  picture.style.color = BODIES[body.name].colour;
  row.append(picture, element("span", "", bodyTitle(body.name)), sign, degrees);
  return { name: body.name, row, picture, strength };
}
