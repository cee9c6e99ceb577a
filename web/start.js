/** The first thing that runs: starts the player, or says what this browser lacks. */

/** @type {Record<string, string>} */
const NEEDED = {
  AudioWorkletNode: "a secure address (https) and AudioWorklet",
  Worker: "workers",
  OffscreenCanvas: "OffscreenCanvas",
};

const missing = Object.keys(NEEDED).find((name) => !(name in globalThis));

if (missing === undefined) {
  import("./main.js");
} else {
  const state = document.getElementById("state");
  if (state) state.textContent = `To play, the page needs ${NEEDED[missing]}.`;
  for (const button of document.querySelectorAll("button")) button.disabled = true;
}
