import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { Sleep } from "../page/sleep.js";

const MINUTE = 60000;

function timer() {
  const select = Object.assign(new EventTarget(), { value: "0" });
  const said = [];
  const sleep = new Sleep(select, {
    fade: (seconds) => said.push(`fade ${seconds}`),
    stop: () => said.push("stop"),
  });
  const choose = (minutes) => {
    select.value = String(minutes);
    select.dispatchEvent(new Event("change"));
  };
  return { select, said, choose, sleep };
}

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
});

test("it fades for the last minute, stops, and stands on never again", () => {
  const { select, said, choose } = timer();
  choose(15);
  mock.timers.tick(14 * MINUTE - 1);
  assert.deepEqual(said, ["fade 0"]);
  mock.timers.tick(1);
  assert.deepEqual(said, ["fade 0", "fade 60"]);
  mock.timers.tick(MINUTE);
  assert.deepEqual(said, ["fade 0", "fade 60", "stop"]);
  assert.equal(select.value, "0");
});

test("another choice counts from now, and brings the sound back", () => {
  const { said, choose } = timer();
  choose(15);
  mock.timers.tick(14.5 * MINUTE);
  choose(30);
  assert.deepEqual(said, ["fade 0", "fade 60", "fade 0"]);
  mock.timers.tick(28 * MINUTE);
  choose(0);
  mock.timers.tick(100 * MINUTE);
  assert.deepEqual(said, ["fade 0", "fade 60", "fade 0", "fade 0"]);
});
