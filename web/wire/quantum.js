/**
 * The quantum: the binary message that carries 100 ms of sound and picture. Pure; imports nothing.
 *
 *     0 u8 kind   1 u8 codec   2 u16 epoch   4 u32 crc   8 i64 index
 *     16 u8 packets   17 u8 frames   18 u16 bytes per frame   20 u16 × packets   packets   frames
 */

export const SAMPLE_RATE = 48000;
export const PACKET_SAMPLES = 960;
export const VIZ_SAMPLES = 800;
export const QUANTUM_SAMPLES = 4800;

const CODECS = Object.freeze(["opus", "pcm_s16le"]);

const KIND_QUANTUM = 1;
const HEADER_BYTES = 20;
const PCM_BYTES = 4 * QUANTUM_SAMPLES;
/** Packets per quantum, by codec. */
/** @type {Readonly<Record<string, number>>} */
const PACKETS = Object.freeze({ opus: QUANTUM_SAMPLES / PACKET_SAMPLES, pcm_s16le: 1 });
const FRAMES = QUANTUM_SAMPLES / VIZ_SAMPLES;

/**
 * @typedef {object} Quantum
 * @property {string} codec
 * @property {number} epoch
 * @property {number} crc CRC-32 of the PCM as rendered, before encoding.
 * @property {number} index Of the first sample; exact, for a Number holds integers to 2^53.
 * @property {Uint8Array[]} packets Views into the message, never copies.
 * @property {number} frames Viz frames.
 * @property {number} frameBytes
 * @property {Uint8Array} viz All frames, one after the other.
 */

/**
 * Read one binary message.
 *
 * @param {ArrayBuffer} buffer
 * @returns {Quantum | null} null for a kind that this player does not know.
 * @throws {RangeError} if the message is not as the protocol says.
 */
export function unpackQuantum(buffer) {
  const view = new DataView(buffer);
  if (view.getUint8(0) !== KIND_QUANTUM) return null;
  const codec = CODECS[view.getUint8(1)];
  const index = Number(view.getBigInt64(8));
  const count = view.getUint8(16);
  const frames = view.getUint8(17);
  const frameBytes = view.getUint16(18);
  demand(codec !== undefined, "a codec that is known");
  demand(Number.isSafeInteger(index) && index >= 0, "an index from 0 to 2^53 − 1");
  demand(index % QUANTUM_SAMPLES === 0, "an index on the grid");
  demand(count === PACKETS[codec], `${PACKETS[codec]} packets`);
  demand(frames === 0 || frames === FRAMES, `0 or ${FRAMES} frames`);
  demand(frames === 0 ? frameBytes === 0 : frameBytes > 0, "frames of some bytes, or none of none");

  const packets = [];
  let at = HEADER_BYTES + 2 * count;
  for (let n = 0; n < count; n += 1) {
    const length = view.getUint16(HEADER_BYTES + 2 * n);
    demand(codec === "opus" ? length > 0 : length === PCM_BYTES, "packets of the right length");
    packets.push(new Uint8Array(buffer, at, length));
    at += length;
  }
  const viz = new Uint8Array(buffer, at, frames * frameBytes);
  demand(at + viz.length === buffer.byteLength, "as many bytes as it says");
  const epoch = view.getUint16(2);
  const crc = view.getUint32(4);
  return { codec, epoch, crc, index, packets, frames, frameBytes, viz };
}

/**
 * @param {boolean} isTrue
 * @param {string} what
 */
function demand(isTrue, what) {
  if (!isTrue) throw new RangeError(`a quantum needs ${what}`);
}
