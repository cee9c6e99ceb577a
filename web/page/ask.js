/**
 * Ask the server something that it answers with JSON. Main thread.
 *
 * Without an account no cookie is set. With one, the server wants the token of this browser: it is
 * fetched when the server first misses it, and whatever answer brings a newer one replaces it.
 */

let token = "";

/** What the server refused, in its own words. */
export class Refused extends Error {
  /** @param {string} code @param {string} say */
  constructor(code, say) {
    super(say);
    this.code = code;
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>} What it answered; null without a body.
 */
export async function ask(method, path, body) {
  try {
    return await once(method, path, body);
  } catch (error) {
    if (!(error instanceof Refused) || error.code !== "CSRF_FAILED") throw error;
    await once("GET", "/api/auth/session");
    return once(method, path, body);
  }
}

/** @param {string} method @param {string} path @param {object} [body] */
async function once(method, path, body) {
  /** @type {Record<string, string>} */
  const headers = {};
  if (body) headers["Content-Type"] = "application/json";
  if (token) headers["X-CSRF-Token"] = token;
  /** @type {Response} */
  let response;
  try {
    response = await fetch(path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  } catch {
    throw new Refused("NO_ANSWER", "The server does not answer.");
  }
  if (response.status === 204) return null;
  const told = await response.json();
  if (!response.ok) throw new Refused(told.error.code, sayOf(told.error, response.headers.get("Retry-After")));
  token = told.csrfToken ?? token;
  return told;
}

/**
 * @param {{code: string, message: string, details?: {message: string}[]}} error
 * @param {string | null} retryAfter Seconds, as the header has them.
 */
function sayOf({ code, message, details }, retryAfter) {
  const wait = Number(retryAfter) > 0 ? ` Try again in ${retryAfter} s.` : "";
  if (code === "STORE_UNAVAILABLE") return `The server cannot save anything now.${wait}`;
  const [first] = details?.length ? details.map((detail) => detail.message) : [message];
  return `${first[0].toUpperCase()}${first.slice(1)}.${wait}`;
}
