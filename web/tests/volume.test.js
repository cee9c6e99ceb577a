import assert from "node:assert/strict";
import { test } from "node:test";

import { gainOf } from "../sound/volume.js";

test("the ends are silence and full", () => {
  assert.equal(gainOf(0), 0);
  assert.equal(gainOf(1), 1);
});

test("half of the way is −24 dB", () => {
  assert.ok(Math.abs(20 * Math.log10(gainOf(0.5)) + 24) < 1e-9);
});

test("it rises everywhere", () => {
  for (let n = 0; n < 100; n += 1) assert.ok(gainOf((n + 1) / 100) > gainOf(n / 100));
});
