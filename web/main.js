/** The player page: wires sound, picture and words together. */

import { Account } from "./page/account.js";
import { hasMovingSky, programmeOf, queryOf, utcMsAt } from "./page/address.js";
import { Choosing } from "./page/choosing.js";
import { Controls } from "./page/controls.js";
import { Download } from "./page/download.js";
import { Drawer } from "./page/drawer.js";
import { part } from "./page/elements.js";
import { Hook } from "./page/hook.js";
import { Matches } from "./page/matches.js";
import { MediaKeys } from "./page/mediakeys.js";
import { Radio } from "./page/radio.js";
import { Sandbox } from "./page/sandbox.js";
import { Screen } from "./page/screen.js";
import { birthName } from "./page/sentences.js";
import { Share } from "./page/share.js";
import { Sleep } from "./page/sleep.js";
import { Stations } from "./page/stations.js";
import { Views } from "./page/views.js";
import { Show } from "./picture/show.js";
import { VizTrack } from "./picture/viztrack.js";
import { look } from "./wire/look.js";
import { SAMPLE_RATE, VIZ_SAMPLES } from "./wire/quantum.js";

/** @typedef {import("./types.js").Programme} Programme */
/** @typedef {import("./types.js").Ready} Ready */

const VIZ_FRAMES = (20 * SAMPLE_RATE) / VIZ_SAMPLES;
const WORDS_EVERY_MS = 200;
const FIGURES_EVERY_MS = 1000;
/** What the sound holds before a start is the lateness of quanta, and one quantum. */
const QUANTUM_MS = 100;
/** The ascendant moves a degree in four minutes. */
const LOOK_EVERY_MS = 240000;
const SHORTEST_LOOK_MS = 5000;
/** Errors after which the stream is asked for anew with the change in it. */
const CANNOT_STEER = new Set(["NOT_SUPPORTED", "UNKNOWN_TYPE"]);

const query = new URLSearchParams(location.search);
const stream = new URL("/stream", location.href);
stream.protocol = stream.protocol.replace("http", "ws");
const hasPicture = query.get("viz") !== "0";
const hook = query.get("test") === "1" ? new Hook() : null;
const asked = programmeOf(query);

const { body } = document;
body.classList.add("is-idle");
body.classList.toggle("no-picture", !hasPicture);
// The picture first: it appears before the threads of the sound start and compete with it.
const show = hasPicture
  ? new Show(
      part(document, "#wheel", HTMLCanvasElement),
      part(document, "#stars", HTMLCanvasElement),
      (pageMs) => radio.heardAt(pageMs),
      () => radio.notes,
    )
  : null;
/** A sky whose dial is drawn once the sound has begun: drawing must not delay it. */
let waitingSky = /** @type {Ready | null} */ (null);
let lookTimer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
let counted = { frames: 0, atMs: 0 };

const radio = new Radio(
  {
    stream,
    viz: hasPicture,
    forceMessages: query.get("transport") === "messages",
    forcePcm: query.get("codec") === "pcm",
    capture: hook && ((index, samples) => hook.capture(index, samples)),
  },
  asked.programme,
  asked.from,
  {
    prepared: (codec) => (body.dataset.prepared = codec),
    ready: onReady,
    viz: onViz,
    stats: onStats,
    changed: onChanged,
    steered: ({ effective }) => {
      const aheadS = (effective - radio.heardNow()) / SAMPLE_RATE;
      sandbox.say(aheadS > 0.1 ? `Heard in ${aheadS.toFixed(1)} s.` : "Heard.");
    },
    refused: onRefused,
  },
);
const screen = new Screen(document, radio, show);
const drawer = new Drawer(document, { delay: (ms) => (radio.player.extraLatencyS = ms / 1000) });
const controls = new Controls(document, {
  toggle: () => radio.toggle(),
  expect: () => radio.player.expect(),
  volume: (place) => radio.player.setVolume(place),
  skip: (seconds) => radio.seek(radio.place() + seconds * SAMPLE_RATE),
});
new Share(document, {
  link: () => new URL(queryOf(radio.programme, radio.place()), location.href).href,
  births: () => (radio.programme.charts ?? []).filter(({ chartId }) => !chartId).map(birthName),
  say: (text) => controls.say(text),
});
new Download(document, stream, { place: () => screen.place(), say: (text) => controls.say(text) });
const mediaKeys = new MediaKeys({
  play: () => !radio.isPlaying && radio.toggle(),
  stop: () => radio.isPlaying && radio.stop(),
});
new Sleep(part(document, "#sleep", HTMLSelectElement), {
  fade: (seconds) => radio.player.fade(seconds),
  stop: () => radio.isPlaying && radio.stop(),
});
const stations = new Stations(document, (station) => choose({ station }));
const choosing = new Choosing(document, choose, () => account.saved());
const account = new Account(document, { changed: () => choosing.refresh() });
const sandbox = new Sandbox(document, {
  play: (programme) => choosing.begins("#sandbox-form", programme, begin),
  steer,
});
const matches = new Matches(document, (programme) => choosing.begins("#match-form", programme, choose));
const views = new Views(document, {
  "my-sky": () => choosing.refresh(),
  "another-time": () => choosing.refresh(),
  "two-skies": () => choosing.refresh(),
  matches: () => matches.refresh(),
  sandbox: () => openSandbox(),
});

/** @param {Programme} programme Chosen by a click: it plays, and the page shows it. */
function choose(programme) {
  begin(programme);
  views.home();
}

/** @param {Programme} programme */
function begin(programme) {
  radio.play(programme);
  named(programme);
}

/** @param {Programme} programme */
function named(programme) {
  const isStation = programme.station !== undefined;
  stations.show(programme.station);
  const words = isStation && !query.has("from") ? "Listen to the sky now" : "Listen to this sky";
  part(document, "#begin").textContent = words;
}

/** @param {Ready} ready */
function onReady(ready) {
  if (!radio.situation.sounds) screen.scrub.show(ready.from, ready.live !== null);
  if (ready.viz) {
    screen.track ??= new VizTrack(ready.viz.fields, VIZ_SAMPLES, VIZ_FRAMES);
    show?.follow(screen.track);
  }
  if (radio.situation.sounds) showSky(ready);
  else waitingSky = ready;
}

/** @param {{index: number, frames: number, frameBytes: number, viz: Uint8Array}} quantum */
function onViz({ index, frames, frameBytes, viz }) {
  screen.track?.put(index, frames, frameBytes, viz);
  // Before the first sound the wheel would only take the time that the sound needs.
  if (radio.situation.sounds) show?.run();
}

/** Whatever need not come before the first sound comes after it. */
function onChanged() {
  if (hook && radio.isPlaying) hook.clickMs ||= performance.now();
  controls.show(radio.isPlaying);
  if (!radio.isPlaying) mediaKeys.show(false);
  else if (radio.situation.sounds) {
    mediaKeys.show(true);
    show?.run();
    if (hook) hook.firstSoundMs ||= performance.now();
    if (waitingSky) showSky(waitingSky);
    waitingSky = null;
  }
  screen.words();
}

/** @param {Ready} seen */
async function showSky(seen) {
  named(seen.programme);
  sandbox.follow(seen.programme, seen.palette);
  const { title, subtitle } = await screen.showSky(seen);
  mediaKeys.name(title, subtitle);
  // Another programme, another sky: what comes in it is not known yet.
  screen.coming.forget();
  lookAgain(0);
}

/** @param {{code: string, message: string}} error */
function onRefused({ code, message }) {
  if (CANNOT_STEER.has(code)) restartWithWishes();
  else sandbox.say(code === "RATE_LIMITED" ? "Slower, please: the server asks for it." : message);
}

/** @param {import("./types.js").Wishes} wishes @param {string} quantise */
function steer(wishes, quantise) {
  const { station, modelVersions } = radio.programme;
  if (!radio.isPlaying || station !== undefined || modelVersions?.audio === "v1.0") return false;
  radio.steer(wishes, quantise);
  return true;
}

/** The change as a part of the programme, from the index that is heard. */
function restartWithWishes() {
  const index = Math.floor(radio.place());
  const changes = [...(radio.programme.changes ?? []), { index, controls: { ...sandbox.wishes } }];
  const rising = changes.filter((one, n) => n === 0 || one.index > changes[n - 1].index);
  radio.play({ ...radio.programme, changes: rising }, index);
  sandbox.say("Heard after a short gap: this server does not steer while it plays.");
}

/** What the sky of now would choose, whatever plays. */
async function openSandbox() {
  sandbox.refresh();
  try {
    const { palette } = await look(stream, { station: "now" });
    sandbox.showSky(palette);
  } catch {
    sandbox.showSky(null);
  }
}

/** @param {{leadMs: number, targetMs: number, codec: string}} stats */
function onStats({ leadMs, targetMs, codec }) {
  drawer.note({
    "Held ahead": Number.isNaN(leadMs) ? "nothing yet" : `${(leadMs / 1000).toFixed(1)} s`,
    "Lateness, 95 of 100": `${Math.max(0, Math.round(targetMs - QUANTUM_MS))} ms`,
    Codec: codec,
    "Bit rate": radio.ready ? `${Math.round(radio.ready.codec.bitrate / 1000)} kb/s` : "not known yet",
  });
}

/** Once a second: what only the page can measure, for the report and for the drawer. */
function figures() {
  const atMs = performance.now();
  const frames = show?.frames ?? 0;
  const vizFps = Math.round((1000 * (frames - counted.frames)) / (atMs - counted.atMs));
  counted = { frames, atMs };
  show?.judge(vizFps);
  const { player, ready } = radio;
  const outputLatencyMs = Math.round(1000 * player.outputLatencyS);
  const { underruns } = player;
  const seen = show ? { vizFps, vizInitMs: Math.round(10 * show.initMs) / 10 } : {};
  player.tell({ underruns, outputLatencyMs, ...seen });
  const index = radio.heardNow();
  const behindMs = ready?.live && index ? Date.now() - utcMsAt(ready, index) : Number.NaN;
  drawer.note({
    Underruns: underruns,
    "Behind the clock": Number.isNaN(behindMs) ? "no clock" : `${(behindMs / 1000).toFixed(1)} s`,
    "Output latency": `${outputLatencyMs} ms`,
    "Way to the speaker": player.transport === "shared" ? "shared memory" : "messages",
    Picture: show ? `${vizFps} frames/s` : "off",
    "First picture": show ? `${show.initMs.toFixed(1)} ms` : "off",
    "Sound model": ready?.programme.modelVersions?.audio ?? "not known yet",
  });
}

/** A fresh look at the sky: before play, and again while it turns. */
async function lookUp() {
  const { programme } = radio;
  const index = radio.heardNow();
  const from = Number.isNaN(index) ? radio.from : Math.floor(index);
  try {
    const seen = await look(stream, programme, from);
    if (programme !== radio.programme) return;
    const rate = hasMovingSky(seen.programme) ? (seen.live ? 1 : (seen.programme.rate ?? 1)) : 0;
    const againMs = Math.min(LOOK_EVERY_MS, Math.max(SHORTEST_LOOK_MS, LOOK_EVERY_MS / rate));
    if (!radio.isPlaying) named(seen.programme);
    const { title, subtitle } = await screen.showSky(seen);
    mediaKeys.name(title, subtitle);
    lookAgain(againMs);
    if (rate > 0) await screen.coming.look(utcMsAt(seen, seen.from), againMs * rate);
    if (!radio.isPlaying) screen.idle(seen);
  } catch {
    lookAgain(SHORTEST_LOOK_MS);
  }
}

/** @param {number} ms */
function lookAgain(ms) {
  clearTimeout(lookTimer);
  lookTimer = setTimeout(lookUp, ms);
}

/** What this server has: stations to tune in, modes to play. */
async function askConfig() {
  try {
    /** @type {import("./types.js").Config} */
    const config = await (await fetch("/api/config")).json();
    stations.offer(config.stations);
    stations.show(radio.programme.station);
    choosing.modes = config.modes;
  } catch {
    // What it does not play it refuses itself, with a sentence.
  }
}

setInterval(() => screen.words(), WORDS_EVERY_MS);
setInterval(figures, FIGURES_EVERY_MS);
document.addEventListener("visibilitychange", () => radio.isPlaying && radio.player.wake());
// A new movement has another key, other instruments, another lead.
screen.onHeard = (/** @type {import("./types.js").SkyEvent} */ event) => {
  if (event.kind === "key") lookAgain(0);
};
named(radio.programme);
lookUp();
askConfig();
if (hook) {
  const { player, situation } = radio;
  globalThis.astradioTest = { hook, player, radio, show, situation, figures: drawer.figures };
}
