import assert from "node:assert/strict";
import { test } from "node:test";

import { PULSE_S, Pulses } from "../picture/pulses.js";

test("a rise of light is an onset, a fall is none", () => {
  const pulses = new Pulses(4);
  assert.ok(pulses.isOnset(3, 0.5, 10));
  assert.ok(!pulses.isOnset(3, 0.48, 10.02));
});

test("one body sends at most three times a second: nothing flashes", () => {
  const pulses = new Pulses(4);
  let sent = 0;
  for (let n = 0; n < 600; n += 1) if (pulses.isOnset(0, n % 2, n / 60)) sent += 1;
  assert.ok(sent <= 30, `${sent} in 10 s`);
});

test("a pulse runs from one end of its line to the other and is over", () => {
  const pulses = new Pulses(4);
  pulses.send(2, true, 100, 1);
  pulses.send(2, false, 100, 1);
  assert.equal(pulses.progress(0, 100), 0);
  assert.equal(pulses.progress(1, 100), 1);
  assert.ok(Math.abs(pulses.progress(0, 100 + PULSE_S / 2) - 0.5) < 1e-9);
  assert.equal(pulses.progress(0, 100 + PULSE_S), -1);
  assert.equal(pulses.progress(0, 100), -1);
});

test("a stream that jumps back leaves no pulse hanging", () => {
  const pulses = new Pulses(1);
  pulses.send(0, true, 100, 1);
  assert.equal(pulses.progress(0, 50), -1);
});
