/**
 * What the page says of what plays: title, moment, voices, what comes. Main thread.
 *
 * A sky is shown when it is known, words follow the sound a few times a second; unlike the picture
 * they go on in a hidden tab.
 */

import { bodyTitle, degreesText, signAt, wrapDeg } from "../picture/zodiac.js";
import { hasMovingSky, indexAt, utcMsAt } from "./address.js";
import { chartsOf } from "./chartsof.js";
import { Column } from "./column.js";
import { ComingList } from "./coming.js";
import { part, write } from "./elements.js";
import { Numbers } from "./numbers.js";
import { learn, shownBirth } from "./published.js";
import { Scrub } from "./scrub.js";
import {
  awayText,
  birthName,
  chartText,
  dateText,
  elapsedText,
  keyText,
  placeText,
  programmeText,
  secondsText,
  sentenceOf,
  tempoText,
  timeText,
} from "./sentences.js";

/** @typedef {import("../types.js").Ready} Ready */

/** Above this rate the ascendant would spin: the wheel then stands on 0° Aries, without houses. */
const FASTEST_HOUSES = 600;
/** A station heard within this of now is heard now: the buffer lies between (seconds). */
const NOW_S = 30;

export class Screen {
  /**
   * @param {Document} page
   * @param {import("./radio.js").Radio} radio
   * @param {import("../picture/show.js").Show | null} show
   */
  constructor(page, radio, show) {
    this.page = page;
    this.radio = radio;
    this.show = show;
    /** @type {import("../picture/viztrack.js").VizTrack | null} */
    this.track = null;
    /** @type {Ready | null} The sky on the wheel. */
    this.seen = null;
    this.moment = "";
    this.section = "";
    this.column = new Column(part(page, "#voices"));
    this.coming = new ComingList(part(page, "#coming"), (index) => radio.seek(index));
    this.numbers = new Numbers(page);
    this.scrub = new Scrub(page, (index) => radio.seek(index));
    this.caption = part(page, "#caption");
    this.back = part(page, "#back-to-now");
    this.back.addEventListener("click", () => radio.goLive());
    /** Called with each event when it is heard. */
    /** @type {(event: import("../types.js").SkyEvent) => void} */
    this.onHeard = () => {};
  }

  /** @param {string} id @param {string} text */
  text(id, text) {
    write(part(this.page, `#${id}`), text);
  }

  /**
   * Show everything that `ready` says of the sky; also from a look without play.
   *
   * @param {Ready} seen
   * @returns {Promise<{title: string, subtitle: string}>} What plays, for the lock screen.
   */
  async showSky(seen) {
    await learn(seen.programme);
    const { title, lede } = programmeText(shownReady(seen), utcMsAt(seen, seen.from));
    this.text("title", title);
    this.text("lede", lede);
    this.page.title = `Astradio: ${title}`;
    const charts = await chartsOf(seen);
    this.seen = seen;
    const rate = hasMovingSky(seen.programme) ? (seen.live ? 1 : (seen.programme.rate ?? 1)) : 0;
    const isFast = rate > FASTEST_HOUSES && charts.length === 1;
    const [first, second] = charts.map(({ chart }) => chart);
    const voices = isFast ? { ...first, angles: null, cuspsDeg: null } : first;
    this.column.show(voices, seen.palette);
    this.show?.show(voices, seen.from, rate, second ?? null, seen.programme.mode === "overlay");
    this.numbers.show(charts, seen.palette);
    const wheel = charts.map(({ title: whose, chart }) => chartText(chart.bodies.map(inWords), whose));
    part(this.page, "#wheel").setAttribute("aria-label", wheel.join(" "));
    this.moment = "";
    this.showMoment(seen, seen.from);
    return { title, subtitle: keyText(seen.palette) };
  }

  /**
   * Write the centre of the wheel, and what stands beside the title.
   *
   * @param {Ready} seen
   * @param {number} index
   */
  showMoment(seen, index) {
    const { palette, chart, programme } = seen;
    const music = [keyText(palette), tempoText(palette)];
    const lines = hasMovingSky(programme)
      ? movingLines(utcMsAt(seen, index), chart.place ? placeText(chart.place) : "")
      : stillLines(seen, index);
    const all = [...lines, ...music];
    this.text("facts", [...music, palette.genre ?? "", this.section].filter(Boolean).join(" · "));
    if (all.join() === this.moment) return;
    this.moment = all.join();
    this.show?.wheel.write(all);
    if (this.show && !this.show.running) this.show.drawStill();
  }

  /** Words follow the sound. */
  words() {
    const { radio } = this;
    const { situation, player } = radio;
    situation.waitMs = Math.max(0, radio.retryAtMs - performance.now());
    const state = player.isHeldBack()
      ? "The browser holds the sound back. Press play."
      : sentenceOf(situation);
    this.text("state", state);
    this.refuse(situation.link === "refused" ? state : "");
    const index = radio.heardNow();
    const seen = radio.ready ?? this.seen;
    if (Number.isNaN(index) || seen === null) return;
    const awayS = seen.live ? (utcMsAt(seen, index) - Date.now()) / 1000 : 0;
    const isAway = Math.abs(awayS) > NOW_S;
    this.back.hidden = !isAway;
    if (isAway && situation.sounds) this.text("state", `${state} ${awayText(awayS)}`.trim());
    this.clock(seen, index);
    this.scrub.show(index, seen.live !== null);
    this.showMoment(seen, index);
    this.coming.show(index, (utcMs) => indexAt(seen, utcMs), radio.due.waiting);
    if (this.track && (this.show?.running || this.track.look(index))) this.column.listen(this.track);
    for (const event of radio.due.until(index)) this.heard(event);
  }

  /** @param {string} why What was asked for cannot be played; empty where it can. */
  refuse(why) {
    const isOwn = this.radio.programme.station === undefined;
    if (why && this.seen === null && isOwn) this.text("title", "This sky cannot be played");
    this.text("refusal", why);
  }

  /**
   * Show what comes before anything plays.
   *
   * @param {Ready} seen
   */
  idle(seen) {
    this.clock(seen, seen.from);
    this.scrub.show(seen.from, seen.live !== null);
    this.coming.show(seen.from, (utcMs) => indexAt(seen, utcMs), []);
  }

  /** @param {Ready} seen @param {number} index */
  clock(seen, index) {
    const moves = hasMovingSky(seen.programme);
    const utcMs = utcMsAt(seen, index);
    this.text("date", moves ? `${dateText(utcMs)}, ` : "");
    this.text("time", moves ? secondsText(utcMs) : elapsedText(index / 48000));
  }

  /**
   * Where the listener is, or would begin; null before the sky is known.
   *
   * @returns {import("./download.js").Place | null}
   */
  place() {
    const { radio } = this;
    const seen = radio.ready ?? this.seen;
    if (seen === null) return null;
    const heard = radio.heardNow();
    const begins = radio.from ?? (seen.live ? indexAt(seen, Date.now()) : seen.from);
    return {
      programme: seen.programme,
      index: Number.isNaN(heard) ? begins : heard,
      utcMs: (index) => utcMsAt(seen, index),
      say: (index) => (seen.live ? secondsText(utcMsAt(seen, index)) : elapsedText(index / 48000)),
    };
  }

  /** @param {import("../types.js").SkyEvent} event */
  heard(event) {
    if (event.kind === "section") this.section = event.text.replace(/^Section \d+: /, "");
    write(this.caption, event.text);
    this.show?.wheel.dialogue.happen(event);
    this.onHeard(event);
  }
}

/** @param {Ready} seen @returns {Ready} With the names of published charts, as far as they are known. */
function shownReady(seen) {
  const charts = seen.programme.charts?.map(shownBirth);
  return charts ? { ...seen, programme: { ...seen.programme, charts } } : seen;
}

/** @param {import("../types.js").Body} body */
function inWords({ name, longitudeDeg }) {
  const deg = wrapDeg(longitudeDeg);
  return `${bodyTitle(name)} ${degreesText(deg % 30)} ${signAt(deg).title}`;
}

/** @param {number} utcMs @param {string} place */
function movingLines(utcMs, place) {
  return [timeText(utcMs), dateText(utcMs), place];
}

/** @param {Ready} seen @param {number} index */
function stillLines({ programme }, index) {
  const time = elapsedText(index / 48000);
  const births = (programme.charts ?? []).map(shownBirth);
  if (births.length === 2) return [births.map(birthName).join(" & "), time, ""];
  const [birth] = births;
  if (!birth) return ["Sandbox", time, "no sky"];
  if (birth.chartId) return [birth.name ?? "", time, ""];
  const date = dateText(Date.parse(`${birth.datetime.slice(0, 10)}T12:00:00Z`));
  return [birth.name || "Birth", date, placeText(birth)];
}
