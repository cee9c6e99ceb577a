import assert from "node:assert/strict";
import { test } from "node:test";

import { BLEND_FRAMES, Ring, ringBytes } from "../sound/ring.js";

const CAPACITY = 1024;

/** Two ends on one memory, as the Worker and the audio thread have them. */
function pair() {
  const memory = new SharedArrayBuffer(ringBytes(CAPACITY));
  return { memory, writer: new Ring(memory, CAPACITY), reader: new Ring(memory, CAPACITY) };
}

/** Sample n of the test signal. */
const left = (n) => (n % 5003) / 5003;

function write(ring, count) {
  const samples = Float32Array.from({ length: count }, (_, i) => left(ring.written + i));
  ring.write(samples, samples.map((value) => -value), 0, count);
}

function assertRead(ring, count) {
  const a = new Float32Array(count);
  const b = new Float32Array(count);
  const first = ring.taken;
  const taken = ring.read(a, b, count);
  for (let i = 0; i < count; i += 1) {
    assert.equal(a[i], i < taken ? Math.fround(left(first + i)) : 0);
    assert.equal(b[i], i < taken ? -a[i] : 0);
  }
  return taken;
}

test("what is written comes out in order, whatever the sizes", () => {
  const { writer, reader } = pair();
  for (let round = 0; round < 200; round += 1) {
    write(writer, Math.min(37 * (round % 23), CAPACITY - writer.ahead()));
    assertRead(reader, (41 * round) % 300);
    assert.equal(reader.taken + reader.ahead(), writer.written);
  }
});

test("what is missing becomes silence and is not counted as taken", () => {
  const { writer, reader } = pair();
  write(writer, 100);
  assert.equal(assertRead(reader, 128), 100);
  assert.equal(reader.taken, 100);
});

test("a full ring refuses rather than overwrites", () => {
  const { writer } = pair();
  write(writer, CAPACITY);
  assert.throws(() => write(writer, 1), RangeError);
});

test("shared counters may wrap, after 12.4 h, and nothing is lost", () => {
  const { memory, writer, reader } = pair();
  const nearlyWrapped = 2 ** 31 - 300;
  new Int32Array(memory, 0, 2).fill(nearlyWrapped);
  writer.written = nearlyWrapped;
  reader.taken = nearlyWrapped;
  for (let round = 0; round < 20; round += 1) {
    write(writer, 100);
    assert.equal(writer.ahead(), 100);
    assert.equal(assertRead(reader, 100), 100);
  }
  assert.equal(reader.taken, nearlyWrapped + 2000);
});

test("skipping passes over what waits, and no more", () => {
  const { writer, reader } = pair();
  write(writer, 500);
  reader.skip(200);
  assertRead(reader, 100);
  reader.skip(1000);
  assert.equal(reader.taken, 500);
  assert.equal(reader.ahead(), 0);
});

test("the target travels with the memory", () => {
  const { writer, reader } = pair();
  writer.target = 4320;
  assert.equal(reader.target, 4320);
});

/** Write `count` frames of one value, wherever the writer stands. */
function writeValue(ring, count, value) {
  const samples = new Float32Array(count).fill(value);
  ring.write(samples, samples, 0, count);
}

function readAll(ring, count = ring.ahead()) {
  const out = new Float32Array(count);
  ring.read(out, new Float32Array(count), count);
  return out;
}

test("what was written and not read is replaced to the sample, with no blend", () => {
  const { writer, reader } = pair();
  writeValue(writer, 900, 1);
  readAll(reader, 200);
  writer.rewind(500, false);
  assert.equal(reader.ahead(), 700, "the old goes on until the new is there");
  writeValue(writer, 100, 2);
  assert.equal(reader.ahead(), 400, "and then it is gone");
  writeValue(writer, 50, 3);
  const out = readAll(reader);
  assert.deepEqual(out, Float32Array.from({ length: 450 }, (_, n) => (n < 300 ? 1 : n < 400 ? 2 : 3)));
  assert.equal(reader.taken, writer.written);
});

test("a jump blends from old to new, without a step, over 8 ms", () => {
  const { writer, reader } = pair();
  writeValue(writer, 1000, 1);
  writer.rewind(100, true);
  for (let part = 0; part < 5; part += 1) writeValue(writer, 100, -1);
  const out = readAll(reader);
  assert.equal(out.length, 600);
  assert.ok(out.subarray(0, 100).every((value) => value === 1));
  assert.ok(out.subarray(100 + BLEND_FRAMES).every((value) => value === -1));
  for (let n = 1; n < out.length; n += 1) assert.ok(out[n - 1] - out[n] < 3 / BLEND_FRAMES);
});

test("what comes too late joins before the reader, at the frame that it belongs to", () => {
  const { writer, reader } = pair();
  writer.margin = 64;
  writeValue(writer, 1000, 0);
  readAll(reader, 400);
  writer.rewind(350, false);
  const ramp = Float32Array.from({ length: 600 }, (_, n) => 350 + n);
  for (let at = 0; at < 600; at += 60) writer.write(ramp, ramp, at, 60);
  const out = readAll(reader);
  assert.equal(reader.taken, 950);
  assert.ok(out.subarray(0, 64).every((value) => value === 0), "left to the reader");
  for (let n = 64 + BLEND_FRAMES; n < out.length; n += 1) assert.equal(out[n], 400 + n);
  for (let n = 65; n < out.length; n += 1) assert.ok(out[n] >= out[n - 1]);
});

test("a reader that overtakes the writer is joined once more", () => {
  const { writer, reader } = pair();
  writeValue(writer, 1000, 1);
  writer.rewind(0, true);
  writeValue(writer, 100, -1);
  readAll(reader, 150);
  for (let at = 0; at < 9; at += 1) writeValue(writer, 100, -1);
  const out = readAll(reader);
  assert.equal(reader.taken, 1000);
  assert.equal(out[0] > 0.98, true);
  assert.equal(out.at(-1), -1);
  for (let n = 1; n < out.length; n += 1) assert.ok(Math.abs(out[n - 1] - out[n]) < 3 / BLEND_FRAMES);
});

test("what is replaced may end beyond the old, and on a wrapped counter", () => {
  const { memory, writer, reader } = pair();
  const nearlyWrapped = 2 ** 31 - 300;
  new Int32Array(memory, 0, 2).fill(nearlyWrapped);
  writer.written = nearlyWrapped;
  reader.taken = nearlyWrapped;
  writeValue(writer, 500, 1);
  writer.rewind(nearlyWrapped + 200, false);
  writeValue(writer, 700, 2);
  const out = readAll(reader);
  assert.equal(out.length, 900);
  assert.ok(out.every((value, n) => value === (n < 200 ? 1 : 2)));
});

test("settled, what was to be replaced is not heard", () => {
  const { writer, reader } = pair();
  writeValue(writer, 500, 1);
  writer.rewind(200, true);
  writer.settle();
  assert.equal(reader.ahead(), 200);
  writeValue(writer, 10, 2);
  assert.equal(readAll(reader).at(-1), 2);
});
