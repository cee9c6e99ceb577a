/**
 * The shapes that the contracts define, for JSDoc; no code. Pure; imports nothing.
 *
 * @typedef {object} Body
 * @property {string} name
 * @property {number} longitudeDeg
 * @property {number} speedDegPerDay
 * @property {boolean} retrograde
 *
 * @typedef {object} Aspect
 * @property {string} a
 * @property {string} b
 * @property {string} kind
 * @property {number} orbDeg
 * @property {number} strength 0 … 1.
 * @property {boolean} applying
 * @property {number | null} exactInHours
 *
 * @typedef {object} Angles
 * @property {number} ascendantDeg
 * @property {number} midheavenDeg
 *
 * @typedef {object} Chart
 * @property {Body[]} bodies
 * @property {Aspect[]} aspects
 * @property {Angles | null} angles
 * @property {number[] | null} cuspsDeg
 * @property {{lat: number, lon: number} | null} place
 * @property {{utc: string}} moment
 *
 * @typedef {{key: string, mode: string, tempoBpm: number}} Palette
 *
 * @typedef {object} Ready
 * @property {number} epoch
 * @property {any} programme
 * @property {{name: string, preSkip: number}} codec
 * @property {number} from
 * @property {{index: number, utcMs: number} | null} live
 * @property {{fields: {name: string, min: number, max: number}[]} | null} viz
 * @property {Chart} chart
 * @property {Palette} palette
 *
 * @typedef {{type: "event", index: number, kind: string, text: string, bodies: string[]}} SkyEvent
 */

export {};
