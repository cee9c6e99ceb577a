import assert from "node:assert/strict";
import { test } from "node:test";

import { CONTROLS, allowedWishes, middleWishes, wishText, wishesIn } from "../page/wishes.js";

const control = (name) => CONTROLS.find((one) => one.name === name);

test("there is a middle for every control, and it is allowed", () => {
  const middle = middleWishes();
  assert.deepEqual(Object.keys(middle), CONTROLS.map(({ name }) => name));
  assert.deepEqual(allowedWishes(middle), middle);
});

test("what an older page kept, or a palette lacks, is left out", () => {
  assert.deepEqual(allowedWishes({ key: "H", tempoNorm: 1.5, leapCap: 7, drums: "0", mode: "dorian" }), {
    mode: "dorian",
    leapCap: 7,
  });
  assert.deepEqual(wishesIn({ key: "Eb", mode: "lydian", tempoBpm: 90 }), { key: "Eb", mode: "lydian" });
  assert.deepEqual(wishesIn(null), {});
});

test("values as a person reads them", () => {
  assert.equal(wishText(control("key"), "Bb"), "B♭");
  assert.equal(wishText(control("genre"), "ambient"), "ambient");
  assert.equal(wishText(control("tempoNorm"), 0.423), "42 %");
  assert.equal(wishText(control("leapCap"), 5), "5");
  assert.equal(wishText(control("drums"), undefined), "not said");
});
