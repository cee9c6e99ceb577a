/** Buttons, volume and keys. Main thread. */

import { part } from "./elements.js";
import { remember, remembered } from "./remember.js";

const VOLUME = "volume";
const VOLUME_STEP = 0.05;
/** Arrow keys jump this far (seconds). */
const JUMP_S = 10;
const TOAST_MS = 4000;

/** What begins to play when it is pressed. */
const PLAYS = "#begin, #play, .chip";

/**
 * @typedef {object} ControlHandlers
 * @property {() => void} toggle
 * @property {() => void} expect Play is likely to be pressed next.
 * @property {(place: number) => void} volume
 * @property {(seconds: number) => void} skip
 */

export class Controls {
  /**
   * @param {Document} page
   * @param {ControlHandlers} on
   */
  constructor(page, on) {
    this.body = page.body;
    this.begin = part(page, "#begin");
    this.play = part(page, "#play");
    this.slider = part(page, "#volume", HTMLInputElement);
    this.toast = part(page, "#toast");
    this.toastTimer = 0;
    this.on = on;
    this.begin.addEventListener("click", on.toggle);
    this.play.addEventListener("click", on.toggle);
    this.slider.addEventListener("input", () => this.setVolume(this.slider.valueAsNumber));
    page.addEventListener("keydown", (event) => this.key(event));
    for (const kind of ["pointerover", "focusin"]) {
      page.addEventListener(kind, ({ target }) => {
        if (target instanceof Element && target.closest(PLAYS)) on.expect();
      });
    }
    this.setVolume(remembered(VOLUME, this.slider.valueAsNumber));
  }

  /** @param {number} place 0 … 1. */
  setVolume(place) {
    this.slider.value = String(place);
    this.slider.setAttribute("aria-valuetext", `${Math.round(100 * this.slider.valueAsNumber)} %`);
    remember(VOLUME, this.slider.valueAsNumber);
    this.on.volume(this.slider.valueAsNumber);
  }

  /**
   * Keys of players: space, k, and the arrows; never while a control has its own use for them.
   *
   * @param {KeyboardEvent} event
   */
  key(event) {
    const isFree = event.target === this.body || /** @type {Element} */ (event.target).matches("h1");
    if (!isFree || event.ctrlKey || event.metaKey || event.altKey) return;
    const louder = { ArrowUp: VOLUME_STEP, ArrowDown: -VOLUME_STEP }[event.key];
    const further = { ArrowLeft: -JUMP_S, ArrowRight: JUMP_S }[event.key];
    if (event.key === " " || event.key === "k") this.on.toggle();
    else if (louder) this.setVolume(this.slider.valueAsNumber + louder);
    else if (further) this.on.skip(further);
    else return;
    event.preventDefault();
  }

  /** @param {boolean} isPlaying */
  show(isPlaying) {
    this.body.toggleAttribute("data-playing", isPlaying);
    this.play.setAttribute("aria-label", isPlaying ? "Stop" : "Play");
    if (!isPlaying) return;
    const { activeElement } = document;
    const hadFocus = activeElement === this.body || activeElement === this.begin;
    this.body.classList.remove("is-idle");
    if (hadFocus) this.play.focus({ preventScroll: true });
  }

  /**
   * Say something for a moment.
   *
   * @param {string} text
   */
  say(text) {
    clearTimeout(this.toastTimer);
    this.toast.textContent = text;
    this.toastTimer = setTimeout(() => (this.toast.textContent = ""), TOAST_MS);
  }
}
