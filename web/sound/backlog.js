/**
 * The quanta that have arrived and are not decoded yet. Pure; imports nothing.
 *
 * Look-ahead is kept encoded (about 0.2 MB for 12 s), so that a jump takes effect at once. The backlog
 * decides what is stale: a quantum of an older epoch, at or after the first index of the new one. It
 * also keeps the last quanta that were decoded: a decoder that goes back needs those before.
 */

/** @typedef {import("../wire/quantum.js").Quantum} Quantum */

/**
 * Say whether epoch `a` is older than `b`, on the circle of 16 bits.
 *
 * @param {number} a
 * @param {number} b
 */
export function isOlder(a, b) {
  return ((a - b) & 0xffff) > 0x8000;
}

/** Of what was decoded: a second waits to be heard, and a decoder needs a little before that. */
const KEPT = 16;

export class Backlog {
  /** @param {number} quantumSamples */
  constructor(quantumSamples) {
    this.quantumSamples = quantumSamples;
    /** @type {Quantum[]} */
    this.quanta = [];
    /** @type {Quantum[]} Decoded last. */
    this.past = [];
    this.epoch = 0;
    this.epochFrom = 0;
    /** First index not yet received: where a resume begins. */
    this.end = Number.NaN;
  }

  get length() {
    return this.quanta.length;
  }

  /**
   * Begin an epoch. Quanta that it replaces are dropped.
   *
   * @param {number} epoch
   * @param {number} from Its first index.
   */
  begin(epoch, from) {
    this.epoch = epoch;
    this.epochFrom = from;
    this.quanta = this.quanta.filter((quantum) => quantum.index < from);
    this.past = this.past.filter((quantum) => quantum.index < from);
    this.end = from;
  }

  /**
   * The stream is changed from an index on, and quanta of a new epoch are to come: should the
   * connection break before they do, a resume begins before the change.
   *
   * @param {number} effective
   */
  expect(effective) {
    const before = Math.floor(effective / this.quantumSamples) - 1;
    this.end = Math.min(this.end, Math.max(0, before) * this.quantumSamples);
  }

  /**
   * Put the quanta from an index on that were decoded before what waits, to be decoded again.
   *
   * @param {number} index
   */
  again(index) {
    this.quanta.unshift(...this.past.filter((quantum) => quantum.index >= index));
    this.past = this.past.filter((quantum) => quantum.index < index);
  }

  /**
   * Add a quantum as it arrives; the first of a new epoch begins it.
   *
   * @param {Quantum} quantum
   * @returns {boolean} false if it was stale or a duplicate, and dropped.
   */
  add(quantum) {
    if (isOlder(this.epoch, quantum.epoch)) this.begin(quantum.epoch, quantum.index);
    if (isOlder(quantum.epoch, this.epoch) && quantum.index >= this.epochFrom) return false;
    if (quantum.index < this.end) return false;
    this.quanta.push(quantum);
    this.end = quantum.index + this.quantumSamples;
    return true;
  }

  /** @returns {Quantum | undefined} The next to decode. */
  next() {
    const next = this.quanta.shift();
    if (next) this.past.push(next);
    if (this.past.length > KEPT) this.past.shift();
    return next;
  }

  clear() {
    this.quanta.length = 0;
    this.past.length = 0;
  }
}
