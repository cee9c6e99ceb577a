/**
 * The star field behind the page: fixed and seeded, turning with sidereal time. Main thread.
 *
 * It is drawn once every some seconds, not per frame: the sky turns a quarter of a degree a minute.
 */

const COUNT = 420;
const SEED = 1781;
/** One turn in a sidereal day. Source: IERS Conventions 2010, mean sidereal day. */
const SIDEREAL_DAY_S = 86164.0905;

/**
 * A small generator with a seed, so that everyone sees the same stars. Source: mulberry32, T. Ettinger.
 *
 * @param {number} seed
 */
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const random = randomFrom(SEED);

/** Uniform over the disc; many faint ones and few bright, as the sky has them. */
const STARS = Array.from({ length: COUNT }, () => ({
  radius: Math.sqrt(random()),
  angle: 2 * Math.PI * random(),
  light: 0.1 + 0.6 * random() ** 5,
  warm: random() < 0.25,
}));

/**
 * Draw the field around a pole.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number} width
 * @param {number} height
 * @param {{x: number, y: number}} pole
 * @param {number} skySeconds
 * @param {number} scale Device pixels per CSS pixel.
 */
export function drawStars(context, width, height, pole, skySeconds, scale) {
  context.clearRect(0, 0, width, height);
  const turn = (2 * Math.PI * (skySeconds % SIDEREAL_DAY_S)) / SIDEREAL_DAY_S;
  const reach = Math.hypot(Math.max(pole.x, width - pole.x), Math.max(pole.y, height - pole.y));
  for (const star of STARS) {
    const x = pole.x + reach * star.radius * Math.cos(star.angle + turn);
    const y = pole.y + reach * star.radius * Math.sin(star.angle + turn);
    context.globalAlpha = star.light;
    context.fillStyle = star.warm ? "#e9dcc0" : "#c6d2e4";
    context.beginPath();
    context.arc(x, y, scale * (0.45 + 0.55 * star.light), 0, 2 * Math.PI);
    context.fill();
  }
  context.globalAlpha = 1;
}
