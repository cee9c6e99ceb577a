import assert from "node:assert/strict";
import { test } from "node:test";

import { HeardClock } from "../sound/heard.js";

test("noise of one device buffer in the readings is smoothed to a fifth", () => {
  const clock = new HeardClock();
  let worst = 0;
  for (let n = 0; n < 600; n += 1) {
    const pageMs = 1000 + (n * 1000) / 60;
    const noise = ((n * 7919) % 100) / 100 - 0.5;
    clock.read(pageMs / 1000 - 0.9 + 0.01 * noise, pageMs);
    if (n > 120) worst = Math.max(worst, Math.abs(clock.at(pageMs) - (pageMs / 1000 - 0.9)));
  }
  assert.ok(worst < 0.002, `worst ${worst}`);
});

test("a real jump, as of a suspended context, is followed at once", () => {
  const clock = new HeardClock();
  clock.read(1, 2000);
  clock.read(1.5, 60000);
  assert.equal(clock.at(60000), 1.5);
});
