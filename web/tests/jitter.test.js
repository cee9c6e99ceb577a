import assert from "node:assert/strict";
import { test } from "node:test";

import { Jitter } from "../sound/jitter.js";

const QUANTUM = 4800;

/** Arrivals every 100 ms, each late by what `lateMs` says. */
function after(count, lateMs) {
  const jitter = new Jitter(QUANTUM, 48000, 96000);
  let nowMs = 0;
  for (let n = 0; n < count; n += 1) {
    nowMs += 100 + lateMs(n);
    jitter.arrived(nowMs);
  }
  return jitter;
}

test("a punctual network needs one quantum", () => {
  assert.equal(after(200, () => 0).target, QUANTUM);
});

test("the target rises at once with lateness", () => {
  const jitter = after(3, () => 0);
  jitter.arrived(300 + 100 + 250);
  assert.ok(jitter.target >= QUANTUM + 0.99 * 250 * 48);
});

test("it falls slowly, and comes back to one quantum", () => {
  const shaken = (n) => (n < 10 ? 300 : 0);
  const high = QUANTUM + 300 * 48;
  assert.equal(after(130, shaken).target, high);
  const soon = after(150, shaken).target;
  assert.ok(soon < high && soon > 0.7 * high, `target ${soon}`);
  assert.ok(after(600, shaken).target < 1.02 * QUANTUM);
});

test("it never asks for more than it may", () => {
  assert.equal(after(50, () => 9000).target, 96000);
});

test("the pause before a new connection is not lateness", () => {
  const jitter = after(5, () => 0);
  jitter.restart();
  jitter.arrived(60000);
  assert.equal(jitter.target, QUANTUM);
});
