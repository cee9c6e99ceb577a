/** What is to be shown when its index is heard, not when it arrives. Pure; imports nothing. */

export class Due {
  constructor() {
    /** @type {import("../types.js").SkyEvent[]} Rising by index. */
    this.waiting = [];
  }

  /** @param {import("../types.js").SkyEvent} event */
  add(event) {
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

  clear() {
    this.waiting.length = 0;
  }
}
