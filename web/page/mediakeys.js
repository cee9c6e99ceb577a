/**
 * Media keys and the lock screen. Main thread.
 *
 * Browsers give them only to a page whose <audio> element plays, and our sound has none: so a silent
 * one goes round beside it. It carries no music and nothing waits for it.
 */

const RATE = 8000;
/** Chromium takes no notice of elements shorter than 5 s. */
const SECONDS = 10;
const HEADER_BYTES = 44;

/** @returns {Blob} A WAV file of silence: 8 bits, mono. */
export function silence() {
  const frames = RATE * SECONDS;
  const bytes = new Uint8Array(HEADER_BYTES + frames).fill(128);
  const view = new DataView(bytes.buffer);
  const word = (/** @type {number} */ at, /** @type {string} */ text) => [...text].forEach((c, n) => view.setUint8(at + n, c.charCodeAt(0)));
  word(0, "RIFF");
  view.setUint32(4, bytes.length - 8, true);
  word(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, RATE, true);
  view.setUint16(32, 1, true);
  view.setUint16(34, 8, true);
  word(36, "data");
  view.setUint32(40, frames, true);
  return new Blob([bytes], { type: "audio/wav" });
}

export class MediaKeys {
  /** @param {{play: () => void, stop: () => void}} on */
  constructor(on) {
    this.session = navigator.mediaSession;
    if (!this.session) return;
    this.audio = new Audio(URL.createObjectURL(silence()));
    this.audio.loop = true;
    this.session.setActionHandler("play", on.play);
    this.session.setActionHandler("pause", on.stop);
    this.session.setActionHandler("stop", on.stop);
  }

  /** @param {boolean} isPlaying While the click that began it still counts as recent. */
  show(isPlaying) {
    if (!this.session) return;
    this.session.playbackState = isPlaying ? "playing" : "paused";
    // A browser that refuses keeps its keys; the music does not depend on them.
    if (isPlaying) this.audio?.play().catch(() => {});
    else this.audio?.pause();
  }

  /** @param {string} title @param {string} subtitle */
  name(title, subtitle) {
    if (!this.session) return;
    const artwork = [{ src: "/static/icon.svg", sizes: "any", type: "image/svg+xml" }];
    this.session.metadata = new MediaMetadata({ title, artist: subtitle, album: "Astradio", artwork });
  }
}
