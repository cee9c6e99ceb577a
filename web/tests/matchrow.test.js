import assert from "node:assert/strict";
import { test } from "node:test";

import { percentileText, signsText } from "../page/matchrow.js";

test("signs are told, the ascendant where it is known", () => {
  assert.equal(
    signsText({ sun: "pisces", moon: "leo", rising: "virgo" }),
    "Sun in Pisces, Moon in Leo, Virgo rising",
  );
  assert.equal(signsText({ sun: "pisces", moon: "leo", rising: null }), "Sun in Pisces, Moon in Leo");
});

test("a percentile is finer where it matters", () => {
  assert.equal(percentileText(50.4), "above 50 of 100 random pairs");
  assert.equal(percentileText(99.87), "above 99.87 of 100 random pairs");
  assert.equal(percentileText(100), "above all but one in ten thousand random pairs");
});
