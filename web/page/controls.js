/** Buttons, slider and keys. Main thread. */

import { Places } from "./places.js";

const VOLUME_KEY = "astradio.volume";
const VOLUME_STEP = 0.05;
const LINK_SHOWN_MS = 2500;

/** Storage may be forbidden; the page then forgets, and plays. */
function remembered(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Nothing depends on it.
  }
}

export class Controls {
  /**
   * @param {Document} page
   * @param {{toggle: () => void, volume: (place: number) => void, link: () => string}} on
   */
  constructor(page, on) {
    this.body = page.body;
    this.begin = page.getElementById("begin");
    this.play = page.getElementById("play");
    this.link = page.getElementById("link");
    this.slider = /** @type {HTMLInputElement} */ (page.getElementById("volume"));
    this.on = on;
    this.begin.addEventListener("click", on.toggle);
    this.play.addEventListener("click", on.toggle);
    this.link.addEventListener("click", () => this.copyLink());
    this.slider.addEventListener("input", () => this.setVolume(this.slider.valueAsNumber));
    const sky = /** @type {HTMLDialogElement} */ (page.getElementById("sky"));
    page.getElementById("open-sky").addEventListener("click", () => {
      const moment = sky.querySelector("input");
      moment.value ||= new Date().toISOString().slice(0, 16);
      sky.showModal();
    });
    this.places = new Places(sky.querySelector("form"));
    page.getElementById("close-sky").addEventListener("click", () => sky.close());
    page.addEventListener("keydown", (event) => this.key(event));
    this.setVolume(Number(remembered(VOLUME_KEY) ?? this.slider.value));
  }

  /** @param {number} place 0 … 1. */
  setVolume(place) {
    this.slider.value = String(place);
    this.slider.setAttribute("aria-valuetext", `${Math.round(100 * place)} %`);
    remember(VOLUME_KEY, this.slider.value);
    this.on.volume(this.slider.valueAsNumber);
  }

  /** Keys of players: space, k, and the arrows; never while a control has its own use for them. */
  key(event) {
    if (event.target !== this.body || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowUp: VOLUME_STEP, ArrowDown: -VOLUME_STEP }[event.key];
    if (event.key === " " || event.key === "k") this.on.toggle();
    else if (step) this.setVolume(this.slider.valueAsNumber + step);
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

  async copyLink() {
    const link = this.on.link();
    try {
      await navigator.clipboard.writeText(link);
      this.link.textContent = "Copied";
    } catch {
      history.replaceState(null, "", link);
      this.link.textContent = "In the address";
    }
    setTimeout(() => (this.link.textContent = "Link"), LINK_SHOWN_MS);
  }
}
