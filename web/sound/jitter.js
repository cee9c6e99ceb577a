/**
 * How much sound to hold before starting again after an underrun. Pure; imports nothing.
 *
 * Target = 95th percentile of how late quanta arrived lately, and one quantum on top. It rises at
 * once and falls slowly: an underrun is heard, a tenth of a second more delay is not.
 */

const WINDOW = 128;
const FALL = 0.02;

export class Jitter {
  /**
   * @param {number} quantumSamples
   * @param {number} sampleRate
   * @param {number} longest Upper bound of the target (samples).
   */
  constructor(quantumSamples, sampleRate, longest) {
    this.quantumSamples = quantumSamples;
    this.samplesPerMs = sampleRate / 1000;
    this.longest = longest;
    this.target = quantumSamples;
    this.late = new Float64Array(WINDOW);
    this.sorted = new Float64Array(WINDOW);
    this.count = 0;
    this.previousMs = Number.NaN;
  }

  /**
   * Note the arrival of a quantum.
   *
   * @param {number} nowMs Monotonic clock.
   */
  arrived(nowMs) {
    const expected = this.quantumSamples / this.samplesPerMs;
    const late = Number.isNaN(this.previousMs) ? 0 : nowMs - this.previousMs - expected;
    this.previousMs = nowMs;
    this.late[this.count % WINDOW] = Math.max(0, late);
    this.count += 1;
    const wanted = Math.min(
      this.longest,
      this.quantumSamples + this.percentile95() * this.samplesPerMs,
    );
    this.target = wanted > this.target ? wanted : this.target + FALL * (wanted - this.target);
  }

  /** A new connection: the pause before it says nothing about the network. */
  restart() {
    this.previousMs = Number.NaN;
  }

  percentile95() {
    const n = Math.min(this.count, WINDOW);
    this.sorted.set(this.late);
    const recent = this.sorted.subarray(0, n).sort();
    return recent[Math.ceil(0.95 * n) - 1];
  }
}
