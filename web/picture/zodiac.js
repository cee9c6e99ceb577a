/** Signs, bodies and aspects as tables, and degrees as words. Pure; imports nothing. */

/** Element colours. */
export const ELEMENTS = Object.freeze({
  fire: "#e2724b",
  earth: "#9db06a",
  air: "#e3c66b",
  water: "#5fa8bf",
});

/** In the order of the ecliptic, 30° each from 0° Aries. */
export const SIGNS = Object.freeze([
  { name: "aries", title: "Aries", element: "fire" },
  { name: "taurus", title: "Taurus", element: "earth" },
  { name: "gemini", title: "Gemini", element: "air" },
  { name: "cancer", title: "Cancer", element: "water" },
  { name: "leo", title: "Leo", element: "fire" },
  { name: "virgo", title: "Virgo", element: "earth" },
  { name: "libra", title: "Libra", element: "air" },
  { name: "scorpio", title: "Scorpio", element: "water" },
  { name: "sagittarius", title: "Sagittarius", element: "fire" },
  { name: "capricorn", title: "Capricorn", element: "earth" },
  { name: "aquarius", title: "Aquarius", element: "air" },
  { name: "pisces", title: "Pisces", element: "water" },
]);

/** The bodies that are drawn, each in the colour of its metal; the true node would hide the mean one. */
export const BODIES = Object.freeze({
  sun: { title: "Sun", colour: "#e6bd5a" },
  moon: { title: "Moon", colour: "#d5d9dc" },
  mercury: { title: "Mercury", colour: "#aebfca" },
  venus: { title: "Venus", colour: "#d68d66" },
  mars: { title: "Mars", colour: "#d4604a" },
  jupiter: { title: "Jupiter", colour: "#95aed4" },
  saturn: { title: "Saturn", colour: "#a19c92" },
  uranus: { title: "Uranus", colour: "#74bba7" },
  neptune: { title: "Neptune", colour: "#5a96cc" },
  pluto: { title: "Pluto", colour: "#a18fc4" },
  mean_node: { title: "North Node", colour: "#b9b09c" },
  mean_lilith: { title: "Lilith", colour: "#a79aac" },
});

/** Bodies that are not drawn, but told. */
const OTHERS = Object.freeze({ true_node: "True Node" });

const COOL = "#6fb3bc";
const WARM = "#dd7650";
const IVORY = "#e9e2d0";
const FAINT = "#9a9484";

/** Kinds of aspect: told by colour and, for eyes that see colours otherwise, by dash pattern. */
/** @type {Readonly<Record<string, {angleDeg: number, colour: string, dash: readonly number[]}>>} */
const ASPECTS = Object.freeze({
  conjunction: { angleDeg: 0, colour: IVORY, dash: [] },
  sextile: { angleDeg: 60, colour: COOL, dash: [3, 4] },
  square: { angleDeg: 90, colour: WARM, dash: [8, 4] },
  trine: { angleDeg: 120, colour: COOL, dash: [] },
  opposition: { angleDeg: 180, colour: WARM, dash: [14, 4, 2, 4] },
});

const MINOR = Object.freeze({ angleDeg: NaN, colour: FAINT, dash: [1, 5] });

/** Where the word between two names is not the name of the kind. */
/** @type {Readonly<Record<string, string>>} */
const BETWEEN = Object.freeze({ conjunction: "conjunct", opposition: "opposite" });

/**
 * @param {{a: string, b: string, kind: string}} aspect
 * @returns {string} "Venus square Mars".
 */
export function aspectText({ a, b, kind }) {
  return `${bodyTitle(a)} ${BETWEEN[kind] ?? kind} ${bodyTitle(b)}`;
}

/** @param {string} kind */
export function aspectStyle(kind) {
  return ASPECTS[kind] ?? MINOR;
}

/** @param {number} longitudeDeg */
export function signAt(longitudeDeg) {
  return SIGNS[Math.floor(wrapDeg(longitudeDeg) / 30) % 12];
}

/**
 * @param {number} deg
 * @returns {number} In [0, 360).
 */
export function wrapDeg(deg) {
  return ((deg % 360) + 360) % 360;
}

/**
 * Write an arc as 12°34′: cut, not rounded, so that 29°59.9′ never leaves its sign.
 *
 * @param {number} deg
 */
export function degreesText(deg) {
  const minutes = Math.floor(Math.abs(deg) * 60 + 1e-6);
  return `${Math.floor(minutes / 60)}°${String(minutes % 60).padStart(2, "0")}′`;
}

/**
 * Write a span of hours as words: "2 h 10 min", "3 d 4 h".
 *
 * @param {number} hours
 */
export function hoursText(hours) {
  const minutes = Math.round(Math.abs(hours) * 60);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  const wholeHours = Math.round(minutes / 60);
  return `${Math.floor(wholeHours / 24)} d ${wholeHours % 24} h`;
}

/** @param {string} body */
export function bodyTitle(body) {
  const known = BODIES[/** @type {keyof BODIES} */ (body)];
  return known?.title ?? OTHERS[/** @type {keyof OTHERS} */ (body)] ?? body;
}
