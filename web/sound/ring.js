/**
 * A ring of stereo samples between one writer and one reader. Pure; imports nothing.
 *
 * The writer lives in the decoder's Worker, the reader on the audio thread; with a SharedArrayBuffer
 * they share it without locks, without one the reader owns both ends. Allocates nothing after
 * construction. Shared counters are Int32 and wrap after 12.4 h at 48 kHz, which differences survive;
 * each side keeps its own total as a Number, exact to 2^53.
 *
 * What was written and not yet read can be replaced. The writer goes back to a frame and writes on;
 * what was there before goes on sounding until the new samples are there, so there is no gap:
 *
 *     taken ..... cursor ............... written      after `rewind`: the old samples wait
 *     taken ..... new new|cursor = written            after a `write`: the rest of the old is gone
 */

/** The capacity both ends agree on: about 2.7 s, more than is ever decoded ahead. */
export const RING_FRAMES = 131072;

/** From old to new where they do not touch by themselves: 8 ms. */
export const BLEND_FRAMES = 384;

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
    /** Frames before `written` at which the next write begins; more than 0 after a `rewind`. */
    this.back = 0;
    /** Frames before the reader that are left alone: it may read them while we write. */
    this.margin = 0;
    /** Frames of the blend still to come; 0 if the new samples follow on by themselves. */
    this.blend = 0;
    /** Whether new samples stand in place of old ones already, since the last `rewind`. */
    this.isJoined = false;
    /** Frames taken since the beginning: the reader's total. */
    this.taken = 0;
  }

  /** Frame that the next write begins at. Writer only. */
  get cursor() {
    return this.written - this.back;
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
   * Go back to a frame that was written, to write on from there. Writer only.
   *
   * @param {number} at Frame since the beginning; beyond what was written it changes nothing.
   * @param {boolean} blends Whether the new samples differ from the old ones there at once.
   */
  rewind(at, blends) {
    this.back = Math.max(0, this.written - at);
    this.blend = blends ? BLEND_FRAMES : 0;
    this.isJoined = false;
  }

  /** Give up what a `rewind` was about to replace. Writer only. */
  settle() {
    if (this.back > 0) this.end(Math.max(this.cursor, this.written - this.ahead()));
  }

  /**
   * Write frames, at the end or where `rewind` went. Writer only.
   *
   * @param {Float32Array} left
   * @param {Float32Array} right
   * @param {number} from First frame of the sources to use.
   * @param {number} count
   * @throws {RangeError} if they do not fit: the writer is to look at `ahead()` first.
   */
  write(left, right, from, count) {
    if (this.back > 0) return this.replace(left, right, from, count);
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
   * Write over what was there; what comes too late to be heard is passed over.
   *
   * @param {Float32Array} left
   * @param {Float32Array} right
   * @param {number} from
   * @param {number} count
   */
  replace(left, right, from, count) {
    const taken = this.written - this.ahead();
    const open = this.isJoined ? taken : taken + this.margin;
    const { cursor } = this;
    let late = 0;
    if (cursor < open) {
      // The new joins the old as near before the reader as may be, in the middle of both.
      this.blend = BLEND_FRAMES;
      this.isJoined = false;
      late = Math.min(count, Math.min(taken + this.margin, this.written) - cursor);
    }
    const slots = Atomics.load(this.control, WRITTEN) - this.written;
    for (let n = late; n < count; n += 1) {
      const frame = cursor + n;
      const slot = (slots + frame) & this.mask;
      const old = this.blend / (BLEND_FRAMES + 1);
      if (this.blend > 0) this.blend -= 1;
      const had = old > 0 && frame < this.written;
      this.left[slot] = (1 - old) * left[from + n] + (had ? old * this.left[slot] : 0);
      this.right[slot] = (1 - old) * right[from + n] + (had ? old * this.right[slot] : 0);
    }
    this.back -= count;
    if (late === count) return;
    this.isJoined = true;
    if (this.blend === 0 || this.back <= 0) this.end(cursor + count);
  }

  /**
   * Let the ring end at a frame, further on or further back.
   *
   * @param {number} at Frame since the beginning.
   */
  end(at) {
    const word = (Atomics.load(this.control, WRITTEN) + (at - this.written)) | 0;
    this.written = at;
    this.back = 0;
    Atomics.store(this.control, WRITTEN, word);
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
    const n = Math.max(0, Math.min(count, this.ahead()));
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
    const n = Math.max(0, Math.min(count, this.ahead()));
    this.taken += n;
    Atomics.store(this.control, TAKEN, (Atomics.load(this.control, TAKEN) + n) | 0);
  }
}
