/**
 * Between the page's address and what it plays, so that a link holds everything. Pure; imports nothing.
 *
 *     /                                   the station "now", live
 *     /?from=86182856812800               the station from that very sample on
 *     /?at=1969-07-20T20:17Z&rate=60      a sky of one's own, an hour of it per minute
 */

/** A moment without an offset is UTC, as the form says. */
const instant = (text) => (/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);

/** Names in the address, and how their values are read. */
const FIELDS = Object.freeze({ seed: Number, at: instant, rate: Number });

/**
 * @param {URLSearchParams} query
 * @returns {{programme: any, from: number | undefined}}
 */
export function programmeOf(query) {
  const from = query.has("from") ? Number(query.get("from")) : undefined;
  /** @type {any} */
  const programme = {};
  for (const [name, read] of Object.entries(FIELDS)) {
    if (query.get(name)) programme[name] = read(query.get(name));
  }
  if (query.get("lat") && query.get("lon")) {
    programme.place = { lat: Number(query.get("lat")), lon: Number(query.get("lon")) };
  }
  const isOwn = Object.keys(programme).length > 0;
  return { programme: isOwn ? { mode: "transit", ...programme } : { station: "now" }, from };
}

/**
 * @param {any} programme As `ready` returned it, every default resolved.
 * @param {number} from Sample index.
 * @returns {string} The query of a link that plays it from there.
 */
export function queryOf(programme, from) {
  const query = new URLSearchParams();
  for (const name of Object.keys(FIELDS)) {
    if (programme[name] !== undefined) query.set(name, String(programme[name]));
  }
  if (programme.place) {
    query.set("lat", String(programme.place.lat));
    query.set("lon", String(programme.place.lon));
  }
  query.set("from", String(Math.floor(from)));
  return `?${query}`;
}

/**
 * The moment of the sky that sounds at an index.
 *
 * @param {import("../types.js").Ready} ready
 * @param {number} index
 * @returns {number} Milliseconds since 1970, UTC.
 */
export function utcMsAt({ live, programme, chart, from }, index) {
  if (live) return live.utcMs + (index - live.index) / 48;
  return Date.parse(chart.moment.utc) + ((index - from) / 48) * programme.rate;
}
