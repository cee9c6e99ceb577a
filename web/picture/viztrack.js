/**
 * The viz frames that have arrived, to be looked up by index. Pure; imports nothing; allocates nothing
 * after construction.
 */

/** Phases run from 0 to 1 and begin again: between 0.98 and 0.02 lies 0.0, not 0.5. */
const PHASES = new Set(["beat", "bar", "hue"]);

/**
 * @typedef {{name: string, min: number, max: number}} VizField
 */

export class VizTrack {
  /**
   * @param {VizField[]} fields As `ready.viz.fields` lists them.
   * @param {number} vizSamples Samples per frame.
   * @param {number} capacity Frames kept.
   */
  constructor(fields, vizSamples, capacity) {
    this.fields = fields;
    this.vizSamples = vizSamples;
    this.capacity = capacity;
    this.width = fields.length;
    this.bytes = new Uint8Array(capacity * this.width);
    this.numbers = new Float64Array(capacity).fill(-1);
    this.min = Float32Array.from(fields, (field) => field.min);
    this.scale = Float32Array.from(fields, (field) => (field.max - field.min) / 255);
    this.isPhase = fields.map((field) => PHASES.has(field.name));
    /** Values at the index last looked up. */
    this.values = new Float32Array(this.width);
  }

  /**
   * @param {string} name
   * @returns {number} Place of the field in `values`, or −1.
   */
  place(name) {
    return this.fields.findIndex((field) => field.name === name);
  }

  /**
   * Keep the frames of a quantum.
   *
   * @param {number} index Of the first frame.
   * @param {number} frames
   * @param {number} frameBytes May exceed the fields we know: newer servers append.
   * @param {Uint8Array} viz
   */
  put(index, frames, frameBytes, viz) {
    const first = index / this.vizSamples;
    for (let n = 0; n < frames; n += 1) {
      const slot = (first + n) % this.capacity;
      const width = Math.min(this.width, frameBytes);
      for (let i = 0; i < width; i += 1) this.bytes[slot * this.width + i] = viz[n * frameBytes + i];
      this.numbers[slot] = first + n;
    }
  }

  /**
   * Set `values` to what shows at an index, between two frames in proportion.
   *
   * @param {number} index
   * @returns {boolean} false, and `values` untouched, if the frame is not here.
   */
  look(index) {
    const exact = index / this.vizSamples;
    const number = Math.floor(exact);
    const slot = number % this.capacity;
    if (this.numbers[slot] !== number) return false;
    const follower = (number + 1) % this.capacity;
    const between = this.numbers[follower] === number + 1 ? exact - number : 0;
    for (let i = 0; i < this.width; i += 1) {
      const here = this.bytes[slot * this.width + i];
      let step = between === 0 ? 0 : this.bytes[follower * this.width + i] - here;
      if (this.isPhase[i] && step < -127) step += 255;
      const byte = here + between * step;
      this.values[i] = this.min[i] + this.scale[i] * (byte > 255 ? byte - 255 : byte);
    }
    return true;
  }
}
