/** Which stretch of a stream is taken along, and what its file is called. Pure; imports nothing. */

const SAMPLE_RATE = 48000;
const QUANTUM_SAMPLES = 4800;

/**
 * @typedef {object} Stretch
 * @property {number} start Sample index, a multiple of 4 800.
 * @property {number} samples How long; 0 if there is nothing yet.
 */

/**
 * @param {"last" | "next"} side Of the place.
 * @param {number} minutes
 * @param {number} place Sample index.
 * @returns {Stretch} Shorter where the stream begins less than that before.
 */
export function stretchOf(side, minutes, place) {
  const samples = 60 * minutes * SAMPLE_RATE;
  const here = QUANTUM_SAMPLES * Math.floor(place / QUANTUM_SAMPLES);
  const start = side === "next" ? here : Math.max(0, here - samples);
  return { start, samples: side === "next" ? samples : here - start };
}

/**
 * A name that tells no birth: a station's by the moment, another programme's by the time it has run.
 *
 * @param {import("../types.js").Programme} programme
 * @param {number} start Sample index.
 * @param {number} utcMs Of a station at that index.
 * @param {string} ending
 */
export function fileName({ station, mode }, start, utcMs, ending) {
  const seconds = Math.floor(start / SAMPLE_RATE);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const run = [Math.floor(seconds / 3600), two(Math.floor(seconds / 60) % 60), two(seconds % 60)];
  const when = station
    ? `${new Date(utcMs).toISOString().slice(0, 19).replaceAll(":", "-")}Z`
    : `from-${run.join("-")}`;
  return `astradio-${station ?? mode ?? "transit"}-${when}.${ending}`;
}

/** What a minute takes (bytes), by format, for the listener's choice. */
export const BYTES_PER_MINUTE = Object.freeze({ opus: 720000, wav: 11520000, mid: 6000 });

/** @param {number} bytes */
export function sizeText(bytes) {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1000))}\u00a0kB`;
  return bytes < 1e7 ? `${(bytes / 1e6).toFixed(1)}\u00a0MB` : `${Math.round(bytes / 1e6)}\u00a0MB`;
}
