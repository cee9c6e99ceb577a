import assert from "node:assert/strict";
import { test } from "node:test";

import { Due } from "../page/due.js";
import {
  awayText,
  dateText,
  elapsedText,
  keyText,
  placeText,
  programmeText,
  rateText,
  refusalOf,
  secondsText,
  sentenceOf,
  stationText,
  tempoText,
  timeText,
} from "../page/sentences.js";

const OPEN = { link: "open", sounds: true, say: "", waitMs: 0, wasOpen: true };

const SAID = [
  [{ link: "idle" }, "Ready."],
  [{ link: "connecting", sounds: false, wasOpen: false }, "Connecting."],
  [{ sounds: false }, "Gathering sound."],
  [{}, "Playing."],
  [{ link: "lost", say: "The connection broke." }, "Reconnecting. You will not miss a note."],
  [{ link: "connecting" }, "Reconnecting. You will not miss a note."],
  [
    { link: "lost", sounds: false, say: "The connection broke.", waitMs: 7300 },
    "The connection broke. Reconnecting; the music goes on where it stopped. Trying again in 8 s.",
  ],
  [
    { link: "lost", sounds: false, wasOpen: false, say: "The server is full.", waitMs: 7300 },
    "The server is full. Trying again in 8 s.",
  ],
  [
    { link: "connecting", sounds: false, wasOpen: false, say: "The server is full." },
    "The server is full. Trying again.",
  ],
  [{ link: "refused", say: "The server does not know this programme." }, "The server does not know this programme."],
];

for (const [change, sentence] of SAID) {
  test(`says: ${sentence}`, () => assert.equal(sentenceOf({ ...OPEN, ...change }), sentence));
}

test("a refusal is told by what the server says of itself", () => {
  assert.equal(refusalOf({ state: "DRAINING" }), "The server is being renewed.");
  assert.equal(refusalOf({ state: "READY", listeners: 10, capacity: 10 }), "The server is full.");
  assert.equal(refusalOf({ state: "" }), "The server does not answer.");
});

test("moments and places in words", () => {
  const utcMs = Date.UTC(2026, 10, 23, 4, 5, 9);
  assert.equal(dateText(utcMs), "23 November 2026");
  assert.equal(timeText(utcMs), "04:05 UTC");
  assert.equal(secondsText(utcMs), "04:05:09 UTC");
  assert.equal(placeText({ lat: 51.4769, lon: 0 }), "Greenwich");
  assert.equal(placeText({ lat: 48.85, lon: 2.35 }), "48°51′ N, 2°21′ E");
  assert.equal(placeText({ lat: -33.9, lon: -70.5 }), "33°54′ S, 70°30′ W");
});

test("what is played, in words", () => {
  const own = { live: null, programme: { mode: "transit", rate: 1440 } };
  const { title, lede } = programmeText(own, Date.UTC(1969, 6, 20));
  assert.equal(title, "The sky of 20 July 1969");
  assert.match(lede, / A day in a minute\.$/);
  assert.equal(programmeText({ live: {}, programme: {} }, 0).title, "The sky, now");
});

test("key and tempo as musicians write them", () => {
  const palette = { key: "Ab", mode: "ionian", tempoBpm: 95.8 };
  assert.equal(keyText(palette), "A♭ ionian");
  assert.equal(tempoText(palette), "96 bpm");
  assert.equal(keyText({ key: "F#", mode: "dorian", tempoBpm: 60 }), "F♯ dorian");
});

test("events are shown when their index is heard, in order, whenever they came", () => {
  const due = new Due();
  for (const index of [300, 100, 200]) due.add({ index });
  assert.deepEqual(due.until(99), []);
  assert.deepEqual(due.until(200).map(({ index }) => index), [100, 200]);
  assert.deepEqual(due.until(1000).map(({ index }) => index), [300]);
});

const ANNA = { datetime: "1990-05-05T14:30", tz: "Europe/Zurich", lat: 47.37, lon: 8.55, name: "Anna" };
const NAMELESS = { ...ANNA, name: undefined, datetime: "1987-11-02" };

const TITLES = [
  [{ mode: "natal", charts: [ANNA] }, "Anna"],
  [{ mode: "natal", charts: [NAMELESS] }, "2 November 1987"],
  [{ mode: "overlay", charts: [ANNA], rate: 1 }, "Anna under the sky"],
  [{ mode: "compatibility", charts: [ANNA, NAMELESS] }, "Anna and 2 November 1987"],
  [{ mode: "sandbox" }, "Sandbox"],
];

for (const [programme, title] of TITLES) {
  test(`is called: ${title}`, () => {
    assert.equal(programmeText({ live: null, programme }, 0).title, title);
  });
}

test("a genre station is called by its genre", () => {
  assert.equal(stationText("now"), "The sky, now");
  assert.equal(stationText("now-jazz"), "The sky, now: jazz");
});

test("a rate that the page does not offer is said all the same", () => {
  assert.equal(rateText(1440), "A day in a minute.");
  assert.equal(rateText(7), "7 seconds pass in one.");
});

test("how far a moment lies from now, and how long a stream has run", () => {
  assert.equal(awayText(0), "now");
  assert.equal(awayText(-720), "12 min before now");
  assert.equal(awayText(3 * 3600 + 300), "3 h 5 min ahead of now");
  assert.equal(elapsedText(0), "0:00:00");
  assert.equal(elapsedText(3723.9), "1:02:03");
});
