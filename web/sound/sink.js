/**
 * The two ways from the Worker to the audio thread, behind one shape. Runs in the Worker.
 *
 * Shared: the Worker writes into the ring that the audio thread reads. Messages: samples travel as
 * transferred arrays, and the audio thread fills a ring of its own and tells how far it has played.
 */

import { RING_FRAMES, Ring } from "./ring.js";

/**
 * Frames before the audio thread that are left alone: it reads while the Worker writes, and may take
 * 20 ms in one go.
 */
const MARGIN_FRAMES = 1024;

export class SharedSink {
  /** @param {SharedArrayBuffer} buffer */
  constructor(buffer) {
    this.ring = new Ring(buffer, RING_FRAMES);
    this.ring.margin = MARGIN_FRAMES;
  }

  /** Frame that the next write begins at. */
  get written() {
    return this.ring.cursor;
  }

  /** Frame that the audio thread takes next. */
  get taken() {
    return this.ring.written - this.ring.ahead();
  }

  /**
   * Go back, to replace what was written from a frame on.
   *
   * @param {number} at
   * @param {boolean} blends Whether the new samples differ from the old ones there at once.
   */
  rewind(at, blends) {
    this.ring.rewind(at, blends);
  }

  /** What `rewind` was about to replace is not to be heard. */
  settle() {
    this.ring.settle();
  }

  /** @param {number} frames Needed before the reader starts. */
  wants(frames) {
    this.ring.target = frames;
  }

  /**
   * @param {Float32Array} left
   * @param {Float32Array} right
   * @param {number} from
   * @param {number} count
   */
  write(left, right, from, count) {
    this.ring.write(left, right, from, count);
  }
}

export class MessageSink {
  /** @param {MessagePort} port To the audio thread. */
  constructor(port) {
    this.port = port;
    /** Frame that the next write begins at. */
    this.written = 0;
    /** Frame that the audio thread takes next, as far as it has told. */
    this.taken = 0;
    this.target = 0;
    /** @type {{at: number, blends: boolean} | null} Travels with the next samples. */
    this.back = null;
    port.onmessage = ({ data }) => {
      this.taken = data;
    };
  }

  /**
   * Go back, to replace what was written from a frame on.
   *
   * @param {number} at
   * @param {boolean} blends Whether the new samples differ from the old ones there at once.
   */
  rewind(at, blends) {
    this.back = { at, blends };
    this.written = at;
  }

  /** What `rewind` was about to replace is not to be heard. */
  settle() {
    this.port.postMessage({ settles: true, back: this.back });
    this.back = null;
  }

  /** @param {number} frames Needed before the reader starts. */
  wants(frames) {
    this.target = frames;
  }

  /**
   * @param {Float32Array} left
   * @param {Float32Array} right
   * @param {number} from
   * @param {number} count
   */
  write(left, right, from, count) {
    const copy = { left: left.slice(from, from + count), right: right.slice(from, from + count) };
    const { target, back } = this;
    this.port.postMessage({ ...copy, target, back }, [copy.left.buffer, copy.right.buffer]);
    this.back = null;
    this.written += count;
  }
}
