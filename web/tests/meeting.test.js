import assert from "node:assert/strict";
import { test } from "node:test";

import { meeting } from "../picture/meeting.js";

const at = (name, longitudeDeg) => ({ name, longitudeDeg });

test("an exact angle is the strongest, whichever way round the circle", () => {
  const [one] = meeting([at("mars", 350)], [at("venus", 110)]);
  assert.deepEqual(one, { a: "mars", b: "venus", kind: "trine", strength: 1 });
  const [other] = meeting([at("mars", 10)], [at("venus", 250)]);
  assert.equal(other.kind, "trine");
});

test("Sun and Moon reach further", () => {
  assert.equal(meeting([at("mars", 0)], [at("saturn", 65.5)], 0).length, 0);
  assert.equal(meeting([at("sun", 0)], [at("saturn", 65.5)], 0).length, 1);
});

test("weak ones are left out, and the strongest comes first", () => {
  const found = meeting([at("sun", 0)], [at("moon", 97.9), at("mars", 1), at("venus", 180)]);
  assert.deepEqual(found.map(({ b }) => b), ["venus", "mars"]);
});

test("the lunar points make none", () => {
  assert.deepEqual(meeting([at("mean_node", 0)], [at("sun", 0)]), []);
});
