/**
 * The picture's loop: per animation frame, draw what is heard now; rest when nothing moves. Main thread.
 *
 * Nothing audible depends on it: in a hidden tab it stops, and on return it draws the index heard then.
 */

import { loadPaths } from "./dial.js";
import { drawStars } from "./stars.js";
import { Wheel } from "./wheel.js";

const STARS_EVERY_MS = 10000;
/** Fewer frames per second than this, two seconds long, and the picture is drawn coarser. */
const LEAST_FPS = 50;
const SLOW_SECONDS = 2;
/** After the sound has stopped, light dies away at this rate per frame. */
const DECAY = 0.94;
const DARK = 0.01;

export class Show {
  /**
   * @param {HTMLCanvasElement} wheel
   * @param {HTMLCanvasElement} stars
   * @param {(pageMs: number) => number} indexHeard NaN in silence.
   * @param {() => import("../page/due.js").Due} notes Those of two charts.
   */
  constructor(wheel, stars, indexHeard, notes) {
    loadPaths();
    wheel.getBoundingClientRect(); // The page's first layout is not the picture's to answer for.
    const startMs = performance.now();
    this.stars = stars;
    this.indexHeard = indexHeard;
    this.notes = notes;
    this.wheel = new Wheel(wheel);
    /** @type {import("./viztrack.js").VizTrack | null} */
    this.track = null;
    this.chartIndex = 0;
    this.rate = 0;
    const stillness = matchMedia("(prefers-reduced-motion: reduce)");
    this.isStill = stillness.matches;
    stillness.addEventListener("change", () => {
      this.isStill = stillness.matches;
      this.run();
    });
    this.frames = 0;
    this.lastMs = 0;
    this.slowSeconds = 0;
    this.starsMs = -Infinity;
    this.light = 0;
    this.running = false;
    this.drawnIndex = Number.NaN;
    this.tick = /** @param {number} pageMs */ (pageMs) => this.frame(pageMs);
    this.wheel.draw(null, 0, 0);
    this.initMs = performance.now() - startMs;
    new ResizeObserver(() => {
      this.starsMs = -Infinity;
      if (this.wheel.resize() || !this.running) this.drawStill();
    }).observe(document.body);
  }

  /**
   * @param {import("../types.js").Chart} chart
   * @param {number} index Where in the stream the chart stands.
   * @param {number} rate Sky seconds per stream second.
   * @param {import("../types.js").Chart | null} other A second chart, around the first.
   * @param {boolean} otherMoves Whether the sky moves in the second rather than in the first.
   */
  show(chart, index, rate, other, otherMoves) {
    this.chartIndex = index;
    this.rate = rate;
    this.wheel.show(chart, rate, other, otherMoves);
    if (this.track) this.wheel.follow(this.track);
    this.drawStill();
  }

  /** @param {import("./viztrack.js").VizTrack} track */
  follow(track) {
    this.track = track;
    this.wheel.follow(track);
  }

  run() {
    if (this.running || this.isStill) return;
    this.running = true;
    requestAnimationFrame(this.tick);
  }

  /** @param {number} pageMs */
  frame(pageMs) {
    if (this.isStill) {
      this.running = false;
      this.drawStill();
      return;
    }
    const index = this.indexHeard(pageMs);
    const { track } = this;
    if (!Number.isNaN(index) && track?.look(index)) this.light = 1;
    else this.fade();
    this.running = this.light > DARK;
    if (this.running) this.turn(index);
    const values = this.running && track ? track.values : null;
    this.wheel.draw(values, index / 48000, this.skySeconds(index));
    if (pageMs - this.starsMs > STARS_EVERY_MS) this.drawSky(pageMs);
    this.frames += 1;
    this.lastMs = pageMs;
    this.drawnIndex = index;
    if (this.running) requestAnimationFrame(this.tick);
  }

  /** @param {number} index Whoever has played by then has the light. */
  turn(index) {
    const notes = this.notes();
    if (!(notes.waiting[0]?.index <= index)) return;
    for (const note of notes.until(index)) this.wheel.voices.turn(note);
  }

  fade() {
    this.light *= DECAY;
    const values = this.track?.values;
    for (let n = 0; values !== undefined && n < values.length; n += 1) values[n] *= DECAY;
  }

  /** @param {number} index */
  skySeconds(index) {
    return Number.isNaN(index) ? this.wheel.placedAt : ((index - this.chartIndex) / 48000) * this.rate;
  }

  drawStill() {
    if (this.wheel.canvas.width === 0) return;
    this.wheel.draw(null, 0, this.wheel.placedAt);
    this.drawSky(performance.now());
  }

  /** @param {number} pageMs */
  drawSky(pageMs) {
    this.starsMs = pageMs;
    const { stars, wheel } = this;
    const scale = wheel.face.line;
    const width = Math.round(innerWidth * scale);
    const height = Math.round(innerHeight * scale);
    if (stars.width !== width || stars.height !== height) Object.assign(stars, { width, height });
    const box = wheel.canvas.getBoundingClientRect();
    const pole = { x: scale * (box.x + box.width / 2), y: scale * (box.y + box.height / 2) };
    const context = /** @type {CanvasRenderingContext2D} */ (stars.getContext("2d"));
    drawStars(context, width, height, pole, Date.now() / 1000, scale);
  }

  /**
   * Take note of the frame rate, once a second: a screen too fine for its machine is drawn coarser.
   *
   * @param {number} fps
   */
  judge(fps) {
    const isSlow = this.running && !document.hidden && fps < LEAST_FPS;
    this.slowSeconds = isSlow ? this.slowSeconds + 1 : 0;
    if (this.slowSeconds >= SLOW_SECONDS && this.wheel.pixelRatio > 1) {
      this.wheel.pixelRatio = 1;
      this.wheel.resize();
    }
  }
}
