import assert from "node:assert/strict";
import { test } from "node:test";

import { programmeOf, queryOf, utcMsAt } from "../page/address.js";

const read = (address) => programmeOf(new URLSearchParams(address));

test("a bare address plays the station, live", () => {
  assert.deepEqual(read(""), { programme: { station: "now" }, from: undefined });
  assert.deepEqual(read("?viz=0&test=1").programme, { station: "now" });
});

test("an index in the address is where the station begins", () => {
  assert.deepEqual(read("?from=86182856812800"), {
    programme: { station: "now" },
    from: 86182856812800,
  });
});

test("a sky of one's own", () => {
  assert.deepEqual(read("?at=1969-07-20T20:17Z&rate=60&seed=7&lat=0.67&lon=-23.47").programme, {
    mode: "transit",
    seed: 7,
    at: "1969-07-20T20:17Z",
    rate: 60,
    place: { lat: 0.67, lon: -23.47 },
  });
});

test("the form's moment is UTC, and fields left empty are not said", () => {
  assert.deepEqual(read("?at=1969-07-20T20:17&rate=60&lat=&lon=").programme, {
    mode: "transit",
    at: "1969-07-20T20:17Z",
    rate: 60,
  });
});

test("a link leads back to what it was made of", () => {
  const programme = { mode: "transit", seed: 0, at: "2026-11-23T23:00:00Z", rate: 1, place: { lat: 51.48, lon: 0 } };
  assert.deepEqual(read(queryOf(programme, 480000.7)), { programme, from: 480000 });
});

test("the station's moment is its clock's, a programme's runs at its rate", () => {
  const chart = { moment: { utc: "2000-01-01T12:00:00Z" } };
  const live = { index: 48000, utcMs: 5000 };
  assert.equal(utcMsAt({ live, programme: {}, chart, from: 0 }, 96000), 6000);
  const noon = Date.UTC(2000, 0, 1, 12);
  const ready = { live: null, programme: { rate: 60 }, chart, from: 48000 };
  assert.equal(utcMsAt(ready, 96000), noon + 60000);
});
