/**
 * Which stream index stands at which frame of the ring. Pure; imports nothing.
 *
 * The ring counts frames from zero and knows nothing of the stream. A mark says "from this frame on,
 * frame `at` is index `index`"; between marks both rise together. Jumps make a new mark; a
 * mark before others replaces them, for what they told of will not sound.
 */

export class Timeline {
  constructor() {
    /** @type {{at: number, index: number}[]} */
    this.marks = [];
  }

  /**
   * Add a mark.
   *
   * @param {number} at Frame of the ring, since its beginning.
   * @param {number} index
   */
  mark(at, index) {
    while (this.marks.length > 0 && this.marks[this.marks.length - 1].at >= at) this.marks.pop();
    this.marks.push({ at, index });
  }

  /**
   * Return the frame that an index stands at since the last mark, or NaN if it lies before.
   *
   * @param {number} index
   * @returns {number}
   */
  frameOf(index) {
    const last = this.marks.at(-1);
    return last && index >= last.index ? last.at + (index - last.index) : Number.NaN;
  }

  /**
   * Return the first marked frame after another, or infinity.
   *
   * @param {number} at
   * @returns {number}
   */
  nextMark(at) {
    return this.marks.find((mark) => mark.at > at)?.at ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Return the index at a frame, fractions kept, or NaN before the first mark.
   *
   * @param {number} at
   * @returns {number}
   */
  indexAt(at) {
    for (let n = this.marks.length - 1; n >= 0; n -= 1) {
      const mark = this.marks[n];
      if (at >= mark.at) return mark.index + (at - mark.at);
    }
    return Number.NaN;
  }

  /**
   * Forget the marks that lie wholly before a frame.
   *
   * @param {number} at
   */
  forget(at) {
    while (this.marks.length > 1 && this.marks[1].at <= at) this.marks.shift();
  }
}
