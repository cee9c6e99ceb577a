import assert from "node:assert/strict";
import { test } from "node:test";

import { VizTrack } from "../picture/viztrack.js";

const FIELDS = [
  { name: "level", min: 0, max: 1 },
  { name: "beat", min: 0, max: 1 },
  { name: "tilt", min: -10, max: 10 },
];

function track(frames, index = 0, width = 3) {
  const made = new VizTrack(FIELDS, 800, 32);
  const bytes = new Uint8Array(frames.length * width);
  frames.forEach((frame, n) => bytes.set(frame, n * width));
  made.put(index, frames.length, width, bytes);
  return made;
}

function assertValues(made, index, expected) {
  assert.ok(made.look(index));
  expected.forEach((value, n) => assert.ok(Math.abs(made.values[n] - value) < 1e-5, `${n}: ${made.values}`));
}

test("a frame shows at its index, between its field's bounds", () => {
  assertValues(track([[255, 0, 0], [0, 0, 255]], 84826828800000), 84826828800000, [1, 0, -10]);
});

test("between frames values go over in proportion", () => {
  assertValues(track([[0, 0, 0], [255, 51, 255]]), 600, [0.75, 0.15, 5]);
});

test("a phase goes on past one, not back through the half", () => {
  assertValues(track([[0, 250, 0], [0, 7, 0]]), 400, [0, 1 / 255, -10]);
  assertValues(track([[0, 240, 0], [0, 5, 0]]), 400, [0, 250 / 255, -10]);
});

test("a frame that is not here is not made up", () => {
  const made = track([[1, 2, 3]], 4800);
  assert.equal(made.look(4000), false);
  assert.equal(made.look(5600), false);
});

test("old frames give way to new ones in the same place", () => {
  const made = track([[255, 0, 0]]);
  made.put(32 * 800, 1, 3, Uint8Array.of(0, 0, 0));
  assert.equal(made.look(0), false);
  assertValues(made, 32 * 800, [0, 0, -10]);
});

test("fields that a newer server appends are passed over", () => {
  assertValues(track([[255, 0, 255, 9, 9], [255, 0, 255, 9, 9]], 0, 5), 800, [1, 0, 10]);
});

test("fields are found by name", () => {
  assert.equal(track([]).place("tilt"), 2);
  assert.equal(track([]).place("aura"), -1);
});
