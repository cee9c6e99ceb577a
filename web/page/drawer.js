/** The status drawer: the figures behind the sound, and what is rarely changed. Main thread. */

import { part } from "./elements.js";

export class Drawer {
  /**
   * @param {Document} page
   * @param {{delay: (ms: number) => void}} on
   */
  constructor(page, on) {
    this.dialog = part(page, "#status", HTMLDialogElement);
    this.list = part(page, "#figures");
    /** @type {Record<string, string | number>} */
    this.figures = {};
    part(page, "#open-status").addEventListener("click", () => {
      this.dialog.showModal();
      this.show();
    });
    const delay = part(page, "#delay", HTMLInputElement);
    delay.addEventListener("input", () => {
      delay.setAttribute("aria-valuetext", `${delay.value} ms`);
      on.delay(delay.valueAsNumber);
    });
    // A click beside the drawer closes it: only the backdrop belongs to the dialog itself.
    this.dialog.addEventListener("click", ({ target }) => {
      if (target === this.dialog) this.dialog.close();
    });
  }

  /** @param {Record<string, string | number>} figures */
  note(figures) {
    Object.assign(this.figures, figures);
    if (this.dialog.open) this.show();
  }

  show() {
    const rows = Object.entries(this.figures).flatMap(([name, value]) => {
      const term = document.createElement("dt");
      const number = document.createElement("dd");
      term.textContent = name;
      number.textContent = String(value);
      return [term, number];
    });
    this.list.replaceChildren(...rows);
  }
}
