import assert from "node:assert/strict";
import { test } from "node:test";

import { aspectRows, bodyRows, houseRows, musicRows } from "../page/numbers.js";

const CHART = {
  bodies: [
    {
      name: "mercury",
      longitudeDeg: 42.303544,
      speedDegPerDay: -0.631186,
      declinationDeg: 15.571461,
      retrograde: true,
      house: 9,
      dignity: "fall",
    },
    { name: "true_node", longitudeDeg: 359.99999, speedDegPerDay: -0.05, retrograde: false, house: null },
  ],
  aspects: [
    { a: "sun", b: "moon", kind: "square", orbDeg: 2.5, strength: 0.5, applying: true, exactInHours: 26 },
    { a: "sun", b: "mars", kind: "trine", orbDeg: 1, strength: 1, applying: false, exactInHours: -5 },
    { a: "sun", b: "pluto", kind: "trine", orbDeg: 1, strength: 1, applying: false, exactInHours: null },
  ],
  angles: { ascendantDeg: 157.2, midheavenDeg: 61.3 },
  cuspsDeg: [157.2, 187.2],
};

test("a body is told as an astrologer reads it", () => {
  const [mercury, node] = bodyRows(CHART);
  assert.deepEqual(mercury, ["Mercury r", "12°18′ Taurus", "9", "−0°37′/d", "+15°34′", "fall"]);
  assert.deepEqual(node, ["True Node", "29°59′ Pisces", "", "−0°03′/d", "", ""]);
});

test("an aspect says whether it comes or goes, and when it is exact", () => {
  assert.deepEqual(aspectRows(CHART), [
    ["Sun square Moon", "2°30′", "applying", "1 d 2 h", "50 %"],
    ["Sun trine Mars", "1°00′", "separating", "", "100 %"],
    ["Sun trine Pluto", "1°00′", "", "", "100 %"],
  ]);
});

test("without a time there are no angles and no houses", () => {
  assert.deepEqual(houseRows(CHART)[0], ["Ascendant", "7°12′ Virgo"]);
  assert.equal(houseRows(CHART).length, 4);
  assert.deepEqual(houseRows({ ...CHART, angles: null, cuspsDeg: null }), []);
});

test("music is told by what the model says, and by nothing else", () => {
  const few = musicRows({ key: "Bb", mode: "lydian", tempoBpm: 84.125 });
  assert.deepEqual(few, [["Key", "B♭ lydian"], ["Tempo", "84.13 bpm"]]);
  const more = musicRows({ key: "C", mode: "dorian", tempoBpm: 60, metre: "3/4", drums: 0.5, leapCap: 5 });
  assert.deepEqual(more.slice(2), [["Metre", "3/4"], ["Widest leap", "5"], ["Drums", "50 %"]]);
});
