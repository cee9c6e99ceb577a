/**
 * After a break: looks whether the server is back, for as long as sound is held. Runs in the Worker.
 *
 * Back-off knows nothing of what is held: its fourth delay may last as long as twelve seconds of sound,
 * and a server that came back after four of them would be missed. So the server's status is asked, which
 * costs it next to nothing, and who finds it back goes there at a time drawn from half of what is still
 * held: a crowd is spread, and nobody falls silent.
 */

const EVERY_MS = 1000;

/**
 * @typedef {object} LookoutMeans
 * @property {() => number} heldMs How much sound is still to be heard; NaN before any was.
 * @property {() => Promise<boolean>} isBack Whether the server takes listeners.
 * @property {() => void} hurry Connect now.
 * @property {() => number} [chance] In [0, 1).
 */

export class Lookout {
  /** @param {LookoutMeans} means */
  constructor({ heldMs, isBack, hurry, chance = Math.random }) {
    this.heldMs = heldMs;
    this.isBack = isBack;
    this.hurry = hurry;
    this.chance = chance;
    /** Each outage has a number; 0 while there is none. */
    this.outage = 0;
    this.outages = 0;
    /** @type {ReturnType<typeof setTimeout> | 0} */
    this.timer = 0;
    /** A server that was there all along refused us, or lost us: then back-off is what it asks for. */
    this.wasAway = false;
  }

  /** The connection is lost; said once more as each attempt fails. */
  begin() {
    if (this.outage !== 0) return;
    this.outages += 1;
    this.outage = this.outages;
    this.wasAway = false;
    this.look();
  }

  /** The connection is back, or not wanted any more. */
  end() {
    this.outage = 0;
    clearTimeout(this.timer);
  }

  async look() {
    const { outage } = this;
    if (!(this.heldMs() > 0)) return;
    const isBack = await this.isBack();
    if (outage !== this.outage) return;
    this.wasAway ||= !isBack;
    if (isBack && this.wasAway) this.timer = setTimeout(() => this.go(), this.spread());
    else this.timer = setTimeout(() => this.look(), EVERY_MS);
  }

  spread() {
    return (this.chance() * Math.max(0, this.heldMs())) / 2;
  }

  go() {
    this.hurry();
    this.timer = setTimeout(() => this.look(), EVERY_MS);
  }
}

/**
 * Ask the server that streams from an address whether it takes listeners.
 *
 * @param {string} stream Address of the stream.
 * @returns {Promise<boolean>}
 */
export async function takesListeners(stream) {
  const address = new URL("/api/status", stream.replace(/^ws/, "http"));
  try {
    const response = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(2000) });
    const { state } = await response.json();
    return state === "READY" || state === "DEGRADED";
  } catch {
    return false;
  }
}
