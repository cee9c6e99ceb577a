/**
 * Which stream index stands at which frame of the ring. Pure; imports nothing.
 *
 * The ring counts frames from zero and knows nothing of the stream. A mark says "from this frame on,
 * frame `at` is index `index`"; between marks both rise together. Jumps make a new mark.
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
    this.marks.push({ at, index });
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
