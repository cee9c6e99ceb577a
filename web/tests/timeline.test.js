import assert from "node:assert/strict";
import { test } from "node:test";

import { Timeline } from "../sound/timeline.js";

test("before the first mark there is no index", () => {
  const timeline = new Timeline();
  assert.ok(Number.isNaN(timeline.indexAt(0)));
  timeline.mark(100, 0);
  assert.ok(Number.isNaN(timeline.indexAt(99)));
});

test("frames and indices rise together from a mark, fractions and all", () => {
  const timeline = new Timeline();
  timeline.mark(1000, 84826828800000);
  assert.equal(timeline.indexAt(1000), 84826828800000);
  assert.equal(timeline.indexAt(5800.5), 84826828804800.5);
});

test("a jump begins at its mark and not before", () => {
  const timeline = new Timeline();
  timeline.mark(0, 0);
  timeline.mark(4800, 480000);
  assert.equal(timeline.indexAt(4799), 4799);
  assert.equal(timeline.indexAt(4800), 480000);
});

test("what lies wholly before is forgotten, what still counts is not", () => {
  const timeline = new Timeline();
  for (let n = 0; n < 10; n += 1) timeline.mark(100 * n, 1000 * n);
  timeline.forget(450);
  assert.equal(timeline.marks.length, 6);
  assert.equal(timeline.indexAt(450), 4050);
});

test("a mark before others replaces them", () => {
  const timeline = new Timeline();
  for (let n = 0; n < 4; n += 1) timeline.mark(100 * n, 1000 * n);
  timeline.mark(150, 77);
  assert.equal(timeline.indexAt(149), 1049);
  assert.equal(timeline.indexAt(350), 277);
});

test("an index has its frame since the last mark", () => {
  const timeline = new Timeline();
  assert.ok(Number.isNaN(timeline.frameOf(0)));
  timeline.mark(0, 0);
  timeline.mark(500, 9000);
  assert.equal(timeline.frameOf(9100), 600);
  assert.ok(Number.isNaN(timeline.frameOf(8999)));
  assert.equal(timeline.nextMark(0), 500);
  assert.equal(timeline.nextMark(500), Number.POSITIVE_INFINITY);
});
