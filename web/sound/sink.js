/**
 * The two ways from the Worker to the audio thread, behind one shape. Runs in the Worker.
 *
 * Shared: the Worker writes into the ring that the audio thread reads. Messages: samples travel as
 * transferred arrays, and the audio thread fills a ring of its own and tells how far it has played.
 */

import { RING_FRAMES, Ring } from "./ring.js";

export class SharedSink {
  /** @param {SharedArrayBuffer} buffer */
  constructor(buffer) {
    this.ring = new Ring(buffer, RING_FRAMES);
  }

  get written() {
    return this.ring.written;
  }

  ahead() {
    return this.ring.ahead();
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
    this.written = 0;
    this.taken = 0;
    this.target = 0;
    port.onmessage = ({ data }) => {
      this.taken = data;
    };
  }

  ahead() {
    return this.written - this.taken;
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
    this.port.postMessage({ ...copy, target: this.target }, [copy.left.buffer, copy.right.buffer]);
    this.written += count;
  }
}
