/**
 * The sandbox: every control as a slider, heard while it is moved. Main thread.
 *
 * Beside each slider stands what the sky of this minute would choose. A server that cannot be steered
 * while it plays is asked for the changed programme from the same index: heard with a short gap.
 */

import { birthOfSaved } from "./births.js";
import { element, part, write } from "./elements.js";
import { remember, remembered } from "./remember.js";
import { savedBirths } from "./saved.js";
import { birthName } from "./sentences.js";
import { CONTROLS, allowedWishes, middleWishes, wishText, wishesIn } from "./wishes.js";

/** @typedef {import("../types.js").Wishes} Wishes */

const KEPT = "wishes";
/** A moving slider is told this often: the server counts messages, five a second over time. */
const TELL_EVERY_MS = 400;
const NO_SKY = "none";
const SKY_NOW = "now";

export class Sandbox {
  /**
   * @param {Document} page
   * @param {object} on
   * @param {(programme: import("../types.js").Programme) => void} on.play Called inside the click.
   * @param {(controls: Wishes, quantise: string) => boolean} on.steer false if the sandbox does not play.
   */
  constructor(page, on) {
    this.form = part(page, "#sandbox-form", HTMLFormElement);
    this.on = on;
    this.said = part(page, "#steer-said");
    this.quantise = part(this.form, "[name=quantise]", HTMLSelectElement);
    this.voices = part(this.form, "[name=voices]", HTMLSelectElement);
    /** @type {Wishes} */
    this.wishes = { ...middleWishes(), ...allowedWishes(remembered(KEPT, {})) };
    /** @type {Wishes} */
    this.sky = {};
    /** @type {Wishes} Changed and not yet told. */
    this.untold = {};
    this.timer = 0;
    this.rows = CONTROLS.map((control) => this.rowOf(control));
    part(page, "#wishes").replaceChildren(...this.rows.map(({ row }) => row));
    part(page, "#as-sky", HTMLButtonElement).addEventListener("click", () => this.takeSky());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.untold = {};
      on.play(this.programme());
    });
    this.refresh();
  }

  /** @param {import("./wishes.js").Control} control */
  rowOf(control) {
    const row = element("div", "wish");
    const label = element("label", "", control.title);
    const sky = element("span", "sky");
    const field = control.words ? selectOf(control.words, control.name) : sliderOf(control);
    const value = element("output", "number");
    field.id = `wish-${control.name}`;
    label.setAttribute("for", field.id);
    sky.id = `${field.id}-sky`;
    field.setAttribute("aria-describedby", sky.id);
    const holder = element("div", "track");
    const mark = element("i", "mark");
    mark.hidden = true;
    holder.append(mark, field);
    row.append(label, value, holder, sky);
    if (control.words) row.classList.add("by-name");
    field.addEventListener("input", () => {
      this.wish(control.name, control.words ? field.value : Number(field.value));
    });
    const made = { control, row, field, value, sky, mark };
    this.showRow(made);
    return made;
  }

  /** @param {ReturnType<Sandbox["rowOf"]>} row */
  showRow({ control, field, value, sky, mark }) {
    const wished = this.wishes[control.name];
    const chosen = this.sky[control.name];
    field.value = String(wished);
    if (!control.words) {
      write(value, wishText(control, wished));
      field.setAttribute("aria-valuetext", wishText(control, wished));
      const { low = 0, high = 1 } = control;
      mark.hidden = chosen === undefined;
      // Set by script, not in the page: the policy allows no inline style, this it does.
      mark.style.setProperty("--at", String((Number(chosen) - low) / (high - low)));
    }
    const ends = control.least ? `${control.least} – ${control.most}` : "";
    const would = chosen === undefined ? "" : `sky: ${wishText(control, chosen)}`;
    write(sky, control.words ? would : [ends, would].filter(Boolean).join(" · "));
  }

  showAll() {
    for (const row of this.rows) this.showRow(row);
  }

  /**
   * Take what the sky of now would choose.
   *
   * @param {import("../types.js").Palette | null} palette
   */
  showSky(palette) {
    this.sky = wishesIn(palette);
    part(this.form, "#as-sky", HTMLButtonElement).disabled = Object.keys(this.sky).length === 0;
    this.showAll();
  }

  takeSky() {
    for (const [name, value] of Object.entries(this.sky)) this.wish(name, value);
    this.showAll();
  }

  /** @param {string} name @param {number | string} value */
  wish(name, value) {
    this.wishes[name] = value;
    remember(KEPT, this.wishes);
    const row = this.rows.find(({ control }) => control.name === name);
    if (row) this.showRow(row);
    this.untold[name] = value;
    this.timer ||= setTimeout(() => this.tell(), TELL_EVERY_MS);
  }

  tell() {
    this.timer = 0;
    const controls = this.untold;
    this.untold = {};
    if (Object.keys(controls).length === 0) return;
    if (this.on.steer(controls, this.quantise.value)) write(this.said, "On its way.");
  }

  /**
   * A programme with wishes plays, from a link perhaps: the sliders stand as it has them.
   *
   * @param {import("../types.js").Programme} programme
   * @param {import("../types.js").Palette} palette What holds where nothing was wished.
   */
  follow({ mode, controls = {}, changes = [] }, palette) {
    const later = changes.map((change) => change.controls);
    const wished = allowedWishes(Object.assign({}, controls, ...later));
    if (Object.keys(wished).length === 0 && mode !== "sandbox") return;
    Object.assign(this.wishes, wishesIn(palette), wished, this.untold);
    this.showAll();
  }

  /** @param {string} text */
  say(text) {
    write(this.said, text);
  }

  /** @returns {import("../types.js").Programme} */
  programme() {
    const controls = { ...this.wishes };
    if (this.voices.value === NO_SKY) return { mode: "sandbox", controls };
    if (this.voices.value === SKY_NOW) return { mode: "transit", controls };
    const birth = savedBirths()[Number(this.voices.value)];
    return { mode: "natal", charts: [birthOfSaved(birth)], controls };
  }

  /** The lists follow what is saved. */
  refresh() {
    const births = savedBirths().map((birth, n) => new Option(birthName(birth), String(n)));
    const { value } = this.voices;
    const first = [new Option("without a sky", NO_SKY), new Option("of the sky now", SKY_NOW)];
    this.voices.replaceChildren(...first, ...births);
    this.voices.value = value || NO_SKY;
  }
}

/** @param {readonly string[]} words @param {string} name */
function selectOf(words, name) {
  const select = document.createElement("select");
  select.append(...words.map((word) => new Option(wishText({ name, title: "" }, word), word)));
  return select;
}

/** @param {import("./wishes.js").Control} control */
function sliderOf({ low, high, step }) {
  const slider = document.createElement("input");
  slider.type = "range";
  Object.assign(slider, { min: String(low), max: String(high), step: String(step) });
  return slider;
}
