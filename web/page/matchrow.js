/** One match in words: a name, three signs, a score and its reasons. Main thread; asks nothing. */

import { element } from "./elements.js";

/**
 * @typedef {object} Match As the server tells it.
 * @property {string} chartId
 * @property {string} name
 * @property {number} score 0 … 1.
 * @property {number} percentile
 * @property {Record<string, number>} facets
 * @property {string[]} rationale
 * @property {{sun: string, moon: string, rising: string | null}} signs
 */

/** What is asked for, and how a score in it is read. */
export const FACETS = Object.freeze([
  { name: "overall", title: "Overall" },
  { name: "friends", title: "Friends" },
  { name: "lovers", title: "Lovers" },
  { name: "creative", title: "Creative" },
  { name: "mentor", title: "Mentor" },
  { name: "conflict", title: "Conflict" },
]);

/** @param {string} word */
const capital = (word) => `${word[0].toUpperCase()}${word.slice(1)}`;

/** @param {Match["signs"]} signs */
export function signsText({ sun, moon, rising }) {
  const lights = `Sun in ${capital(sun)}, Moon in ${capital(moon)}`;
  return rising ? `${lights}, ${capital(rising)} rising` : lights;
}

/** @param {number} percentile Of random pairs, how many in a hundred score less. */
export function percentileText(percentile) {
  if (percentile >= 99.99) return "above all but one in ten thousand random pairs";
  if (percentile > 99) return `above ${percentile.toFixed(2)} of 100 random pairs`;
  return `above ${Math.round(percentile)} of 100 random pairs`;
}

/**
 * @param {Match} match
 * @param {{listen: (match: Match) => void, block: (match: Match) => void}} on
 */
export function matchRow(match, on) {
  const row = element("li", "");
  const words = element("p", "match", match.name);
  words.append(element("span", "number", String(Math.round(100 * match.score))));
  const about = element("p", "quiet", `${signsText(match.signs)}; ${percentileText(match.percentile)}.`);
  const why = element("ul", "reasons");
  why.append(...match.rationale.map((sentence) => element("li", "", sentence)));
  const button = (/** @type {string} */ text, /** @type {() => void} */ act) => {
    const made = element("button", "quiet-button", text);
    made.setAttribute("type", "button");
    made.setAttribute("aria-label", `${text}: ${match.name}`);
    made.addEventListener("click", act);
    return made;
  };
  const buttons = element("p", "buttons");
  buttons.append(
    button("Listen to the two", () => on.listen(match)),
    button("Block", () => on.block(match)),
  );
  row.append(words, about, why, buttons);
  return row;
}
