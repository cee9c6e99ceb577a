/**
 * The place on the time line: the hour that sounds, as a slider. Main thread.
 *
 * A stream has no end, so the slider holds one hour of it: of the clock for a station, of listening
 * for a programme of one's own. While it is dragged nothing jumps; letting go does.
 */

import { part } from "./elements.js";
import { SAMPLE_RATE } from "../wire/quantum.js";
import { elapsedText } from "./sentences.js";

const HOUR_S = 3600;

export class Scrub {
  /**
   * @param {Document} page
   * @param {(index: number) => void} seek
   */
  constructor(page, seek) {
    this.slider = part(page, "#scrub", HTMLInputElement);
    this.hour = 0;
    this.isHeld = false;
    this.isClock = false;
    this.slider.addEventListener("input", () => {
      this.isHeld = true;
      this.say();
    });
    this.slider.addEventListener("change", () => {
      this.isHeld = false;
      seek((this.hour * HOUR_S + this.slider.valueAsNumber) * SAMPLE_RATE);
    });
    this.slider.addEventListener("blur", () => {
      this.isHeld = false;
    });
  }

  /**
   * @param {number} index Heard now.
   * @param {boolean} isClock Whether the stream's seconds are those of UTC.
   */
  show(index, isClock) {
    if (this.isHeld || Number.isNaN(index)) return;
    const seconds = Math.floor(index / SAMPLE_RATE);
    this.slider.disabled = false;
    this.isClock = isClock;
    this.hour = Math.floor(seconds / HOUR_S);
    const value = String(5 * Math.floor((seconds % HOUR_S) / 5));
    if (this.slider.value === value) return;
    this.slider.value = value;
    this.say();
  }

  say() {
    const seconds = this.hour * HOUR_S + this.slider.valueAsNumber;
    const text = this.isClock
      ? `${new Date(1000 * seconds).toISOString().slice(11, 19)} UTC`
      : `${elapsedText(seconds)} into the stream`;
    this.slider.setAttribute("aria-valuetext", text);
    this.slider.title = text;
    this.slider.style.setProperty("--at", String(this.slider.valueAsNumber / (HOUR_S - 1)));
  }
}
