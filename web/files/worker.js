/**
 * Winds a stretch of a programme into a file. Runs in a Worker of its own, as long as that takes.
 *
 *     opus   the very packets that listeners receive, those of 100 ms before it among them: a decoder
 *            settles on these, and a player skips them
 *     wav    the very samples that were rendered; each quantum is held against its sum
 */

import { QUANTUM_SAMPLES } from "../wire/quantum.js";
import { crc32 } from "./crc.js";
import { OggOpus } from "./ogg.js";
import { Spool } from "./spool.js";
import { wavHead } from "./wav.js";

/** @typedef {import("./stretch.js").Stretch} Stretch */

const DAMAGED = "What came was not what the server had rendered. Try again.";
const TELL_EVERY_MS = 100;

/** @type {Spool | null} */
let spool = null;
let toldMs = 0;

/** @param {number} done 0 … 1. */
function tell(done) {
  if (performance.now() - toldMs < TELL_EVERY_MS) return;
  toldMs = performance.now();
  postMessage({ type: "progress", done });
}

/** @param {string} say */
function fail(say) {
  spool?.close();
  postMessage({ type: "failed", say });
}

/** @param {BlobPart[]} parts @param {string} type */
function finish(parts, type) {
  postMessage({ type: "done", file: new Blob(parts, { type }) });
}

/** @param {{url: string, programme: import("../types.js").Programme, stretch: Stretch}} asked */
function takeWav({ url, programme, stretch: { start, samples } }) {
  /** @type {BlobPart[]} */
  const parts = [wavHead(samples)];
  spool = new Spool(url, { programme, start, stop: start + samples, codec: "pcm_s16le" }, {
    begin: () => {},
    quantum: ({ packets: [pcm], crc, index }) => {
      if (crc32(pcm) !== crc) return fail(DAMAGED);
      parts.push(/** @type {Uint8Array<ArrayBuffer>} */ (pcm));
      tell((index - start) / samples);
    },
    end: () => finish(parts, "audio/wav"),
    failed: fail,
  });
}

/** @param {{url: string, programme: import("../types.js").Programme, stretch: Stretch, tags: Record<string, string>}} asked */
function takeOpus({ url, programme, stretch: { start, samples }, tags }) {
  const settling = Math.min(start, QUANTUM_SAMPLES);
  /** @type {OggOpus} */
  let ogg;
  const asked = {
    programme,
    start: start - settling,
    // One quantum more: the look-ahead of the encoder reaches into it.
    stop: start + samples + QUANTUM_SAMPLES,
    codec: "opus",
  };
  spool = new Spool(url, asked, {
    begin: ({ codec }) => {
      const serial = crc32(new TextEncoder().encode(JSON.stringify([tags, start, samples])));
      ogg = new OggOpus({ samples, preSkip: settling + codec.preSkip, serial, tags });
    },
    quantum: ({ packets, index }) => {
      for (const packet of packets) ogg.add(packet);
      tell((index - start) / samples);
    },
    end: () => finish(ogg.pages, "audio/ogg"),
    failed: fail,
  });
}

onmessage = ({ data }) => (data.format === "wav" ? takeWav(data) : takeOpus(data));
