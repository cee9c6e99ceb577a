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

const SIGN_SIZE = 0.068;
const TICKS = [
  { every: 1, length: 0.016, light: 0.26 },
  { every: 5, length: 0.026, light: 0.42 },
  { every: 10, length: 0.036, light: 0.6 },
];

/** @param {number} light */
const ink = (light) => `rgba(${INK}, ${light})`;

/**
 * @typedef {object} Face
 * @property {number} x Centre (device pixels).
 * @property {number} y
 * @property {number} radius
 * @property {number} line One CSS pixel (device pixels).
 * @property {number} ascendantDeg
 */

/** @param {Face} face @param {number} longitudeDeg @param {number} radius @returns {[number, number]} */
export function pointAt(face, longitudeDeg, radius) {
  const angle = wheelAngle(longitudeDeg, face.ascendantDeg);
  const r = face.radius * radius;
  return [face.x + r * Math.cos(angle), face.y - r * Math.sin(angle)];
}

function ring(context, face, radius, light, width = 1) {
  context.strokeStyle = ink(light);
  context.lineWidth = width * face.line;
  context.beginPath();
  context.arc(face.x, face.y, face.radius * radius, 0, 2 * Math.PI);
  context.stroke();
}

function spoke(context, face, longitudeDeg, from, to) {
  context.moveTo(...pointAt(face, longitudeDeg, from));
  context.lineTo(...pointAt(face, longitudeDeg, to));
}

/**
 * Draw a glyph centred on a point.
 *
 * @param {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} context
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
  context.stroke(new Path2D(path));
  context.restore();
}

function drawSectors(context, face) {
  SIGNS.forEach((sign, n) => {
    const colour = ELEMENTS[sign.element];
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
    drawGlyph(context, SIGN_GLYPHS[sign.name], x, y, face.radius * SIGN_SIZE, colour);
    context.globalAlpha = 1;
  });
}

function drawTicks(context, face) {
  context.lineWidth = face.line;
  for (const { every, length, light } of TICKS) {
    context.strokeStyle = ink(light);
    context.beginPath();
    for (let deg = 0; deg < 360; deg += every) {
      if (deg % 30 === 0 || (every < 10 && deg % (every === 1 ? 5 : 10) === 0)) continue;
      spoke(context, face, deg, RADII.rim, RADII.rim - length);
    }
    context.stroke();
  }
  context.strokeStyle = ink(0.55);
  context.beginPath();
  for (let deg = 0; deg < 360; deg += 30) spoke(context, face, deg, RADII.rim, RADII.signs);
  context.stroke();
}

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

function drawAngles(context, face, angles) {
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

function drawAspects(context, face, aspects, longitudes) {
  for (const { a, b, kind, strength } of aspects) {
    if (!longitudes.has(a) || !longitudes.has(b)) continue;
    const style = aspectStyle(kind);
    context.strokeStyle = style.colour;
    context.globalAlpha = 0.16 + 0.42 * strength;
    context.lineWidth = (0.8 + 0.5 * strength) * face.line;
    context.setLineDash(style.dash.map((length) => length * face.line));
    context.beginPath();
    context.moveTo(...pointAt(face, longitudes.get(a), RADII.aspects));
    context.lineTo(...pointAt(face, longitudes.get(b), RADII.aspects));
    context.stroke();
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
}

/** The centre is kept clear for words: lines sink under its edge. */
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
 * @param {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} context
 * @param {Face} face
 * @param {import("../types.js").Chart} chart
 * @param {Map<string, number>} longitudes Of the bodies drawn (degrees).
 */
export function drawDial(context, face, chart, longitudes) {
  context.textAlign = "center";
  context.textBaseline = "middle";
  drawAspects(context, face, chart.aspects, longitudes);
  clearCentre(context, face);
  drawSectors(context, face);
  ring(context, face, RADII.rim, 0.7);
  ring(context, face, RADII.rim - 0.006, 0.2);
  ring(context, face, RADII.ticks, 0.3);
  ring(context, face, RADII.signs, 0.6);
  ring(context, face, RADII.houses, 0.16);
  ring(context, face, RADII.aspects, 0.34);
  drawTicks(context, face);
  if (chart.cuspsDeg) drawHouses(context, face, chart.cuspsDeg);
  if (chart.angles) drawAngles(context, face, chart.angles);
}
