/** The charts of a programme: what the wheel shows, and what it is called. Main thread. */

import { ownBirth, shownBirth } from "./published.js";
import { birthName } from "./sentences.js";

/** @typedef {import("../types.js").Chart} Chart */
/** @typedef {{title: string, chart: Chart}} Titled */

/** Without a sky the ten voices stand evenly around a dial without signs. */
const FREE = Object.freeze({
  bodies: "sun moon mercury venus mars jupiter saturn uranus neptune pluto"
    .split(" ")
    .map((name, n) => ({ name, longitudeDeg: 288 - 36 * n, speedDegPerDay: 0, retrograde: false })),
  aspects: [],
  angles: null,
  cuspsDeg: null,
  place: null,
  moment: { utc: "" },
  isFree: true,
});

/** @type {Map<string, Promise<Chart | null>>} Births do not move: each is asked for once. */
const known = new Map();

/**
 * @param {import("../types.js").Birth} birth
 * @returns {Promise<Chart | null>} null if the server does not say.
 */
async function chartOf({ datetime, tz, lat, lon }) {
  const query = new URLSearchParams({ datetime, tz, lat: String(lat), lon: String(lon) });
  try {
    const response = await fetch(`/api/chart?${query}`);
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

/**
 * Return the charts of a programme, the one whose bodies are the voices first.
 *
 * @param {import("../types.js").Ready} ready
 * @returns {Promise<Titled[]>} At least one: where a birth cannot be had, what `ready` showed.
 */
export async function chartsOf({ programme, chart }) {
  if (programme.mode === "sandbox") return [{ title: "No sky", chart: FREE }];
  const all = programme.charts ?? [];
  // The bodies of the first are the voices: where it is told by its name alone, they stand nowhere.
  if (all.length > 0 && !ownBirth(all[0]) && programme.mode !== "overlay") {
    return [{ title: all.map((birth) => birthName(shownBirth(birth))).join(" and "), chart: FREE }];
  }
  const births = all.flatMap((birth) => ownBirth(birth) ?? []);
  const charts = await Promise.all(
    births.map((birth) => {
      const key = JSON.stringify(birth);
      const asked = known.get(key) ?? chartOf(birth);
      known.set(key, asked);
      asked.then((found) => found ?? known.delete(key));
      return asked;
    }),
  );
  const found = births.flatMap((birth, n) => {
    const one = charts[n];
    return one ? [{ title: birthName(birth), chart: one }] : [];
  });
  if (found.length === 0) return [{ title: "The sky", chart }];
  return programme.mode === "overlay" ? [...found, { title: "The sky", chart }] : found;
}
