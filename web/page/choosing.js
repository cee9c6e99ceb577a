/** The forms that choose a sky: a birth, a moment, two births. Main thread. */

import {
  BirthFields,
  birthOfSaved,
  offerBirths,
  savedRow,
} from "./births.js";
import { part } from "./elements.js";
import { Places } from "./places.js";
import { saveBirth, savedBirths } from "./saved.js";
import { RATES } from "./sentences.js";

/** @typedef {import("../types.js").Programme} Programme */

/** Where the sky is seen from unless a town is chosen. */
const GREENWICH = {
  name: "Greenwich",
  region: null,
  country: "United Kingdom",
  lat: 51.4779,
  lon: 0,
  tz: "Europe/London",
};
const NOT_OFFERED = "This server does not play that yet.";

export class Choosing {
  /**
   * @param {Document} page
   * @param {(programme: Programme) => void} play Called inside the click.
   * @param {() => void} saved The list of saved births is another.
   */
  constructor(page, play, saved) {
    this.page = page;
    this.play = play;
    this.saved = saved;
    /** @type {string[] | null} Modes that the server plays; null until it has said. */
    this.modes = null;
    this.birth = new BirthFields(part(page, "#birth-form .birth"));
    const [first, second] = page.querySelectorAll("#two-form .birth");
    this.first = new BirthFields(/** @type {HTMLElement} */ (first));
    this.second = new BirthFields(/** @type {HTMLElement} */ (second));
    this.time = part(page, "#time-form", HTMLFormElement);
    this.place = new Places(part(page, "#time-form .place"), "Seen from");
    this.place.choose(GREENWICH);
    this.rate = this.field("rate", HTMLInputElement);
    this.under = this.field("birth", HTMLSelectElement);
    this.rate.addEventListener("input", () => this.sayRate());
    this.sayRate();
    this.onSubmit("#birth-form", "natal", () => this.ownSky());
    this.onSubmit("#two-form", "compatibility", () => this.twoSkies());
    this.onSubmit("#time-form", "transit", () => this.anotherTime());
    this.refresh();
  }

  /**
   * @template {HTMLElement} T
   * @param {string} name
   * @param {new () => T} kind
   * @returns {T} A field of the form of the moment.
   */
  field(name, kind) {
    return part(this.time, `[name=${name}]`, kind);
  }

  /**
   * @param {string} selector
   * @param {string} mode
   * @param {() => Programme} programme
   */
  onSubmit(selector, mode, programme) {
    const form = part(this.page, selector, HTMLFormElement);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.can(selector, mode)) return;
      this.play(programme());
      this.refresh();
      if (mode !== "transit") this.saved();
    });
  }

  /**
   * Say whether the server plays a mode; if it does not, the form says so.
   *
   * @param {string} form
   * @param {string} mode
   */
  can(form, mode) {
    const can = this.modes === null || this.modes.includes(mode);
    part(this.page, `${form} .refused`).textContent = can ? "" : NOT_OFFERED;
    return can;
  }

  /** What is saved has changed, or a view is shown: lists follow. */
  refresh() {
    const list = part(this.page, "#my-sky .saved");
    const on = {
      listen: (/** @type {import("./saved.js").SavedBirth} */ birth) =>
        this.begins("#birth-form", { mode: "natal", charts: [birthOfSaved(birth)] }),
      under: (/** @type {import("./saved.js").SavedBirth} */ birth) =>
        this.begins("#birth-form", { mode: "overlay", charts: [birthOfSaved(birth)] }),
      changed: () => {
        this.refresh();
        this.saved();
      },
    };
    list.replaceChildren(...savedBirths().map((birth) => savedRow(birth, on)));
    for (const fields of [this.birth, this.first, this.second]) fields.offer();
    const births = offerBirths(this.under, "Nobody: the sky alone");
    part(this.page, "#under").hidden = births.length === 0;
    const date = this.field("date", HTMLInputElement);
    const time = this.field("time", HTMLInputElement);
    const [today, clock] = new Date().toISOString().split("T");
    date.value ||= today;
    time.value ||= clock.slice(0, 5);
  }

  /**
   * Play what a form chose, if the server plays such things.
   *
   * @param {string} form
   * @param {Programme} programme
   * @param {(programme: Programme) => void} [play]
   */
  begins(form, programme, play = this.play) {
    if (this.can(form, programme.mode ?? "")) play(programme);
  }

  sayRate() {
    const { say } = RATES[this.rate.valueAsNumber];
    part(this.page, "#rate-said").textContent = say;
    this.rate.setAttribute("aria-valuetext", say);
  }

  ownSky() {
    const birth = this.birth.value();
    saveBirth(birth);
    return { mode: "natal", charts: [birthOfSaved(birth)] };
  }

  twoSkies() {
    const births = [this.first.value(), this.second.value()];
    // The second first: the list then shows them in the order of the form.
    for (const birth of births.toReversed()) saveBirth(birth);
    return { mode: "compatibility", charts: births.map(birthOfSaved) };
  }

  anotherTime() {
    const date = this.field("date", HTMLInputElement).value;
    const time = this.field("time", HTMLInputElement).value;
    const { rate } = RATES[this.rate.valueAsNumber];
    const { lat, lon } = this.place.chosen ?? GREENWICH;
    const sky = { at: `${date}T${time}Z`, rate, place: { lat, lon } };
    const birth = savedBirths()[Number(this.under.value || Number.NaN)];
    return birth
      ? { mode: "overlay", charts: [birthOfSaved(birth)], ...sky }
      : { mode: "transit", ...sky };
  }
}
