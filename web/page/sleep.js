/** The sleep timer: after the time chosen the music fades for a minute and stops. Main thread. */

const FADE_S = 60;

export class Sleep {
  /**
   * @param {HTMLSelectElement} select Its values are minutes, 0 for never.
   * @param {{fade: (seconds: number) => void, stop: () => void}} on
   */
  constructor(select, on) {
    this.select = select;
    this.on = on;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    select.addEventListener("change", () => this.set(Number(select.value)));
  }

  /** @param {number} minutes */
  set(minutes) {
    clearTimeout(this.timer);
    this.on.fade(0);
    if (minutes === 0) return;
    this.timer = setTimeout(() => {
      this.on.fade(FADE_S);
      this.timer = setTimeout(() => this.end(), 1000 * FADE_S);
    }, 60000 * minutes - 1000 * FADE_S);
  }

  end() {
    this.select.value = "0";
    this.on.stop();
  }
}
