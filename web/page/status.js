/** Asking a server that refuses: before the upgrade it cannot tell a browser why. Main thread. */

import { refusalOf } from "./sentences.js";

/** @returns {Promise<string>} A sentence, without the wait that follows it. */
export async function askStatus() {
  try {
    const response = await fetch("/api/status");
    if (response.status === 429) return limitedText(response.headers.get("Retry-After"));
    return refusalOf(await response.json());
  } catch {
    return refusalOf({ state: "" });
  }
}

/** @param {string | null} retryAfter Seconds, as the header has them. */
function limitedText(retryAfter) {
  const seconds = Number(retryAfter);
  const wait = seconds > 0 ? `, for ${seconds} s` : "";
  return `The server asks for fewer requests from here${wait}.`;
}
