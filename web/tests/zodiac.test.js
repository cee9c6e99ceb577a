import assert from "node:assert/strict";
import { test } from "node:test";

import { BODY_GLYPHS, SIGN_GLYPHS } from "../picture/glyphs.js";
import { BODIES, SIGNS, aspectText, degreesText, hoursText, signAt, wrapDeg } from "../picture/zodiac.js";

test("signs begin at their degree, and 0° is a place", () => {
  assert.equal(signAt(0).name, "aries");
  assert.equal(signAt(29.9999).name, "aries");
  assert.equal(signAt(30).name, "taurus");
  assert.equal(signAt(-0.1).name, "pisces");
  assert.equal(signAt(719.9).name, "pisces");
});

test("elements go round as they should", () => {
  assert.deepEqual(
    SIGNS.slice(0, 5).map(({ element }) => element),
    ["fire", "earth", "air", "water", "fire"],
  );
});

test("degrees are cut, never rounded into the next sign", () => {
  assert.equal(degreesText(12.5667), "12°34′");
  assert.equal(degreesText(29.9999), "29°59′");
  assert.equal(degreesText(0), "0°00′");
  assert.equal(degreesText(-1.5), "1°30′");
});

test("hours read as a person says them", () => {
  assert.equal(hoursText(0.5), "30 min");
  assert.equal(hoursText(2 + 10 / 60), "2 h 10 min");
  assert.equal(hoursText(47.2), "1 d 23 h");
  assert.equal(hoursText(76), "3 d 4 h");
});

test("aspects read as astrologers say them", () => {
  assert.equal(aspectText({ a: "venus", b: "mars", kind: "square" }), "Venus square Mars");
  assert.equal(aspectText({ a: "sun", b: "moon", kind: "opposition" }), "Sun opposite Moon");
});

test("angles wrap", () => {
  assert.equal(wrapDeg(-30), 330);
  assert.equal(wrapDeg(725), 5);
});

test("everything that is drawn has a glyph inside the grid", () => {
  assert.deepEqual(Object.keys(BODY_GLYPHS).sort(), Object.keys(BODIES).sort());
  assert.deepEqual(Object.keys(SIGN_GLYPHS), SIGNS.map(({ name }) => name));
  for (const path of [...Object.values(BODY_GLYPHS), ...Object.values(SIGN_GLYPHS)]) {
    assert.match(path, /^M[\d.MLHVCAZahv \-]+$/);
  }
});
