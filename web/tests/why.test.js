import assert from "node:assert/strict";
import { test } from "node:test";

import { instrumentOf, whyOf } from "../page/why.js";

const PALETTE = {
  key: "D",
  mode: "dorian",
  tempoBpm: 84,
  lead: "moon",
  voices: [
    { body: "moon", instrument: "epiano" },
    { body: "saturn", instrument: "bass.soft" },
  ],
};
const body = (name, more = {}) => ({ name, retrograde: false, house: null, dignity: null, ...more });

test("an instrument is called by a word, without its velocity layer", () => {
  assert.equal(instrumentOf("moon", PALETTE), "electric piano");
  assert.equal(instrumentOf("saturn", PALETTE), "bass");
  assert.equal(instrumentOf("mars", PALETTE), "");
  assert.equal(instrumentOf("mars", undefined), "");
});

test("a sentence says what the body does, and what its place adds", () => {
  assert.equal(whyOf(body("moon"), PALETTE), "Moves the chord, and leads this movement.");
  assert.equal(
    whyOf(body("saturn", { dignity: "domicile", house: 10 }), PALETTE),
    "Holds the bass. At home in its sign: it speaks up. Angular: it sounds near.",
  );
});

test("a retrograde body turns its figures only where it has some", () => {
  assert.match(whyOf(body("mercury", { retrograde: true }), PALETTE), /turn back/);
  assert.doesNotMatch(whyOf(body("neptune", { retrograde: true }), PALETTE), /turn back/);
});

test("what is no voice has no sentence", () => {
  assert.equal(whyOf(body("mean_node"), PALETTE), "");
});
