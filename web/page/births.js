/** The fields of a birth: a name, a date, a time or none, a town. Main thread. */

import { element, part } from "./elements.js";
import { Places } from "./places.js";
import { forgetBirth, savedBirths } from "./saved.js";
import { birthName } from "./sentences.js";

/** @typedef {import("./saved.js").SavedBirth} SavedBirth */

/**
 * A birth as a programme has it.
 *
 * @param {SavedBirth} birth
 * @returns {import("../types.js").Birth}
 */
export function birthOfSaved({ datetime, tz, lat, lon, name }) {
  return { datetime, tz, lat, lon, ...(name ? { name } : {}) };
}

/**
 * Offer the saved births in a list.
 *
 * @param {HTMLSelectElement} select
 * @param {string} first What stands for none of them.
 */
export function offerBirths(select, first) {
  const saved = savedBirths();
  const options = saved.map((birth, n) => new Option(birthName(birth), String(n)));
  select.replaceChildren(new Option(first, ""), ...options);
  return saved;
}

export class BirthFields {
  /** @param {HTMLElement} holder */
  constructor(holder) {
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById("birth-fields"));
    holder.append(template.content.cloneNode(true));
    const input = (/** @type {string} */ name) => part(holder, `[data-field=${name}]`, HTMLInputElement);
    this.holder = holder;
    this.name = input("name");
    this.date = input("date");
    this.time = input("time");
    this.unknown = input("unknown");
    this.saved = part(holder, "[data-field=saved]", HTMLSelectElement);
    this.places = new Places(part(holder, ".place"), "Birthplace");
    this.unknown.addEventListener("change", () => this.askTime());
    this.saved.addEventListener("change", () => this.fill(savedBirths()[Number(this.saved.value)]));
    this.offer();
  }

  offer() {
    const saved = offerBirths(this.saved, "A new birth");
    part(this.holder, ".chosen").hidden = saved.length === 0;
  }

  askTime() {
    this.time.disabled = this.unknown.checked;
    this.time.required = !this.unknown.checked;
    if (this.unknown.checked) this.time.value = "";
  }

  /** @param {SavedBirth | undefined} birth */
  fill(birth) {
    const [date, time] = (birth?.datetime ?? "").split("T");
    this.name.value = birth?.name ?? "";
    this.date.value = date;
    this.unknown.checked = birth !== undefined && time === undefined;
    this.askTime();
    this.time.value = time ?? "";
    this.places.choose(birth?.town ?? null);
  }

  /** @returns {SavedBirth} The form has been found complete. */
  value() {
    const town = /** @type {import("../types.js").Town} */ (this.places.chosen);
    const datetime = this.unknown.checked ? this.date.value : `${this.date.value}T${this.time.value}`;
    const { tz, lat, lon } = town;
    return { datetime, tz, lat, lon, name: this.name.value.trim(), town };
  }
}

/**
 * A row of the list of saved births.
 *
 * @param {SavedBirth} birth
 * @param {{listen: (birth: SavedBirth) => void, under: (birth: SavedBirth) => void, changed: () => void}} on
 */
export function savedRow(birth, on) {
  const row = element("li", "");
  const name = birthName(birth);
  const when = birth.datetime.replace("T", ", ");
  const words = element("p", "", name);
  words.append(element("span", "quiet", `${when}, ${birth.town.name}`));
  const button = (/** @type {string} */ text, /** @type {() => void} */ act) => {
    const made = element("button", "quiet-button", text);
    made.setAttribute("type", "button");
    made.setAttribute("aria-label", `${text}: ${name}`);
    made.addEventListener("click", act);
    return made;
  };
  row.append(
    words,
    button("Listen", () => on.listen(birth)),
    button("Under the sky now", () => on.under(birth)),
    button("Forget", () => {
      forgetBirth(birth);
      on.changed();
    }),
  );
  return row;
}
