/**
 * What plays, and where in it: the programme, the conversation with the server, the index. Main thread;
 * draws nothing and writes no word.
 *
 * While the conversation lasts a jump is a word in it. Without one a jump, like a change that the server
 * will not take while it plays and another programme, asks for the stream anew from an index.
 */

import { Player } from "../sound/player.js";
import { SAMPLE_RATE } from "../wire/quantum.js";
import { indexAt, utcMsAt } from "./address.js";
import { Due } from "./due.js";
import { refusalOf } from "./sentences.js";
import { askStatus } from "./status.js";

/** @typedef {import("../types.js").Programme} Programme */
/** @typedef {import("../types.js").Ready} Ready */

/**
 * @typedef {object} RadioHandlers
 * @property {(ready: Ready) => void} ready A stream begins, here or elsewhere.
 * @property {(quantum: any) => void} viz
 * @property {(codec: string) => void} prepared
 * @property {(stats: any) => void} stats
 * @property {() => void} changed Playing or not, sounding or not, connected or not.
 * @property {(message: any) => void} steered
 * @property {(error: {code: string, message: string}) => void} refused A message, not the stream.
 */

export class Radio {
  /**
   * @param {Omit<import("../sound/player.js").PlayerOptions, "on">} options
   * @param {Programme} programme
   * @param {number | undefined} from Sample index to begin at; undefined joins a station live.
   * @param {RadioHandlers} on
   */
  constructor(options, programme, from, on) {
    this.on = on;
    this.programme = programme;
    this.from = from;
    /** @type {Ready | null} What the server said last of the programme that plays. */
    this.ready = null;
    this.isPlaying = false;
    /** Asked for and not heard yet; NaN if none. */
    this.sought = Number.NaN;
    this.retryAtMs = 0;
    /** What the server said before it closed. */
    this.reason = "";
    /** @type {import("./sentences.js").Situation} */
    this.situation = { link: "idle", sounds: false, say: "", waitMs: 0, wasOpen: false };
    this.due = new Due();
    /** Of two charts, to see who plays. */
    this.notes = new Due();
    this.player = new Player(options, {
      prepared: ({ codec }) => on.prepared(codec),
      ready: ({ ready, jumps }) => this.begin(ready, jumps),
      viz: on.viz,
      message: ({ message }) => this.attend(message),
      link: (change) => this.linked(change),
      stats: on.stats,
      sound: ({ type }) => this.sounds(type === "playing"),
      broken: () => this.end("refused", "The player could not start. Reload the page."),
    });
  }

  /** @param {number} pageMs @returns {number} Sample index heard then; NaN in silence. */
  heardAt(pageMs) {
    this.player.readClock();
    return this.player.indexHeard(pageMs);
  }

  heardNow() {
    return this.heardAt(performance.now());
  }

  /** The index heard, or where it stopped or will begin: 0 for what has not been begun. */
  place() {
    const heard = this.heardNow();
    if (Math.abs(heard - this.sought) < SAMPLE_RATE) this.sought = Number.NaN;
    if (!Number.isNaN(this.sought)) return this.sought;
    return Number.isNaN(heard) ? (this.from ?? this.ready?.from ?? 0) : heard;
  }

  /** @returns {number} Milliseconds since 1970 of the sky at the place; NaN before anything is known. */
  utcMs() {
    return this.ready ? utcMsAt(this.ready, this.place()) : Number.NaN;
  }

  toggle() {
    if (this.isPlaying) this.stop();
    else this.play(this.programme, this.from);
  }

  /**
   * Play a programme, from an index; whatever played before ends. To be called inside a click.
   *
   * @param {Programme} programme
   * @param {number} [from]
   */
  play(programme, from) {
    if (this.isPlaying) this.player.stop();
    if (programme !== this.programme) this.ready = null;
    this.programme = programme;
    this.from = from;
    this.sought = Number.NaN;
    this.reason = "";
    this.forget();
    Object.assign(this.situation, { link: "connecting", say: "", wasOpen: false });
    this.isPlaying = true;
    this.player.fade(0);
    this.player.play(programme, from);
    this.on.changed();
  }

  /** @param {number} index Where to go on; rounded down to what the stream has. */
  seek(index) {
    const { ready } = this;
    this.from = Math.max(0, Math.floor(index));
    if (!this.isPlaying) return this.on.changed();
    if (this.situation.link === "open") {
      this.sought = this.from;
      return this.player.seek(this.from);
    }
    this.play(this.programme, this.from);
    this.ready = ready;
  }

  /** @param {number} utcMs Moment of the sky to hear. */
  seekMoment(utcMs) {
    const index = this.ready ? indexAt(this.ready, utcMs) : Number.NaN;
    if (!Number.isNaN(index)) this.seek(index);
  }

  /** A station, as everybody hears it. */
  goLive() {
    if (this.isPlaying) this.play(this.programme);
    else this.from = undefined;
  }

  /**
   * Change what is wished of the music while it plays.
   *
   * @param {import("../types.js").Wishes} controls Only what changes.
   * @param {string} quantise `now`, `beat` or `bar`.
   */
  steer(controls, quantise) {
    this.player.steer(controls, quantise);
  }

  /** Stop; a programme of one's own waits where it was left, a station goes on without us. */
  stop() {
    this.end("idle", "");
  }

  /** @param {"idle" | "refused"} link @param {string} say */
  end(link, say) {
    const index = this.heardNow();
    if (this.ready && !this.ready.live && index) this.from = Math.floor(index);
    else if (this.ready?.live) this.from = undefined;
    this.sought = Number.NaN;
    this.player.stop();
    this.forget();
    this.isPlaying = false;
    Object.assign(this.situation, { link, say, wasOpen: false });
    this.on.changed();
  }

  /** @param {Ready} ready @param {boolean} jumps What was to come will not. */
  begin(ready, jumps) {
    if (jumps) this.forget();
    this.ready = ready;
    // Every default resolved: only this very programme goes on where it was left.
    this.programme = ready.programme;
    this.situation.wasOpen = true;
    this.on.ready(ready);
  }

  /** What was to come will not. */
  forget() {
    this.due.clear();
    this.notes.clear();
  }

  /** @param {import("../types.js").SkyEvent} event */
  note(event) {
    const { mode } = this.programme;
    if (mode === "compatibility" || mode === "overlay") this.notes.add(event);
  }

  /** @param {any} message */
  attend(message) {
    // Notes come too thick for words; of two charts they tell the wheel whose body plays.
    if (message.type === "event" && message.kind === "note") return this.note(message);
    if (message.type === "event") this.due.add(message);
    else if (message.type === "steered") {
      this.programme = message.programme;
      this.due.forgetFrom(message.effective);
      this.notes.forgetFrom(message.effective);
      if (this.ready) this.ready = { ...this.ready, programme: message.programme };
      this.on.steered(message);
    } else if (message.type === "error") {
      if (message.fatal) this.reason = sentence(message.error.message);
      else {
        this.sought = Number.NaN;
        this.on.refused(message.error);
      }
    }
  }

  /** @param {{state: any, say: string, delayMs: number, opened: boolean}} change */
  async linked({ state, say, delayMs, opened }) {
    if (!this.isPlaying) return;
    if (state === "refused") return this.end("refused", this.reason || say);
    this.situation.link = state;
    if (state === "lost") {
      const retryAtMs = performance.now() + delayMs;
      this.retryAtMs = retryAtMs;
      if (opened) this.situation.say = say;
      else {
        this.situation.say ||= refusalOf({ state: "" }); // until more is known
        const told = await askStatus();
        if (!this.isPlaying || this.retryAtMs !== retryAtMs) return;
        this.situation.say = told;
      }
    }
    this.on.changed();
  }

  /** @param {boolean} isSounding */
  sounds(isSounding) {
    this.situation.sounds = isSounding;
    this.on.changed();
  }

  /** How long the stream has run at the place (seconds). */
  streamS() {
    return this.place() / SAMPLE_RATE;
  }
}

/** @param {string} text As the server says it: `programme.at must …`, or `at: it must …`. */
function sentence(text) {
  const said = text.replaceAll("programme.", "").replace(/^[\w.[\]]+: /, "");
  return `The server refused: ${said}${said.endsWith(".") ? "" : "."}`;
}
