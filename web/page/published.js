/**
 * Published charts: what the page knows of those that are named by their id. Main thread.
 *
 * Others learn a name and three signs; the owner, who is logged in, learns the birth.
 */

import { ask } from "./ask.js";

/** @typedef {import("../types.js").Birth} Birth */
/** @typedef {{name: string, datetime?: string}} Told */

/** @type {Map<string, Told>} */
const told = new Map();

/** @param {string} id @param {Told} chart */
export function know(id, chart) {
  told.set(id, chart);
}

/**
 * A birth as it can be shown: a chart that is named by its id with its name, once that is known.
 *
 * @param {Birth} birth
 * @returns {Birth}
 */
export function shownBirth(birth) {
  if (!birth.chartId) return birth;
  const { name } = told.get(birth.chartId) ?? { name: "A published chart" };
  return { ...birth, name };
}

/**
 * Learn what the charts of a programme are called.
 *
 * @param {import("../types.js").Programme} programme
 */
export async function learn({ charts = [] }) {
  const unknown = charts.flatMap(({ chartId }) => (chartId && !told.has(chartId) ? [chartId] : []));
  await Promise.all(
    unknown.map(async (id) => {
      try {
        know(id, await ask("GET", `/api/charts/${id}`));
      } catch {
        // It plays all the same, without a name.
      }
    }),
  );
}

/**
 * The birth of a published chart that is one's own.
 *
 * @param {Birth} birth
 * @returns {Birth | null} null where only its name is known.
 */
export function ownBirth(birth) {
  if (!birth.chartId) return birth;
  const found = told.get(birth.chartId);
  return found?.datetime ? /** @type {Birth} */ (found) : null;
}
