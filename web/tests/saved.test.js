import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { forgetAccountBirths, forgetBirth, reconcile, saveBirth, savedBirths } from "../page/saved.js";

const kept = new Map();
globalThis.localStorage = {
  getItem: (name) => kept.get(name) ?? null,
  setItem: (name, value) => kept.set(name, value),
};
beforeEach(() => kept.clear());

const TOWN = { name: "Zürich", region: null, country: "Switzerland", lat: 47.37, lon: 8.54, tz: "Europe/Zurich" };
const birth = (name, datetime = "1990-05-05T14:30") => ({
  name, datetime, tz: TOWN.tz, lat: TOWN.lat, lon: TOWN.lon, town: TOWN,
});

/** The charts of an account, answering as the server does. */
function account(...names) {
  let count = 0;
  const chart = ({ name, datetime, tz, lat, lon }) => ({ id: `c${(count += 1)}`, name, datetime, tz, lat, lon });
  const charts = names.map((name) => chart(birth(name)));
  const asked = [];
  const ask = async (method, path, body) => {
    asked.push(`${method} ${path}`);
    if (method === "GET") return { charts: [...charts] };
    if (method === "DELETE") return void charts.splice(charts.findIndex(({ id }) => path.endsWith(id)), 1);
    charts.push(chart(body));
    return charts.at(-1);
  };
  return { charts, ask, asked };
}

const names = () => savedBirths().map(({ name }) => name);

test("the last one saved comes first, and each once", () => {
  for (const name of ["Anna", "Ben", "Anna"]) saveBirth(birth(name));
  assert.deepEqual(names(), ["Anna", "Ben"]);
});

test("what is here goes to the account, and what is there comes here", async () => {
  saveBirth(birth("Anna"));
  const { charts, ask } = account("Ben");
  await reconcile(ask);
  assert.deepEqual(names(), ["Anna", "Ben"]);
  assert.deepEqual(charts.map(({ name }) => name), ["Ben", "Anna"]);
  assert.deepEqual(savedBirths().map(({ id }) => id), ["c2", "c1"]);
  assert.equal(savedBirths()[0].town.name, "Zürich", "the town stays known here");
  assert.equal(savedBirths()[1].town.name, "47°22′ N, 8°32′ E");
});

test("a second time nothing is sent", async () => {
  saveBirth(birth("Anna"));
  const { ask, asked } = account("Anna");
  await reconcile(ask);
  await reconcile(ask);
  assert.deepEqual(asked, ["GET /api/charts", "GET /api/charts"]);
  assert.deepEqual(savedBirths().map(({ id }) => id), ["c1"]);
});

test("what is forgotten here is deleted there, however late", async () => {
  const { charts, ask } = account("Anna", "Ben");
  await reconcile(ask);
  forgetBirth(savedBirths().find(({ name }) => name === "Anna"));
  const offline = async () => {
    throw new Error("no network");
  };
  await assert.rejects(reconcile(offline));
  assert.deepEqual(names(), ["Ben"]);
  await reconcile(ask);
  assert.deepEqual(charts.map(({ name }) => name), ["Ben"]);
});

test("what was deleted elsewhere goes here too", async () => {
  const { charts, ask } = account("Anna", "Ben");
  await reconcile(ask);
  charts.shift();
  await reconcile(ask);
  assert.deepEqual(names(), ["Ben"]);
});

test("a birth without a name is called by its date, and stays one", async () => {
  saveBirth(birth("", "1987-11-02"));
  const { charts, ask } = account();
  await reconcile(ask);
  assert.equal(charts[0].name, "2 November 1987");
  await reconcile(ask);
  assert.deepEqual(names(), [""]);
});

test("logging out leaves what never was the account's", async () => {
  await reconcile(account("Ben").ask);
  saveBirth(birth("Anna"));
  forgetAccountBirths();
  assert.deepEqual(names(), ["Anna"]);
});
