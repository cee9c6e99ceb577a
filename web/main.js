/** The player page: wires sound, picture and words together. */

import { programmeOf, queryOf, utcMsAt } from "./page/address.js";
import { Column } from "./page/column.js";
import { ComingList } from "./page/coming.js";
import { Controls } from "./page/controls.js";
import { Drawer } from "./page/drawer.js";
import { Due } from "./page/due.js";
import { Hook } from "./page/hook.js";
import { MediaKeys } from "./page/mediakeys.js";
import {
  chartText,
  dateText,
  keyText,
  placeText,
  programmeText,
  refusalOf,
  secondsText,
  sentenceOf,
  tempoText,
  timeText,
} from "./page/sentences.js";
import { Sleep } from "./page/sleep.js";
import { Show } from "./picture/show.js";
import { VizTrack } from "./picture/viztrack.js";
import { bodyTitle, degreesText, signAt, wrapDeg } from "./picture/zodiac.js";
import { Player } from "./sound/player.js";
import { look } from "./wire/look.js";
import { SAMPLE_RATE, VIZ_SAMPLES } from "./wire/quantum.js";

const VIZ_FRAMES = (20 * SAMPLE_RATE) / VIZ_SAMPLES;
const WORDS_EVERY_MS = 200;
const FIGURES_EVERY_MS = 1000;
/** The ascendant moves a degree in four minutes. */
const LOOK_EVERY_MS = 240000;
const SHORTEST_LOOK_MS = 5000;
/** Above this rate the ascendant would spin: the wheel then stands on 0° Aries, without houses. */
const FASTEST_HOUSES = 600;

const query = new URLSearchParams(location.search);
const stream = new URL("/stream", location.href);
stream.protocol = stream.protocol.replace("http", "ws");
const hasPicture = query.get("viz") !== "0";
const hook = query.get("test") === "1" ? new Hook() : null;

/** @param {string} id */
const part = (id) => document.getElementById(id);

let { programme, from } = programmeOf(query);
/** @type {import("./types.js").Ready | null} */
let ready = null;
/** @type {VizTrack | null} */
let track = null;
/** A sky whose dial is drawn once the sound has begun: drawing must not delay it. */
let waitingSky = null;
let isPlaying = false;
let retryAtMs = 0;
let counted = { frames: 0, atMs: 0 };
let moment = "";
/** @type {import("./page/sentences.js").Situation} */
const situation = { link: "idle", sounds: false, say: "", waitMs: 0, wasOpen: false };

document.body.classList.add("is-idle");
document.body.classList.toggle("is-live", "station" in programme);
if (!("station" in programme)) part("begin").textContent = "Listen to this sky";
document.body.classList.toggle("no-picture", !hasPicture);
// The picture first: it appears before the threads of the sound start and compete with it.
/** @param {string} id */
const canvas = (id) => /** @type {HTMLCanvasElement} */ (part(id));
const show = hasPicture ? new Show(canvas("wheel"), canvas("stars"), heardAt) : null;
const column = new Column(part("voices"), part("caption"));
const coming = new ComingList(part("coming"));
const drawer = new Drawer(document, { delay: (ms) => (player.extraLatencyS = ms / 1000) });
const due = new Due();
const player = new Player(
  {
    stream,
    viz: hasPicture,
    forceMessages: query.get("transport") === "messages",
    forcePcm: query.get("codec") === "pcm",
    capture: hook && ((index, samples) => hook.capture(index, samples)),
  },
  {
    prepared: ({ codec }) => (document.body.dataset.prepared = codec),
    ready: onReady,
    viz: onViz,
    message: onMessage,
    link: onLink,
    stats: onStats,
    sound: onSound,
    broken: onBroken,
  },
);
const controls = new Controls(document, {
  toggle,
  volume: (place) => player.setVolume(place),
  link: () => new URL(queryOf(ready?.programme ?? programme, heardNow() || 0), location.href).href,
});

const mediaKeys = new MediaKeys({
  play: () => !isPlaying && toggle(),
  stop: () => isPlaying && leave("idle"),
});
const sleep = /** @type {HTMLSelectElement} */ (part("sleep"));
new Sleep(sleep, {
  fade: (seconds) => player.fade(seconds),
  stop: () => isPlaying && leave("idle"),
});

function heardAt(pageMs) {
  player.readClock();
  return player.indexHeard(pageMs);
}

function heardNow() {
  return heardAt(performance.now());
}

function toggle() {
  if (isPlaying) return leave("idle");
  player.fade(0);
  player.play(programme, from);
  if (hook) hook.clickMs ||= performance.now();
  isPlaying = true;
  controls.show(true);
  words();
}

/** @param {"idle" | "refused"} link */
function leave(link) {
  const index = heardNow();
  // A station goes on without us; a programme of one's own waits where it was left.
  if (ready && !ready.live && index) from = Math.floor(index);
  else from = undefined;
  player.stop();
  due.clear();
  isPlaying = false;
  situation.link = link;
  situation.wasOpen = false;
  controls.show(false);
  mediaKeys.show(false);
  words();
}

function onReady({ ready: message }) {
  ready = message;
  // Every default resolved: only this very programme goes on where it was left.
  programme = message.programme;
  situation.wasOpen = true;
  if (message.viz) {
    track ??= new VizTrack(message.viz.fields, VIZ_SAMPLES, VIZ_FRAMES);
    show?.follow(track);
  }
  if (situation.sounds) showSky(message);
  else waitingSky = message;
}

function onViz({ index, frames, frameBytes, viz }) {
  track.put(index, frames, frameBytes, viz);
  show?.run();
}

function onMessage({ message }) {
  if (message.type === "event" && message.kind !== "note") due.add(message);
}

async function onLink({ state, say, delayMs, opened }) {
  if (!isPlaying) return;
  if (state === "refused") {
    situation.say = say;
    return leave("refused");
  }
  situation.link = state;
  if (state === "lost") {
    retryAtMs = performance.now() + delayMs;
    situation.say = opened ? say : await askStatus();
  }
  words();
}

/** A server that refuses before the upgrade cannot tell a browser why; it may be asked. */
async function askStatus() {
  try {
    return refusalOf(await (await fetch("/api/status")).json());
  } catch {
    return refusalOf({ state: "" });
  }
}

function onSound({ type }) {
  situation.sounds = type === "playing";
  if (situation.sounds) begun();
  words();
}

/** Our own fault: the engine room or the audio thread did not start. */
function onBroken() {
  situation.say = "The player could not start. Reload the page.";
  situation.link = "refused";
  words();
}

/** Whatever need not come before the first sound comes after it. */
function begun() {
  if (hook) hook.firstSoundMs ||= performance.now();
  mediaKeys.show(true);
  if (waitingSky) showSky(waitingSky);
  waitingSky = null;
}

/**
 * Everything that `ready` says of the sky; also from a look without play.
 *
 * @param {import("./types.js").Ready} seen
 */
function showSky(seen) {
  const rate = seen.live ? 1 : seen.programme.rate;
  const isFast = rate > FASTEST_HOUSES;
  const chart = isFast ? { ...seen.chart, angles: null, cuspsDeg: null } : seen.chart;
  column.show(chart);
  show?.show(chart, seen.from, rate);
  part("wheel").setAttribute("aria-label", chartText(chart.bodies.map(inWords)));
  const { title, lede } = programmeText(seen, utcMsAt(seen, seen.from));
  setText("title", title);
  setText("lede", lede);
  document.title = `Astradio: ${title}`;
  mediaKeys.name(title, keyText(seen.palette));
  showMoment(seen, seen.from);
}

/** @param {import("./types.js").Body} body */
function inWords({ name, longitudeDeg }) {
  const deg = wrapDeg(longitudeDeg);
  return `${bodyTitle(name)} ${degreesText(deg % 30)} ${signAt(deg).title}`;
}

function showMoment(seen, index) {
  const utcMs = utcMsAt(seen, index);
  const { chart, palette } = seen;
  const place = chart.place ? placeText(chart.place) : "";
  const lines = [timeText(utcMs), dateText(utcMs), place, keyText(palette), tempoText(palette)];
  if (lines.join() === moment) return;
  moment = lines.join();
  show?.wheel.write(lines);
  if (show && !show.running) show.drawStill();
}

/** Words follow the sound a few times a second; unlike the picture they go on in a hidden tab. */
function words() {
  situation.waitMs = Math.max(0, retryAtMs - performance.now());
  setText("state", player.isHeldBack() ? "The browser holds the sound back. Press play." : sentenceOf(situation));
  const index = heardNow();
  if (Number.isNaN(index) || ready === null) return;
  const utcMs = utcMsAt(ready, index);
  setText("date", `${dateText(utcMs)}, `);
  setText("time", secondsText(utcMs));
  showMoment(ready, index);
  coming.show(utcMs);
  if (track && (show?.running || track.look(index))) column.listen(track);
  for (const event of due.until(index)) column.say(event.text);
}

function setText(id, text) {
  if (part(id).textContent !== text) part(id).textContent = text;
}

function onStats({ leadMs, targetMs, codec }) {
  drawer.note({
    Codec: codec,
    "Held ahead": Number.isNaN(leadMs) ? "nothing yet" : `${(leadMs / 1000).toFixed(1)} s`,
    "Held before a start": `${Math.round(targetMs)} ms`,
  });
}

/** Once a second: what only the page can measure, for the report and for the drawer. */
function figures() {
  const atMs = performance.now();
  const frames = show?.frames ?? 0;
  const vizFps = Math.round((1000 * (frames - counted.frames)) / (atMs - counted.atMs));
  counted = { frames, atMs };
  show?.judge(vizFps);
  const outputLatencyMs = Math.round(1000 * player.outputLatencyS);
  const { underruns } = player;
  const seen = show ? { vizFps, vizInitMs: Math.round(10 * show.initMs) / 10 } : {};
  player.tell({ underruns, outputLatencyMs, ...seen });
  drawer.note({
    Underruns: underruns,
    "Output latency": `${outputLatencyMs} ms`,
    Picture: show ? `${vizFps} frames/s` : "off",
    "Way to the speaker": player.transport === "shared" ? "shared memory" : "messages",
  });
}

/** A fresh look at the sky: before play, and again while it turns. */
async function lookUp() {
  const index = heardNow();
  try {
    const seen = await look(stream, programme, Number.isNaN(index) ? from : Math.floor(index));
    const rate = seen.live ? 1 : seen.programme.rate;
    const againMs = Math.min(LOOK_EVERY_MS, Math.max(SHORTEST_LOOK_MS, LOOK_EVERY_MS / rate));
    setTimeout(lookUp, againMs);
    showSky(seen);
    coming.look(utcMsAt(seen, seen.from), againMs * rate);
  } catch {
    setTimeout(lookUp, SHORTEST_LOOK_MS);
  }
}

setInterval(words, WORDS_EVERY_MS);
setInterval(figures, FIGURES_EVERY_MS);
document.addEventListener("visibilitychange", () => isPlaying && player.wake());
lookUp();
if (hook) globalThis.astradioTest = { hook, player, show, situation, figures: drawer.figures };
