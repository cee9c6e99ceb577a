/**
 * Why a voice sounds as it does: what its body does in the music, and what its place adds. Pure;
 * imports nothing.
 */

/** What each body does, for a sentence after its name; as the composer has it. */
/** @type {Readonly<Record<string, string>>} */
const ROLES = Object.freeze({
  sun: "leads with the theme",
  moon: "moves the chord",
  mercury: "plays the quick figures",
  venus: "adds thirds and sixths",
  mars: "marks the accents",
  jupiter: "opens the chord above",
  saturn: "holds the bass",
  uranus: "strikes off the beat",
  neptune: "sustains the harmony",
  pluto: "sounds the root below",
});

/** Instruments whose name is no word; the others are called by their names. */
/** @type {Readonly<Record<string, string>>} */
const INSTRUMENTS = Object.freeze({
  epiano: "electric piano",
  sub: "sub bass",
  upright: "upright bass",
  organbass: "organ bass",
  saw: "saw wave",
  lead: "lead synth",
  pluck: "plucked string",
  air: "breath of air",
  noise: "sea noise",
  vinyl: "vinyl noise",
});

/** @type {Readonly<Record<string, string>>} */
const DIGNITIES = Object.freeze({
  domicile: "At home in its sign: it speaks up.",
  exaltation: "Exalted: it speaks up.",
  detriment: "In detriment: it holds back.",
  fall: "In fall: it holds back.",
});

/** By house, counted in threes: angular, succedent, cadent. */
const PLACES = Object.freeze(["Angular: it sounds near.", "", "Cadent: it sounds far off."]);

/** Sentences after the first. */
const MORE = 2;

/**
 * @param {string} body
 * @param {import("../types.js").Palette | undefined} palette
 * @returns {string} Empty where the server does not say.
 */
export function instrumentOf(body, palette) {
  const voice = palette?.voices?.find((one) => one.body === body);
  const name = voice?.instrument.split(".")[0] ?? "";
  return INSTRUMENTS[name] ?? name;
}

/**
 * Say why a body's voice is what it is.
 *
 * @param {import("../types.js").Body} body
 * @param {import("../types.js").Palette | undefined} palette
 * @returns {string} A sentence without the body's name, which stands before it.
 */
export function whyOf({ name, retrograde, dignity, house }, palette) {
  const role = ROLES[name] ?? "";
  if (role === "") return "";
  const isLead = palette?.lead === name;
  const turnsBack = isLead || name === "mercury";
  const doing = isLead ? `${role}, and leads this movement` : role;
  const more = [
    retrograde && turnsBack ? "Retrograde: its figures turn back." : "",
    dignity ? (DIGNITIES[dignity] ?? "") : "",
    house ? PLACES[(house - 1) % 3] : "",
  ].filter(Boolean);
  const first = `${doing[0].toUpperCase()}${doing.slice(1)}.`;
  return [first, ...more.slice(0, MORE)].join(" ");
}
