/** Where things stand on the wheel. Pure; imports nothing. */

/**
 * Return the angle at which a longitude is drawn: the ascendant at nine o'clock, the zodiac running
 * counter-clockwise, as astrologers draw it.
 *
 * @param {number} longitudeDeg
 * @param {number} ascendantDeg
 * @returns {number} Radians, counter-clockwise from three o'clock (so y is minus its sine on screen).
 */
export function wheelAngle(longitudeDeg, ascendantDeg) {
  return Math.PI + ((longitudeDeg - ascendantDeg) * Math.PI) / 180;
}

/**
 * Move angles apart until neighbours keep a gap, each as little as possible (least squares).
 *
 * With the circle cut at its widest gap, "order kept, `gap` between neighbours" becomes monotone once
 * n·gap is taken from the n-th angle; pooling adjacent violators then solves it exactly.
 * Source: Barlow et al., "Statistical Inference under Order Restrictions", 1972.
 *
 * @param {number[]} anglesDeg Any order.
 * @param {number} gapDeg At most 360 / count.
 * @returns {number[]} In the order given, degrees, possibly outside [0, 360).
 */
export function spread(anglesDeg, gapDeg) {
  const count = anglesDeg.length;
  if (count < 2) return [...anglesDeg];
  const order = anglesDeg.map((_, n) => n).sort((a, b) => anglesDeg[a] - anglesDeg[b]);

  let cut = 0;
  let widest = -1;
  for (let n = 0; n < count; n += 1) {
    const before = anglesDeg[order[(n + count - 1) % count]] - (n === 0 ? 360 : 0);
    const width = anglesDeg[order[n]] - before;
    if (width > widest) [cut, widest] = [n, width];
  }

  /** Blocks of pooled angles: mean of (angle − n·gap), and how many. */
  /** @type {{mean: number, size: number}[]} */
  const blocks = [];
  for (let n = 0; n < count; n += 1) {
    const at = cut + n;
    const angle = anglesDeg[order[at % count]] + (at >= count ? 360 : 0);
    let block = { mean: angle - n * gapDeg, size: 1 };
    for (let last = blocks.at(-1); last && last.mean > block.mean; last = blocks.at(-1)) {
      blocks.pop();
      const size = last.size + block.size;
      block = { mean: (last.mean * last.size + block.mean * block.size) / size, size };
    }
    blocks.push(block);
  }

  const placed = new Array(count);
  let n = 0;
  for (const { mean, size } of blocks) {
    for (let i = 0; i < size; i += 1, n += 1) {
      placed[order[(cut + n) % count]] = mean + n * gapDeg;
    }
  }
  return placed;
}

/**
 * Return the middle of each house, from twelve cusps.
 *
 * @param {readonly number[]} cuspsDeg
 * @returns {number[]} Degrees.
 */
export function houseMiddles(cuspsDeg) {
  return cuspsDeg.map((cusp, n) => {
    const width = (((cuspsDeg[(n + 1) % cuspsDeg.length] - cusp) % 360) + 360) % 360;
    return cusp + width / 2;
  });
}
