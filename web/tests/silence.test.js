import assert from "node:assert/strict";
import { test } from "node:test";

import { silence } from "../page/mediakeys.js";
import { Sleep } from "../page/sleep.js";

test("the silent file is a WAV of ten seconds without a sound", async () => {
  const bytes = Buffer.from(await silence().arrayBuffer());
  assert.equal(bytes.toString("latin1", 0, 4) + bytes.toString("latin1", 8, 16), "RIFFWAVEfmt ");
  assert.equal(bytes.readUInt32LE(40) / bytes.readUInt32LE(24), 10);
  assert.ok(bytes.subarray(44).every((byte) => byte === 128));
});

test("after the time chosen the music fades for a minute, then stops", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const done = [];
  const select = Object.assign(new EventTarget(), { value: "15" });
  new Sleep(select, { fade: (seconds) => done.push(`fade ${seconds}`), stop: () => done.push("stop") });
  select.dispatchEvent(new Event("change"));
  context.mock.timers.tick(14 * 60000 - 1);
  assert.deepEqual(done, ["fade 0"]);
  context.mock.timers.tick(1);
  assert.deepEqual(done, ["fade 0", "fade 60"]);
  context.mock.timers.tick(60000);
  assert.deepEqual(done, ["fade 0", "fade 60", "stop"]);
  assert.equal(select.value, "0");
});

test("changed to never, the timer and its fade are taken back", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const done = [];
  const select = Object.assign(new EventTarget(), { value: "15" });
  new Sleep(select, { fade: (seconds) => done.push(seconds), stop: () => done.push("stop") });
  select.dispatchEvent(new Event("change"));
  select.value = "0";
  select.dispatchEvent(new Event("change"));
  context.mock.timers.tick(3600000);
  assert.deepEqual(done, [0, 0]);
});
