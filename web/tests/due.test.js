import assert from "node:assert/strict";
import { test } from "node:test";

import { Due } from "../page/due.js";

const event = (index, text = "Moon enters Taurus") => ({ type: "event", index, text });

test("what is sent again after a steer is told once, and what was to come is forgotten", () => {
  const due = new Due();
  for (const index of [300, 100, 200, 400]) due.add(event(index));
  due.forgetFrom(250);
  due.add(event(200));
  due.add(event(260, "Section 2"));
  assert.deepEqual(due.until(1000).map(({ index }) => index), [100, 200, 260]);
});
