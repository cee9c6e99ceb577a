/**
 * What tests may see, with `?test=1` only: figures, and the very samples that went to the sound card.
 * Main thread.
 */

/** Kept for tests (quanta of capture, 100 ms each). */
const KEPT = 900;

export class Hook {
  constructor() {
    /** @type {{index: number, samples: Float32Array}[]} */
    this.captured = [];
    this.clickMs = Number.NaN;
    this.firstSoundMs = Number.NaN;
  }

  /**
   * @param {number} index
   * @param {Float32Array} samples Interleaved.
   */
  capture(index, samples) {
    this.captured.push({ index, samples });
    if (this.captured.length > KEPT) this.captured.shift();
  }

  /** @returns {{index: number, base64: string}[]} Runs of int16, joined where they touch. */
  takeCaptured() {
    /** @type {{index: number, parts: Float32Array[]}[]} */
    const runs = [];
    let end = Number.NaN;
    for (const { index, samples } of this.captured) {
      if (index !== end) runs.push({ index, parts: [] });
      runs.at(-1)?.parts.push(samples);
      end = index + samples.length / 2;
    }
    this.captured = [];
    return runs.map(({ index, parts }) => ({ index, base64: base64Of(parts) }));
  }
}

/** @param {Float32Array[]} parts */
function base64Of(parts) {
  let bytes = "";
  for (const part of parts) {
    const words = Int16Array.from(part, (value) => Math.min(32767, Math.round(32768 * value)));
    bytes += String.fromCharCode(...new Uint8Array(words.buffer));
  }
  return btoa(bytes);
}
