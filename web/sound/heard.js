/**
 * The clock of what is heard: which frame of the audio context leaves the speaker now. Pure.
 *
 * Browsers report pairs (context time, page time) that jitter by a device buffer. Both clocks run at
 * the same rate over seconds, so their difference is followed slowly and jumps only when it must.
 */

const FOLLOW = 0.05;
const JUMP_S = 0.05;

/**
 * Where a browser does not tell its output latency: Safari has no `outputLatency`, Chrome had none
 * before 102, and any may say 0 until the device runs. Source: MDN, AudioContext.outputLatency.
 */
export const ASSUMED_LATENCY_S = 0.04;

/**
 * Return whether a browser can be asked for its output latency while it plays.
 *
 * Firefox on Linux may stand still for ever: the page waits for PulseAudio with the lock of the audio
 * graph held, PulseAudio for its callback, and the callback for that lock (seen in Firefox 153, most
 * often on a busy machine). `getOutputTimestamp` asks the same question there.
 *
 * @param {string} userAgent
 */
export function tellsLatency(userAgent) {
  return !/Linux.*Firefox\//.test(userAgent);
}

export class HeardClock {
  constructor() {
    /** Context time less page time (seconds). */
    this.offset = Number.NaN;
  }

  /**
   * Take one reading.
   *
   * @param {number} contextS Context time that is heard at `pageMs`.
   * @param {number} pageMs
   */
  read(contextS, pageMs) {
    const offset = contextS - pageMs / 1000;
    const error = offset - this.offset;
    this.offset = Math.abs(error) < JUMP_S ? this.offset + FOLLOW * error : offset;
  }

  /**
   * @param {number} pageMs
   * @returns {number} Context time heard then (seconds).
   */
  at(pageMs) {
    return this.offset + pageMs / 1000;
  }
}
