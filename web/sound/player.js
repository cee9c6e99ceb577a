/**
 * The sound as the page sees it: play, stop, volume, and which index is heard now. Main thread.
 *
 * Everything that can be made before the click is made before, the suspended AudioContext included: to
 * create one costs 40–60 ms, its module as much again. The click resumes it first of all, for browsers
 * let sound begin only there.
 */

import { ASSUMED_LATENCY_S, HeardClock, tellsLatency } from "./heard.js";
import { RING_FRAMES, ringBytes } from "./ring.js";
import { Timeline } from "./timeline.js";
import { gainOf } from "./volume.js";

const RAMP_S = 0.015;
/** −80 dB: an exponential ramp cannot reach nothing. */
const FAINTEST = 1e-4;

/**
 * @typedef {object} PlayerOptions
 * @property {URL} stream
 * @property {boolean} viz
 * @property {boolean} forceMessages Do without shared memory even where it is allowed.
 * @property {boolean} forcePcm
 * @property {((index: number, samples: Float32Array) => void) | null} capture
 */

export class Player {
  /**
   * @param {PlayerOptions} options
   * @param {Record<string, (data: any) => void>} on Handlers by message type: what the Worker says
   *   (`ready`, `viz`, `message`, `link`, `stats`, `prepared`), `sound` from the audio thread, and
   *   `broken` if one of the two does not start.
   */
  constructor(options, on) {
    this.options = options;
    this.on = on;
    this.timeline = new Timeline();
    this.heard = new HeardClock();
    this.place = 0.8;
    this.tellsLatency = tellsLatency(navigator.userAgent);
    /** What the listener adds for a way to the ear that the browser does not know: Bluetooth. */
    this.extraLatencyS = 0;
    /** Context frame less ring frame while sound runs; NaN in silence. */
    this.offset = Number.NaN;
    this.underruns = 0;
    this.wanted = false;
    this.startedOnce = false;
    this.context = new AudioContext({ sampleRate: 48000, latencyHint: "balanced" });
    this.gain = new GainNode(this.context, { gain: gainOf(this.place) });
    /** @type {AudioWorkletNode | null} */
    this.node = null;
    this.transport = globalThis.crossOriginIsolated && !options.forceMessages ? "shared" : "messages";
    const wires = this.transport === "shared" ? null : new MessageChannel();
    this.shared = wires ? null : new SharedArrayBuffer(ringBytes(RING_FRAMES));
    this.audioPort = wires?.port2 ?? null;
    this.worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => this.fromWorker(data);
    this.worker.onerror = on.broken;
    const { stream, viz, forcePcm } = options;
    this.worker.postMessage(
      { type: "init", url: stream.href, shared: this.shared, port: wires?.port1, viz, forcePcm },
      wires ? [wires.port1] : [],
    );
    this.ready = this.build();
    this.ready.catch(on.broken);
  }

  /** Be ready for a click that is likely to come. */
  expect() {
    this.worker.postMessage({ type: "expect" });
  }

  /**
   * Begin to play. To be called inside a click.
   *
   * @param {object} programme
   * @param {number} [from] Sample index; a station joins live without it.
   */
  async play(programme, from) {
    const resumed = this.context.resume();
    this.wanted = true;
    this.worker.postMessage({ type: "play", programme, from });
    await Promise.all([resumed, this.ready]);
    this.startedOnce = true;
  }

  /** Make the audio thread ready to play. */
  async build() {
    const { context, shared, audioPort: port } = this;
    await context.audioWorklet.addModule(new URL("worklet.js", import.meta.url));
    const capture = this.options.capture !== null;
    this.node = new AudioWorkletNode(context, "astradio-player", {
      numberOfInputs: 0,
      outputChannelCount: [2],
      processorOptions: { shared, capture },
    });
    if (port) this.node.port.postMessage({ port }, [port]);
    this.node.port.onmessage = ({ data }) => this.fromAudio(data);
    this.node.connect(this.gain).connect(context.destination);
  }

  stop() {
    this.wanted = false;
    this.node?.port.postMessage({ play: false });
    this.worker.postMessage({ type: "stop" });
  }

  /**
   * Ask the server to change the music while it plays.
   *
   * @param {import("../types.js").Wishes} controls Only what changes.
   * @param {string} quantise `now`, `beat` or `bar`.
   */
  steer(controls, quantise) {
    this.worker.postMessage({ type: "steer", controls, quantise });
  }

  /**
   * Ask the server for another place of the stream; what sounds goes on until it comes.
   *
   * @param {number} to Sample index.
   */
  seek(to) {
    this.worker.postMessage({ type: "seek", to });
  }

  /** A phone call, a closed lid, another tab: the system may have taken the sound away. */
  isHeldBack() {
    return this.wanted && this.startedOnce && this.context.state !== "running";
  }

  /** Ask for the sound back; the ring still holds what is to be heard. */
  wake() {
    if (this.context.state !== "running") this.context.resume();
  }

  /** @param {object} figures What only the page can measure, for the next report. */
  tell(figures) {
    this.worker.postMessage({ type: "page", figures });
  }

  /** @param {number} place Of the slider, 0 … 1. */
  setVolume(place) {
    this.place = place;
    this.gain.gain.setTargetAtTime(gainOf(place), this.context.currentTime, RAMP_S);
  }

  /**
   * Let the sound die away, in decibels evenly; 0 brings it back.
   *
   * @param {number} seconds
   */
  fade(seconds) {
    const { gain } = this.gain;
    const nowS = this.context.currentTime;
    gain.cancelScheduledValues(nowS);
    if (seconds === 0) return this.setVolume(this.place);
    gain.setValueAtTime(Math.max(gain.value, FAINTEST), nowS);
    gain.exponentialRampToValueAtTime(FAINTEST, nowS + seconds);
  }

  /** @param {any} data */
  async fromWorker(data) {
    if (data.type === "mark") this.timeline.mark(data.at, data.index);
    else if (data.type === "cue") {
      await this.ready;
      this.node?.port.postMessage({ play: true, from: data.from });
    } else this.on[data.type](data);
  }

  /** @param {any} data */
  fromAudio(data) {
    if (data.type === "captured") {
      this.captured(data.ringFrame, data.samples);
      return;
    }
    this.underruns = data.underruns;
    this.offset = data.type === "playing" ? data.contextFrame - data.ringFrame : Number.NaN;
    this.timeline.forget(data.ringFrame - RING_FRAMES);
    this.on.sound(data);
  }

  /**
   * For tests: pass on what went to the sound card, by the index that each part has.
   *
   * @param {number} first Frame of the ring.
   * @param {Float32Array} samples Interleaved.
   */
  captured(first, samples) {
    const end = first + samples.length / 2;
    for (let at = first; at < end; ) {
      const until = Math.min(end, this.timeline.nextMark(at));
      const part = samples.slice(2 * (at - first), 2 * (until - first));
      this.options.capture?.(this.timeline.indexAt(at), part);
      at = until;
    }
  }

  /** Seconds between the context's clock and the ear. */
  get outputLatencyS() {
    const toldS = this.tellsLatency ? this.context.outputLatency : 0;
    return (toldS || ASSUMED_LATENCY_S) + this.extraLatencyS;
  }

  /** Read the audio clock; once per animation frame. */
  readClock() {
    const told = this.tellsLatency ? this.context.getOutputTimestamp() : {};
    const { contextTime = 0, performanceTime } = told;
    if (performanceTime) this.heard.read(contextTime - this.extraLatencyS, performanceTime);
    else this.heard.read(this.context.currentTime - this.outputLatencyS, performance.now());
  }

  /**
   * Return the sample index that is heard, or NaN in silence.
   *
   * @param {number} pageMs `performance.now()` or the time of an animation frame.
   */
  indexHeard(pageMs) {
    return this.timeline.indexAt(this.heard.at(pageMs) * 48000 - this.offset);
  }
}
