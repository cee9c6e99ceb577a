/** The bands of the sound as a low aurora behind the dial. Main thread. */

import { lightSprite } from "./sprites.js";

/** It is painted small and stretched: it is a blur anyway. */
const EDGE = 72;
const COLOURS = ["#24406b", "#2b4f74", "#2a5f74", "#2c6a6c", "#3b6a63", "#4a5f78", "#4f5585", "#5a4c80"];

export class Aurora {
  constructor() {
    this.canvas = new OffscreenCanvas(EDGE, EDGE);
    this.context = /** @type {OffscreenCanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    this.lights = COLOURS.map((colour) => lightSprite(EDGE, colour));
  }

  /**
   * Paint it for the bands heard now.
   *
   * @param {Float32Array} values
   * @param {number} first Place of the lowest band in `values`.
   */
  paint(values, first) {
    const { context, lights } = this;
    const reach = EDGE * 0.2;
    context.globalCompositeOperation = "source-over";
    context.clearRect(0, 0, EDGE, EDGE);
    context.globalCompositeOperation = "lighter";
    for (let n = 0; n < lights.length; n += 1) {
      const angle = -Math.PI / 2 + (n * Math.PI) / 4;
      context.globalAlpha = 0.8 * values[first + n];
      context.drawImage(lights[n], reach * Math.cos(angle), reach * Math.sin(angle));
    }
    return this.canvas;
  }
}
