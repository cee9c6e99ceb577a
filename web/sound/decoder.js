/**
 * Opus packets to samples through WebCodecs. Runs in the Worker.
 *
 * A browser may say that it supports Opus and then fail, and an error closes a decoder for good. So it
 * must pass a test with a known sound before it is trusted, and a watchdog looks at what comes out.
 */

const CONFIG = { codec: "opus", sampleRate: 48000, numberOfChannels: 2 };
const SILENT_AFTER_MS = 300;
/** 120 ms, the longest that Opus knows (samples). */
const LONGEST_PACKET = 5760;

/** The first three packets of a 500 Hz tone at −12 dBFS: libopus, 32 kb/s, stereo, low delay. */
const TONE = [
  "fcb498c492eac9f44b673cf0b8dd843fa468f36536b20a5344748d6ab6d65cd63950b8c61118c9469148d327cc1af3f4" +
    "9f2b42e66162c3941e0009ca62249bb5f785dd881d9a25119828ab8604ffff61",
  "fcb1a3c7aeb90eaa2368fb4ca58ab8acb30f92750986592c7db0516836831244841f33401241b53258f50a9b95264e46" +
    "98c2d3e73eedfb80bc1185b33a9ae07accf26bf259c3a6cab2ff86d680ada5e1",
  "fcac5a766862c12e78764200c1619ef084bc456d1558a50a509a591446f026df16a8396e46812176850318eae9f03caa" +
    "11b3f3298d9fd85766ec5c5eb14c8afa3b04f4d5627cafa95b9fb49b2c9213e1",
];

const TONE_RMS = 8000 / 32768 / Math.SQRT2;

/** @param {string} hex */
function bytesOf(hex) {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export class OpusDecoder {
  constructor() {
    /**
     * Takes what comes out. The arrays are reused: take what is needed before returning.
     *
     * @type {(left: Float32Array, right: Float32Array, frames: number) => void}
     */
    this.onSamples = () => {};
    /** Called when the decoder has died. */
    this.onFailure = () => {};
    this.left = new Float32Array(LONGEST_PACKET);
    this.right = new Float32Array(LONGEST_PACKET);
    /** Packets given and not yet come back. */
    this.inFlight = 0;
    /** Packets given in all. */
    this.packets = 0;
    this.waitingSinceMs = 0;
    this.decoder = new AudioDecoder({
      output: (data) => this.take(data),
      error: () => this.onFailure(),
    });
    this.decoder.configure(CONFIG);
  }

  /** @param {Uint8Array} packet */
  decode(packet) {
    if (this.inFlight === 0) this.waitingSinceMs = performance.now();
    this.inFlight += 1;
    const timestamp = this.packets * 20000;
    this.packets += 1;
    this.decoder.decode(new EncodedAudioChunk({ type: "key", timestamp, duration: 20000, data: packet }));
  }

  /** @param {AudioData} data */
  take(data) {
    const frames = data.numberOfFrames;
    const right = Math.min(1, data.numberOfChannels - 1);
    data.copyTo(this.left, { planeIndex: 0, format: "f32-planar" });
    data.copyTo(this.right, { planeIndex: right, format: "f32-planar" });
    data.close();
    this.inFlight -= 1;
    this.waitingSinceMs = performance.now();
    this.onSamples(this.left, this.right, frames);
  }

  /** Forget what is under way, and all that was heard before. */
  reset() {
    this.decoder.reset();
    this.decoder.configure(CONFIG);
    this.inFlight = 0;
  }

  /** Packets went in and nothing came out. */
  isStuck() {
    return this.inFlight > 0 && performance.now() - this.waitingSinceMs > SILENT_AFTER_MS;
  }

  close() {
    if (this.decoder.state !== "closed") this.decoder.close();
  }
}

/**
 * Make a decoder that has proved itself on the known tone.
 *
 * @returns {Promise<OpusDecoder | null>} null if this browser does not decode Opus as we send it.
 */
export async function provenDecoder() {
  if (typeof AudioDecoder === "undefined") return null;
  let frames = 0;
  let energy = 0;
  try {
    const decoder = new OpusDecoder();
    decoder.onSamples = (left, right, count) => {
      // The first packet is where a cold decoder settles.
      if (frames > 0) for (let n = 0; n < count; n += 1) energy += left[n] * right[n];
      frames += count;
    };
    for (const packet of TONE) decoder.decode(bytesOf(packet));
    await decoder.decoder.flush();
    const rms = Math.sqrt(Math.max(0, energy) / (2 * 960));
    return frames === 3 * 960 && Math.abs(rms / TONE_RMS - 1) < 0.2 ? decoder : null;
  } catch {
    return null;
  }
}
