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
  // An attempt that follows others is told as such: the sentence must not change for a moment.
  if (link === "connecting" && !wasOpen && say) return `${say} Trying again.`;
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
  const isFull = listeners !== undefined && capacity !== undefined && listeners >= capacity;
  if (state === "OVERLOADED" || isFull) return "The server is full.";
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

/** Rates that the page offers (sky seconds per stream second), and how they are said. */
export const RATES = Object.freeze([
  { rate: 0, say: "The sky stands still." },
  { rate: 1, say: "As fast as it does." },
  { rate: 60, say: "An hour in a minute." },
  { rate: 1440, say: "A day in a minute." },
  { rate: 10080, say: "A week in a minute." },
  { rate: 43200, say: "A month in a minute." },
  { rate: 525600, say: "A year in a minute." },
]);

/** @param {number} rate */
export function rateText(rate) {
  const known = RATES.find((row) => row.rate === rate);
  return known?.say ?? `${rate} seconds pass in one.`;
}

/** @param {string} station Its name: `now`, or `now-` and a genre. */
export function stationText(station) {
  const genre = station.replace(/^now-?/, "");
  return genre === "" ? "The sky, now" : `The sky, now: ${genre}`;
}

/**
 * A birth's name, or its date where it has none.
 *
 * @param {import("../types.js").Birth} birth
 */
export function birthName({ name, datetime }) {
  return name || (datetime === undefined ? "A published chart" : "") || dateText(Date.parse(`${datetime.slice(0, 10)}T12:00:00Z`));
}

/**
 * Say what is played.
 *
 * @param {{live: object | null, programme: import("../types.js").Programme}} ready
 * @param {number} utcMs Of the sky.
 * @returns {{title: string, lede: string}}
 */
export function programmeText({ live, programme }, utcMs) {
  if (live) {
    return {
      title: stationText(programme.station ?? "now"),
      lede:
        "Music made from where the planets stand this minute. It does not end, and all who " +
        "listen hear the same note.",
    };
  }
  const [first, second] = (programme.charts ?? []).map(birthName);
  const rate = rateText(programme.rate ?? 1);
  switch (programme.mode) {
    case "natal":
      return { title: first, lede: "The sky of one birth, as music: it sounds like no other." };
    case "compatibility":
      return { title: `${first} and ${second}`, lede: "Two births, each an ensemble of its own." };
    case "overlay":
      return { title: `${first} under the sky`, lede: `The birth plays, the sky answers. ${rate}` };
    case "sandbox":
      return { title: "Sandbox", lede: "No sky: the music is what the sliders say." };
    default:
      return {
        title: `The sky of ${dateText(utcMs)}`,
        lede: `Where the planets stand at one moment, seen from one place. ${rate}`,
      };
  }
}

/**
 * How far a moment lies from now: "12 min ago", "in 3 h 5 min".
 *
 * @param {number} seconds Positive is to come.
 */
export function awayText(seconds) {
  const minutes = Math.round(Math.abs(seconds) / 60);
  if (minutes === 0) return "now";
  const said = minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return seconds > 0 ? `${said} ahead of now` : `${said} before now`;
}

/**
 * How long a stream has run, as h:mm:ss.
 *
 * @param {number} seconds
 */
export function elapsedText(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

/**
 * @param {string[]} bodies Each as words.
 * @param {string} [whose]
 */
export function chartText(bodies, whose = "") {
  const of = whose ? ` of ${whose}` : "";
  return bodies.length > 0 ? `Chart wheel${of}. ${bodies.join(", ")}.` : `Chart wheel${of}.`;
}

/** Where the sky is seen from unless a programme says otherwise. */
const GREENWICH = { lat: 51.48, lon: 0 };

/** @param {{lat: number, lon: number}} place */
export function placeText({ lat, lon }) {
  if (Math.hypot(lat - GREENWICH.lat, lon - GREENWICH.lon) < 0.02) return "Greenwich";
  return `${arcText(lat)} ${lat < 0 ? "S" : "N"}, ${arcText(lon)} ${lon < 0 ? "W" : "E"}`;
}

/** @param {number} deg @returns {string} Without its sign, as 47°22′. */
function arcText(deg) {
  const minutes = Math.round(60 * Math.abs(deg));
  return `${Math.floor(minutes / 60)}°${String(minutes % 60).padStart(2, "0")}′`;
}

/** @param {import("../types.js").Palette} palette */
export function keyText({ key, mode }) {
  return `${key.replace("b", "♭").replace("#", "♯")} ${mode}`;
}

/** @param {import("../types.js").Palette} palette */
export function tempoText({ tempoBpm }) {
  return `${Math.round(tempoBpm)} bpm`;
}
