/** A body on the wheel: its stamps, and where they go. Main thread. */

import { INK, RADII, SANS, pointAt } from "./dial.js";
import { BODY_GLYPHS } from "./glyphs.js";
import { glyphSprite, lightSprite, wordsSprite } from "./sprites.js";
import { BODIES, wrapDeg } from "./zodiac.js";

const LIGHT_SIZE = 0.36;
/** Glyphs are cut out of the lines beneath them, this wide on their grid. */
const CUT = 5.5;
const GROUND = "#07090d";
const LIT = "#fffaf0";

/** @typedef {[number, number]} Point Device pixels. */

/**
 * @typedef {object} Figure
 * @property {string} name
 * @property {string} colour
 * @property {number} longitudeDeg At the chart's moment.
 * @property {number} speedDegPerDay 0 for a birth: it stands.
 * @property {number} nowDeg
 * @property {OffscreenCanvas} cut The glyph's gap in the lines beneath.
 * @property {OffscreenCanvas} plain
 * @property {OffscreenCanvas} lit
 * @property {OffscreenCanvas} light
 * @property {OffscreenCanvas | null} degree
 * @property {number} place Of its light in the viz values; −1 for none.
 * @property {number} glow 0 … 1.
 * @property {Point} tick On the ring of signs.
 * @property {Point} foot Of its leader.
 * @property {Point} end Of its leader.
 * @property {Point} glyph Corner of the stamp.
 * @property {Point} label Corner of the degrees.
 * @property {Point} root Of its aspect lines.
 */

/**
 * @param {import("../types.js").Body} body
 * @param {import("./dial.js").Face} face
 * @param {number} size Of the glyph (device pixels).
 * @param {boolean} hasDegree
 * @returns {Figure}
 */
export function figureOf(body, face, size, hasDegree) {
  const name = /** @type {keyof BODIES} */ (body.name);
  const { colour } = BODIES[name];
  const path = BODY_GLYPHS[name];
  return {
    name,
    colour,
    longitudeDeg: body.longitudeDeg,
    speedDegPerDay: body.speedDegPerDay,
    nowDeg: body.longitudeDeg,
    cut: glyphSprite(path, size, GROUND, CUT),
    plain: glyphSprite(path, size, colour),
    lit: glyphSprite(path, size, LIT),
    light: lightSprite(Math.ceil(face.radius * LIGHT_SIZE), colour),
    degree: hasDegree ? wordsSprite([degreeLine(body, face)], size * 1.6) : null,
    place: -1,
    glow: 0,
    tick: [0, 0],
    foot: [0, 0],
    end: [0, 0],
    glyph: [0, 0],
    label: [0, 0],
    root: [0, 0],
  };
}

/** @param {import("../types.js").Body} body @param {import("./dial.js").Face} face */
function degreeLine(body, face) {
  const size = Math.max(9 * face.line, face.radius * 0.035);
  const text = `${Math.floor(wrapDeg(body.longitudeDeg) % 30)}°${body.retrograde ? " r" : ""}`;
  return { text, font: `${size}px ${SANS}`, colour: `rgba(${INK}, 0.72)`, height: size * 1.5 };
}

/**
 * Put a figure where its body stands now.
 *
 * @param {Figure} figure
 * @param {import("./dial.js").Face} face
 * @param {number} apartDeg Where its glyph finds room.
 * @param {number} orbit Radius of its glyph, of the dial's.
 * @param {boolean} isSharp Stamps on whole pixels: for a sky that stands still to the eye.
 */
export function settle(figure, face, apartDeg, orbit, isSharp) {
  const { nowDeg, plain, degree } = figure;
  figure.tick = pointAt(face, nowDeg, RADII.signs);
  figure.foot = pointAt(face, nowDeg, RADII.signs - 0.022);
  figure.end = pointAt(face, apartDeg, orbit + 0.048);
  figure.glyph = corner(pointAt(face, apartDeg, orbit), plain, isSharp);
  if (degree) figure.label = corner(pointAt(face, apartDeg, RADII.degrees), degree, isSharp);
  figure.root = pointAt(face, nowDeg, RADII.aspects);
}

/**
 * Where a stamp's corner goes, so that its middle is at a point.
 *
 * @param {Point} point @param {OffscreenCanvas} stamp @param {boolean} isSharp
 * @returns {Point}
 */
function corner([x, y], { width, height }, isSharp) {
  const left = x - width / 2;
  const top = y - height / 2;
  return isSharp ? [Math.round(left), Math.round(top)] : [left, top];
}
