/**
 * The chart wheel: the dial from its cache, and over it what moves and glows. Main thread.
 *
 * `draw` is called per animation frame with the values heard at that moment; it allocates nothing but
 * the places of bodies that have moved. Canvas 2D rather than WebGL: where there is no GPU, a mostly
 * still picture is one stamp of the cached dial and some twenty small ones per frame.
 */

import { Aurora } from "./aurora.js";
import { DUO, INK, RADII, SANS, SERIF, drawBare, drawDial } from "./dial.js";
import { Dialogue } from "./dialogue.js";
import { figureOf, settle } from "./figure.js";
import { spread } from "./geometry.js";
import { meeting } from "./meeting.js";
import { wordsSprite } from "./sprites.js";
import { drawGaps, drawGlyphs, drawLeaders, drawLights } from "./stamps.js";
import { Voices } from "./voices.js";
import { BODIES, wrapDeg } from "./zodiac.js";

/** @typedef {import("./figure.js").Figure} Figure */
/** @typedef {import("../types.js").Chart} Chart */

const SECONDS_PER_DAY = 86400;
/** Room around the rim for AC, MC, DC, IC (CSS pixels). */
const MARGIN = 30;
const GLYPH_SIZE = 0.078;
/** Of the second chart's glyphs, of the first's. */
const OTHER_SIZE = 0.8;
const LEAST_GLYPH = 17;
/** On a smaller dial (CSS pixels) the degrees would run into the glyphs: the column tells them. */
const LEAST_RADIUS_FOR_DEGREES = 210;
/** Neighbouring glyphs stay this far apart, in glyphs. */
const GLYPH_GAP = 1.1;
/** Up to this rate the sky stands still to the eye: stamps sit on whole pixels and stay sharp. */
const STILL_RATE = 60;
const MAX_PIXEL_RATIO = 2;
/** Of the second chart's glyphs. */
const OTHER_ALPHA = 0.8;

export class Wheel {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    /** Upper bound of device pixels per CSS pixel. */
    this.pixelRatio = MAX_PIXEL_RATIO;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    /** @type {OffscreenCanvas | null} The engraved dial; null until a sky is known. */
    this.dial = null;
    /** @type {Aurora | null} Made with the first sound: the first frame of all needs none. */
    this.aurora = null;
    this.face = { x: 0, y: 0, radius: 0, line: 1, ascendantDeg: 0 };
    /** @type {Chart | null} */
    this.chart = null;
    /** @type {Chart | null} The second chart, around the first. */
    this.other = null;
    this.rate = 0;
    this.otherMoves = false;
    /** @type {Figure[]} Whose voices play. */
    this.bodies = [];
    /** @type {Figure[]} Those of the second chart. */
    this.others = [];
    this.voices = new Voices([], []);
    this.dialogue = new Dialogue([], [], []);
    this.gapDeg = 0;
    this.otherGapDeg = 0;
    this.placedAt = 0;
    this.levelPlace = -1;
    this.bandPlace = -1;
    /** @type {OffscreenCanvas | null} */
    this.words = null;
    /** @type {string[]} */
    this.centre = [];
    this.resize();
  }

  /** Fit the canvas to its box; returns whether anything changed. */
  resize() {
    const ratio = Math.min(this.pixelRatio, globalThis.devicePixelRatio || 1);
    const edge = Math.round(Math.min(this.canvas.clientWidth, this.canvas.clientHeight) * ratio);
    if (edge === this.canvas.width && edge === this.canvas.height) return false;
    this.canvas.width = edge;
    this.canvas.height = edge;
    Object.assign(this.face, {
      x: edge / 2,
      y: edge / 2,
      radius: Math.max(0, edge / 2 - MARGIN * ratio * Math.min(1, edge / (560 * ratio))),
      line: ratio,
    });
    if (this.chart && edge > 0) this.show(this.chart, this.rate, this.other, this.otherMoves);
    if (this.centre.length > 0) this.write(this.centre);
    return true;
  }

  /**
   * Show a chart, or two: cache the dial and the stamps of the bodies.
   *
   * @param {Chart} chart Whose bodies are the voices.
   * @param {number} rate Sky seconds per stream second.
   * @param {Chart | null} [other] Around it.
   * @param {boolean} [otherMoves] Whether the sky moves in the second chart, rather than in the first.
   */
  show(chart, rate, other = null, otherMoves = false) {
    const { face } = this;
    Object.assign(this, { chart, rate, other, otherMoves });
    face.ascendantDeg = chart.angles?.ascendantDeg ?? 0;
    const hasDegrees = !other && !chart.isFree && face.radius >= LEAST_RADIUS_FOR_DEGREES * face.line;
    const size = Math.max(face.radius * GLYPH_SIZE, LEAST_GLYPH * face.line) * (other ? 0.9 : 1);
    const orbit = other ? DUO.bodies : RADII.bodies;
    this.gapDeg = gapOf(size, face.radius * orbit);
    this.otherGapDeg = gapOf(size * OTHER_SIZE, face.radius * DUO.others);
    const light = new Map(this.bodies.map(({ name, place }) => [name, place]));
    this.bodies = drawn(chart).map((body) => figureOf(body, face, size, hasDegrees));
    for (const body of this.bodies) body.place = light.get(body.name) ?? -1;
    this.others = other
      ? drawn(other).map((body) => figureOf(body, face, size * OTHER_SIZE, false))
      : [];

    const lines = other ? meeting(chart.bodies, other.bodies) : chart.aspects;
    this.dial = new OffscreenCanvas(this.canvas.width, this.canvas.height);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (this.dial.getContext("2d"));
    const places = other ? placesOf(other) : null;
    drawDial(context, face, { ...chart, aspects: lines }, placesOf(chart), places);
    const { leads } = this.dialogue;
    this.dialogue = new Dialogue(lines, this.bodies, this.others);
    this.dialogue.leads = leads;
    this.voices = new Voices(this.bodies, this.others);
    this.place(0);
  }

  /**
   * Move the bodies to where they stand some sky seconds after the chart.
   *
   * @param {number} skySeconds
   */
  place(skySeconds) {
    const { face, otherMoves } = this;
    this.placedAt = skySeconds;
    const days = skySeconds / SECONDS_PER_DAY;
    const isSharp = this.rate <= STILL_RATE;
    const orbit = this.other ? DUO.bodies : RADII.bodies;
    arrange(this.bodies, face, otherMoves ? 0 : days, this.gapDeg, orbit, isSharp);
    arrange(this.others, face, otherMoves ? days : 0, this.otherGapDeg, DUO.others, isSharp);
  }

  /**
   * Write the centre: words by line, the first one large.
   *
   * @param {string[]} centre
   */
  write(centre) {
    this.centre = centre;
    const { radius, line } = this.face;
    if (radius === 0) return;
    const unit = Math.max(radius * 0.041, 9.5 * line);
    const first = centre[0].length > 12 ? 1.3 : 1.75;
    const lines = centre.filter(Boolean).map((text, n) => ({
      text,
      font: n === 0 ? `${unit * first}px ${SERIF}` : `${unit}px ${n === 1 ? SERIF : SANS}`,
      colour: `rgba(${INK}, ${n === 0 ? 1 : 0.74})`,
      height: unit * (n === 0 ? 2.1 : 1.5),
    }));
    this.words = wordsSprite(lines, radius * RADII.centre * 2);
  }

  /**
   * Take the places of the fields from a new viz track.
   *
   * @param {import("./viztrack.js").VizTrack} track
   */
  follow(track) {
    for (const body of this.bodies) body.place = track.place(body.name);
    this.levelPlace = track.place("level");
    this.bandPlace = track.place("band0");
  }

  /**
   * Draw one frame.
   *
   * @param {Float32Array | null} values Viz values heard now; null is silence.
   * @param {number} nowS Stream time (seconds).
   * @param {number} skySeconds Since the chart's moment.
   */
  draw(values, nowS, skySeconds) {
    if (this.dial === null) return drawFirst(this.context, this.face);
    if (Math.abs(skySeconds - this.placedAt) > 20) this.place(skySeconds);
    const { context, canvas } = this;
    context.globalCompositeOperation = "copy";
    context.drawImage(this.dial, 0, 0);
    context.globalCompositeOperation = "source-over";
    drawLeaders(context, this.face.line, this.other ? this.others : this.bodies);
    drawGaps(context, this.bodies);
    drawGaps(context, this.others);
    if (values) {
      context.globalCompositeOperation = "lighter";
      this.drawAurora(values);
      this.drawBreath(values);
      this.voices.listen(values);
      this.dialogue.listen(nowS);
      this.dialogue.draw(context, this.face.line, nowS);
      drawLights(context, this.bodies);
      drawLights(context, this.others);
      context.globalCompositeOperation = "source-over";
    }
    drawGlyphs(context, this.others, OTHER_ALPHA, values !== null);
    drawGlyphs(context, this.bodies, 1, values !== null);
    context.globalAlpha = 1;
    if (this.words) {
      const { width, height } = this.words;
      context.drawImage(this.words, (canvas.width - width) >> 1, (canvas.height - height) >> 1);
    }
  }

  /** @param {Float32Array} values */
  drawAurora(values) {
    if (this.bandPlace < 0) return;
    this.aurora ??= new Aurora();
    const painted = this.aurora.paint(values, this.bandPlace);
    const { x, y, radius } = this.face;
    const half = radius * RADII.signs;
    this.context.globalAlpha = 0.55;
    this.context.drawImage(painted, x - half, y - half, 2 * half, 2 * half);
  }

  /**
   * Loudness as the slow light of the rim.
   *
   * @param {Float32Array} values
   */
  drawBreath(values) {
    if (this.levelPlace < 0) return;
    const { context, face } = this;
    context.globalAlpha = 0.4 * values[this.levelPlace];
    context.strokeStyle = `rgb(${INK})`;
    context.lineWidth = 2 * face.line;
    context.beginPath();
    context.arc(face.x, face.y, face.radius, 0, 2 * Math.PI);
    context.stroke();
  }
}

/**
 * The very first frame: a bare dial, drawn where it is seen. The cache comes with the sky.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {import("./dial.js").Face} face
 */
function drawFirst(context, face) {
  context.clearRect(0, 0, 2 * face.x, 2 * face.y);
  drawBare(context, face);
}

/** @param {number} size @param {number} radius @returns {number} Degrees. */
function gapOf(size, radius) {
  return ((GLYPH_GAP * size) / Math.max(1, radius)) * (180 / Math.PI);
}

/** @param {Chart} chart */
function drawn(chart) {
  return chart.bodies.filter(({ name }) => name in BODIES);
}

/** @param {Chart} chart */
function placesOf(chart) {
  return new Map(drawn(chart).map(({ name, longitudeDeg }) => [name, longitudeDeg]));
}

/**
 * @param {Figure[]} figures
 * @param {import("./dial.js").Face} face
 * @param {number} days Since the chart's moment.
 * @param {number} gapDeg
 * @param {number} orbit
 * @param {boolean} isSharp
 */
function arrange(figures, face, days, gapDeg, orbit, isSharp) {
  for (const figure of figures) {
    figure.nowDeg = wrapDeg(figure.longitudeDeg + figure.speedDegPerDay * days);
  }
  const apart = spread(figures.map(({ nowDeg }) => nowDeg), gapDeg);
  figures.forEach((figure, n) => settle(figure, face, apart[n], orbit, isSharp));
}
