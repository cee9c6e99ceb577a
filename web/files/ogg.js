/**
 * Opus packets as an Ogg file, page by page. Pure; imports nothing but its sums.
 *
 *     page   "OggS" 0 flags granule(i64) serial(u32) number(u32) crc(u32) count lengths… packets…
 *
 * A granule position counts the samples that a decoder has given at the end of a page, those that a
 * player skips at the start included; that of the last page may cut the last packet short.
 *
 * Source: RFC 3533 (Ogg), RFC 7845 (Opus in Ogg).
 */

import { oggCrc } from "./crc.js";

const PACKET_SAMPLES = 960;
const SAMPLE_RATE = 48000;
/** A page holds a second, unless its packets are long. */
const PACKETS_PER_PAGE = 50;
const MOST_LENGTHS = 255;
const HEAD_BYTES = 27;
const FIRST = 2;
const LAST = 4;

export class OggOpus {
  /**
   * @param {object} piece
   * @param {number} piece.samples How long it plays.
   * @param {number} piece.preSkip What a player drops before: the look-ahead, and what lets it settle.
   * @param {number} piece.serial Of the stream (u32).
   * @param {Record<string, string>} piece.tags Vorbis comments.
   */
  constructor({ samples, preSkip, serial, tags }) {
    this.end = preSkip + samples;
    this.serial = serial;
    /** @type {Uint8Array<ArrayBuffer>[]} The file so far. */
    this.pages = [];
    /** @type {Uint8Array[]} Packets of the page that is being filled. */
    this.waiting = [];
    this.lengths = 0;
    this.packets = 0;
    this.page([headOf(preSkip)], FIRST, 0);
    this.page([tagsOf(tags)], 0, 0);
  }

  /** Whether no further packet belongs into it. */
  get isFull() {
    return PACKET_SAMPLES * this.packets >= this.end;
  }

  /** @param {Uint8Array} packet The next one; after the last it is dropped. */
  add(packet) {
    if (this.isFull) return;
    const lengths = Math.floor(packet.length / 255) + 1;
    if (this.waiting.length === PACKETS_PER_PAGE || this.lengths + lengths > MOST_LENGTHS) this.turn(0);
    this.waiting.push(packet);
    this.lengths += lengths;
    this.packets += 1;
    if (this.isFull) this.turn(LAST);
  }

  /** @param {number} flags */
  turn(flags) {
    this.page(this.waiting, flags, Math.min(this.end, PACKET_SAMPLES * this.packets));
    this.waiting = [];
    this.lengths = 0;
  }

  /** @param {Uint8Array[]} packets @param {number} flags @param {number} granule */
  page(packets, flags, granule) {
    const lengths = packets.flatMap(({ length }) => [
      ...Array(Math.floor(length / 255)).fill(255),
      length % 255,
    ]);
    const bytes = packets.reduce((sum, { length }) => sum + length, HEAD_BYTES + lengths.length);
    const page = new Uint8Array(bytes);
    const view = new DataView(page.buffer);
    page.set(ascii("OggS"));
    view.setUint8(5, flags);
    view.setBigInt64(6, BigInt(granule), true);
    view.setUint32(14, this.serial, true);
    view.setUint32(18, this.pages.length, true);
    view.setUint8(26, lengths.length);
    page.set(lengths, HEAD_BYTES);
    let at = HEAD_BYTES + lengths.length;
    for (const packet of packets) {
      page.set(packet, at);
      at += packet.length;
    }
    view.setUint32(22, oggCrc(page), true);
    this.pages.push(page);
  }
}

/** @param {number} preSkip */
function headOf(preSkip) {
  const head = new Uint8Array(19);
  const view = new DataView(head.buffer);
  head.set(ascii("OpusHead"));
  view.setUint8(8, 1); // version
  view.setUint8(9, 2); // channels
  view.setUint16(10, preSkip, true);
  view.setUint32(12, SAMPLE_RATE, true);
  return head; // no gain, channels as they come
}

/** @param {Record<string, string>} tags */
function tagsOf(tags) {
  const utf8 = new TextEncoder();
  const texts = ["Astradio", ...Object.entries(tags).map(([name, value]) => `${name}=${value}`)];
  const parts = texts.map((text) => utf8.encode(text));
  const bytes = parts.reduce((sum, { length }) => sum + 4 + length, 8 + 4);
  const made = new Uint8Array(bytes);
  const view = new DataView(made.buffer);
  made.set(ascii("OpusTags"));
  let at = 8;
  parts.forEach((part, n) => {
    view.setUint32(at, part.length, true);
    made.set(part, at + 4);
    at += 4 + part.length;
    if (n > 0) return;
    view.setUint32(at, parts.length - 1, true);
    at += 4;
  });
  return made;
}

/** @param {string} text */
function ascii(text) {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}
