/**
 * Choosing a town by typing: a combobox with a list below it. Main thread.
 *
 * Source of the pattern: W3C, ARIA Authoring Practices Guide, "Editable combobox with list
 * autocomplete".
 */

import { element, part } from "./elements.js";

/** @typedef {import("../types.js").Town} Town */

const ASK_AFTER_MS = 120;
const MOST = 7;
const UNCHOSEN = "Choose a town from the list.";

let count = 0;

/**
 * @param {{name: string, region: string | null, country: string}} town
 * @returns {string}
 */
function titleOf({ name, region, country }) {
  return [name, region, country].filter(Boolean).join(", ");
}

export class Places {
  /**
   * @param {HTMLElement} holder Where the fields are put.
   * @param {string} label
   */
  constructor(holder, label) {
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById("place-fields"));
    holder.append(template.content.cloneNode(true));
    part(holder, "[data-field=label]").textContent = label;
    this.input = part(holder, "[data-field=town]", HTMLInputElement);
    this.list = part(holder, ".towns");
    count += 1;
    this.list.id = `towns-${count}`;
    this.list.setAttribute("aria-label", label);
    this.input.setAttribute("aria-controls", this.list.id);
    /** @type {Town | null} */
    this.chosen = null;
    /** @type {Town[]} */
    this.offered = [];
    this.active = -1;
    this.timer = 0;
    this.asked = 0;
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => this.close());
    // Before the field loses the focus, and the list with it.
    this.list.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const option = /** @type {Element} */ (event.target).closest("[role=option]");
      if (option) this.choose(this.offered[Number(option.getAttribute("data-n"))]);
    });
  }

  /** @param {Town | null} town */
  choose(town) {
    this.chosen = town;
    this.input.value = town ? titleOf(town) : "";
    this.input.setCustomValidity("");
    this.close();
  }

  typed() {
    this.chosen = null;
    this.input.setCustomValidity(this.input.value === "" ? "" : UNCHOSEN);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(this.input.value.trim()), ASK_AFTER_MS);
  }

  /** @param {string} text */
  async ask(text) {
    if (text === "") return this.close();
    this.asked += 1;
    const mine = this.asked;
    const query = new URLSearchParams({ q: text, limit: String(MOST) });
    try {
      const response = await fetch(`/api/places?${query}`);
      // An answer to what was typed before would take the place of the right one.
      if (mine !== this.asked || !response.ok) return;
      this.offer(await response.json());
    } catch {
      this.close();
    }
  }

  /** @param {Town[]} towns */
  offer(towns) {
    this.offered = towns;
    const options = towns.map((town, n) => {
      const option = element("li", "", town.name);
      option.id = `${this.list.id}-${n}`;
      option.setAttribute("role", "option");
      option.setAttribute("data-n", String(n));
      option.append(element("span", "quiet", [town.region, town.country].filter(Boolean).join(", ")));
      return option;
    });
    this.list.replaceChildren(...options);
    this.list.hidden = towns.length === 0;
    this.input.setAttribute("aria-expanded", String(towns.length > 0));
    this.point(towns.length > 0 ? 0 : -1);
    this.turn();
  }

  /** The list opens upward where the player would cover it: nothing moves under a pointer. */
  turn() {
    const { top, bottom } = this.input.getBoundingClientRect();
    const height = this.list.offsetHeight;
    const floor = part(document, "#transport").getBoundingClientRect().top;
    this.list.classList.toggle("above", bottom + height > floor && top > height);
  }

  /** @param {number} n Of the option that Enter takes. */
  point(n) {
    this.active = n;
    [...this.list.children].forEach((option, at) => {
      option.setAttribute("aria-selected", String(at === n));
    });
    if (n >= 0) this.input.setAttribute("aria-activedescendant", `${this.list.id}-${n}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (this.list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      const { length } = this.offered;
      this.point((this.active + step + length) % length);
    } else if (event.key === "Enter" && this.active >= 0) this.choose(this.offered[this.active]);
    else if (event.key === "Tab" && this.active >= 0) return this.choose(this.offered[this.active]);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.point(-1);
  }
}
