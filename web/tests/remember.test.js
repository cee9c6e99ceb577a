import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { remember, remembered } from "../page/remember.js";

let kept;
beforeEach(() => {
  kept = new Map();
  globalThis.localStorage = {
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, text) => kept.set(name, text),
  };
});

test("what was kept is known again", () => {
  assert.equal(remember("births", [{ name: "Anna" }]), true);
  assert.deepEqual(remembered("births", []), [{ name: "Anna" }]);
});

test("what is not there, not readable or of another shape is forgotten", () => {
  assert.equal(remembered("volume", 0.8), 0.8);
  kept.set("astradio.volume", "{");
  assert.equal(remembered("volume", 0.8), 0.8);
  kept.set("astradio.wishes", "null");
  assert.deepEqual(remembered("wishes", {}), {});
  kept.set("astradio.births", "{}");
  assert.deepEqual(remembered("births", []), []);
});

test("a device that forbids storage forgets, and nothing breaks", () => {
  globalThis.localStorage = {
    getItem: () => {
      throw new Error("forbidden");
    },
    setItem: () => {
      throw new Error("full");
    },
  };
  assert.equal(remember("volume", 1), false);
  assert.equal(remembered("volume", 0.8), 0.8);
});
