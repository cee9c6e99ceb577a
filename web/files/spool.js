/**
 * A stretch of a programme out of the stream, faster than it plays, every quantum once and in order.
 * Runs in a Worker.
 *
 * A server sends no listener more than its buffer ahead of what time has let it hear. A seek begins
 * anew, with a buffer more: so the stretch comes in jumps of that length, one after the other, with
 * a pause between, for listeners come first.
 */

import { Link } from "../sound/link.js";
import { QUANTUM_SAMPLES, SAMPLE_RATE } from "../wire/quantum.js";

const BUFFER_MS = 20000;
const BURST_SAMPLES = (BUFFER_MS / 1000) * SAMPLE_RATE;
/** At most so often a jump: about forty times as fast as it plays. */
const JUMP_EVERY_MS = 500;
const WATCH_MS = 1000;
/** Connections that brought nothing, one after the other, before it is given up. */
const MOST_FAILURES = 5;

/**
 * @typedef {object} SpoolHandlers
 * @property {(ready: import("../types.js").Ready) => void} begin Before the first quantum.
 * @property {(quantum: import("../wire/quantum.js").Quantum) => void} quantum
 * @property {() => void} end
 * @property {(say: string) => void} failed
 */

export class Spool {
  /**
   * @param {string} url
   * @param {{programme: import("../types.js").Programme, start: number, stop: number, codec: string}} asked
   *   From a sample index up to another, both multiples of 4 800.
   * @param {SpoolHandlers} on
   */
  constructor(url, { programme, start, stop, codec }, on) {
    this.stop = stop;
    this.next = start;
    this.on = on;
    this.burstEnd = 0;
    this.jumpedMs = 0;
    this.failures = 0;
    this.hasBegun = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.jumpTimer = undefined;
    this.link = new Link(url, {
      hello: () => ({
        programme,
        codecs: [codec],
        viz: false,
        bufferMs: BUFFER_MS,
        client: "web-file",
        from: this.next,
      }),
      ready: (ready) => this.begin(ready),
      quantum: (quantum) => this.take(quantum),
      message: (message) => this.attend(message),
      state: (state) => this.linked(state),
    });
    this.said = "";
    this.watching = setInterval(() => this.watch(), WATCH_MS);
    this.link.open();
  }

  close() {
    clearInterval(this.watching);
    clearTimeout(this.jumpTimer);
    this.link.close();
  }

  /** @param {import("../types.js").Ready} ready */
  begin(ready) {
    this.burstEnd = ready.from + BURST_SAMPLES;
    this.jumpTimer = undefined;
    this.jumpedMs = performance.now();
    if (!this.hasBegun) this.on.begin(ready);
    this.hasBegun = true;
  }

  /** @param {import("../wire/quantum.js").Quantum} quantum */
  take(quantum) {
    // What came before the jump was answered is the same music, and counts as well.
    if (quantum.index > this.next) return this.jump();
    if (quantum.index < this.next) return;
    this.next += QUANTUM_SAMPLES;
    this.failures = 0;
    this.on.quantum(quantum);
    if (this.next >= this.stop) {
      this.close();
      this.on.end();
    } else if (this.next >= this.burstEnd) this.jump();
  }

  /** Ask for what comes next, unless that is asked already. */
  jump() {
    if (this.jumpTimer !== undefined) return;
    const waitMs = Math.max(0, this.jumpedMs + JUMP_EVERY_MS - performance.now());
    this.jumpTimer = setTimeout(() => this.link.send({ type: "seek", to: this.next }), waitMs);
  }

  watch() {
    this.link.watch();
    const { next } = this;
    this.link.send({ type: "report", played: next, received: next, underruns: 0 });
  }

  /** @param {any} message */
  attend(message) {
    if (message.type !== "error") return;
    this.said = message.error.message;
    // A jump that was refused is asked for again.
    this.jumpTimer = undefined;
    if (!message.fatal) this.jump();
  }

  /** @param {any} state */
  linked({ state, say }) {
    if (state === "connecting") this.jumpTimer = undefined;
    if (state === "lost") this.failures += 1;
    if (state !== "refused" && this.failures < MOST_FAILURES) return;
    this.close();
    this.on.failed(this.said ? `The server refused: ${this.said}.` : say);
  }
}
