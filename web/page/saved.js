/**
 * The births that are saved: on this device, and with an account on the server too. Main thread.
 *
 * The device's list is what the page shows. `reconcile` makes it and the account's the same.
 */

import { remember, remembered } from "./remember.js";
import { birthName, placeText } from "./sentences.js";

/**
 * @typedef {import("../types.js").Birth & {town: import("../types.js").Town, id?: string}} SavedBirth
 *   With an id where the account has it.
 *
 * @typedef {{id: string} & import("../types.js").Birth} AccountChart As the server tells it.
 */

const KEPT = "births";
/** Ids of what was forgotten here and not yet on the server. */
const GONE = "births.gone";
const MOST = 100;

/** @param {any} birth @returns {birth is SavedBirth} What an older page kept may lack something. */
function isWhole(birth) {
  return typeof birth?.datetime === "string" && typeof birth.town?.name === "string";
}

/** @returns {SavedBirth[]} Those kept on this device, the last one first. */
export function savedBirths() {
  return remembered(KEPT, []).filter(isWhole);
}

/** @param {import("../types.js").Birth} birth A birth without a name is called by its date. */
function keyOf(birth) {
  const { datetime, tz, lat, lon } = birth;
  return JSON.stringify([datetime, tz, lat, lon, birthName(birth)]);
}

/** @param {SavedBirth} birth */
export function saveBirth(birth) {
  const [same, ...others] = [true, false].map((isSame) =>
    savedBirths().filter((other) => (keyOf(other) === keyOf(birth)) === isSame),
  );
  const id = same[0]?.id;
  return remember(KEPT, [{ ...birth, ...(id ? { id } : {}) }, ...others.flat()].slice(0, MOST));
}

/** @param {SavedBirth} birth */
export function forgetBirth(birth) {
  if (birth.id) remember(GONE, [...remembered(GONE, /** @type {string[]} */ ([])), birth.id]);
  remember(KEPT, savedBirths().filter((other) => keyOf(other) !== keyOf(birth)));
}

/** Take the account's births off this device. */
export function forgetAccountBirths() {
  remember(KEPT, savedBirths().filter(({ id }) => id === undefined));
  remember(GONE, []);
}

/**
 * Make the list here and the one of the account the same.
 *
 * @param {(method: string, path: string, body?: object) => Promise<any>} ask Of the server; rejects
 *   where it refuses, but for what is gone already.
 */
export async function reconcile(ask) {
  const gone = remembered(GONE, /** @type {string[]} */ ([]));
  for (const id of gone) await ask("DELETE", `/api/charts/${id}`);
  remember(GONE, []);
  /** @type {AccountChart[]} */
  const charts = (await ask("GET", "/api/charts")).charts;
  const there = new Map(charts.map((chart) => [keyOf(chart), chart.id]));
  for (const birth of savedBirths()) {
    const { datetime, tz, lat, lon, id } = birth;
    if (id !== undefined || there.has(keyOf(birth))) continue;
    const made = await ask("POST", "/api/charts", { name: birthName(birth), datetime, tz, lat, lon });
    there.set(keyOf(birth), made.id);
  }
  const here = savedBirths();
  const known = new Set(here.map(keyOf));
  const kept = here.flatMap((birth) => {
    const id = there.get(keyOf(birth));
    return id === undefined ? [] : [{ ...birth, id }];
  });
  const others = charts.filter((chart) => !known.has(keyOf(chart))).map(birthOfChart);
  remember(KEPT, [...kept, ...others].slice(0, MOST));
}

/** @param {AccountChart} chart @returns {SavedBirth} */
function birthOfChart({ id, name, datetime, tz, lat, lon }) {
  // The server keeps no town: its coordinates stand for it.
  const town = { name: placeText({ lat, lon }), region: null, country: "", lat, lon, tz };
  return { id, name, datetime, tz, lat, lon, town };
}
