/** What the player says about itself: one true sentence per state. Pure; imports nothing. */

/**
 * @typedef {object} Situation
 * @property {"idle" | "connecting" | "open" | "lost" | "refused"} link
 * @property {boolean} sounds Whether samples leave the speaker.
 * @property {string} say What a close code means, if the link is lost or refused.
 * @property {number} waitMs Until the next attempt.
 * @property {boolean} wasOpen Whether this page has been connected before.
 */

/** @param {number} waitMs */
function inSeconds(waitMs) {
  const seconds = Math.ceil(waitMs / 1000);
  return seconds > 0 ? ` Trying again in ${seconds} s.` : " Trying again.";
}

/**
 * @param {Situation} situation
 * @returns {string}
 */
export function sentenceOf({ link, sounds, say, waitMs, wasOpen }) {
  if (link === "idle") return "Ready.";
  if (link === "refused") return say;
  if (link === "lost" && !wasOpen) return say + inSeconds(waitMs);
  if (wasOpen && link !== "open") {
    return sounds
      ? "Reconnecting. You will not miss a note."
      : `${say} Reconnecting; the music goes on where it stopped.${inSeconds(waitMs)}`;
  }
  if (link === "connecting") return "Connecting.";
  return sounds ? "Playing." : "Gathering sound.";
}

/**
 * What a server that refuses says of itself (`GET /api/status`), as a sentence without the wait.
 *
 * @param {{state: string, listeners?: number, capacity?: number}} status
 */
export function refusalOf({ state, listeners, capacity }) {
  if (state === "DRAINING") return "The server is being renewed.";
  if (state === "STARTING") return "The server is starting.";
  if (state === "OVERLOADED" || (capacity !== undefined && listeners >= capacity)) {
    return "The server is full.";
  }
  return "The server does not answer.";
}

const DATE = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "long",
  year: "numeric",
  timeZone: "UTC",
});

const TIME = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  timeZone: "UTC",
});

/** @param {number} utcMs */
export function dateText(utcMs) {
  return DATE.format(utcMs);
}

/** @param {number} utcMs */
export function timeText(utcMs) {
  return `${TIME.format(utcMs)} UTC`;
}

/** @param {number} utcMs */
export function secondsText(utcMs) {
  const seconds = String(new Date(utcMs).getUTCSeconds()).padStart(2, "0");
  return `${TIME.format(utcMs)}:${seconds} UTC`;
}

/** Rates that the page offers, and how they are said. */
const RATES = Object.freeze({
  0: "The sky stands still.",
  1: "",
  60: "A minute passes in a second.",
  3600: "An hour passes in a second.",
  86400: "A day passes in a second.",
});

/**
 * Say what is played.
 *
 * @param {import("../types.js").Ready} ready
 * @param {number} utcMs Of the sky.
 * @returns {{title: string, lede: string}}
 */
export function programmeText({ live, programme }, utcMs) {
  if (live) {
    return {
      title: "The sky, now",
      lede:
        "Music made from where the planets stand this minute. It does not end, and all who " +
        "listen hear the same note.",
    };
  }
  const rate = RATES[programme.rate] ?? `${programme.rate} seconds pass in one.`;
  return {
    title: `The sky of ${dateText(utcMs)}`,
    lede: `Music made from where the planets stand at one moment, seen from one place. ${rate}`.trim(),
  };
}

/** @param {string[]} bodies Each as words. */
export function chartText(bodies) {
  return bodies.length > 0 ? `Chart wheel. ${bodies.join(", ")}.` : "Chart wheel.";
}

/** Where the sky is seen from unless a programme says otherwise. */
const GREENWICH = { lat: 51.48, lon: 0 };

/** @param {{lat: number, lon: number}} place */
export function placeText({ lat, lon }) {
  if (Math.hypot(lat - GREENWICH.lat, lon - GREENWICH.lon) < 0.02) return "Greenwich";
  const north = `${Math.abs(lat).toFixed(2)}° ${lat < 0 ? "S" : "N"}`;
  return `${north}, ${Math.abs(lon).toFixed(2)}° ${lon < 0 ? "W" : "E"}`;
}

/** @param {import("../types.js").Palette} palette */
export function keyText({ key, mode }) {
  return `${key.replace("b", "♭").replace("#", "♯")} ${mode}`;
}

/** @param {import("../types.js").Palette} palette */
export function tempoText({ tempoBpm }) {
  return `${Math.round(tempoBpm)} bpm`;
}
