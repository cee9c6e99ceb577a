import assert from "node:assert/strict";
import { test } from "node:test";

import { CLOSE_CODES, afterClose, retryDelayMs } from "../wire/closing.js";

const CLASSES = [
  [1000, "stop"],
  [1006, "later"],
  [1011, "later"],
  [1012, "soon"],
  [1013, "later"],
  [4000, "stop"],
  [4004, "stop"],
  [4099, "stop"],
  [4100, "later"],
  [4199, "later"],
  [4200, "soon"],
  [4299, "soon"],
];

for (const [code, then] of CLASSES) {
  test(`after ${code}: ${then}`, () => assert.equal(afterClose(code).then, then));
}

test("every row says a sentence", () => {
  for (const { say } of Object.values(CLOSE_CODES)) assert.match(say, /^[A-Z].*\.$/);
});

test("back-off draws from the whole of a limit that doubles from 1 s to 30 s", () => {
  assert.equal(retryDelayMs("later", 0, 0), 0);
  const limits = [0, 1, 2, 3, 4, 5, 50].map((attempt) => retryDelayMs("later", attempt, 0.999999));
  assert.deepEqual(limits, [1000, 2000, 4000, 8000, 16000, 30000, 30000]);
});

test("soon is sooner than later", () => {
  assert.equal(retryDelayMs("soon", 0, 0.999999), 500);
});
