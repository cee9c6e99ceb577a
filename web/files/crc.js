/**
 * Sums that tell whether bytes came whole. Pure; imports nothing.
 *
 *     crc32      of a quantum's samples, as zlib counts it: reflected, 0xEDB88320, inverted at both ends
 *     oggCrc     of an Ogg page: 0x04C11DB7 from the left, from 0, not inverted
 *
 * Source of the second: RFC 3533 §6, "CRC checksum".
 */

const REFLECTED = table((n) => step(n, 8, (sum) => (sum & 1 ? 0xedb88320 ^ (sum >>> 1) : sum >>> 1)));
const STRAIGHT = table((n) => step(n << 24, 8, (sum) => (sum & 0x80000000 ? 0x04c11db7 ^ (sum << 1) : sum << 1)));

/** @param {(n: number) => number} of */
function table(of) {
  return Uint32Array.from({ length: 256 }, (_, n) => of(n));
}

/** @param {number} sum @param {number} times @param {(sum: number) => number} once */
function step(sum, times, once) {
  let stepped = sum;
  for (let n = 0; n < times; n += 1) stepped = once(stepped);
  return stepped;
}

/** @param {Uint8Array} bytes @returns {number} */
export function crc32(bytes) {
  let sum = 0xffffffff;
  for (let n = 0; n < bytes.length; n += 1) sum = REFLECTED[(sum ^ bytes[n]) & 255] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

/** @param {Uint8Array} bytes With zeros where the sum will stand. @returns {number} */
export function oggCrc(bytes) {
  let sum = 0;
  for (let n = 0; n < bytes.length; n += 1) sum = STRAIGHT[((sum >>> 24) ^ bytes[n]) & 255] ^ (sum << 8);
  return sum >>> 0;
}
