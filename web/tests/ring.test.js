import assert from "node:assert/strict";
import { test } from "node:test";

import { Ring, ringBytes } from "../sound/ring.js";

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
