/**
 * What this device remembers. Main thread.
 *
 * Storage may be forbidden, full, or hold what an older page wrote: the page then forgets, and plays.
 */

const PREFIX = "astradio.";

/**
 * @template T
 * @param {string} name
 * @param {T} otherwise What holds where nothing, or nothing readable, is kept.
 * @returns {T}
 */
export function remembered(name, otherwise) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    const value = text === null ? otherwise : JSON.parse(text);
    const isAlike =
      value !== null &&
      typeof value === typeof otherwise &&
      Array.isArray(value) === Array.isArray(otherwise);
    return isAlike ? value : otherwise;
  } catch {
    return otherwise;
  }
}

/**
 * @param {string} name
 * @param {unknown} value
 * @returns {boolean} Whether it will be known next time.
 */
export function remember(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
