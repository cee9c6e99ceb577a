import assert from "node:assert/strict";
import { test } from "node:test";

import { indexAt, programmeOf, queryOf, utcMsAt } from "../page/address.js";

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

const ANNA = { datetime: "1990-05-05T14:30", tz: "Europe/Zurich", lat: 47.37, lon: 8.55, name: "Anna, the first" };
const BENTO = { datetime: "1987-11-02", tz: "America/Sao_Paulo", lat: -23.5, lon: -46.6 };

const WHOLE = [
  { station: "now-jazz" },
  { mode: "natal", seed: 0, charts: [ANNA] },
  { mode: "compatibility", seed: 3, charts: [ANNA, BENTO], modelVersions: { audio: "v1.1" } },
  { mode: "overlay", seed: 0, at: "2000-01-01T00:00:00Z", rate: 1440, charts: [BENTO] },
  {
    mode: "sandbox",
    seed: 0,
    controls: { key: "C#", tempoNorm: 0.4, leapCap: 7, genre: "lofi" },
    changes: [{ index: 96000, controls: { drums: 0 } }],
  },
];

for (const programme of WHOLE) {
  test(`a link holds all of a ${programme.mode ?? "station"}`, () => {
    assert.deepEqual(read(queryOf(programme, 4800)), { programme, from: 4800 });
  });
}

test("changes that are no list are none, and the rest of the link still plays", () => {
  assert.deepEqual(read("?mode=sandbox&changes=%7B").programme, { mode: "sandbox" });
});

test("a moment of the sky is found where it sounds, and nowhere where no sky moves", () => {
  const chart = { moment: { utc: "2000-01-01T12:00:00Z" } };
  const noon = Date.UTC(2000, 0, 1, 12);
  const ready = { live: null, programme: { rate: 60 }, chart, from: 48000 };
  assert.equal(indexAt(ready, noon + 60000), 96000);
  assert.equal(utcMsAt(ready, indexAt(ready, noon + 5000)), noon + 5000);
  assert.ok(Number.isNaN(indexAt({ ...ready, programme: { mode: "natal" } }, noon)));
  assert.ok(Number.isNaN(indexAt({ ...ready, programme: { rate: 0 } }, noon)));
  const live = { index: 48000, utcMs: 5000 };
  assert.equal(indexAt({ live, programme: { station: "now" }, chart, from: 0 }, 6000), 96000);
});

test("a birth's own sky stands still", () => {
  const chart = { moment: { utc: "1990-05-05T12:30:00Z" } };
  const ready = { live: null, programme: { mode: "natal" }, chart, from: 0 };
  assert.equal(utcMsAt(ready, 48000 * 3600), Date.UTC(1990, 4, 5, 12, 30));
});

test("a duet of published charts is a link of ids alone", () => {
  const charts = [{ chartId: "chart_00ff", version: "aa" }, { chartId: "chart_1234" }];
  const link = queryOf({ mode: "compatibility", charts }, 0);
  assert.ok(!link.includes("version"));
  assert.deepEqual(read(link).programme, {
    mode: "compatibility",
    charts: [{ chartId: "chart_00ff" }, { chartId: "chart_1234" }],
  });
});
