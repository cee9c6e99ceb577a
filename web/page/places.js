/** Choosing a town by typing: a text field, its list, and the two numbers it stands for. Main thread. */

const ASK_AFTER_MS = 120;
const MOST = 8;
const UNCHOSEN = "Choose a town from the list.";

/**
 * @param {{name: string, region: string | null, country: string}} town
 * @returns {string}
 */
function titleOf({ name, region, country }) {
  return [name, region, country].filter(Boolean).join(", ");
}

export class Places {
  /** @param {HTMLFormElement} form With fields `town`, `lat`, `lon` and a datalist. */
  constructor(form) {
    /** @param {string} selector @returns {HTMLInputElement} */
    const input = (selector) => form.querySelector(selector);
    this.town = input("input[list]");
    this.lat = input("[name=lat]");
    this.lon = input("[name=lon]");
    this.list = form.querySelector("datalist");
    const first = { lat: Number(this.lat.value), lon: Number(this.lon.value) };
    /** @type {Map<string, {lat: number, lon: number}>} */
    this.known = new Map([[this.town.value, first]]);
    this.timer = 0;
    this.town.addEventListener("input", () => this.typed());
  }

  typed() {
    if (this.choose()) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(this.town.value.trim()), ASK_AFTER_MS);
  }

  /** Take the town if it is one we know; say so if it is not. */
  choose() {
    const place = this.known.get(this.town.value);
    this.town.setCustomValidity(place ? "" : UNCHOSEN);
    if (place) {
      this.lat.value = String(place.lat);
      this.lon.value = String(place.lon);
    }
    return place !== undefined;
  }

  /** @param {string} text */
  async ask(text) {
    if (text === "") return;
    const query = new URLSearchParams({ q: text, limit: String(MOST) });
    const response = await fetch(`/api/places?${query}`);
    if (!response.ok) return;
    const towns = await response.json();
    for (const town of towns) this.known.set(titleOf(town), town);
    const options = towns.map((town) => new Option(titleOf(town), titleOf(town)));
    this.list.replaceChildren(...options);
    this.choose();
  }
}
