/**
 * Between the page's address and what it plays, so that a link holds everything. Pure; imports nothing.
 *
 *     /                                   the station "now", live
 *     /?from=86182856812800               the station from that very sample on
 *     /?station=now-jazz                  another station
 *     /?at=1969-07-20T20:17Z&rate=60      a sky of one's own, an hour of it per minute
 *     /?mode=natal&birth=1990-05-05T14:30,Europe/Zurich,47.37,8.54,Anna
 *     /?mode=compatibility&birth=chart_0123…&birth=chart_4567…     published charts, by their ids
 *     /?mode=sandbox&wish.key=D&wish.tempoNorm=0.4&changes=[…]
 */

/** @typedef {import("../types.js").Programme} Programme */

/** @param {string} text A moment without an offset is UTC, as the form says. */
const instant = (text) => (/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
/** @param {string} text */
const word = (text) => text;

/** Names in the address, and how their values are read. */
const FIELDS = Object.freeze({ mode: word, seed: Number, at: instant, rate: Number });
const SAVED = /^chart_[0-9a-f]{1,58}$/;
const WISH = "wish.";
/** Wishes that are words; the others are numbers. */
const WORDS = new Set(["key", "mode", "genre"]);

/**
 * Read a birth: date and time, zone, latitude, longitude, and a name that may hold commas.
 *
 * @param {string} text
 * @returns {import("../types.js").Birth}
 */
export function birthOf(text) {
  if (SAVED.test(text)) return /** @type {import("../types.js").Birth} */ ({ chartId: text });
  const [datetime, tz, lat, lon, ...name] = text.split(",");
  const birth = { datetime, tz, lat: Number(lat), lon: Number(lon) };
  return name.length > 0 ? { ...birth, name: name.join(",") } : birth;
}

/** @param {import("../types.js").Birth} birth */
function birthText({ datetime, tz, lat, lon, name, chartId }) {
  if (chartId) return chartId;
  return [datetime, tz, lat, lon, ...(name ? [name] : [])].join(",");
}

/**
 * @param {string} text A list as JSON.
 * @returns {any[]} Empty where it is none: whoever mistyped a link hears the rest of it.
 */
function listOf(text) {
  try {
    const list = JSON.parse(text);
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}

/**
 * @param {URLSearchParams} query
 * @returns {{programme: Programme, from: number | undefined}}
 */
export function programmeOf(query) {
  const from = query.has("from") ? Number(query.get("from")) : undefined;
  /** @type {Programme} */
  const programme = {};
  for (const [name, read] of Object.entries(FIELDS)) {
    const text = query.get(name);
    if (text) programme[name] = read(text);
  }
  if (query.get("lat") && query.get("lon")) {
    programme.place = { lat: Number(query.get("lat")), lon: Number(query.get("lon")) };
  }
  const births = query.getAll("birth").map(birthOf);
  if (births.length > 0) programme.charts = births;
  const wishes = [...query].filter(([name]) => name.startsWith(WISH));
  if (wishes.length > 0) {
    programme.controls = Object.fromEntries(
      wishes.map(([name, value]) => {
        const control = name.slice(WISH.length);
        return [control, WORDS.has(control) ? value : Number(value)];
      }),
    );
  }
  const changes = listOf(query.get("changes") ?? "[]");
  if (changes.length > 0) programme.changes = changes;
  const isOwn = Object.keys(programme).length > 0;
  const what = isOwn
    ? { mode: "transit", ...programme }
    : { station: query.get("station") ?? "now" };
  const audio = query.get("audio");
  return { programme: audio ? { ...what, modelVersions: { audio } } : what, from };
}

/**
 * @param {Programme} programme As `ready` returned it, every default resolved.
 * @param {number} from Sample index.
 * @returns {string} The query of a link that plays it from there.
 */
export function queryOf(programme, from) {
  const query = new URLSearchParams();
  if (programme.station && programme.station !== "now") query.set("station", programme.station);
  for (const name of Object.keys(FIELDS)) {
    if (programme[name] !== undefined) query.set(name, String(programme[name]));
  }
  if (programme.place) {
    query.set("lat", String(programme.place.lat));
    query.set("lon", String(programme.place.lon));
  }
  for (const birth of programme.charts ?? []) query.append("birth", birthText(birth));
  for (const [name, value] of Object.entries(programme.controls ?? {})) {
    query.set(WISH + name, String(value));
  }
  if (programme.changes?.length) query.set("changes", JSON.stringify(programme.changes));
  const audio = programme.modelVersions?.audio;
  if (audio) query.set("audio", audio);
  query.set("from", String(Math.floor(from)));
  return `?${query}`;
}

/** @param {Programme} programme Whether a sky moves in it. */
export function hasMovingSky({ station, mode }) {
  return station !== undefined || mode === undefined || mode === "transit" || mode === "overlay";
}

/**
 * The moment of the sky that sounds at an index; where no sky moves, that of the chart.
 *
 * @param {import("../types.js").Ready} ready
 * @param {number} index
 * @returns {number} Milliseconds since 1970, UTC.
 */
export function utcMsAt({ live, programme, chart, from }, index) {
  if (live) return live.utcMs + (index - live.index) / 48;
  const rate = hasMovingSky(programme) ? (programme.rate ?? 1) : 0;
  return Date.parse(chart.moment.utc) + ((index - from) / 48) * rate;
}

/**
 * The index at which a moment of the sky sounds.
 *
 * @param {import("../types.js").Ready} ready
 * @param {number} utcMs
 * @returns {number} Samples; NaN where the sky does not move.
 */
export function indexAt(ready, utcMs) {
  const { live, programme, chart, from } = ready;
  if (live) return live.index + 48 * (utcMs - live.utcMs);
  const rate = hasMovingSky(programme) ? (programme.rate ?? 1) : 0;
  if (rate === 0) return Number.NaN;
  return from + (48 * (utcMs - Date.parse(chart.moment.utc))) / rate;
}
