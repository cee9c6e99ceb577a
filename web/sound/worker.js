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
import { Lookout, takesListeners } from "./lookout.js";
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
/** How far before the audio thread a jump joins: what a decoder and a message need (samples). */
const JUMP_SAMPLES = 2048;
/** A jump waits for so many quanta, while what sounds lasts: the next segment may not be rendered. */
const JUMP_QUANTA = 3;
/** How a connection ends that nobody closed. */
const BROKEN = 1006;
/** After so long a silence a station is joined where it is now, not where it was. */
const REJOIN_S = 10;

const backlog = new Backlog(QUANTUM_SAMPLES);
const jitter = new Jitter(QUANTUM_SAMPLES, SAMPLE_RATE, 2 * SAMPLE_RATE);
const timeline = new Timeline();

/** Made by `init`, which comes before everything else. */
let sink = /** @type {SharedSink | MessageSink} */ (/** @type {unknown} */ (null));
let link = /** @type {Link} */ (/** @type {unknown} */ (null));
let lookout = /** @type {Lookout} */ (/** @type {unknown} */ (null));
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
/**
 * How a quantum joins what was written before, where it does not simply follow it:
 *
 *     append    after all that was written, at a new place of the time line
 *     replace   where its index stands already: a steer changed what comes from there on
 *     jump      as soon as it can be heard, over what would have come: a seek
 *
 * @typedef {object} Join
 * @property {"append" | "replace" | "jump"} how
 * @property {number} index First index to be heard.
 * @property {number} skip Samples of the quantum before it, which are decoded and dropped.
 */
/** @type {Join | null} For the next quantum that is decoded. */
let join = null;
/** @type {(Join & {packet: number})[]} Under way: each comes with a packet of this decoder. */
let joins = [];
let packetsOut = 0;
/** The jump to this index was asked for and not answered; NaN if none. */
let sought = Number.NaN;
/** Frame of the ring at which the last jump begins to sound; infinity until that is known. */
let jumpAt = 0;
/** How long the ring has been empty while it should play. */
let silentS = 0;
/** Samples to drop: the look-ahead of the encoder, and what a join leaves out. */
let toSkip = 0;

const pcmLeft = new Float32Array(QUANTUM_SAMPLES);
const pcmRight = new Float32Array(QUANTUM_SAMPLES);

function hello() {
  const joinsLive = Number.isNaN(backlog.end) || (programme.station && silentS > REJOIN_S);
  const from = Number.isNaN(sought) ? backlog.end : sought;
  const resume = joinsLive && Number.isNaN(sought) ? {} : { from };
  return { programme, codecs, viz: wantsViz, bufferMs: BUFFER_MS, client: "web", ...resume };
}

/**
 * @param {import("../types.js").Ready} ready
 * @param {boolean} isAgain It answers a seek.
 */
function onReady(ready, isAgain) {
  programme = ready.programme;
  preSkip = ready.codec.name === "opus" ? ready.codec.preSkip : 0;
  const isThere = ready.from === Math.floor(sought / QUANTUM_SAMPLES) * QUANTUM_SAMPLES;
  const jumps = isAgain || isThere;
  if (jumps) jump(ready);
  else {
    backlog.begin(ready.epoch, ready.from);
    replaceFrom(ready.from);
  }
  if (isThere) sought = Number.NaN;
  else if (!isAgain && !Number.isNaN(sought)) link.send({ type: "seek", to: sought });
  jitter.restart();
  postMessage({ type: "ready", ready, jumps });
}

/**
 * From the index that `steered` names, what was sent before is replaced.
 *
 * @param {any} message
 */
function onMessage(message) {
  if (message.type === "steered") {
    programme = message.programme;
    backlog.expect(message.effective);
  } else if (message.type === "error") sought = Number.NaN;
  postMessage({ type: "message", message });
}

/**
 * Go on elsewhere; what sounds goes on until the new is there.
 *
 * @param {{epoch: number, from: number}} ready
 */
function jump({ epoch, from }) {
  backlog.clear();
  backlog.begin(epoch, from);
  forgetDecoding();
  join = { how: "jump", index: from, skip: 0 };
  jumpAt = Number.POSITIVE_INFINITY;
}

/**
 * Go back to an index from which on other quanta come, if it is decoded already. A decoder hears the
 * quantum before once more, and goes on as if it had never heard anything else.
 *
 * @param {number} from
 */
function replaceFrom(from) {
  if (!(from < nextIndex)) return;
  const open = join ?? joins[0] ?? null;
  const how = open?.how ?? "replace";
  const index = Math.min(from, open?.index ?? timeline.indexAt(sink.written));
  forgetDecoding();
  if (decoder) backlog.again(Math.floor(index / QUANTUM_SAMPLES - 1) * QUANTUM_SAMPLES);
  join = { how, index, skip: 0 };
}

function forgetDecoding() {
  decoder?.reset();
  if (decoder) packetsOut = decoder.packets;
  joins = [];
  toSkip = 0;
}

/** @param {import("./backlog.js").Quantum} quantum @param {number} arrivedMs */
function onQuantum(quantum, arrivedMs) {
  const { epoch } = backlog;
  if (!backlog.add(quantum)) return;
  if (backlog.epoch !== epoch) replaceFrom(quantum.index);
  jitter.arrived(arrivedMs);
  sink.wants(Math.round(jitter.target) - START_MARGIN);
  if (quantum.frames > 0) {
    const { index, frames, frameBytes } = quantum;
    const viz = quantum.viz.slice();
    postMessage({ type: "viz", index, frames, frameBytes, viz }, { transfer: [viz.buffer] });
  }
  pump();
}

/** Samples are under way, and until they are there nothing can be heard. */
function isHungry() {
  return Boolean(decoder?.inFlight) && sink.written - sink.taken < QUANTUM_SAMPLES;
}

/** Decode while less than a second of sound waits. */
function pump() {
  for (;;) {
    const decoding = decoder ? 960 * decoder.inFlight : 0;
    if (sink.written - sink.taken + decoding > DECODED_SAMPLES) break;
    if (mustWait()) break;
    const quantum = backlog.next();
    if (quantum === undefined) break;
    if (quantum.codec === "opus") decodeOpus(quantum);
    else writePcm(quantum);
    nextIndex = quantum.index + QUANTUM_SAMPLES;
  }
  if (decoder?.isStuck()) onDecoderFailure();
}

function mustWait() {
  const lasts = sink.written - sink.taken > JUMP_SAMPLES + QUANTUM_SAMPLES;
  return join?.how === "jump" && backlog.length < JUMP_QUANTA && lasts;
}

/** @param {import("./backlog.js").Quantum} quantum */
function decodeOpus({ index, packets }) {
  const ours = decoder ?? adopt(new OpusDecoder());
  const joined = joinOf(index);
  if (joined) joins.push({ ...joined, packet: ours.packets });
  for (const packet of packets) ours.decode(packet);
}

/** @param {OpusDecoder} fresh It may have decoded the tone of its test before. */
function adopt(fresh) {
  decoder = fresh;
  fresh.onSamples = onDecoded;
  fresh.onFailure = onDecoderFailure;
  joins = [];
  packetsOut = fresh.packets;
  nextIndex = Number.NaN;
  return fresh;
}

/** @param {Float32Array} left @param {Float32Array} right @param {number} frames */
function onDecoded(left, right, frames) {
  const [joined] = joins;
  if (joined?.packet === packetsOut) {
    joins.shift();
    begin(joined);
    toSkip = preSkip + joined.skip;
  }
  packetsOut += 1;
  const skipped = Math.min(toSkip, frames);
  toSkip -= skipped;
  if (skipped < frames) sink.write(left, right, skipped, frames - skipped);
}

/** @param {import("./backlog.js").Quantum} quantum */
function writePcm({ index, packets }) {
  const [bytes] = packets;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let n = 0; n < QUANTUM_SAMPLES; n += 1) {
    pcmLeft[n] = view.getInt16(4 * n, true) / 32768;
    pcmRight[n] = view.getInt16(4 * n + 2, true) / 32768;
  }
  const joined = joinOf(index);
  if (joined) begin(joined);
  const skipped = joined?.skip ?? 0;
  sink.write(pcmLeft, pcmRight, skipped, QUANTUM_SAMPLES - skipped);
}

/**
 * Return how the quantum at an index joins what came before it, or null if it follows.
 *
 * @param {number} index
 * @returns {Join | null}
 */
function joinOf(index) {
  const asked = join;
  join = null;
  if (asked === null) return index === nextIndex ? null : { how: "append", index, skip: 0 };
  const skip = asked.index - index;
  const isNear = skip >= 0 && skip < 3 * QUANTUM_SAMPLES;
  return isNear ? { ...asked, skip } : { ...asked, index };
}

/**
 * Begin to write the stream from an index.
 *
 * @param {Join} joined
 */
function begin({ how, index }) {
  const frame = how === "replace" ? timeline.frameOf(index) : Number.NaN;
  if (frame <= sink.written) return sink.rewind(frame, false);
  if (how !== "append") sink.rewind(Math.min(sink.written, sink.taken + JUMP_SAMPLES), true);
  const mark = { at: sink.written, index };
  if (how === "jump") jumpAt = mark.at;
  timeline.mark(mark.at, mark.index);
  postMessage({ type: "mark", ...mark });
}

/** Rebuild a failed decoder once, then ask for plain PCM; both from where the sound stopped. */
function onDecoderFailure() {
  decoder?.close();
  decoder = null;
  decoderFailures += 1;
  if (decoderFailures >= DECODER_BUDGET) codecs = ["pcm_s16le"];
  const open = join ?? joins[0] ?? null;
  join = { how: open?.how ?? "append", index: open?.index ?? timeline.indexAt(sink.written), skip: 0 };
  joins = [];
  nextIndex = Number.NaN;
  backlog.clear();
  backlog.end = Math.floor(join.index / QUANTUM_SAMPLES) * QUANTUM_SAMPLES;
  link.close();
  link.open();
}

/** @param {any} change Of the connection. */
function onLink(change) {
  if (change.state === "lost" && change.code === BROKEN) lookout.begin();
  else if (change.state !== "connecting") lookout.end();
  postMessage({ type: "link", ...change });
}

function report() {
  silentS = sink.taken >= sink.written ? silentS + REPORT_MS / 1000 : 0;
  const { taken } = sink;
  timeline.forget(taken - SAMPLE_RATE);
  const heard = timeline.indexAt(taken);
  const lead = backlog.end - heard;
  postMessage({ type: "stats", leadMs: lead / 48, targetMs: jitter.target / 48, codec: codecs[0] });
  link.watch();
  if (Number.isNaN(heard)) return;
  const latency = Math.round(page.outputLatencyMs * 48);
  // Before a jump sounds, what is heard tells nothing of how much of the new is used up.
  const played = taken < jumpAt ? backlog.epochFrom : Math.max(0, Math.round(heard) - latency);
  link.send({
    type: "report",
    played,
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
      isHungry,
      state: onLink,
    });
    lookout = new Lookout({
      heldMs: () => (backlog.end - timeline.indexAt(sink.taken)) / 48,
      isBack: () => takesListeners(url),
      hurry: () => link.hurry(),
    });
    addEventListener("online", () => link.hurry());
    proved = forcePcm ? Promise.resolve() : prove();
    await proved;
    postMessage({ type: "prepared", codec: codecs[0] });
  },

  expect() {
    link.expect();
  },

  async play(wanted) {
    turn += 1;
    const mine = turn;
    await proved;
    if (mine !== turn) return;
    programme = wanted.programme;
    silentS = 0;
    sink.settle();
    postMessage({ type: "cue", from: sink.written });
    backlog.end = wanted.from ?? Number.NaN;
    nextIndex = Number.NaN;
    join = null;
    joins = [];
    sought = Number.NaN;
    jumpAt = sink.written;
    link.open();
    timers = [setInterval(pump, PUMP_MS), setInterval(report, REPORT_MS)];
  },

  stop() {
    turn += 1;
    timers.forEach((timer) => clearInterval(timer));
    lookout.end();
    link.close();
    backlog.clear();
    decoder?.close();
    decoder = null;
  },

  steer({ controls, quantise }) {
    link.send({ type: "steer", controls, quantise });
  },

  seek({ to }) {
    sought = to;
    if (link.isReady) link.send({ type: "seek", to });
  },

  /** What only the page can measure, for the next report. */
  page({ figures }) {
    page = figures;
  },
};

onmessage = ({ data }) => commands[data.type](data);
