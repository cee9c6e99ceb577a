import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { Lookout } from "../sound/lookout.js";

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
});

/** A look-out over a server that is away for a while, and over sound that runs out. */
function watching({ backAtMs, heldMs = 12000, chance = 0.999 }) {
  let nowMs = 0;
  const asked = [];
  const hurried = [];
  const lookout = new Lookout({
    heldMs: () => heldMs - nowMs,
    isBack: async () => {
      asked.push(nowMs);
      return nowMs >= backAtMs;
    },
    hurry: () => hurried.push(nowMs),
    chance: () => chance,
  });
  /** @param {number} untilMs */
  const pass = async (untilMs) => {
    for (; nowMs < untilMs; nowMs += 50) {
      mock.timers.tick(50);
      await Promise.resolve().then(() => {});
    }
  };
  return { lookout, asked, hurried, pass };
}

for (const backAtMs of [300, 1000, 4000, 7000, 10000]) {
  test(`a server back after ${backAtMs} ms is found before the sound ends`, async () => {
    const { lookout, hurried, pass } = watching({ backAtMs });
    lookout.begin();
    await pass(12000);
    assert.ok(hurried[0] >= backAtMs && hurried[0] < 11800, `${hurried}`);
  });
}

test("it asks once a second, and no more once nothing is left to be heard", async () => {
  const { lookout, asked, hurried, pass } = watching({ backAtMs: Infinity, heldMs: 5000 });
  lookout.begin();
  await pass(20000);
  assert.equal(asked.length, 5);
  assert.deepEqual(hurried, []);
});

test("a server that was there all along is left to back-off", async () => {
  const { lookout, asked, hurried, pass } = watching({ backAtMs: 0 });
  lookout.begin();
  await pass(5000);
  assert.equal(asked.length, 5);
  assert.deepEqual(hurried, []);
});

test("a failed attempt does not begin anew, and it goes again if the first time is not enough", async () => {
  const { lookout, asked, hurried, pass } = watching({ backAtMs: 2000, chance: 0 });
  lookout.begin();
  lookout.begin();
  await pass(500);
  assert.equal(asked.length, 1);
  await pass(6000);
  assert.ok(hurried.length >= 2, `${hurried}`);
});

test("the next outage knows nothing of the last", async () => {
  const { lookout, hurried, pass } = watching({ backAtMs: 2000, chance: 0 });
  lookout.begin();
  await pass(1000);
  lookout.end();
  await pass(4000);
  lookout.begin();
  await pass(8000);
  assert.deepEqual(hurried, []);
});

test("without a sound heard there is nothing to save", async () => {
  const { lookout, asked, pass } = watching({ backAtMs: 0, heldMs: Number.NaN });
  lookout.begin();
  await pass(3000);
  assert.deepEqual(asked, []);
});
