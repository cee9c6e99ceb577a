/**
 * From the place of a slider to a gain. Pure; imports nothing.
 *
 * Ears hear ratios, so the slider is linear in decibels over 48 dB; the lowest twentieth goes
 * straight to silence, for a slider at its end must be silent.
 */

const RANGE_DB = 48;
const KNEE = 0.05;

/**
 * @param {number} place 0 (silent) … 1 (full).
 * @returns {number} Linear gain.
 */
export function gainOf(place) {
  if (place <= 0) return 0;
  const gain = 10 ** ((RANGE_DB / 20) * (Math.min(1, Math.max(KNEE, place)) - 1));
  return place < KNEE ? (gain * place) / KNEE : gain;
}
