/** Why this sound: the voices that sound now, each with its body, sign, instrument and a sentence. Main thread. */

import { BODY_GLYPHS } from "../picture/glyphs.js";
import { BODIES, bodyTitle, signAt } from "../picture/zodiac.js";
import { element, glyph, write } from "./elements.js";
import { instrumentOf, whyOf } from "./why.js";

const VOICES = 3;
/** Rows come at once and leave slowly: words that hop cannot be read. */
const RISE = 0.28;
const FALL = 0.06;
const SILENT = 0.02;
/** A row stays until another body has been this much stronger. */
const STAYS = 1.25;

/** @typedef {ReturnType<typeof voiceRow>} VoiceRow */

export class Column {
  /** @param {HTMLElement} voices */
  constructor(voices) {
    this.voices = voices;
    /** @type {VoiceRow[]} */
    this.rows = [];
    /** @type {Set<string>} Names of the bodies shown. */
    this.shown = new Set();
  }

  /**
   * @param {import("../types.js").Chart} chart
   * @param {import("../types.js").Palette} palette
   */
  show(chart, palette) {
    const strengths = new Map(this.rows.map(({ name, strength }) => [name, strength]));
    this.rows = chart.bodies
      .filter(({ name }) => name in BODIES)
      .map((body) => voiceRow(body, palette, strengths.get(body.name) ?? 0, chart.isFree));
    this.shown.clear();
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
    const weight = (/** @type {VoiceRow} */ voice) =>
      voice.strength * (this.shown.has(voice.name) ? STAYS : 1);
    const audible = this.rows
      .filter((voice) => voice.strength > SILENT)
      .sort((a, b) => weight(b) - weight(a))
      .slice(0, VOICES);
    const names = new Set(audible.map(({ name }) => name));
    if (names.size === this.shown.size && audible.every(({ name }) => this.shown.has(name))) return;
    this.shown = names;
    this.voices.replaceChildren(...this.rows.filter(({ name }) => names.has(name)).map(({ row }) => row));
  }
}

/**
 * @param {import("../types.js").Body} body
 * @param {import("../types.js").Palette} palette
 * @param {number} strength
 * @param {boolean} [isFree] Whether the body stands nowhere.
 */
function voiceRow(body, palette, strength, isFree = false) {
  const row = element("li", "");
  const picture = glyph(BODY_GLYPHS[/** @type {keyof BODY_GLYPHS} */ (body.name)]);
  picture.style.color = BODIES[/** @type {keyof BODIES} */ (body.name)].colour;
  const where = isFree ? "" : ` in ${signAt(body.longitudeDeg).title}`;
  const words = element("p", "", bodyTitle(body.name) + where);
  const instrument = element("span", "number", instrumentOf(body.name, palette));
  const why = element("p", "why");
  write(why, whyOf(body, palette));
  row.append(picture, words, instrument, why);
  return { name: body.name, row, picture, strength };
}
