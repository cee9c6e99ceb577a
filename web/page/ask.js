/**
 * Ask the server something that it answers with JSON. Main thread.
 *
 * Without an account no cookie is set. With one, the server wants the token of this browser: it is
 * fetched when the server first misses it.
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
    token = (await once("GET", "/api/auth/session")).csrfToken;
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
  if (response.ok) return told;
  const { code, message } = told.error;
  throw new Refused(code, `${message[0].toUpperCase()}${message.slice(1)}.`);
}
