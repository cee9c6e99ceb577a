/** What is to be shown when its index is heard, not when it arrives. Pure; imports nothing. */

export class Due {
  constructor() {
    /** @type {import("../types.js").SkyEvent[]} Rising by index. */
    this.waiting = [];
  }

  /** @param {import("../types.js").SkyEvent} event One that comes again, after a steer, counts once. */
  add(event) {
    if (this.waiting.some(({ index, text }) => index === event.index && text === event.text)) return;
    let at = this.waiting.length;
    while (at > 0 && this.waiting[at - 1].index > event.index) at -= 1;
    this.waiting.splice(at, 0, event);
  }

  /**
   * Take the events whose index has been heard.
   *
   * @param {number} index
   * @returns {import("../types.js").SkyEvent[]} In order.
   */
  until(index) {
    let count = 0;
    while (count < this.waiting.length && this.waiting[count].index <= index) count += 1;
    return this.waiting.splice(0, count);
  }

  /**
   * Forget what will not come, because the music changes from an index on.
   *
   * @param {number} index
   */
  forgetFrom(index) {
    this.waiting = this.waiting.filter((event) => event.index < index);
  }

  clear() {
    this.waiting.length = 0;
  }
}
