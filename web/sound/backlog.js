/**
 * The quanta that have arrived and are not decoded yet. Pure; imports nothing.
 *
 * Look-ahead is kept encoded (about 0.2 MB for 12 s), so that a jump takes effect at once. The backlog
 * decides what is stale: a quantum of an older epoch, at or after the first index of the new one.
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

export class Backlog {
  /** @param {number} quantumSamples */
  constructor(quantumSamples) {
    this.quantumSamples = quantumSamples;
    /** @type {Quantum[]} */
    this.quanta = [];
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
    this.end = from;
  }

  /**
   * Add a quantum as it arrives.
   *
   * @param {Quantum} quantum
   * @returns {boolean} false if it was stale or a duplicate, and dropped.
   */
  add(quantum) {
    if (isOlder(quantum.epoch, this.epoch) && quantum.index >= this.epochFrom) return false;
    if (quantum.index < this.end) return false;
    this.quanta.push(quantum);
    this.end = quantum.index + this.quantumSamples;
    return true;
  }

  /** @returns {Quantum | undefined} The next to decode. */
  next() {
    return this.quanta.shift();
  }

  clear() {
    this.quanta.length = 0;
  }
}
