/** The bodies on the wheel, stamped where they stand. Functions of their arguments. Main thread. */

import { INK } from "./dial.js";

/** @typedef {import("./figure.js").Figure} Figure */

const DARK = 0.02;

/**
 * Fine lines from the ticks on the ring to the glyphs.
 *
 * @param {CanvasRenderingContext2D} context @param {number} line @param {Figure[]} figures
 */
export function drawLeaders(context, line, figures) {
  context.strokeStyle = `rgba(${INK}, 0.5)`;
  context.lineWidth = line;
  context.beginPath();
  for (const { tick, foot, end } of figures) {
    context.moveTo(tick[0], tick[1]);
    context.lineTo(foot[0], foot[1]);
    context.lineTo(end[0], end[1]);
  }
  context.stroke();
}

/**
 * Gaps for the glyphs in the lines beneath.
 *
 * @param {CanvasRenderingContext2D} context @param {Figure[]} figures
 */
export function drawGaps(context, figures) {
  for (const { cut, glyph } of figures) context.drawImage(cut, glyph[0], glyph[1]);
}

/**
 * The light around bodies that sound, and on their ticks.
 *
 * @param {CanvasRenderingContext2D} context @param {Figure[]} figures
 */
export function drawLights(context, figures) {
  for (const { glow, light, plain, glyph, tick } of figures) {
    if (glow < DARK) continue;
    const around = (light.width - plain.width) / 2;
    context.globalAlpha = Math.min(1, 0.95 * glow);
    context.drawImage(light, glyph[0] - around, glyph[1] - around);
    const size = light.width * 0.3;
    context.drawImage(light, tick[0] - size / 2, tick[1] - size / 2, size, size);
  }
}

/**
 * Glyphs and degrees; those that sound are lit.
 *
 * @param {CanvasRenderingContext2D} context @param {Figure[]} figures
 * @param {number} alpha Of those that do not sound. @param {boolean} isSounding
 */
export function drawGlyphs(context, figures, alpha, isSounding) {
  for (const { plain, lit, degree, glyph, label, glow } of figures) {
    context.globalAlpha = alpha;
    context.drawImage(plain, glyph[0], glyph[1]);
    if (degree) context.drawImage(degree, label[0], label[1]);
    if (!isSounding || glow < DARK) continue;
    context.globalAlpha = Math.min(0.9, glow);
    context.drawImage(lit, glyph[0], glyph[1]);
  }
}
