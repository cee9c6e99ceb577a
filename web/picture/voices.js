/**
 * How strongly each body shines: its voice as it sounds, on the chart whose body plays. Pure; imports
 * nothing; allocates nothing per frame.
 *
 * Viz frames tell of ten voices. Where two charts play, the events of notes tell of each voice whose
 * body had it last; until one has, both shine a little.
 */

/** A body that another has answered fades at this rate per frame. */
const FADES = 0.92;
const UNDECIDED = 0.5;
const NOBODY = -1;

/** @typedef {import("./figure.js").Figure} Figure */

export class Voices {
  /**
   * @param {Figure[]} bodies
   * @param {Figure[]} others Of the second chart, if there is one.
   */
  constructor(bodies, others) {
    this.bodies = bodies;
    /** @type {(Figure | null)[]} Of each body the one of the same name. */
    this.twins = bodies.map(({ name }) => others.find((other) => other.name === name) ?? null);
    this.whose = new Int8Array(bodies.length).fill(NOBODY);
  }

  /**
   * Take note of a note that is heard now.
   *
   * @param {{bodies: readonly string[], chart?: number}} event
   */
  turn({ bodies, chart }) {
    const n = this.bodies.findIndex(({ name }) => name === bodies[0]);
    if (n >= 0) this.whose[n] = chart ?? 0;
  }

  /** @param {ArrayLike<number>} values Viz values heard now. */
  listen(values) {
    for (let n = 0; n < this.bodies.length; n += 1) {
      const body = this.bodies[n];
      const twin = this.twins[n];
      const value = body.place < 0 ? 0 : values[body.place];
      if (twin === null) body.glow = value;
      else {
        const whose = this.whose[n];
        body.glow = shining(body.glow, value, whose, 0);
        twin.glow = shining(twin.glow, value, whose, 1);
      }
    }
  }
}

/**
 * @param {number} glow As it was.
 * @param {number} value Of the voice.
 * @param {number} whose Chart that has it.
 * @param {number} chart Of this body.
 */
function shining(glow, value, whose, chart) {
  if (whose === chart) return value;
  return whose === NOBODY ? UNDECIDED * value : Math.min(value, FADES * glow);
}
