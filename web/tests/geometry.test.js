import assert from "node:assert/strict";
import { test } from "node:test";

import { houseMiddles, spread, wheelAngle } from "../picture/geometry.js";

/** Separation on the circle, 0 … 180. */
const apart = (a, b) => Math.abs(((((a - b) % 360) + 540) % 360) - 180);

function assertApart(placed, gapDeg) {
  for (let i = 0; i < placed.length; i += 1) {
    for (let j = 0; j < i; j += 1) {
      assert.ok(apart(placed[i], placed[j]) > gapDeg - 1e-6, `${placed[i]} and ${placed[j]}`);
    }
  }
}

test("the ascendant is at nine o'clock, the zodiac runs counter-clockwise", () => {
  const point = (deg) => [Math.cos(wheelAngle(deg, 100)), -Math.sin(wheelAngle(deg, 100))];
  const near = ([x, y], [a, b]) => assert.ok(Math.hypot(x - a, y - b) < 1e-12);
  near(point(100), [-1, 0]);
  near(point(190), [0, 1]);
  near(point(280), [1, 0]);
});

test("glyphs with room stay where they are", () => {
  assert.deepEqual(spread([10, 200, 100], 8), [10, 200, 100]);
});

test("a pair moves apart evenly, in order", () => {
  assert.deepEqual(spread([100, 102], 8), [97, 105]);
});

test("a crowd across 0° is spread about its middle", () => {
  const placed = spread([358, 359, 0, 1, 2], 7).map((deg) => ((deg % 360) + 360) % 360);
  assert.deepEqual(placed, [346, 353, 0, 7, 14]);
});

test("none overlap, whatever the sky: 2000 skies of twelve bodies", () => {
  let seed = 7;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  for (let n = 0; n < 2000; n += 1) {
    const width = 10 + 350 * random();
    const from = 360 * random();
    const bodies = Array.from({ length: 12 }, () => (from + width * random()) % 360);
    assertApart(spread(bodies, 9), 9);
  }
});

test("the middle of a house that holds 0° lies inside it", () => {
  const cusps = [350, 20, 50, 80, 110, 140, 170, 200, 230, 260, 290, 320];
  assert.equal(houseMiddles(cusps)[0], 365);
  assert.equal(houseMiddles(cusps)[11], 335);
});
