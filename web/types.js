/**
 * The shapes that the contracts define, for JSDoc; no code. Pure; imports nothing.
 *
 * @typedef {{[name: string]: number | string}} Wishes Controls, by name.
 *
 * @typedef {object} Birth
 * @property {string} datetime Local to `tz`, or with an offset; a date alone where the time is unknown.
 * @property {string} tz
 * @property {number} lat
 * @property {number} lon
 * @property {string} [name]
 * @property {string} [chartId] A published chart is named by its id, and has nothing else of this.
 *
 * @typedef {object} KnownProgramme
 * @property {string} [station]
 * @property {string} [mode]
 * @property {number} [seed]
 * @property {string} [at]
 * @property {number} [rate]
 * @property {{lat: number, lon: number}} [place]
 * @property {Birth[]} [charts]
 * @property {Wishes} [controls]
 * @property {{index: number, controls: Wishes}[]} [changes]
 * @property {{audio?: string}} [modelVersions]
 *
 * @typedef {KnownProgramme & {[field: string]: any}} Programme As sent, or as resolved.
 *
 * @typedef {object} Body
 * @property {string} name
 * @property {number} longitudeDeg
 * @property {number} speedDegPerDay
 * @property {number} [declinationDeg]
 * @property {boolean} retrograde
 * @property {number | null} [house]
 * @property {string | null} [dignity]
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
 * @property {{utc: string, local?: string, timeKnown?: boolean}} moment
 * @property {string | null} [houseSystemUsed]
 * @property {string[]} [notes]
 * @property {{phaseDeg: number, phaseName: string}} [moon]
 * @property {boolean} [isFree] No sky at all: the bodies are voices, and stand nowhere.
 *
 * @typedef {object} Palette
 * @property {string} key
 * @property {string} mode
 * @property {number} tempoBpm
 * @property {string} [metre]
 * @property {string} [genre]
 * @property {string} [lead] Name of the body that leads the movement.
 * @property {{body: string, instrument: string}[]} [voices]
 *
 * @typedef {object} Ready
 * @property {number} epoch
 * @property {Programme} programme
 * @property {{name: string, version: string, bitrate: number, preSkip: number}} codec
 * @property {number} from
 * @property {{index: number, utcMs: number} | null} live
 * @property {number} serverTimeUs
 * @property {{fields: {name: string, min: number, max: number}[]} | null} viz
 * @property {Chart} chart
 * @property {Palette} palette
 *
 * @typedef {object} SkyEvent
 * @property {"event"} type
 * @property {number} index
 * @property {string} kind
 * @property {string} text
 * @property {string[]} bodies
 * @property {number} [chart] Of a note: whose body plays it where there are two, 0 or 1.
 *
 * @typedef {object} Config What the server offers.
 * @property {string[]} stations
 * @property {string[]} modes
 *
 * @typedef {object} Town
 * @property {string} name
 * @property {string | null} region
 * @property {string} country
 * @property {number} lat
 * @property {number} lon
 * @property {string} tz
 */

export {};
