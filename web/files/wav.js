/** Samples as a WAV file: what stands before them. Pure; imports nothing. */

const HEAD_BYTES = 44;
const SAMPLE_RATE = 48000;
const FRAME_BYTES = 4;

/**
 * @param {number} samples Of each of two channels, 16 bits each, interleaved.
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function wavHead(samples) {
  const head = new Uint8Array(HEAD_BYTES);
  const view = new DataView(head.buffer);
  const word = (/** @type {number} */ at, /** @type {string} */ text) =>
    head.set(Uint8Array.from(text, (letter) => letter.charCodeAt(0)), at);
  const bytes = FRAME_BYTES * samples;
  word(0, "RIFF");
  view.setUint32(4, HEAD_BYTES - 8 + bytes, true);
  word(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 2, true); // channels
  view.setUint32(24, SAMPLE_RATE, true);
  view.setUint32(28, FRAME_BYTES * SAMPLE_RATE, true);
  view.setUint16(32, FRAME_BYTES, true);
  view.setUint16(34, 16, true); // bits
  word(36, "data");
  view.setUint32(40, bytes, true);
  return head;
}
