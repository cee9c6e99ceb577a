import assert from "node:assert/strict";
import { test } from "node:test";

import { HeardClock, tellsLatency } from "../sound/heard.js";

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

test("Firefox on Linux is not asked for its latency, others are", () => {
  const linux = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0";
  const windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:153.0) Gecko/20100101 Firefox/153.0";
  const chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
  assert.deepEqual([linux, windows, chrome].map(tellsLatency), [false, true, true]);
});
