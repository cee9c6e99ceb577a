import assert from "node:assert/strict";
import { test } from "node:test";

import { drawDial } from "../picture/dial.js";

globalThis.Path2D = class {
  moveTo(...point) {
    for (const number of point) assert.ok(Number.isFinite(number));
  }

  lineTo(...point) {
    this.moveTo(...point);
  }
};

const FACE = { x: 320, y: 320, radius: 290, line: 1, ascendantDeg: 167 };
const CHART = {
  bodies: [],
  aspects: [
    { a: "sun", b: "moon", kind: "square", strength: 0.5 },
    { a: "sun", b: "chiron", kind: "trine", strength: 1 },
  ],
  angles: { ascendantDeg: 167, midheavenDeg: 74 },
  cuspsDeg: Array.from({ length: 12 }, (_, n) => (167 + 30 * n) % 360),
};
const PLACES = new Map([
  ["sun", 241],
  ["moon", 331],
]);

/** A context that writes down what is drawn, and refuses numbers that are none. */
function recorder() {
  const calls = [];
  const gradient = { addColorStop() {} };
  const context = new Proxy({}, {
    get: (_, name) => (...args) => {
      for (const arg of args) if (typeof arg === "number") assert.ok(Number.isFinite(arg), name);
      calls.push([name, ...args]);
      return name === "createRadialGradient" ? gradient : undefined;
    },
    set: () => true,
  });
  return { context, calls, count: (name) => calls.filter(([called]) => called === name).length };
}

function drawn(chart) {
  const record = recorder();
  drawDial(record.context, FACE, chart, PLACES);
  return record;
}

test("a dial has twelve signs, twelve houses and four angles", () => {
  const { calls, count } = drawn(CHART);
  const words = calls.filter(([name]) => name === "fillText").map(([, text]) => text);
  assert.deepEqual(words.slice(0, 12), "1 2 3 4 5 6 7 8 9 10 11 12".split(" "));
  assert.deepEqual(words.slice(12), ["AC", "MC", "DC", "IC"]);
  assert.equal(count("rotate"), 1, "ticks");
  assert.equal(count("translate"), 12 + 1, "signs and ticks");
});

test("the ascendant is written at nine o'clock", () => {
  const [, , x, y] = drawn(CHART).calls.find(([name, text]) => name === "fillText" && text === "AC");
  assert.ok(x < FACE.x - FACE.radius);
  assert.ok(Math.abs(y - FACE.y) < 1e-6);
});

test("a line is drawn for an aspect of bodies that are shown, and for no other", () => {
  const dashes = drawn(CHART).calls.filter(([name]) => name === "setLineDash");
  assert.deepEqual(dashes.map(([, dash]) => dash), [[8, 4], []]);
});

test("without a time of birth there are no houses and no angles, and nothing breaks", () => {
  const { count } = drawn({ ...CHART, angles: null, cuspsDeg: null });
  assert.equal(count("fillText"), 0);
});
