/** The stations, and which of them plays. Main thread. */

import { element, part } from "./elements.js";
import { stationText } from "./sentences.js";

export class Stations {
  /**
   * @param {Document} page
   * @param {(station: string) => void} play Called inside the click.
   */
  constructor(page, play) {
    this.holder = part(page, "#stations");
    this.play = play;
    /** @type {{name: string, button: HTMLElement}[]} */
    this.buttons = [];
    this.offer(["now"]);
  }

  /** @param {readonly string[]} names As the server offers them. */
  offer(names) {
    this.buttons = names.map((name) => {
      const text = name === "now" ? "The sky, now" : stationText(name).replace("The sky, now: ", "");
      const button = element("button", "chip", text);
      button.setAttribute("type", "button");
      button.addEventListener("click", () => this.play(name));
      return { name, button };
    });
    this.holder.replaceChildren(...this.buttons.map(({ button }) => button));
  }

  /** @param {string | undefined} station Which one is tuned in, if one is. */
  show(station) {
    // One station, tuned in: nothing to choose.
    this.holder.hidden = this.buttons.length === 1 && station === this.buttons[0].name;
    for (const { name, button } of this.buttons) {
      button.setAttribute("aria-pressed", String(name === station));
    }
  }
}
