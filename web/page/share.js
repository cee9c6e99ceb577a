/**
 * The link to this very second, copied. Main thread.
 *
 * The link of a programme with births holds them, for nothing else can play it. So the listener is
 * asked first: birth data leave this device only where the listener says so.
 */

import { part } from "./elements.js";

export class Share {
  /**
   * @param {Document} page
   * @param {{link: () => string, births: () => string[], say: (text: string) => void}} on
   */
  constructor(page, on) {
    this.on = on;
    this.dialog = part(page, "#share", HTMLDialogElement);
    this.asks = part(page, "#share-asks");
    part(page, "#link").addEventListener("click", () => this.ask());
    part(page, "#share-copy").addEventListener("click", () => this.copy());
  }

  ask() {
    const births = this.on.births();
    if (births.length === 0) return this.copy();
    this.asks.textContent =
      `This link would hold the date, time and place of birth of ${births.join(" and of ")}. ` +
      "Whoever has the link can read them.";
    this.dialog.showModal();
  }

  async copy() {
    const link = this.on.link();
    try {
      await navigator.clipboard.writeText(link);
      this.on.say("Copied: a link that plays from this very second.");
    } catch {
      history.replaceState(null, "", link);
      this.on.say("The link to this very second stands in the address.");
    }
  }
}
