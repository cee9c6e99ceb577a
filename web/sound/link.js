/**
 * One listener's connection, kept alive: hello, quanta, reports, and the way back after a break.
 * Runs in the Worker. What a close code means stands in wire/closing.js, as a table.
 */

import { afterClose, retryDelayMs } from "../wire/closing.js";
import { unpackQuantum } from "../wire/quantum.js";

const SUBPROTOCOL = "astradio.v1";
const QUIET_MS = 3000;
const DEAD_MS = 6000;
const UNINTELLIGIBLE = "The server sent what this page does not understand. Reload the page.";
/** Quanta on one connection after which earlier failures are forgiven. */
const SETTLED = 50;

/**
 * @typedef {object} LinkHandlers
 * @property {() => object} hello What to say on each (re)connection.
 * @property {(ready: any, isAgain: boolean) => void} ready A second one answers a seek.
 * @property {(quantum: import("../wire/quantum.js").Quantum) => void} quantum
 * @property {(message: any) => void} message Every other text message.
 * @property {(state: object) => void} state `connecting`, `open`, `lost`, `refused`.
 */

export class Link {
  /**
   * @param {string} url
   * @param {LinkHandlers} on
   */
  constructor(url, on) {
    this.url = url;
    this.on = on;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.attempt = 0;
    this.quanta = 0;
    this.retryTimer = 0;
    this.heardMs = 0;
    this.opened = false;
    /** Whether this connection has begun to play. */
    this.isReady = false;
  }

  open() {
    this.forgetTimer();
    this.on.state({ state: "connecting" });
    const socket = new WebSocket(this.url, SUBPROTOCOL);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.quanta = 0;
    this.opened = false;
    this.isReady = false;
    this.heardMs = performance.now();
    socket.onopen = () => {
      this.opened = true;
      this.send({ type: "hello", protocol: 1, ...this.on.hello() });
    };
    socket.onmessage = ({ data }) => {
      if (socket === this.socket) this.attend(data);
    };
    socket.onclose = ({ code }) => {
      if (socket === this.socket) this.closed(code);
    };
  }

  /** Leave in order; no way back is kept. */
  close() {
    this.forgetTimer();
    const socket = this.socket;
    this.socket = null;
    if (socket?.readyState === WebSocket.OPEN) socket.send('{"type":"bye"}');
    else socket?.close();
  }

  /** @param {object} message */
  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /**
   * Take a message; one that breaks the protocol ends the conversation, for more would follow.
   *
   * @param {string | ArrayBuffer} data
   */
  attend(data) {
    try {
      this.receive(data);
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
      this.close();
      this.on.state({ state: "refused", code: 1002, say: UNINTELLIGIBLE });
    }
  }

  /** @param {string | ArrayBuffer} data */
  receive(data) {
    this.heardMs = performance.now();
    if (typeof data !== "string") {
      const quantum = unpackQuantum(data);
      if (!this.isReady) return;
      this.quanta += 1;
      if (this.quanta === SETTLED) this.attempt = 0;
      if (quantum) this.on.quantum(quantum);
      return;
    }
    const message = JSON.parse(data);
    if (message.type === "drain") return this.moveAfter(message.reconnectAfterMs);
    if (message.type !== "ready") return this.on.message(message);
    const isAgain = this.isReady;
    this.isReady = true;
    if (!isAgain) this.on.state({ state: "open" });
    this.on.ready(message, isAgain);
  }

  /** @param {number} code */
  closed(code) {
    this.socket = null;
    const { then, say } = afterClose(code);
    this.forgetTimer();
    if (then === "stop") return this.on.state({ state: "refused", code, say });
    const delayMs = retryDelayMs(then, this.attempt, Math.random());
    this.attempt += 1;
    this.retryTimer = setTimeout(() => this.open(), delayMs);
    this.on.state({ state: "lost", code, say, delayMs, opened: this.opened });
  }

  /**
   * The server goes down and says when to come again; until then it may still play.
   *
   * @param {number} delayMs
   */
  moveAfter(delayMs) {
    this.forgetTimer();
    this.retryTimer = setTimeout(() => {
      this.close();
      this.open();
    }, delayMs);
  }

  /** Called every second: a socket that says nothing for long is dead, whatever TCP believes. */
  watch() {
    if (this.socket === null) return;
    const quietMs = performance.now() - this.heardMs;
    if (quietMs > DEAD_MS) {
      const dead = this.socket;
      this.closed(1006);
      dead.close();
    } else if (quietMs > QUIET_MS) {
      this.send({ type: "ping", t: Math.round(performance.now()) });
    }
  }

  /** The network is back: do not wait out the delay. */
  hurry() {
    if (this.socket === null && this.retryTimer !== 0) this.open();
  }

  forgetTimer() {
    clearTimeout(this.retryTimer);
    this.retryTimer = 0;
  }
}
