import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { beforeEach, test } from "node:test";

import { Link } from "../sound/link.js";

const vectors = JSON.parse(
  readFileSync(new URL("../../tests/vectors/quantum.json", import.meta.url), "utf8"),
);
const [QUANTUM] = vectors.quanta[0].bytes;

/** A socket in memory: the test is the server. */
class FakeSocket {
  static OPEN = 1;
  static all = [];

  constructor() {
    this.readyState = 0;
    this.sent = [];
    FakeSocket.all.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text).type);
  }

  close() {
    this.readyState = 3;
  }

  opens() {
    this.readyState = 1;
    this.onopen();
  }

  says(message) {
    this.onmessage({ data: typeof message === "string" ? message : JSON.stringify(message) });
  }

  sendsQuantum() {
    const bytes = Buffer.from(QUANTUM, "hex");
    this.onmessage({ data: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) });
  }

  closes(code) {
    this.readyState = 3;
    this.onclose({ code });
  }
}

globalThis.WebSocket = FakeSocket;
beforeEach(() => {
  FakeSocket.all = [];
});

/** A link just opened, with everything it tells. */
function opened() {
  const told = [];
  const link = new Link("ws://here/stream", {
    hello: () => ({ programme: { station: "now" } }),
    ready: () => told.push("ready"),
    quantum: () => told.push("quantum"),
    message: ({ type }) => told.push(type),
    isHungry: () => true,
    state: ({ state }) => told.push(state),
  });
  link.open();
  FakeSocket.all[0].opens();
  return { link, told, socket: FakeSocket.all[0] };
}

test("hello, ready, quanta", () => {
  const { told, socket } = opened();
  socket.says({ type: "ready" });
  socket.sendsQuantum();
  assert.deepEqual(socket.sent, ["hello"]);
  assert.deepEqual(told, ["connecting", "open", "ready", "quantum"]);
});

test("a quantum before ready belongs to nothing and is passed over", () => {
  const { told, socket } = opened();
  socket.sendsQuantum();
  assert.deepEqual(told, ["connecting"]);
});

test("a broken connection is opened again within its back-off", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { told, socket } = opened();
  socket.closes(1006);
  assert.deepEqual(told, ["connecting", "lost"]);
  context.mock.timers.tick(1000);
  assert.deepEqual(told, ["connecting", "lost", "connecting"]);
  assert.equal(FakeSocket.all.length, 2);
});

test("a programme that does not exist is not asked for again", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { link, told, socket } = opened();
  socket.closes(4004);
  link.hurry();
  context.mock.timers.tick(60000);
  assert.deepEqual(told, ["connecting", "refused"]);
});

test("a server that goes down is left when it asks, and its old socket is heard no more", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { told, socket } = opened();
  socket.says({ type: "ready" });
  socket.says({ type: "drain", reconnectAfterMs: 800 });
  context.mock.timers.tick(799);
  assert.equal(FakeSocket.all.length, 1);
  context.mock.timers.tick(1);
  assert.deepEqual(socket.sent, ["hello", "bye"]);
  socket.closes(1000);
  assert.deepEqual(told, ["connecting", "open", "ready", "connecting"]);
});

test("when the network is back the delay is not waited out, but after a stop nothing opens", () => {
  const { link, socket } = opened();
  socket.closes(1006);
  link.hurry();
  assert.equal(FakeSocket.all.length, 2);
  link.close();
  link.hurry();
  assert.equal(FakeSocket.all.length, 2);
});

test("a socket that is silent for long is asked, then given up", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { link, told, socket } = opened();
  link.heardMs -= 4000;
  link.watch();
  assert.deepEqual(socket.sent, ["hello", "ping"]);
  link.heardMs -= 4000;
  link.watch();
  assert.deepEqual(told, ["connecting", "lost"]);
});

test("a server that breaks the protocol is told goodbye", () => {
  const { told, socket } = opened();
  socket.says("{");
  assert.deepEqual(socket.sent, ["hello", "bye"]);
  assert.deepEqual(told, ["connecting", "refused"]);
});

test("a second ready answers a seek, and says so; after a break the first one does not", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { link, socket } = opened();
  const again = [];
  link.on.ready = (_message, isAgain) => again.push(isAgain);
  for (let n = 0; n < 2; n += 1) socket.says({ type: "ready" });
  socket.closes(1006);
  context.mock.timers.tick(1000);
  FakeSocket.all[1].opens();
  FakeSocket.all[1].says({ type: "ready" });
  assert.deepEqual(again, [false, true, false]);
});

test("what came before the end is heard before the end is told", () => {
  const { told, socket } = opened();
  socket.says({ type: "ready" });
  for (let n = 0; n < 9; n += 1) socket.sendsQuantum();
  socket.closes(1012);
  assert.deepEqual(told.slice(3), [...Array(9).fill("quantum"), "lost"]);
});

/** A link that nobody has opened yet. */
function idle() {
  const nothing = () => {};
  const on = { hello: () => ({}), ready: nothing, quantum: nothing, message: nothing, isHungry: () => false, state: nothing };
  return new Link("ws://here/stream", on);
}

test("a socket opened in expectation is used, and says hello only then", () => {
  const link = idle();
  link.expect();
  const [socket] = FakeSocket.all;
  socket.readyState = FakeSocket.OPEN;
  assert.deepEqual(socket.sent, []);
  link.open();
  assert.deepEqual(socket.sent, ["hello"]);
  assert.equal(FakeSocket.all.length, 1);
  link.expect();
  assert.equal(FakeSocket.all.length, 1, "it is used already");
});

test("a socket that was still opening says hello when it is open", () => {
  const link = idle();
  link.expect();
  link.open();
  const [socket, ...others] = FakeSocket.all;
  assert.deepEqual([socket.sent, others], [[], []]);
  socket.opens();
  assert.deepEqual(socket.sent, ["hello"]);
});

test("nobody came: the socket is closed before the server does it, and not opened again at once", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const link = idle();
  link.expect();
  const [socket] = FakeSocket.all;
  t.mock.timers.tick(9000);
  assert.equal(socket.readyState, 3);
  link.expect();
  assert.equal(FakeSocket.all.length, 1);
  link.open();
  assert.equal(FakeSocket.all.length, 2);
});

test("an expected socket that was refused is forgotten", () => {
  const link = idle();
  link.expect();
  FakeSocket.all[0].closes(1013);
  link.open();
  assert.equal(FakeSocket.all.length, 2);
});

test("a delay before the next attempt is not cut short by a pointer", () => {
  const { link, socket } = opened();
  socket.closes(1013);
  link.expect();
  assert.equal(FakeSocket.all.length, 1);
  link.close();
});
