/**
 * Pulses of light that run along aspect lines when a body begins to sound: one sees the dialogue that
 * one hears. Pure; imports nothing; allocates nothing after construction.
 */

export const PULSE_S = 0.9;
/** A rise of a body's light by this much within one frame is an onset. */
const ONSET = 0.09;
/** No flashing above 3 Hz. */
const REST_S = 0.34;

export class Pulses {
  /** @param {number} capacity Pulses under way at once; the oldest gives way. */
  constructor(capacity) {
    this.capacity = capacity;
    this.line = new Int16Array(capacity).fill(-1);
    this.forward = new Uint8Array(capacity);
    this.startS = new Float64Array(capacity);
    this.force = new Float32Array(capacity);
    this.next = 0;
    this.before = new Float32Array(16);
    this.lastS = new Float64Array(16).fill(-1);
  }

  /**
   * Say whether a body begins to sound now, given its light.
   *
   * @param {number} body Its place, 0 … 15.
   * @param {number} light 0 … 1.
   * @param {number} nowS Stream time.
   */
  isOnset(body, light, nowS) {
    const rise = light - this.before[body];
    this.before[body] = light;
    const since = nowS - this.lastS[body];
    if (rise < ONSET || (since >= 0 && since < REST_S)) return false;
    this.lastS[body] = nowS;
    return true;
  }

  /**
   * @param {number} line Which aspect line.
   * @param {boolean} forward From its first body to its second.
   * @param {number} nowS Stream time.
   * @param {number} force 0 … 1.
   */
  send(line, forward, nowS, force) {
    const n = this.next;
    this.line[n] = line;
    this.forward[n] = forward ? 1 : 0;
    this.startS[n] = nowS;
    this.force[n] = force;
    this.next = (n + 1) % this.capacity;
  }

  /**
   * How far a pulse has run, or −1 if it is over (or not begun: the stream jumped).
   *
   * @param {number} n
   * @param {number} nowS
   */
  progress(n, nowS) {
    if (this.line[n] < 0) return -1;
    const t = (nowS - this.startS[n]) / PULSE_S;
    if (t < 0 || t >= 1) {
      this.line[n] = -1;
      return -1;
    }
    return this.forward[n] ? t : 1 - t;
  }
}
