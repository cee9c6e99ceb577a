/**
 * The last metre: from the ring to the sound card. Runs on the audio thread; allocates nothing while
 * it plays, but for one small message when it starts or stops (and, without shared memory, one number
 * every 20 ms).
 *
 * It is silent until the ring holds enough, fades in, plays, and fades out over the last 8 ms that it
 * has when the ring runs dry: an underrun is counted and never clicks. A cue ends what plays with the
 * same fade and goes on at a later frame of the ring.
 */

import { RING_FRAMES, Ring, ringBytes } from "./ring.js";

const FADE_FRAMES = 384;
const TELL_EVERY_BLOCKS = 8;
const CAPTURE_FRAMES = 4800;

class Player extends AudioWorkletProcessor {
  /** @param {{processorOptions: {shared: SharedArrayBuffer | null, capture: boolean}}} options */
  constructor({ processorOptions }) {
    super();
    const { shared, capture } = processorOptions;
    this.ring = new Ring(shared ?? new ArrayBuffer(ringBytes(RING_FRAMES)), RING_FRAMES);
    /** @type {MessagePort | null} To the Worker, without shared memory. */
    this.worker = null;
    this.wanted = false;
    /** Frames of the ring before this one are not to be heard any more. */
    this.from = 0;
    this.playing = false;
    this.starved = false;
    /** +1 towards full, −1 towards silence, 0 level. */
    this.direction = 0;
    this.gain = 0;
    this.blocks = 0;
    this.underruns = 0;
    this.capture = capture ? new Float32Array(2 * CAPTURE_FRAMES) : null;
    this.captured = 0;
    this.port.onmessage = ({ data }) => {
      if (data.port) this.listen(data.port);
      else this.command(data);
    };
  }

  /** @param {{play: boolean, from?: number}} command */
  command({ play, from = this.from }) {
    this.wanted = play;
    this.from = from;
  }

  /** @param {MessagePort} port */
  listen(port) {
    this.worker = port;
    port.onmessage = ({ data }) => this.receive(data);
  }

  /**
   * Without shared memory: samples arrive as messages, on this thread.
   *
   * @param {{left: Float32Array, right: Float32Array, target: number, settles?: boolean,
   *   back: {at: number, blends: boolean} | null}} message
   */
  receive({ left, right, target, settles, back }) {
    if (back) this.ring.rewind(back.at, back.blends);
    if (settles) return this.ring.settle();
    this.ring.target = target;
    this.ring.write(left, right, 0, left.length);
  }

  /** @param {Float32Array[][]} _inputs @param {Float32Array[][]} outputs */
  process(_inputs, [[left, right]]) {
    const count = left.length;
    if (!this.playing && this.mayStart(count)) this.start();
    if (this.playing) {
      if (this.direction >= 0 && this.mustEnd(count)) this.direction = -1;
      const taken = this.ring.read(left, right, count);
      if (this.direction !== 0) this.fade(left, right, count);
      if (this.capture) this.keep(left, right, taken);
      if (this.direction < 0 && this.gain === 0) this.stop();
    }
    this.blocks += 1;
    if (this.blocks % TELL_EVERY_BLOCKS === 0) this.worker?.postMessage(this.ring.taken);
    return true;
  }

  /** @param {number} count Frames of the next block. */
  mayStart(count) {
    if (!this.wanted) return false;
    if (this.ring.taken < this.from) this.ring.skip(this.from - this.ring.taken);
    return this.ring.ahead() >= Math.max(this.ring.target, count + FADE_FRAMES);
  }

  /** @param {number} count Frames of the next block. */
  mustEnd(count) {
    this.starved = this.ring.ahead() < count + FADE_FRAMES;
    return this.starved || !this.wanted || this.ring.taken < this.from;
  }

  start() {
    this.playing = true;
    this.direction = 1;
    this.say("playing", this.ring.taken);
  }

  stop() {
    this.playing = false;
    if (this.starved && this.wanted) this.underruns += 1;
    if (this.capture) this.send(this.ring.taken);
    this.say("silent", this.ring.taken);
  }

  /** @param {string} type @param {number} ringFrame */
  say(type, ringFrame) {
    this.port.postMessage({ type, contextFrame: currentFrame, ringFrame, underruns: this.underruns });
  }

  /** @param {Float32Array} left @param {Float32Array} right @param {number} count */
  fade(left, right, count) {
    const step = this.direction / FADE_FRAMES;
    for (let n = 0; n < count; n += 1) {
      this.gain = Math.min(1, Math.max(0, this.gain + step));
      left[n] *= this.gain;
      right[n] *= this.gain;
    }
    if (this.gain === 1) this.direction = 0;
  }

  /**
   * For tests: what goes to the sound card, with its place in the ring.
   *
   * @param {Float32Array} left @param {Float32Array} right @param {number} count
   */
  keep(left, right, count) {
    if (this.capture === null) return;
    const first = this.ring.taken - count;
    for (let n = 0; n < count; n += 1) {
      this.capture[2 * this.captured] = left[n];
      this.capture[2 * this.captured + 1] = right[n];
      this.captured += 1;
      if (this.captured === CAPTURE_FRAMES) this.send(first + n + 1);
    }
  }

  /** @param {number} end Frame of the ring after the last one kept. */
  send(end) {
    if (this.capture === null) return;
    const samples = this.capture.slice(0, 2 * this.captured);
    this.port.postMessage({ type: "captured", ringFrame: end - this.captured, samples });
    this.captured = 0;
  }
}

registerProcessor("astradio-player", Player);
