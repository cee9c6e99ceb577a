/**
 * One look at a programme without playing it: hello, ready, bye. Main thread.
 *
 * It gives the page the true sky before anyone presses play, and a fresh ascendant while they listen.
 */

/**
 * @param {URL} url
 * @param {object} programme
 * @param {number} [from] Sample index; a station answers for the live one without it.
 * @returns {Promise<import("../types.js").Ready>} The `ready` message; rejects if the server does not give one.
 */
export function look(url, programme, from) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, "astradio.v1");
    socket.onopen = () => {
      const hello = { type: "hello", protocol: 1, programme, codecs: ["opus", "pcm_s16le"], from };
      socket.send(JSON.stringify({ ...hello, viz: false, bufferMs: 200, client: "web-look" }));
    };
    socket.onmessage = ({ data }) => {
      const message = typeof data === "string" ? JSON.parse(data) : {};
      if (message.type !== "ready") return;
      resolve(message);
      socket.onmessage = null;
      socket.send('{"type":"bye"}');
    };
    socket.onclose = () => reject(new Error("no answer"));
  });
}
