/**
 * Small pictures drawn once and stamped every frame: glyphs, lights, words. Main thread.
 */

import { drawGlyph } from "./dial.js";

/**
 * @param {number} width
 * @param {number} height
 * @param {(context: OffscreenCanvasRenderingContext2D) => void} draw
 */
function sprite(width, height, draw) {
  const canvas = new OffscreenCanvas(Math.max(1, Math.ceil(width)), Math.max(1, Math.ceil(height)));
  draw(/** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d")));
  return canvas;
}

/**
 * @param {string} path
 * @param {number} size Device pixels.
 * @param {string} colour
 * @param {number} [stroke] On the glyphs' grid.
 */
export function glyphSprite(path, size, colour, stroke) {
  const edge = Math.ceil(size * 1.3);
  const middle = edge / 2;
  return sprite(edge, edge, (context) => {
    drawGlyph(context, path, middle, middle, size, colour, stroke);
  });
}

/**
 * A round light that falls off softly.
 *
 * @param {number} size Device pixels.
 * @param {string} colour #rrggbb
 */
export function lightSprite(size, colour) {
  return sprite(size, size, (context) => {
    const half = size / 2;
    const light = context.createRadialGradient(half, half, 0, half, half, half);
    light.addColorStop(0, `${colour}d0`);
    light.addColorStop(0.22, `${colour}66`);
    light.addColorStop(0.55, `${colour}1c`);
    light.addColorStop(1, `${colour}00`);
    context.fillStyle = light;
    context.fillRect(0, 0, size, size);
  });
}

/**
 * Lines of words, centred.
 *
 * @param {{text: string, font: string, colour: string, height: number}[]} lines
 * @param {number} width Device pixels.
 */
export function wordsSprite(lines, width) {
  const height = lines.reduce((sum, line) => sum + line.height, 0);
  return sprite(width, height, (context) => {
    context.textAlign = "center";
    context.textBaseline = "middle";
    let y = 0;
    for (const line of lines) {
      context.font = line.font;
      context.fillStyle = line.colour;
      context.fillText(line.text, width / 2, y + line.height / 2, width);
      y += line.height;
    }
  });
}
