/** How two charts meet: the major aspects between their bodies. Pure; imports nothing. */

/** Angle, orb, and what Sun and Moon add to it (degrees): as the server's table of aspects. */
const KINDS = Object.freeze([
  { kind: "conjunction", angleDeg: 0, orbDeg: 8 },
  { kind: "opposition", angleDeg: 180, orbDeg: 8 },
  { kind: "trine", angleDeg: 120, orbDeg: 6 },
  { kind: "square", angleDeg: 90, orbDeg: 6 },
  { kind: "sextile", angleDeg: 60, orbDeg: 4 },
]);
const LUMINARY_EXTRA_DEG = 2;
const LUMINARIES = new Set(["sun", "moon"]);
/** The lunar points are shown and make no aspects of their own. */
const PLANETS = new Set(
  "sun moon mercury venus mars jupiter saturn uranus neptune pluto".split(" "),
);

/** @typedef {{name: string, longitudeDeg: number}} Placed */

/**
 * @param {number} aDeg
 * @param {number} bDeg
 * @returns {number} The shorter arc (degrees, 0 to 180).
 */
function separationDeg(aDeg, bDeg) {
  const apart = Math.abs(aDeg - bDeg) % 360;
  return Math.min(apart, 360 - apart);
}

/**
 * @param {readonly Placed[]} first
 * @param {readonly Placed[]} second
 * @param {number} [least] Weaker ones are left out: a hundred lines tell nothing.
 * @returns {{a: string, b: string, kind: string, strength: number}[]} `a` of the first, `b` of the
 *   second chart, strongest first.
 */
export function meeting(first, second, least = 0.25) {
  const found = [];
  for (const a of first.filter(({ name }) => PLANETS.has(name))) {
    for (const b of second.filter(({ name }) => PLANETS.has(name))) {
      const apart = separationDeg(a.longitudeDeg, b.longitudeDeg);
      const extra = LUMINARIES.has(a.name) || LUMINARIES.has(b.name) ? LUMINARY_EXTRA_DEG : 0;
      for (const { kind, angleDeg, orbDeg } of KINDS) {
        const ratio = Math.abs(apart - angleDeg) / (orbDeg + extra);
        const strength = ratio < 1 ? (1 - ratio * ratio) ** 2 : 0;
        if (strength > least) found.push({ a: a.name, b: b.name, kind, strength });
      }
    }
  }
  return found.sort((x, y) => y.strength - x.strength);
}
