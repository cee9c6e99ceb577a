import assert from "node:assert/strict";
import { test } from "node:test";

import { Backlog, isOlder } from "../sound/backlog.js";

const QUANTUM = 4800;

function quantum(number, epoch) {
  return { index: number * QUANTUM, epoch };
}

function holding(count, epoch = 1) {
  const backlog = new Backlog(QUANTUM);
  backlog.begin(epoch, 0);
  for (let n = 0; n < count; n += 1) backlog.add(quantum(n, epoch));
  return backlog;
}

const numbers = (backlog) => backlog.quanta.map(({ index }) => index / QUANTUM);

test("quanta come out as they came in", () => {
  const backlog = holding(3);
  assert.deepEqual([0, 1, 2], [backlog.next(), backlog.next(), backlog.next()].map((q) => q.index / QUANTUM));
  assert.equal(backlog.next(), undefined);
});

test("the end is where a resume begins", () => {
  assert.equal(holding(7).end, 7 * QUANTUM);
});

test("a duplicate is dropped", () => {
  const backlog = holding(3);
  assert.equal(backlog.add(quantum(2, 1)), false);
  assert.equal(backlog.length, 3);
});

test("a new epoch replaces what it covers and keeps what comes before", () => {
  const backlog = holding(10);
  backlog.begin(2, 6 * QUANTUM);
  assert.deepEqual(numbers(backlog), [0, 1, 2, 3, 4, 5]);
  assert.equal(backlog.end, 6 * QUANTUM);
});

test("late quanta of the old epoch are stale from the new one's first index on", () => {
  const backlog = holding(5);
  backlog.begin(2, 5 * QUANTUM);
  assert.equal(backlog.add(quantum(5, 1)), false);
  assert.equal(backlog.add(quantum(5, 2)), true);
});

test("epochs are older or newer on a circle of 16 bits", () => {
  assert.ok(isOlder(1, 2));
  assert.ok(!isOlder(2, 2));
  assert.ok(!isOlder(3, 2));
  assert.ok(isOlder(65535, 0));
  assert.ok(!isOlder(0, 65535));
});

test("the first quantum of a new epoch begins it where it is, whatever was announced", () => {
  const backlog = holding(10);
  backlog.expect(7.3 * QUANTUM);
  assert.equal(backlog.end, 6 * QUANTUM, "a resume would begin before the change");
  assert.equal(backlog.length, 10, "until the new is there the old is kept");
  assert.equal(backlog.add(quantum(7, 2)), true);
  assert.deepEqual(numbers(backlog), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.equal(backlog.quanta.at(-1).epoch, 2);
  assert.equal(backlog.end, 8 * QUANTUM);
});

test("what was decoded can be decoded again, but for what a new epoch replaces", () => {
  const backlog = holding(30);
  for (let n = 0; n < 20; n += 1) backlog.next();
  backlog.add(quantum(18, 2));
  backlog.again(15 * QUANTUM);
  assert.deepEqual(numbers(backlog), [15, 16, 17, 18]);
});
