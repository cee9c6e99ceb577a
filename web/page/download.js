/** Taking it along: a dialog that makes a file of the last or next minutes. Main thread. */

import { BYTES_PER_MINUTE, fileName, sizeText, stretchOf } from "../files/stretch.js";
import { part } from "./elements.js";

const NOTES = "/api/midi";
const SAMPLE_RATE = 48000;
const NO_WORKER = "This browser did not start the maker of files. Reload the page.";
const NO_ANSWER = "The server does not answer. Try again later.";

/** @typedef {import("../types.js").Programme} Programme */
/** @typedef {import("../files/stretch.js").Stretch} Stretch */

/**
 * @typedef {object} Place Where the listener is.
 * @property {Programme} programme Resolved.
 * @property {number} index
 * @property {(index: number) => number} utcMs NaN where no clock runs with it.
 * @property {(index: number) => string} say A moment, as the page tells it.
 */

export class Download {
  /**
   * @param {Document} page
   * @param {URL} stream
   * @param {{place: () => Place | null, say: (text: string) => void}} on
   */
  constructor(page, stream, on) {
    this.page = page;
    this.stream = stream;
    this.on = on;
    this.dialog = part(page, "#take", HTMLDialogElement);
    this.form = part(page, "#take-form", HTMLFormElement);
    this.said = part(page, "#take-said");
    this.bar = part(page, "#take-bar", HTMLProgressElement);
    this.save = part(page, "#take-save", HTMLButtonElement);
    this.stop = part(page, "#take-stop");
    /** @type {Worker | null} */
    this.worker = null;
    /** @type {AbortController | null} */
    this.asking = null;
    part(page, "#open-take").addEventListener("click", () => {
      this.dialog.showModal();
      if (!this.isBusy) this.tellSize();
    });
    this.dialog.addEventListener("click", ({ target }) => {
      if (target === this.dialog) this.dialog.close();
    });
    part(page, "#take-close").addEventListener("click", () => this.dialog.close());
    this.form.addEventListener("input", () => this.tellSize());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.begin();
    });
    this.stop.addEventListener("click", () => this.end("Stopped; nothing is kept."));
  }

  get isBusy() {
    return this.worker !== null || this.asking !== null;
  }

  /** @returns {{side: "last" | "next", minutes: number, format: "opus" | "wav" | "mid"}} */
  get wish() {
    const wish = new FormData(this.form);
    return /** @type {any} */ ({ ...Object.fromEntries(wish), minutes: Number(wish.get("minutes")) });
  }

  /** Say what will be in the file, and how large it will be. */
  tellSize() {
    if (this.isBusy) return;
    const { side, minutes, format } = this.wish;
    const place = this.on.place();
    const stretch = place && stretchOf(side, minutes, place.index);
    this.save.disabled = !stretch?.samples;
    if (!place || !stretch) this.said.textContent = "The sky is not known yet.";
    else if (stretch.samples === 0) this.said.textContent = "Nothing lies before: this music begins here.";
    else {
      const { start, samples } = stretch;
      const size = sizeText((BYTES_PER_MINUTE[format] * samples) / (60 * SAMPLE_RATE));
      this.said.textContent = `${place.say(start)} to ${place.say(start + samples)}, about ${size}.`;
    }
  }

  begin() {
    const place = this.on.place();
    if (!place || this.isBusy) return;
    const { side, minutes, format } = this.wish;
    const stretch = stretchOf(side, minutes, place.index);
    if (stretch.samples === 0) return;
    const name = fileName(place.programme, stretch.start, place.utcMs(stretch.start), format);
    this.busy(true);
    this.said.textContent = "Asking the server.";
    if (format === "mid") this.askNotes(place.programme, stretch, name);
    else this.wind(format, place.programme, stretch, name);
  }

  /** @param {string} format @param {Programme} programme @param {Stretch} stretch @param {string} name */
  wind(format, programme, stretch, name) {
    const worker = new Worker(new URL("../files/worker.js", import.meta.url), { type: "module" });
    this.worker = worker;
    worker.onmessage = ({ data }) => {
      if (data.type === "progress") this.progress(data.done);
      else if (data.type === "failed") this.end(data.say);
      else this.finish(data.file, name);
    };
    worker.onerror = () => this.end(NO_WORKER);
    const tags = { TITLE: "Astradio", DESCRIPTION: `From sample ${stretch.start} of the stream` };
    worker.postMessage({ url: this.stream.href, format, programme, stretch, tags });
  }

  /** @param {Programme} programme @param {Stretch} stretch @param {string} name */
  async askNotes(programme, { start, samples }, name) {
    this.asking = new AbortController();
    const { signal } = this.asking;
    const body = JSON.stringify({ ...programme, from: start, durationS: samples / SAMPLE_RATE });
    try {
      // Without cookies: it changes nothing, and concerns no account.
      const headers = { "Content-Type": "application/json" };
      const asked = { method: "POST", body, headers, credentials: /** @type {const} */ ("omit"), signal };
      const response = await fetch(NOTES, asked);
      if (response.ok) this.finish(await response.blob(), name);
      else this.end(await refusalIn(response));
    } catch {
      if (!signal.aborted) this.end(NO_ANSWER);
    }
  }

  /** @param {number} done 0 … 1. */
  progress(done) {
    this.bar.value = Math.max(0, done);
    this.said.textContent = `${Math.floor(100 * this.bar.value)} % is there.`;
  }

  /** @param {Blob} file @param {string} name */
  finish(file, name) {
    const link = this.page.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    this.end(`Saved as ${name}, ${sizeText(file.size)}.`);
    if (!this.dialog.open) this.on.say("The file is saved.");
  }

  /** @param {string} say */
  end(say) {
    this.worker?.terminate();
    this.asking?.abort();
    this.worker = null;
    this.asking = null;
    this.busy(false);
    this.said.textContent = say;
  }

  /** @param {boolean} isBusy */
  busy(isBusy) {
    const hadFocus = this.page.activeElement === this.stop;
    this.bar.hidden = !isBusy;
    this.bar.value = 0;
    this.stop.hidden = !isBusy;
    this.save.hidden = isBusy;
    if (isBusy) this.stop.focus();
    else if (hadFocus) this.save.focus();
  }
}

/** @param {Response} response @returns {Promise<string>} */
async function refusalIn(response) {
  const wait = Number(response.headers.get("Retry-After"));
  if (response.status === 429 || response.status === 503) {
    const when = wait > 0 ? `in ${wait} s` : "later";
    return `The server has no time for it now. Try again ${when}.`;
  }
  const { error } = await response.json();
  return `The server refused: ${error.message}.`;
}
