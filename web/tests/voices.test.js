import assert from "node:assert/strict";
import { test } from "node:test";

import { Voices } from "../picture/voices.js";

const figure = (name, place) => ({ name, place, glow: 0 });

function duet() {
  const bodies = [figure("sun", 0), figure("moon", 1)];
  const others = [figure("moon", -1), figure("sun", -1)];
  return { voices: new Voices(bodies, others), sun: [bodies[0], others[1]], moon: [bodies[1], others[0]] };
}

test("a body alone shines as its voice sounds", () => {
  const bodies = [figure("sun", 1), figure("mars", -1)];
  new Voices(bodies, []).listen([0, 0.7]);
  assert.deepEqual(bodies.map(({ glow }) => glow), [0.7, 0]);
});

test("of two the one shines that was told to play, and the other fades", () => {
  const { voices, sun, moon } = duet();
  voices.turn({ bodies: ["sun"], chart: 1 });
  voices.listen([0.8, 0.6]);
  assert.deepEqual(sun.map(({ glow }) => glow), [0, 0.8]);
  assert.deepEqual(moon.map(({ glow }) => glow), [0.3, 0.3], "nobody has told of the Moon yet");
  voices.turn({ bodies: ["sun"], chart: 0 });
  const seen = [];
  for (let n = 0; n < 60; n += 1) {
    voices.listen([0.8, 0.6]);
    seen.push(sun[1].glow);
  }
  assert.equal(sun[0].glow, 0.8);
  assert.ok(seen[0] > 0.7 && seen.every((glow, n) => n === 0 || glow < seen[n - 1]) && seen.at(-1) < 0.01);
});

test("a body that the first chart does not have is no voice of it", () => {
  const { voices, sun } = duet();
  voices.turn({ bodies: ["pluto"], chart: 1 });
  voices.listen([0.5, 0]);
  assert.deepEqual(sun.map(({ glow }) => glow), [0.25, 0.25]);
});
