import assert from "node:assert/strict";
import { test } from "node:test";

import { Inbox } from "../sound/inbox.js";

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

test("what comes alone is attended to at once", () => {
  const seen = [];
  new Inbox((item) => seen.push(item), () => true).put("a");
  assert.deepEqual(seen, ["a"]);
});

test("of a burst others have their turn after a few, and nothing is lost or changes its place", async () => {
  const seen = [];
  const inbox = new Inbox((item) => seen.push(item), () => true);
  for (let n = 0; n < 20; n += 1) inbox.put(n);
  const before = seen.length;
  assert.ok(before >= 1 && before < 5, `${before} at once`);
  inbox.put(20);
  while (seen.length < 21) await turn();
  assert.deepEqual(seen, Array.from({ length: 21 }, (_, n) => n));
});

test("what waits can be had at once", async () => {
  const seen = [];
  const inbox = new Inbox((item) => seen.push(item), () => true);
  for (let n = 0; n < 20; n += 1) inbox.put(n);
  inbox.flush();
  assert.equal(seen.length, 20);
  await turn();
  await turn();
  assert.equal(seen.length, 20);
});

test("where nobody waits for the decoder a burst is attended to at once", () => {
  const seen = [];
  let isHungry = true;
  const inbox = new Inbox(
    (item) => seen.push(item),
    () => isHungry,
  );
  for (let n = 0; n < 20; n += 1) inbox.put(n);
  isHungry = false;
  inbox.put(20);
  assert.equal(seen.length, 21);
});
