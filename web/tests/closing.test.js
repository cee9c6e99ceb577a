import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { CLOSE_CODES, afterClose, retryDelayMs } from "../wire/closing.js";

const VECTORS = JSON.parse(
  readFileSync(new URL("../../tests/vectors/closing.json", import.meta.url), "utf8"),
);

for (const [what, codes] of Object.entries(VECTORS)) {
  if (!Array.isArray(codes)) continue;
  const then = what.split(",")[0];
  for (const code of codes) {
    test(`after ${code}: ${what}`, () => assert.equal(afterClose(code).then, then));
  }
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
