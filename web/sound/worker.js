/**
 * The engine room: socket in, samples and viz frames out. Runs in a Worker, so that nothing the page
 * draws can delay the sound, and timers go on when the tab is hidden.
 *
 *     link -> backlog (encoded) -> decoder -> sink -> audio thread
 *               \-> viz frames and events -> page
 */

import { QUANTUM_SAMPLES, SAMPLE_RATE } from "../wire/quantum.js";
import { Backlog } from "./backlog.js";
import { OpusDecoder, provenDecoder } from "./decoder.js";
import { Jitter } from "./jitter.js";
import { Link } from "./link.js";
import { MessageSink, SharedSink } from "./sink.js";
import { Timeline } from "./timeline.js";

/** Held encoded: an outage of ten seconds is then not heard. */
const BUFFER_MS = 12000;
/** Held decoded. */
const DECODED_SAMPLES = SAMPLE_RATE;
/** Margin of the start target: what the look-ahead takes from the first quantum, and one block. */
const START_MARGIN = 480;
const PUMP_MS = 50;
const REPORT_MS = 1000;
/** Failures after which the decoder is given up: both are over before the decoded second is. */
const DECODER_BUDGET = 2;
/** After so long a silence a station is joined where it is now, not where it was. */
const REJOIN_S = 10;

const backlog = new Backlog(QUANTUM_SAMPLES);
const jitter = new Jitter(QUANTUM_SAMPLES, SAMPLE_RATE, 2 * SAMPLE_RATE);
const timeline = new Timeline();

/** Made by `init`, which comes before everything else. */
let sink = /** @type {SharedSink | MessageSink} */ (/** @type {unknown} */ (null));
let link = /** @type {Link} */ (/** @type {unknown} */ (null));
let codecs = ["pcm_s16le"];
/** @type {import("../types.js").Programme} */
let programme = { station: "now" };
let wantsViz = true;
let page = { underruns: 0, outputLatencyMs: 40 };

/** @type {OpusDecoder | null} */
let decoder = null;
let decoderFailures = 0;
let preSkip = 0;
/** Index that the next decoded quantum has if nothing jumps. */
let nextIndex = Number.NaN;
/** Jumps under way: with packet number `packet` of this decoder, `index` begins. */
/** @type {{packet: number, index: number}[]} */
let jumps = [];
let packetsOut = 0;
/** How long the ring has been empty while it should play. */
let silentS = 0;
/** After a failed decoder: the index to go on from, within the quantum that is sent again. */
let joinAt = Number.NaN;
/** Samples to drop: the look-ahead of the encoder, once per jump. */
let toSkip = 0;

const pcmLeft = new Float32Array(QUANTUM_SAMPLES);
const pcmRight = new Float32Array(QUANTUM_SAMPLES);

function hello() {
  const joinsLive = Number.isNaN(backlog.end) || (programme.station && silentS > REJOIN_S);
  const resume = joinsLive ? {} : { from: backlog.end };
  return { programme, codecs, viz: wantsViz, bufferMs: BUFFER_MS, client: "web", ...resume };
}

/** @param {import("../types.js").Ready} ready */
function onReady(ready) {
  programme = ready.programme;
  preSkip = ready.codec.name === "opus" ? ready.codec.preSkip : 0;
  backlog.begin(ready.epoch, ready.from);
  jitter.restart();
  postMessage({ type: "ready", ready });
}

/**
 * From the index that `steered` names, what was sent before is replaced.
 *
 * @param {any} message
 */
function onMessage(message) {
  if (message.type === "steered") {
    programme = message.programme;
    backlog.begin(message.epoch, message.effective);
  }
  postMessage({ type: "message", message });
}

/** @param {import("./backlog.js").Quantum} quantum */
function onQuantum(quantum) {
  if (!backlog.add(quantum)) return;
  jitter.arrived(performance.now());
  sink.wants(Math.round(jitter.target) - START_MARGIN);
  if (quantum.frames > 0) {
    const { index, frames, frameBytes } = quantum;
    const viz = quantum.viz.slice();
    postMessage({ type: "viz", index, frames, frameBytes, viz }, { transfer: [viz.buffer] });
  }
  pump();
}

/** Decode while less than a second of sound waits. */
function pump() {
  for (;;) {
    const decoding = decoder ? 960 * decoder.inFlight : 0;
    if (sink.ahead() + decoding > DECODED_SAMPLES) break;
    const quantum = backlog.next();
    if (quantum === undefined) break;
    if (quantum.codec === "opus") decodeOpus(quantum);
    else writePcm(quantum);
    nextIndex = quantum.index + QUANTUM_SAMPLES;
  }
  if (decoder?.isStuck()) onDecoderFailure();
}

/** @param {import("./backlog.js").Quantum} quantum */
function decodeOpus({ index, packets }) {
  const ours = decoder ?? adopt(new OpusDecoder());
  if (index !== nextIndex) jumps.push({ packet: ours.packets, index });
  for (const packet of packets) ours.decode(packet);
}

/** @param {OpusDecoder} fresh It may have decoded the tone of its test before. */
function adopt(fresh) {
  decoder = fresh;
  fresh.onSamples = onDecoded;
  fresh.onFailure = onDecoderFailure;
  jumps = [];
  packetsOut = fresh.packets;
  nextIndex = Number.NaN;
  return fresh;
}

/** @param {Float32Array} left @param {Float32Array} right @param {number} frames */
function onDecoded(left, right, frames) {
  const [jump] = jumps;
  if (jump?.packet === packetsOut) {
    jumps.shift();
    toSkip = preSkip + begin(jump.index);
  }
  packetsOut += 1;
  const skipped = Math.min(toSkip, frames);
  toSkip -= skipped;
  sink.write(left, right, skipped, frames - skipped);
}

/** @param {import("./backlog.js").Quantum} quantum */
function writePcm({ index, packets }) {
  const [bytes] = packets;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let n = 0; n < QUANTUM_SAMPLES; n += 1) {
    pcmLeft[n] = view.getInt16(4 * n, true) / 32768;
    pcmRight[n] = view.getInt16(4 * n + 2, true) / 32768;
  }
  const skipped = index === nextIndex ? 0 : begin(index);
  sink.write(pcmLeft, pcmRight, skipped, QUANTUM_SAMPLES - skipped);
}

/**
 * Begin to write the stream from an index.
 *
 * @param {number} index
 * @returns {number} Samples to leave out, because the ring has them already.
 */
function begin(index) {
  const known = joinAt - index;
  const skipped = known > 0 && known < QUANTUM_SAMPLES ? known : 0;
  joinAt = Number.NaN;
  const mark = { at: sink.written, index: index + skipped };
  timeline.mark(mark.at, mark.index);
  postMessage({ type: "mark", ...mark });
  return skipped;
}

/** Rebuild a failed decoder once, then ask for plain PCM; both from where the sound stopped. */
function onDecoderFailure() {
  decoder?.close();
  decoder = null;
  decoderFailures += 1;
  if (decoderFailures >= DECODER_BUDGET) codecs = ["pcm_s16le"];
  joinAt = timeline.indexAt(sink.written);
  backlog.clear();
  backlog.end = Math.floor(joinAt / QUANTUM_SAMPLES) * QUANTUM_SAMPLES;
  link.close();
  link.open();
}

function report() {
  silentS = sink.ahead() === 0 ? silentS + REPORT_MS / 1000 : 0;
  const taken = sink.written - sink.ahead();
  timeline.forget(taken - SAMPLE_RATE);
  const heard = timeline.indexAt(taken);
  const lead = backlog.end - heard;
  postMessage({ type: "stats", leadMs: lead / 48, targetMs: jitter.target / 48, codec: codecs[0] });
  link.watch();
  if (Number.isNaN(heard)) return;
  const latency = Math.round(page.outputLatencyMs * 48);
  link.send({
    type: "report",
    played: Math.max(0, Math.round(heard) - latency),
    received: backlog.end,
    ...page,
  });
}

/** Fulfilled once it is known which codec this browser can be trusted with. */
let proved = Promise.resolve();
/** Counts the calls of play and stop: only the last one holds. */
let turn = 0;
/** @type {ReturnType<typeof setInterval>[]} */
let timers = [];

async function prove() {
  const proven = await provenDecoder();
  if (proven === null) return;
  adopt(proven);
  codecs = ["opus", "pcm_s16le"];
}

/** @type {Record<string, (command: any) => void>} */
const commands = {
  async init({ url, shared, port, viz, forcePcm }) {
    sink = shared ? new SharedSink(shared) : new MessageSink(port);
    wantsViz = viz;
    link = new Link(url, {
      hello,
      ready: onReady,
      quantum: onQuantum,
      message: onMessage,
      state: (state) => postMessage({ type: "link", ...state }),
    });
    addEventListener("online", () => link.hurry());
    proved = forcePcm ? Promise.resolve() : prove();
    await proved;
    postMessage({ type: "prepared", codec: codecs[0] });
  },

  async play(wanted) {
    turn += 1;
    const mine = turn;
    await proved;
    if (mine !== turn) return;
    programme = wanted.programme;
    silentS = 0;
    postMessage({ type: "cue", from: sink.written });
    backlog.end = wanted.from ?? Number.NaN;
    nextIndex = Number.NaN;
    joinAt = Number.NaN;
    link.open();
    timers = [setInterval(pump, PUMP_MS), setInterval(report, REPORT_MS)];
  },

  stop() {
    turn += 1;
    timers.forEach((timer) => clearInterval(timer));
    link.close();
    backlog.clear();
    decoder?.close();
    decoder = null;
  },

  steer({ controls, quantise }) {
    link.send({ type: "steer", controls, quantise });
  },

  /** What only the page can measure, for the next report. */
  page({ figures }) {
    page = figures;
  },
};

onmessage = ({ data }) => commands[data.type](data);
