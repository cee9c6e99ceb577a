/**
 * The chart wheel: the dial from its cache, and over it what moves and glows. Main thread.
 *
 * `draw` is called per animation frame with the values heard at that moment; it allocates nothing but
 * the places of bodies that have moved. Canvas 2D rather than WebGL: where there is no GPU, a mostly
 * still picture is one stamp of the cached dial and some twenty small ones per frame.
 */

import { INK, RADII, SANS, SERIF, drawDial, pointAt } from "./dial.js";
import { spread } from "./geometry.js";
import { BODY_GLYPHS } from "./glyphs.js";
import { Pulses } from "./pulses.js";
import { glyphSprite, lightSprite, wordsSprite } from "./sprites.js";
import { BODIES, aspectStyle, wrapDeg } from "./zodiac.js";

const SECONDS_PER_DAY = 86400;
/** Room around the rim for AC, MC, DC, IC (CSS pixels). */
const MARGIN = 30;
const GLYPH_SIZE = 0.078;
const LEAST_GLYPH = 17;
/** On a smaller dial (CSS pixels) the degrees would run into the glyphs: the column tells them. */
const LEAST_RADIUS_FOR_DEGREES = 210;
const LIGHT_SIZE = 0.36;
/** Neighbouring glyphs stay this far apart, in glyphs. */
const GLYPH_GAP = 1.1;
/** Up to this rate the sky stands still to the eye: stamps sit on whole pixels and stay sharp. */
const STILL_RATE = 60;
/** Glyphs are cut out of the lines beneath them, this wide on their grid. */
const CUT = 5.5;
const GROUND = "#07090d";
const MAX_PIXEL_RATIO = 2;
/** @type {import("../types.js").Chart} What is shown until the sky is known: a bare dial. */
const NO_SKY = {
  bodies: [],
  aspects: [],
  angles: null,
  cuspsDeg: null,
  place: null,
  moment: { utc: "" },
};
const PULSES = 48;
/** The aurora is painted small and stretched: it is a blur anyway. */
const AURORA_SIZE = 72;
const AURORA = ["#24406b", "#2b4f74", "#2a5f74", "#2c6a6c", "#3b6a63", "#4a5f78", "#4f5585", "#5a4c80"];

export class Wheel {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    /** Upper bound of device pixels per CSS pixel. */
    this.pixelRatio = MAX_PIXEL_RATIO;
    this.context = canvas.getContext("2d");
    this.dial = new OffscreenCanvas(1, 1);
    /** @type {{canvas: OffscreenCanvas, context: any, lights: OffscreenCanvas[]} | null} */
    this.aurora = null;
    this.face = { x: 0, y: 0, radius: 0, line: 1, ascendantDeg: 0 };
    this.chart = NO_SKY;
    this.rate = 1;
    this.bodies = [];
    this.lines = [];
    this.words = null;
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
      radius: edge / 2 - MARGIN * ratio * Math.min(1, edge / (560 * ratio)),
      line: ratio,
    });
    this.show(this.chart, this.rate);
    if (this.centre) this.write(this.centre);
    return true;
  }

  /**
   * Show a chart: cache its dial and the stamps of its bodies.
   *
   * @param {import("../types.js").Chart} chart
   * @param {number} rate Sky seconds per stream second.
   */
  show(chart, rate) {
    const { face } = this;
    this.chart = chart;
    this.rate = rate;
    face.ascendantDeg = chart.angles?.ascendantDeg ?? 0;
    const drawn = chart.bodies.filter((body) => body.name in BODIES);
    const longitudes = new Map(drawn.map((body) => [body.name, body.longitudeDeg]));
    this.dial = new OffscreenCanvas(this.canvas.width, this.canvas.height);
    drawDial(this.dial.getContext("2d"), face, chart, longitudes);

    const size = Math.max(face.radius * GLYPH_SIZE, LEAST_GLYPH * face.line);
    this.gapDeg = ((GLYPH_GAP * size) / (face.radius * RADII.bodies)) * (180 / Math.PI);
    this.bodies = drawn.map((body) => {
      const { colour } = BODIES[body.name];
      const path = BODY_GLYPHS[body.name];
      return {
        name: body.name,
        longitudeDeg: body.longitudeDeg,
        speedDegPerDay: body.speedDegPerDay,
        colour,
        cut: glyphSprite(path, size, GROUND, CUT),
        plain: glyphSprite(path, size, colour),
        lit: glyphSprite(path, size, "#fffaf0"),
        light: lightSprite(Math.ceil(face.radius * LIGHT_SIZE), colour),
        degree: wordsSprite([this.degreeLine(body)], size * 1.6),
        place: -1,
        glow: 0,
        glyphDeg: 0,
        nowDeg: body.longitudeDeg,
        tick: [0, 0],
        glyph: [0, 0],
        foot: [0, 0],
        label: [0, 0],
        end: [0, 0],
      };
    });
    this.pulses = new Pulses(PULSES);
    this.lines = chart.aspects
      .map(({ a, b, kind, strength }) => ({
        from: this.bodies.findIndex((body) => body.name === a),
        to: this.bodies.findIndex((body) => body.name === b),
        colour: aspectStyle(kind).colour,
        strength,
      }))
      .filter(({ from, to }) => from >= 0 && to >= 0);
    this.place(0);
  }

  degreeLine(body) {
    const size = Math.max(9 * this.face.line, this.face.radius * 0.035);
    const text = `${Math.floor(wrapDeg(body.longitudeDeg) % 30)}°${body.retrograde ? " r" : ""}`;
    return { text, font: `${size}px ${SANS}`, colour: `rgba(${INK}, 0.72)`, height: size * 1.5 };
  }

  /** Move the bodies to where they stand some sky seconds after the chart. */
  place(skySeconds) {
    const { bodies, face } = this;
    for (const body of bodies) {
      body.nowDeg = wrapDeg(
        body.longitudeDeg + (body.speedDegPerDay * skySeconds) / SECONDS_PER_DAY,
      );
    }
    this.placedAt = skySeconds;
    const apart = spread(bodies.map((body) => body.nowDeg), this.gapDeg);
    bodies.forEach((body, n) => {
      body.tick = pointAt(face, body.nowDeg, RADII.signs);
      body.foot = pointAt(face, body.nowDeg, RADII.signs - 0.022);
      body.glyph = this.settle(pointAt(face, apart[n], RADII.bodies), body.plain);
      body.end = pointAt(face, apart[n], RADII.bodies + 0.048);
      body.label = this.settle(pointAt(face, apart[n], RADII.degrees), body.degree);
      body.root = pointAt(face, body.nowDeg, RADII.aspects);
    });
  }

  /** Where a stamp's corner goes, so that its middle is at a point. */
  settle([x, y], stamp) {
    const corner = [x - stamp.width / 2, y - stamp.height / 2];
    return this.rate <= STILL_RATE ? corner.map(Math.round) : corner;
  }

  /**
   * Write the centre: words by line, the first one large.
   *
   * @param {string[]} centre
   */
  write(centre) {
    this.centre = centre;
    const { radius, line } = this.face;
    const unit = Math.max(radius * 0.041, 9.5 * line);
    const lines = centre.map((text, n) => ({
      text,
      font: n === 0 ? `${unit * 1.75}px ${SERIF}` : `${unit}px ${n === 1 ? SERIF : SANS}`,
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
    if (Math.abs(skySeconds - this.placedAt) > 20) this.place(skySeconds);
    const { context, canvas } = this;
    context.globalCompositeOperation = "copy";
    context.drawImage(this.dial, 0, 0);
    context.globalCompositeOperation = "source-over";
    this.drawLeaders();
    if (values) {
      context.globalCompositeOperation = "lighter";
      this.drawAurora(values);
      this.drawBreath(values);
      this.listen(values, nowS);
      this.drawDialogue(nowS);
      this.drawLights();
      context.globalCompositeOperation = "source-over";
    }
    this.drawBodies(values !== null);
    context.globalAlpha = 1;
    if (this.words) {
      const { width, height } = this.words;
      context.drawImage(this.words, (canvas.width - width) >> 1, (canvas.height - height) >> 1);
    }
  }

  drawLeaders() {
    const { context } = this;
    context.strokeStyle = `rgba(${INK}, 0.5)`;
    context.lineWidth = this.face.line;
    context.beginPath();
    for (const body of this.bodies) {
      context.moveTo(body.tick[0], body.tick[1]);
      context.lineTo(body.foot[0], body.foot[1]);
      context.lineTo(body.end[0], body.end[1]);
    }
    context.stroke();
    for (const { cut, glyph } of this.bodies) context.drawImage(cut, glyph[0], glyph[1]);
  }

  drawAurora(values) {
    if (this.bandPlace < 0) return;
    this.aurora ??= newAurora();
    const { canvas, context, lights } = this.aurora;
    const reach = AURORA_SIZE * 0.2;
    context.globalCompositeOperation = "source-over";
    context.clearRect(0, 0, AURORA_SIZE, AURORA_SIZE);
    context.globalCompositeOperation = "lighter";
    for (let n = 0; n < lights.length; n += 1) {
      const angle = -Math.PI / 2 + (n * Math.PI) / 4;
      context.globalAlpha = 0.8 * values[this.bandPlace + n];
      context.drawImage(lights[n], reach * Math.cos(angle), reach * Math.sin(angle));
    }
    const { x, y, radius } = this.face;
    const half = radius * RADII.signs;
    this.context.globalAlpha = 0.55;
    this.context.drawImage(canvas, x - half, y - half, 2 * half, 2 * half);
  }

  /** Loudness as the slow light of the rim. */
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

  /** Take each body's light; an onset sends a pulse along its aspect lines. */
  listen(values, nowS) {
    const { bodies, lines, pulses } = this;
    for (let n = 0; n < bodies.length; n += 1) {
      const body = bodies[n];
      body.glow = body.place < 0 ? 0 : values[body.place];
      if (!pulses.isOnset(n, body.glow, nowS)) continue;
      for (let i = 0; i < lines.length; i += 1) {
        if (lines[i].from === n) pulses.send(i, true, nowS, body.glow);
        else if (lines[i].to === n) pulses.send(i, false, nowS, body.glow);
      }
    }
  }

  drawDialogue(nowS) {
    const { context, bodies, lines, pulses, face } = this;
    context.lineWidth = 1.5 * face.line;
    for (let i = 0; i < lines.length; i += 1) {
      const { from, to, colour, strength } = lines[i];
      const light = Math.min(bodies[from].glow, bodies[to].glow);
      if (light < 0.04) continue;
      context.globalAlpha = 0.75 * light * (0.4 + 0.6 * strength);
      context.strokeStyle = colour;
      context.beginPath();
      context.moveTo(bodies[from].root[0], bodies[from].root[1]);
      context.lineTo(bodies[to].root[0], bodies[to].root[1]);
      context.stroke();
    }
    for (let n = 0; n < pulses.capacity; n += 1) {
      const t = pulses.progress(n, nowS);
      if (t < 0) continue;
      const { from, to, strength } = lines[pulses.line[n]];
      const eased = t * t * (3 - 2 * t);
      const a = bodies[from].root;
      const b = bodies[to].root;
      const { light } = bodies[pulses.forward[n] ? from : to];
      const size = light.width * 0.36;
      const x = a[0] + eased * (b[0] - a[0]);
      const y = a[1] + eased * (b[1] - a[1]);
      context.globalAlpha = 4 * t * (1 - t) * pulses.force[n] * (0.35 + 0.65 * strength);
      context.drawImage(light, x - size / 2, y - size / 2, size, size);
    }
  }

  drawLights() {
    const { context } = this;
    for (const { glow, light, plain, glyph, tick } of this.bodies) {
      if (glow < 0.02) continue;
      const around = (light.width - plain.width) / 2;
      context.globalAlpha = Math.min(1, 0.95 * glow);
      context.drawImage(light, glyph[0] - around, glyph[1] - around);
      const size = light.width * 0.3;
      context.drawImage(light, tick[0] - size / 2, tick[1] - size / 2, size, size);
    }
  }

  drawBodies(isSounding) {
    const { context, face } = this;
    const hasDegrees = face.radius >= LEAST_RADIUS_FOR_DEGREES * face.line;
    for (const { plain, lit, degree, glyph, label, glow } of this.bodies) {
      context.globalAlpha = 1;
      context.drawImage(plain, glyph[0], glyph[1]);
      if (hasDegrees) context.drawImage(degree, label[0], label[1]);
      if (!isSounding || glow < 0.02) continue;
      context.globalAlpha = Math.min(0.9, glow);
      context.drawImage(lit, glyph[0], glyph[1]);
    }
  }
}

/** Made with the first sound: the first frame of all needs none. */
function newAurora() {
  const canvas = new OffscreenCanvas(AURORA_SIZE, AURORA_SIZE);
  const lights = AURORA.map((colour) => lightSprite(AURORA_SIZE, colour));
  return { canvas, context: canvas.getContext("2d"), lights };
}
