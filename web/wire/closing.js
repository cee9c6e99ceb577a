/**
 * What a close code asks of the player, as a table. Pure; imports nothing.
 *
 * The class of a code says what to do; the row says what to tell the listener.
 */

const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 30000;
const SOON_MS = 500;

/** @typedef {{then: "stop" | "soon" | "later", say: string}} Closing */

/** @type {Readonly<Record<number, Closing>>} */
export const CLOSE_CODES = Object.freeze({
  1000: { then: "stop", say: "Stopped." },
  1003: { then: "stop", say: "The server refused what this page sent. Reload the page." },
  1007: { then: "stop", say: "The server refused what this page sent. Reload the page." },
  1009: { then: "stop", say: "The server refused what this page sent. Reload the page." },
  1011: { then: "later", say: "The server met a fault on this connection." },
  1012: { then: "soon", say: "The server is being renewed." },
  1013: { then: "later", say: "The server is full." },
  4000: { then: "stop", say: "The server did not understand this page. Reload the page." },
  4001: { then: "stop", say: "This page is older than the server. Reload the page." },
  4004: { then: "stop", say: "The server does not know this programme." },
  4005: { then: "stop", say: "The server did not understand this page. Reload the page." },
  4100: { then: "later", say: "The server is full." },
  4101: { then: "later", say: "The server asks this page to slow down." },
  4102: { then: "later", say: "The network is too slow for the stream." },
  4103: { then: "later", say: "The server lost sight of this page." },
  4104: { then: "later", say: "The server lost sight of this page." },
});

/**
 * A proxy between us has codes of its own (1001, 1005, 1008 …), and says with none of them that the
 * server would refuse the next attempt.
 *
 * @type {Closing}
 */
const UNKNOWN = Object.freeze({ then: "later", say: "The connection broke." });

/**
 * Say what follows a close code.
 *
 * @param {number} code
 * @returns {Closing}
 */
export function afterClose(code) {
  if (code in CLOSE_CODES) return CLOSE_CODES[code];
  if (code >= 4000 && code < 4100) return { then: "stop", say: "The server refused the stream." };
  if (code >= 4200 && code < 4300) return CLOSE_CODES[1012];
  return UNKNOWN;
}

/**
 * Say how long to wait before the next attempt: full jitter, 1 s doubling to 30 s.
 *
 * Full jitter (a delay drawn from the whole of [0, limit)) spreads a crowd that lost its server at
 * the same moment. Source: Marc Brooker, "Exponential Backoff And Jitter", AWS, 2015.
 *
 * @param {"soon" | "later"} then
 * @param {number} attempt 0 for the first.
 * @param {number} chance In [0, 1).
 * @returns {number} Milliseconds.
 */
export function retryDelayMs(then, attempt, chance) {
  const first = then === "soon" ? SOON_MS : FIRST_DELAY_MS;
  return Math.round(chance * Math.min(LONGEST_DELAY_MS, first * 2 ** attempt));
}
