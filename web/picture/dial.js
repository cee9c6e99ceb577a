/**
 * The engraved dial: everything on the wheel that stands still. Main thread; drawn once per chart and
 * size into a canvas of its own. All drawing here is a function of its arguments.
 */

import { SIGN_GLYPHS, STROKE } from "./glyphs.js";
import { houseMiddles, wheelAngle } from "./geometry.js";
import { ELEMENTS, SIGNS, aspectStyle } from "./zodiac.js";

export const INK = "233, 226, 208";
export const SERIF = '"Iowan Old Style", Palatino, "Palatino Linotype", P052, Georgia, serif';
export const SANS = "system-ui, sans-serif";

/** Radii as fractions of the dial's. */
export const RADII = Object.freeze({
  rim: 1,
  ticks: 0.955,
  signs: 0.845,
  bodies: 0.745,
  degrees: 0.655,
  houses: 0.6,
  aspects: 0.55,
  centre: 0.215,
});

/** Where two charts share the dial: the second between the signs and the first. */
export const DUO = Object.freeze({ others: 0.782, divide: 0.722, bodies: 0.66 });

const SIGN_SIZE = 0.068;
const TICKS = [
  { every: 1, coarser: 5, length: 0.016, light: 0.26 },
  { every: 5, coarser: 10, length: 0.026, light: 0.42 },
  { every: 10, coarser: 30, length: 0.036, light: 0.6 },
];

/** @typedef {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} Context */

/** @param {number} light */
const ink = (light) => `rgba(${INK}, ${light})`;

/**
 * @typedef {object} Face
 * @property {number} x Centre (device pixels).
 * @property {number} y
 * @property {number} radius
 * @property {number} line One CSS pixel (device pixels).
 * @property {number} ascendantDeg
 *
 * @typedef {{a: string, b: string, kind: string, strength: number}} Line An aspect, to be drawn.
 */

/** @param {Face} face @param {number} longitudeDeg @param {number} radius @returns {[number, number]} */
export function pointAt(face, longitudeDeg, radius) {
  const angle = wheelAngle(longitudeDeg, face.ascendantDeg);
  const r = face.radius * radius;
  return [face.x + r * Math.cos(angle), face.y - r * Math.sin(angle)];
}

/** @param {Context} context @param {Face} face @param {number} radius @param {number} light */
function ring(context, face, radius, light) {
  context.strokeStyle = ink(light);
  context.lineWidth = face.line;
  context.beginPath();
  context.arc(face.x, face.y, face.radius * radius, 0, 2 * Math.PI);
  context.stroke();
}

/**
 * @param {Context} context @param {Face} face
 * @param {number} longitudeDeg @param {number} from @param {number} to
 */
function spoke(context, face, longitudeDeg, from, to) {
  context.moveTo(...pointAt(face, longitudeDeg, from));
  context.lineTo(...pointAt(face, longitudeDeg, to));
}

/**
 * Draw a glyph centred on a point.
 *
 * @param {Context} context
 * @param {string} path
 * @param {number} x @param {number} y
 * @param {number} size Device pixels.
 * @param {string} colour
 * @param {number} [stroke] On the grid.
 */
export function drawGlyph(context, path, x, y, size, colour, stroke = STROKE) {
  context.save();
  context.translate(x - size / 2, y - size / 2);
  context.scale(size / 24, size / 24);
  context.lineWidth = stroke;
  context.lineCap = "round";
  context.lineJoin = "round";
  context.strokeStyle = colour;
  context.stroke(pathOf(path, () => new Path2D(path)));
  context.restore();
}

/** @param {Context} context @param {Face} face */
function drawSectors(context, face) {
  SIGNS.forEach((sign, n) => {
    const colour = ELEMENTS[/** @type {keyof ELEMENTS} */ (sign.element)];
    const from = -wheelAngle(30 * n, face.ascendantDeg);
    const to = -wheelAngle(30 * n + 30, face.ascendantDeg);
    context.globalAlpha = 0.045;
    context.fillStyle = colour;
    context.beginPath();
    context.arc(face.x, face.y, face.radius * RADII.ticks, from, to, true);
    context.arc(face.x, face.y, face.radius * RADII.signs, to, from);
    context.fill();
    context.globalAlpha = 0.92;
    const [x, y] = pointAt(face, 30 * n + 15, (RADII.ticks + RADII.signs) / 2);
    drawGlyph(context, SIGN_GLYPHS[/** @type {keyof SIGN_GLYPHS} */ (sign.name)], x, y, face.radius * SIGN_SIZE, colour);
    context.globalAlpha = 1;
  });
}

/** @type {Map<string, Path2D>} Glyphs and ticks as paths: made once, drawn often. */
const paths = new Map();

/**
 * @param {string} name
 * @param {() => Path2D} make
 */
function pathOf(name, make) {
  const known = paths.get(name) ?? make();
  paths.set(name, known);
  return known;
}

/**
 * The ticks of a dial of radius 1 whose first degree lies at three o'clock.
 *
 * @param {number} every Degrees.
 * @param {number} coarser Left out: these have longer ones.
 * @param {number} length
 */
function tickPath(every, coarser, length) {
  return pathOf(`ticks ${every}`, () => {
    const path = new Path2D();
    for (let deg = 0; deg < 360; deg += every) {
      if (deg % coarser === 0) continue;
      const x = Math.cos((deg * Math.PI) / 180);
      const y = Math.sin((deg * Math.PI) / 180);
      path.moveTo(x, y);
      path.lineTo((1 - length) * x, (1 - length) * y);
    }
    return path;
  });
}

/** Make the paths before they are needed: the first frame then only draws. */
export function loadPaths() {
  for (const { every, coarser, length } of TICKS) tickPath(every, coarser, length);
  for (const path of Object.values(SIGN_GLYPHS)) pathOf(path, () => new Path2D(path));
}

/** @param {Context} context @param {Face} face */
function drawTicks(context, face) {
  context.save();
  context.translate(face.x, face.y);
  context.rotate(-wheelAngle(0, face.ascendantDeg));
  context.scale(face.radius, face.radius);
  context.lineWidth = face.line / Math.max(1, face.radius);
  for (const { every, coarser, length, light } of TICKS) {
    context.strokeStyle = ink(light);
    context.stroke(tickPath(every, coarser, length));
  }
  context.restore();
  context.lineWidth = face.line;
  context.strokeStyle = ink(0.55);
  context.beginPath();
  for (let deg = 0; deg < 360; deg += 30) spoke(context, face, deg, RADII.rim, RADII.signs);
  context.stroke();
}

/** @param {Context} context @param {Face} face @param {readonly number[]} cuspsDeg */
function drawHouses(context, face, cuspsDeg) {
  context.lineWidth = face.line;
  context.strokeStyle = ink(0.2);
  context.beginPath();
  for (const cusp of cuspsDeg) spoke(context, face, cusp, RADII.signs, RADII.aspects);
  context.stroke();
  context.fillStyle = ink(0.5);
  context.font = `${Math.max(8 * face.line, Math.round(face.radius * 0.032))}px ${SERIF}`;
  houseMiddles(cuspsDeg).forEach((middle, n) => {
    const [x, y] = pointAt(face, middle, (RADII.houses + RADII.aspects) / 2);
    context.fillText(String(n + 1), x, y);
  });
}

/** @param {Context} context @param {Face} face @param {import("../types.js").Angles} angles */
function drawAngles(context, face, angles) {
  /** @type {[string, number][]} */
  const four = [
    ["AC", angles.ascendantDeg],
    ["MC", angles.midheavenDeg],
    ["DC", angles.ascendantDeg + 180],
    ["IC", angles.midheavenDeg + 180],
  ];
  context.lineWidth = 1.4 * face.line;
  const size = Math.max(9 * face.line, Math.round(face.radius * 0.03));
  const beyond = 1.022 + (0.85 * size) / face.radius;
  context.font = `600 ${size}px ${SANS}`;
  four.forEach(([name, deg], n) => {
    const light = n < 2 ? 0.85 : 0.45;
    context.strokeStyle = ink(light);
    context.beginPath();
    spoke(context, face, deg, RADII.signs, RADII.aspects);
    spoke(context, face, deg, RADII.rim, 1.016);
    context.stroke();
    context.fillStyle = ink(n < 2 ? 0.9 : 0.6);
    context.fillText(name, ...pointAt(face, deg, beyond));
  });
}

/**
 * @param {Context} context @param {Face} face
 * @param {readonly Line[]} aspects
 * @param {Map<string, number>} longitudes Of the first bodies named.
 * @param {Map<string, number>} others Of the second ones.
 */
function drawAspects(context, face, aspects, longitudes, others) {
  for (const { a, b, kind, strength } of aspects) {
    const aDeg = longitudes.get(a);
    const bDeg = others.get(b);
    if (aDeg === undefined || bDeg === undefined) continue;
    const style = aspectStyle(kind);
    context.strokeStyle = style.colour;
    context.globalAlpha = 0.16 + 0.42 * strength;
    context.lineWidth = (0.8 + 0.5 * strength) * face.line;
    context.setLineDash(style.dash.map((/** @type {number} */ length) => length * face.line));
    context.beginPath();
    context.moveTo(...pointAt(face, aDeg, RADII.aspects));
    context.lineTo(...pointAt(face, bDeg, RADII.aspects));
    context.stroke();
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
}

/**
 * The centre is kept clear for words: lines sink under its edge.
 *
 * @param {Context} context @param {Face} face
 */
function clearCentre(context, face) {
  const outer = face.radius * RADII.centre * 1.25;
  const veil = context.createRadialGradient(face.x, face.y, outer * 0.7, face.x, face.y, outer);
  veil.addColorStop(0, "rgba(0, 0, 0, 1)");
  veil.addColorStop(1, "rgba(0, 0, 0, 0)");
  context.globalCompositeOperation = "destination-out";
  context.fillStyle = veil;
  context.fillRect(face.x - outer, face.y - outer, 2 * outer, 2 * outer);
  context.globalCompositeOperation = "source-over";
}

/**
 * Draw the whole dial on a cleared canvas.
 *
 * @param {Context} context
 * @param {Face} face
 * @param {Pick<import("../types.js").Chart, "angles" | "cuspsDeg" | "isFree"> & {aspects: readonly Line[]}} chart
 * @param {Map<string, number>} longitudes Of the bodies drawn (degrees).
 * @param {Map<string, number> | null} [others] Of the bodies of a second chart; `aspects` then hold
 *   those between the two.
 */
export function drawDial(context, face, chart, longitudes, others = null) {
  context.textAlign = "center";
  context.textBaseline = "middle";
  drawAspects(context, face, chart.aspects, longitudes, others ?? longitudes);
  clearCentre(context, face);
  drawBare(context, face, !chart.isFree);
  if (others) ring(context, face, DUO.divide, 0.26);
  if (chart.cuspsDeg) drawHouses(context, face, chart.cuspsDeg);
  if (chart.angles) drawAngles(context, face, chart.angles);
}

/**
 * Draw what every dial has: signs, rings and ticks.
 *
 * @param {Context} context
 * @param {Face} face
 * @param {boolean} [hasSigns] Without a sky there are none.
 */
export function drawBare(context, face, hasSigns = true) {
  if (hasSigns) drawSectors(context, face);
  ring(context, face, RADII.rim, 0.7);
  ring(context, face, RADII.rim - 0.006, 0.2);
  ring(context, face, RADII.ticks, 0.3);
  ring(context, face, RADII.signs, 0.6);
  ring(context, face, RADII.houses, 0.16);
  ring(context, face, RADII.aspects, 0.34);
  drawTicks(context, face);
}
