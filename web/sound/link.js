/**
 * One listener's connection, kept alive: hello, quanta, reports, and the way back after a break.
 * Runs in the Worker. What a close code means stands in wire/closing.js, as a table.
 */

import { afterClose, retryDelayMs } from "../wire/closing.js";
import { unpackQuantum } from "../wire/quantum.js";
import { Inbox } from "./inbox.js";

const SUBPROTOCOL = "astradio.v1";
const QUIET_MS = 3000;
const DEAD_MS = 6000;
const UNINTELLIGIBLE = "The server sent what this page does not understand. Reload the page.";
/** How long a socket waits for a listener who is about to press play; the server waits ten seconds. */
const EARLY_MS = 5000;
/** A pointer that wanders over the button must not use up what an address may open. */
const EARLY_EVERY_MS = 10000;
/** Quanta on one connection after which earlier failures are forgiven. */
const SETTLED = 50;

/**
 * @typedef {object} Arrival
 * @property {WebSocket} socket
 * @property {string | ArrayBuffer} data
 * @property {number} atMs
 */

/**
 * @typedef {object} LinkHandlers
 * @property {() => object} hello What to say on each (re)connection.
 * @property {(ready: any, isAgain: boolean) => void} ready A second one answers a seek.
 * @property {(quantum: import("../wire/quantum.js").Quantum, arrivedMs: number) => void} quantum
 * @property {(message: any) => void} message Every other text message.
 * @property {() => boolean} [isHungry] Whether the ear waits for samples of what was handed on.
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
    /** @type {WebSocket | null} Opened for a listener who has not pressed play yet. */
    this.early = null;
    this.earlyMs = Number.NEGATIVE_INFINITY;
    this.attempt = 0;
    this.quanta = 0;
    this.retryTimer = 0;
    this.heardMs = 0;
    this.opened = false;
    /** Whether this connection has begun to play. */
    this.isReady = false;
    /** @type {Inbox<Arrival>} */
    this.inbox = new Inbox((arrival) => this.attend(arrival), on.isHungry ?? (() => false));
  }

  /**
   * Somebody is about to press play: to open a socket takes longer than everything else. A delay that
   * the server asked for is waited out all the same.
   */
  expect() {
    const nowMs = performance.now();
    if (this.socket || this.early || this.retryTimer !== 0) return;
    if (nowMs - this.earlyMs < EARLY_EVERY_MS) return;
    this.earlyMs = nowMs;
    const socket = new WebSocket(this.url, SUBPROTOCOL);
    this.early = socket;
    const leave = () => {
      if (socket !== this.early) return;
      this.early = null;
      socket.close();
    };
    socket.onclose = leave;
    setTimeout(leave, EARLY_MS);
  }

  open() {
    this.forgetTimer();
    this.on.state({ state: "connecting" });
    const socket = this.early ?? new WebSocket(this.url, SUBPROTOCOL);
    this.early = null;
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
      if (socket !== this.socket) return;
      this.heardMs = performance.now();
      this.inbox.put({ socket, data, atMs: this.heardMs });
    };
    socket.onclose = ({ code }) => {
      this.inbox.flush();
      if (socket === this.socket) this.closed(code);
    };
    if (socket.readyState === WebSocket.OPEN) socket.onopen(new Event("open"));
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
   * @param {Arrival} arrival
   */
  attend({ socket, data, atMs }) {
    if (socket !== this.socket) return;
    try {
      this.receive(data, atMs);
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
      this.close();
      this.on.state({ state: "refused", code: 1002, say: UNINTELLIGIBLE });
    }
  }

  /** @param {string | ArrayBuffer} data @param {number} atMs */
  receive(data, atMs) {
    if (typeof data !== "string") {
      const quantum = unpackQuantum(data);
      if (!this.isReady) return;
      this.quanta += 1;
      if (this.quanta === SETTLED) this.attempt = 0;
      if (quantum) this.on.quantum(quantum, atMs);
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
