import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { unpackQuantum } from "../wire/quantum.js";

const vectors = JSON.parse(
  readFileSync(new URL("../../tests/vectors/quantum.json", import.meta.url), "utf8"),
);

/** A byte string of the vectors: hex, or a rule {start, step, length}. */
function bytesOf(part) {
  if (typeof part === "string") return Buffer.from(part, "hex");
  return Buffer.from(Array.from({ length: part.length }, (_, i) => (part.start + part.step * i) % 256));
}

function bufferOf(parts) {
  const bytes = Buffer.concat(parts.map(bytesOf));
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

for (const { name, meaning, bytes } of vectors.quanta) {
  test(`unpacks ${name}`, () => {
    const quantum = unpackQuantum(bufferOf(bytes));
    assert.equal(quantum.codec, meaning.codec);
    assert.equal(quantum.epoch, meaning.epoch);
    assert.equal(quantum.crc, meaning.crc32);
    assert.equal(quantum.index, meaning.index);
    assert.deepEqual(
      quantum.packets.map((packet) => Buffer.from(packet)),
      meaning.packets.map(bytesOf),
    );
    assert.equal(quantum.frames, meaning.vizFrames.length);
    assert.deepEqual(Buffer.from(quantum.viz), Buffer.concat(meaning.vizFrames.map(bytesOf)));
  });
}

test("a kind that is not known is passed over", () => {
  assert.equal(unpackQuantum(new Uint8Array(64).fill(9).buffer), null);
});

for (const { why, bytes } of vectors.malformed) {
  test(`refuses a message that is malformed: ${why}`, () => {
    assert.throws(() => {
      if (unpackQuantum(bufferOf(bytes)) === null) throw new RangeError("unknown kind");
    }, RangeError);
  });
}
