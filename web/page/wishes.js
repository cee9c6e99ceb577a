/** The controls of the music as a table, and reading a palette by it. Pure; imports nothing. */

/**
 * @typedef {object} Control
 * @property {string} name As in the contract.
 * @property {string} title
 * @property {string} [least] What its lowest value means.
 * @property {string} [most] What its highest value means.
 * @property {number} [low]
 * @property {number} [high]
 * @property {number} [step]
 * @property {readonly string[]} [words] The values of one that is chosen by name.
 */

const SHARE = { low: 0, high: 1, step: 0.01 };

/** @type {readonly Control[]} In the order of the page. */
export const CONTROLS = Object.freeze([
  {
    name: "genre",
    title: "Genre",
    words: ["ambient", "classical", "jazz", "electronic", "lofi", "house"],
  },
  {
    name: "key",
    title: "Key",
    words: ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"],
  },
  {
    name: "mode",
    title: "Mode",
    words: ["ionian", "dorian", "phrygian", "lydian", "mixolydian", "aeolian", "locrian"],
  },
  { name: "tempoNorm", title: "Tempo", least: "slow", most: "fast", ...SHARE },
  { name: "density", title: "Density", least: "few notes", most: "many", ...SHARE },
  { name: "brightness", title: "Brightness", least: "dark", most: "bright", ...SHARE },
  { name: "tension", title: "Tension", least: "at rest", most: "strained", ...SHARE },
  { name: "syncopation", title: "Syncopation", least: "on the beat", most: "beside it", ...SHARE },
  { name: "stepBias", title: "Melody", least: "leaps", most: "goes by step", ...SHARE },
  { name: "leapCap", title: "Widest leap", least: "a step", most: "an octave", low: 1, high: 7, step: 1 },
  { name: "motifRate", title: "Motifs", least: "ever new", most: "returning", ...SHARE },
  { name: "arcShape", title: "Arcs", least: "level", most: "swelling", ...SHARE },
  { name: "space", title: "Room", least: "dry", most: "wide", ...SHARE },
  { name: "drums", title: "Drums", least: "none", most: "many", ...SHARE },
]);

/** What a slider stands on where nobody has said anything. */
const MIDDLE = Object.freeze({ genre: "ambient", key: "C", mode: "dorian", leapCap: 4 });

/**
 * What a palette says in the terms of the controls.
 *
 * @param {import("../types.js").Palette | null} palette
 * @returns {import("../types.js").Wishes} Without what the model does not say.
 */
export function wishesIn(palette) {
  /** @type {any} */
  const said = palette ?? {};
  const known = CONTROLS.filter(({ name, words }) =>
    words ? words.includes(said[name]) : typeof said[name] === "number",
  );
  return Object.fromEntries(known.map(({ name }) => [name, said[name]]));
}

/** @returns {import("../types.js").Wishes} One for every control. */
export function middleWishes() {
  /** @type {any} */
  const middle = MIDDLE;
  return Object.fromEntries(CONTROLS.map(({ name }) => [name, middle[name] ?? 0.5]));
}

/**
 * @param {import("../types.js").Wishes} wishes Of any origin.
 * @returns {import("../types.js").Wishes} Those that the table allows.
 */
export function allowedWishes(wishes) {
  const allowed = CONTROLS.filter(({ name, words, low = 0, high = 1 }) => {
    const value = wishes[name];
    if (words) return words.includes(String(value));
    return typeof value === "number" && value >= low && value <= high;
  });
  return Object.fromEntries(allowed.map(({ name }) => [name, wishes[name]]));
}

/**
 * Say a value as a person reads it.
 *
 * @param {Control} control
 * @param {number | string | undefined} value
 */
export function wishText({ name, high }, value) {
  if (value === undefined) return "not said";
  if (typeof value === "string") return value.replace("b", name === "key" ? "♭" : "b").replace("#", "♯");
  return high === 1 ? `${Math.round(100 * value)} %` : String(value);
}
