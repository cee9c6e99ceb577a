/**
 * What arrived and is not yet attended to, in order. Runs in the Worker.
 *
 * A listener who joins gets many seconds at once. If each of those quanta were attended to as it
 * comes, the decoder's first samples, which the ear waits for, would queue behind the last of them.
 */

/** So many are attended to before others have their turn, while somebody waits for them. */
const TOGETHER = 2;

/** @template T */
export class Inbox {
  /**
   * @param {(item: T) => void} attend
   * @param {() => boolean} isHungry Whether the ear waits for the decoder.
   */
  constructor(attend, isHungry) {
    this.attend = attend;
    this.isHungry = isHungry;
    /** @type {T[]} */
    this.waiting = [];
    /** Attended to since others had their turn. */
    this.attended = 0;
    this.isAwaited = false;
  }

  /** @param {T} item */
  put(item) {
    this.waiting.push(item);
    this.work();
  }

  /** Attend to all that waits. */
  flush() {
    for (const item of this.waiting.splice(0)) this.attend(item);
  }

  turn() {
    this.isAwaited = false;
    this.attended = 0;
    this.work();
  }

  work() {
    while (this.waiting.length > 0 && (this.attended < TOGETHER || !this.isHungry())) {
      this.attended += 1;
      this.attend(/** @type {T} */ (this.waiting.shift()));
    }
    if (this.attended > 0 && !this.isAwaited) {
      this.isAwaited = true;
      setTimeout(() => this.turn(), 0);
    }
  }
}
