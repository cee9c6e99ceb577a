import assert from "node:assert/strict";
import { test } from "node:test";

import { RING_FRAMES, Ring, ringBytes } from "../sound/ring.js";

const BLOCK = 128;
const FADE = 384;

let Processor = null;
globalThis.currentFrame = 0;
globalThis.AudioWorkletProcessor = class {
  constructor() {
    this.port = { said: [], postMessage: (message) => this.port.said.push(message) };
  }
};
globalThis.registerProcessor = (_name, made) => {
  Processor = made;
};
await import("../sound/worklet.js");

/** The audio thread, turned by hand, and the writer's end of its ring. */
class Bench {
  constructor() {
    const shared = new SharedArrayBuffer(ringBytes(RING_FRAMES));
    this.writer = new Ring(shared, RING_FRAMES);
    this.player = new Processor({ processorOptions: { shared, capture: false } });
    this.command({ play: true });
  }

  command(data) {
    this.player.port.onmessage({ data });
  }

  write(count, value = 1) {
    const samples = new Float32Array(count).fill(value);
    this.writer.write(samples, samples, 0, count);
  }

  /** @returns {Float32Array} What `blocks` blocks put out on the left. */
  run(blocks) {
    const out = new Float32Array(blocks * BLOCK);
    for (let n = 0; n < blocks; n += 1) {
      const left = out.subarray(n * BLOCK, (n + 1) * BLOCK);
      this.player.process([], [[left, new Float32Array(BLOCK)]]);
      globalThis.currentFrame += BLOCK;
    }
    return out;
  }

  get said() {
    return this.player.port.said.map(({ type }) => type);
  }
}

/** No two samples next to each other differ by more than the fade's own slope. */
function assertNoClick(samples) {
  for (let n = 1; n < samples.length; n += 1) {
    const step = Math.abs(samples[n] - samples[n - 1]);
    assert.ok(step < 1.5 / FADE, `a step of ${step} at ${n}`);
  }
}

test("it waits for its target, then fades in", () => {
  const bench = new Bench();
  bench.writer.target = 4320;
  bench.write(4000);
  assert.ok(bench.run(10).every((value) => value === 0));
  bench.write(4000);
  const out = bench.run(10);
  assertNoClick(out);
  assert.equal(out[FADE], 1);
  assert.deepEqual(bench.said, ["playing"]);
});

test("running dry it fades out over what is left, and counts one underrun", () => {
  const bench = new Bench();
  bench.write(40 * BLOCK);
  const out = bench.run(60);
  assertNoClick(out);
  assert.equal(out.at(-1), 0);
  assert.deepEqual(bench.said, ["playing", "silent"]);
  assert.equal(bench.player.underruns, 1);
  assert.equal(bench.player.ring.taken, 40 * BLOCK);
});

test("stopped by the listener it fades out and counts nothing", () => {
  const bench = new Bench();
  bench.write(100 * BLOCK);
  bench.run(10);
  bench.command({ play: false });
  const out = bench.run(10);
  assertNoClick(out);
  assert.equal(out.at(-1), 0);
  assert.equal(bench.player.underruns, 0);
});

test("a cue leaves the old sound with a fade and goes on at its frame", () => {
  const bench = new Bench();
  bench.write(100 * BLOCK, 0.5);
  bench.run(10);
  bench.command({ play: true, from: bench.writer.written });
  bench.write(100 * BLOCK, -0.5);
  const out = bench.run(20);
  assertNoClick(out);
  assert.equal(out.at(-1), -0.5);
  assert.equal(bench.player.underruns, 0);
  assert.deepEqual(bench.said, ["playing", "silent", "playing"]);
});

test("it tells where ring and audio clock stand together", () => {
  const bench = new Bench();
  bench.run(7);
  bench.write(50 * BLOCK);
  const frame = globalThis.currentFrame;
  bench.run(1);
  assert.deepEqual(bench.player.port.said, [
    { type: "playing", contextFrame: frame, ringFrame: 0, underruns: 0 },
  ]);
});

test("without shared memory samples come as messages, and it tells how far it is", () => {
  const bench = new Bench();
  const port = { told: [], postMessage: (taken) => port.told.push(taken) };
  bench.player = new Processor({ processorOptions: { shared: null, capture: false } });
  bench.command({ play: true });
  bench.command({ port });
  const left = new Float32Array(32 * BLOCK).fill(1);
  port.onmessage({ data: { left, right: left.slice(), target: 4000 } });
  assert.equal(bench.run(16).at(-1), 1);
  assert.deepEqual(port.told, [8 * BLOCK, 16 * BLOCK]);
});
