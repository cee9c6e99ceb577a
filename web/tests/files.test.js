import assert from "node:assert/strict";
import { test } from "node:test";

import { crc32, oggCrc } from "../files/crc.js";
import { OggOpus } from "../files/ogg.js";
import { fileName, sizeText, stretchOf } from "../files/stretch.js";
import { wavHead } from "../files/wav.js";

const MINUTE = 60 * 48000;
const bytesOf = (text) => new TextEncoder().encode(text);

test("the sums are those of the catalogues", () => {
  // Source: "Catalogue of parametrised CRC algorithms" (Greg Cook), check values over "123456789".
  assert.equal(crc32(bytesOf("123456789")), 0xcbf43926);
  // CRC-32/CKSUM without its last inversion, which Ogg leaves out.
  assert.equal(oggCrc(bytesOf("123456789")), 0x89a1897f);
  assert.equal(crc32(bytesOf("")), 0);
});

/** Read pages back: RFC 3533 §6. */
function pagesOf(ogg) {
  return ogg.pages.map((page) => {
    const view = new DataView(page.buffer);
    const told = view.getUint32(22, true);
    const zeroed = page.slice();
    zeroed.fill(0, 22, 26);
    assert.equal(told, oggCrc(zeroed));
    assert.equal(new TextDecoder().decode(page.slice(0, 4)), "OggS");
    const lengths = [...page.slice(27, 27 + page[26])];
    const packets = [];
    let at = 27 + lengths.length;
    let length = 0;
    for (const one of lengths) {
      length += one;
      if (one === 255) continue;
      packets.push(page.slice(at, at + length));
      at += length;
      length = 0;
    }
    assert.equal(at, page.length);
    return { flags: page[5], granule: Number(view.getBigInt64(6, true)), packets };
  });
}

function filled(piece, lengthOf = (n) => 200 + (n % 60)) {
  const ogg = new OggOpus({ serial: 7, tags: { TITLE: "Zürich" }, ...piece });
  const packets = [];
  for (let n = 0; !ogg.isFull; n += 1) {
    packets.push(new Uint8Array(lengthOf(n)).fill(n));
    ogg.add(packets[n]);
  }
  ogg.add(new Uint8Array(9));
  return { pages: pagesOf(ogg), packets };
}

test("a file plays exactly as long as it says, and holds the packets as they came", () => {
  const { pages, packets } = filled({ samples: 4800 * 101, preSkip: 4920 });
  const [head, tags, ...sound] = pages;
  assert.equal(new TextDecoder().decode(head.packets[0].slice(0, 8)), "OpusHead");
  assert.equal(new DataView(head.packets[0].buffer).getUint16(10, true), 4920);
  assert.ok(new TextDecoder().decode(tags.packets[0]).includes("TITLE=Zürich"));
  assert.deepEqual(sound.flatMap((page) => page.packets), packets);
  assert.equal(packets.length, Math.ceil((4800 * 101 + 4920) / 960));
  assert.deepEqual(pages.map(({ flags }) => flags), [2, 0, ...sound.slice(1).map(() => 0), 4]);
  assert.deepEqual(sound.slice(0, 2).map(({ granule }) => granule), [48000, 96000]);
  assert.equal(sound.at(-1).granule, 4800 * 101 + 4920);
});

test("packets of any length fit their pages", () => {
  for (const length of [1, 254, 255, 256, 510, 1275]) {
    const { pages, packets } = filled({ samples: 96000, preSkip: 120 }, () => length);
    assert.deepEqual(pages.slice(2).flatMap((page) => page.packets), packets);
    assert.equal(pages.at(-1).granule, 96120);
    assert.ok(pages.slice(2).every((page) => page.packets.length > 0));
  }
});

test("a WAV head says how many bytes follow", () => {
  const head = Buffer.from(wavHead(4800));
  assert.equal(head.length, 44);
  assert.equal(head.toString("latin1", 0, 4) + head.toString("latin1", 8, 16), "RIFFWAVEfmt ");
  assert.equal(head.readUInt32LE(4), 36 + 19200);
  assert.deepEqual([head.readUInt16LE(22), head.readUInt32LE(24), head.readUInt16LE(34)], [2, 48000, 16]);
  assert.equal(head.readUInt32LE(40), 19200);
});

test("a stretch lies on the grid, and begins no earlier than its stream", () => {
  assert.deepEqual(stretchOf("next", 2, 9601), { start: 9600, samples: 2 * MINUTE });
  assert.deepEqual(stretchOf("last", 1, 3 * MINUTE + 4799), { start: 2 * MINUTE, samples: MINUTE });
  assert.deepEqual(stretchOf("last", 5, MINUTE), { start: 0, samples: MINUTE });
  assert.equal(stretchOf("last", 5, 4799).samples, 0);
});

test("a file's name tells the moment of a station, and of a birth nothing", () => {
  const moment = Date.UTC(2026, 10, 28, 21, 30, 5);
  assert.equal(fileName({ station: "now-jazz" }, 1, moment, "opus"), "astradio-now-jazz-2026-11-28T21-30-05Z.opus");
  const births = { mode: "natal", charts: [{ name: "Anna", datetime: "1990-05-05T14:30" }] };
  assert.equal(fileName(births, 3725 * 48000, Number.NaN, "wav"), "astradio-natal-from-1-02-05.wav");
});

test("sizes are said in the unit that fits", () => {
  assert.deepEqual([100, 30000, 3_600_000, 57_600_000].map(sizeText), ["1\u00a0kB", "30\u00a0kB", "3.6\u00a0MB", "58\u00a0MB"]);
});
