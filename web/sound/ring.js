/**
 * A ring of stereo samples between one writer and one reader. Pure; imports nothing.
 *
 * The writer lives in the decoder's Worker, the reader on the audio thread; with a SharedArrayBuffer
 * they share it without locks, without one the reader owns both ends. Allocates nothing after
 * construction. Shared counters are Int32 and wrap after 12.4 h at 48 kHz, which differences survive;
 * each side keeps its own total as a Number, exact to 2^53.
 */

/** The capacity both ends agree on: about 2.7 s, more than is ever decoded ahead. */
export const RING_FRAMES = 131072;

const WRITTEN = 0;
const TAKEN = 1;
const TARGET = 2;
const CONTROL_WORDS = 4;

/**
 * @param {number} capacity Frames, a power of two.
 * @returns {number} Bytes that a ring of this capacity needs.
 */
export function ringBytes(capacity) {
  return 4 * (CONTROL_WORDS + 2 * capacity);
}

export class Ring {
  /**
   * @param {ArrayBuffer | SharedArrayBuffer} buffer Of `ringBytes(capacity)`, zeroed.
   * @param {number} capacity Frames, a power of two.
   */
  constructor(buffer, capacity) {
    if ((capacity & (capacity - 1)) !== 0) throw new RangeError("capacity must be a power of two");
    this.capacity = capacity;
    this.mask = capacity - 1;
    this.control = new Int32Array(buffer, 0, CONTROL_WORDS);
    this.left = new Float32Array(buffer, 4 * CONTROL_WORDS, capacity);
    this.right = new Float32Array(buffer, 4 * (CONTROL_WORDS + capacity), capacity);
    /** Frames written since the beginning: the writer's total. */
    this.written = 0;
    /** Frames taken since the beginning: the reader's total. */
    this.taken = 0;
  }

  /** Frames that wait to be read. Any thread. */
  ahead() {
    return (Atomics.load(this.control, WRITTEN) - Atomics.load(this.control, TAKEN)) | 0;
  }

  /** Frames that the reader wants before it starts. Any thread. */
  get target() {
    return Atomics.load(this.control, TARGET);
  }

  set target(frames) {
    Atomics.store(this.control, TARGET, frames);
  }

  /**
   * Append frames. Writer only.
   *
   * @param {Float32Array} left
   * @param {Float32Array} right
   * @param {number} from First frame of the sources to use.
   * @param {number} count
   * @throws {RangeError} if they do not fit: the writer is to look at `ahead()` first.
   */
  write(left, right, from, count) {
    if (count > this.capacity - this.ahead()) throw new RangeError("the ring is full");
    let at = Atomics.load(this.control, WRITTEN);
    for (let n = 0; n < count; n += 1) {
      this.left[(at + n) & this.mask] = left[from + n];
      this.right[(at + n) & this.mask] = right[from + n];
    }
    at = (at + count) | 0;
    this.written += count;
    Atomics.store(this.control, WRITTEN, at);
  }

  /**
   * Take up to `count` frames; what is missing becomes silence. Reader only.
   *
   * @param {Float32Array} left
   * @param {Float32Array} right
   * @param {number} count
   * @returns {number} Frames taken.
   */
  read(left, right, count) {
    const n = Math.min(count, this.ahead());
    const at = Atomics.load(this.control, TAKEN);
    for (let i = 0; i < n; i += 1) {
      left[i] = this.left[(at + i) & this.mask];
      right[i] = this.right[(at + i) & this.mask];
    }
    for (let i = n; i < count; i += 1) {
      left[i] = 0;
      right[i] = 0;
    }
    this.taken += n;
    Atomics.store(this.control, TAKEN, (at + n) | 0);
    return n;
  }

  /**
   * Pass over up to `count` frames. Reader only.
   *
   * @param {number} count
   */
  skip(count) {
    const n = Math.min(count, this.ahead());
    this.taken += n;
    Atomics.store(this.control, TAKEN, (Atomics.load(this.control, TAKEN) + n) | 0);
  }
}
