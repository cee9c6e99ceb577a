/**
 * The aspect lines as they are heard: lit between bodies that sound, with a pulse where one begins, and
 * filled with light once when they become exact. Main thread; allocates nothing per frame.
 */

import { Pulses } from "./pulses.js";
import { aspectStyle } from "./zodiac.js";

/** @typedef {import("./figure.js").Figure} Figure */

/**
 * @typedef {object} Thread An aspect line, from body to body.
 * @property {Figure} from
 * @property {Figure} to
 * @property {string} colour
 * @property {number} strength 0 … 1.
 */

const PULSES = 48;
/** An aspect that becomes exact fills with light once, so long (seconds). */
const EXACT_S = 3.2;

export class Dialogue {
  /**
   * @param {readonly {a: string, b: string, kind: string, strength: number}[]} lines
   * @param {Figure[]} bodies At which a line begins.
   * @param {Figure[]} others At which it ends, if not at the same ones.
   */
  constructor(lines, bodies, others) {
    const ends = others.length > 0 ? others : bodies;
    /** @type {Thread[]} */
    this.threads = lines.flatMap(({ a, b, kind, strength }) => {
      const from = bodies.find(({ name }) => name === a);
      const to = ends.find(({ name }) => name === b);
      return from && to ? [{ from, to, colour: aspectStyle(kind).colour, strength }] : [];
    });
    this.bodies = bodies;
    this.others = others;
    this.pulses = new Pulses(PULSES);
    this.answers = new Pulses(PULSES);
    /** The thread that has become exact, and when (stream seconds). */
    this.exact = { thread: -1, atS: -1, waits: false };
    /** Names of the two bodies that lead the movement. */
    this.leads = ["", ""];
  }

  /**
   * Take note of an event that is heard now.
   *
   * @param {import("../types.js").SkyEvent} event
   */
  happen({ kind, bodies }) {
    const [a, b] = bodies;
    if (kind === "key") this.leads = [a, b];
    if (kind !== "aspect") return;
    const thread = this.threads.findIndex(({ from, to }) => joins(from, to, a, b));
    this.exact = { thread, atS: -1, waits: thread >= 0 };
  }

  /** @param {number} nowS An onset sends a pulse along the lines of its body. */
  listen(nowS) {
    this.send(this.bodies, this.pulses, nowS);
    this.send(this.others, this.answers, nowS);
  }

  /** @param {Figure[]} figures @param {Pulses} pulses @param {number} nowS */
  send(figures, pulses, nowS) {
    const { threads } = this;
    for (let n = 0; n < figures.length; n += 1) {
      const figure = figures[n];
      if (!pulses.isOnset(n, figure.glow, nowS)) continue;
      for (let i = 0; i < threads.length; i += 1) {
        if (threads[i].from === figure) pulses.send(i, true, nowS, figure.glow);
        else if (threads[i].to === figure) pulses.send(i, false, nowS, figure.glow);
      }
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {number} line Width of a hairline. @param {number} nowS */
  draw(context, line, nowS) {
    const { threads, exact, leads } = this;
    if (exact.waits) Object.assign(exact, { atS: nowS, waits: false });
    context.lineWidth = 1.5 * line;
    for (let i = 0; i < threads.length; i += 1) {
      const { from, to, colour, strength } = threads[i];
      const t = i === exact.thread ? (nowS - exact.atS) / EXACT_S : -1;
      const filled = t >= 0 && t < 1 ? Math.sin(Math.PI * t) : 0;
      const leading = joins(from, to, leads[0], leads[1]) ? 0.22 : 0;
      const light = Math.min(from.glow, to.glow) * (0.4 + 0.6 * strength);
      const alpha = Math.min(1, 0.75 * light + leading + filled);
      if (alpha < 0.03) continue;
      context.globalAlpha = alpha;
      context.strokeStyle = colour;
      context.beginPath();
      context.moveTo(from.root[0], from.root[1]);
      context.lineTo(to.root[0], to.root[1]);
      context.stroke();
    }
    for (let n = 0; n < PULSES; n += 1) {
      this.drawPulse(context, this.pulses, n, nowS);
      this.drawPulse(context, this.answers, n, nowS);
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {Pulses} pulses @param {number} n @param {number} nowS */
  drawPulse(context, pulses, n, nowS) {
    const t = pulses.progress(n, nowS);
    if (t < 0) return;
    const { from, to, strength } = this.threads[pulses.line[n]];
    const eased = t * t * (3 - 2 * t);
    const { light } = pulses.forward[n] ? from : to;
    const size = light.width * 0.36;
    const x = from.root[0] + eased * (to.root[0] - from.root[0]);
    const y = from.root[1] + eased * (to.root[1] - from.root[1]);
    context.globalAlpha = 4 * t * (1 - t) * pulses.force[n] * (0.35 + 0.65 * strength);
    context.drawImage(light, x - size / 2, y - size / 2, size, size);
  }
}

/** @param {Figure} from @param {Figure} to @param {string} a @param {string} b */
function joins(from, to, a, b) {
  return (from.name === a && to.name === b) || (from.name === b && to.name === a);
}
