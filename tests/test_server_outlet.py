"""The seam below Starlette: our frames are those of the library, and its state stays sound."""

from __future__ import annotations

import gc
import inspect
import struct
import weakref
from pathlib import Path
from typing import Any

import pytest
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from astradio_stream.server import outlet as outlet_module
from astradio_stream.server import sender as sender_module
from astradio_stream.server.outlet import (
    LARGEST_WRITE_BYTES,
    SOCKET_BYTES,
    WRITE_HIGH_BYTES,
    framed,
    framed_text,
)
from astradio_stream.server.patience import HOPELESS_NS
from astradio_stream.units import QUANTUM_SAMPLES
from astradio_stream.wire.bucket import NS_PER_S
from astradio_stream.wire.closing import Closing
from astradio_stream.wire.quantum import unpack_quantum
from tests.listener import TRANSIT, hello_of, listening
from tests.raw_peer import raw_peer, wait_until
from tests.serving import Served, SilentEngine, serving, settings_in

SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 200_000]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with serving(settings_in(tmp_path_factory.mktemp("server")), SilentEngine()) as served:
        yield served


@pytest.mark.parametrize("size", SIZES)
def test_frames_are_those_that_the_library_writes(size: int) -> None:
    payload = bytes(n % 251 for n in range(size))
    binary = Frame(Opcode.BINARY, payload).serialize(mask=False)
    assert framed(payload) == binary
    text = "ä" * (size // 2)
    assert framed_text(text) == Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


def opened() -> tuple[ServerProtocol, ClientProtocol]:
    """Return both ends of a conversation that has been opened."""
    client = ClientProtocol(parse_uri("ws://localhost/stream"))
    server = ServerProtocol()
    client.send_request(client.connect())
    server.receive_data(b"".join(client.data_to_send()))
    (request,) = server.events_received()
    server.send_response(server.accept(request))  # type: ignore[arg-type]
    client.receive_data(b"".join(server.data_to_send()))
    client.events_received()
    return server, client


def test_frames_past_the_library_leave_both_ends_sound() -> None:
    """What we write past the library, it neither misses nor mistakes: any order may follow."""
    server, client = opened()
    server.send_text(b"its own")
    sent = b"".join(server.data_to_send()) + framed(b"past it") + framed_text("again")
    server.send_ping(b"?")
    sent += b"".join(server.data_to_send()) + framed(b"x" * 70_000)
    client.receive_data(sent)
    got = [(f.opcode, bytes(f.data)) for f in client.events_received() if isinstance(f, Frame)]
    assert got == [
        (Opcode.TEXT, b"its own"),
        (Opcode.BINARY, b"past it"),
        (Opcode.TEXT, b"again"),
        (Opcode.PING, b"?"),
        (Opcode.BINARY, b"x" * 70_000),
    ]
    server.receive_data(b"".join(client.data_to_send()))
    assert server.state is State.OPEN
    server.send_close(1000, "done")
    client.receive_data(b"".join(server.data_to_send()))
    assert client.close_rcvd is not None
    assert client.close_rcvd.code == 1000


def test_the_names_at_the_seam_are_there() -> None:
    """A new uvicorn that renames what we read fails here first."""
    source = inspect.getsource(WebSocketsSansIOProtocol)
    for name in (
        "transport",
        "conn",
        "writable",
        "queue",
        "close_sent",
        "disconnected",
        "loop",
        "frames",
    ):
        assert f"self.{name}" in source, name
    assert "self.writable.clear()" in inspect.getsource(WebSocketsSansIOProtocol.pause_writing)
    assert "self.writable.set()" in inspect.getsource(WebSocketsSansIOProtocol.resume_writing)
    assert "self.handshake_initiated = True" in source
    for name in ("state", "current_size"):
        assert hasattr(ServerProtocol(), name)


def only_listener(server: Served) -> Any:
    wait_until(lambda: len(server.shell.listeners) == 1)
    (listener,) = server.shell.listeners
    return listener


def test_one_listener_that_never_reads_costs_less_than_512_kb(server: Served) -> None:
    """PCM with the longest buffer is 3.8 MB at once; the kernel's share is asked of the kernel."""
    hello = hello_of(TRANSIT, codecs=["pcm_s16le"], bufferMs=20_000)
    with raw_peer(server.ws_url) as peer:
        peer.say(hello)
        listener = only_listener(server)
        wait_until(lambda: not listener._outlet.has_room)
        in_transport = listener._outlet.n_bytes
        protocol = listener._outlet._protocol
        bound = protocol.transport.get_extra_info("socket")
        import socket

        allowed = bound.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        assert allowed <= 2 * SOCKET_BYTES  # Linux doubles what was asked for
        assert in_transport <= WRITE_HIGH_BYTES + LARGEST_WRITE_BYTES + 2 * 19_300
        assert allowed + in_transport < 512_000
    wait_until(lambda: not server.shell.listeners)


def test_a_listener_that_takes_nothing_is_closed_with_4102_and_can_read_that(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "HOPELESS_NS", 300_000_000)
    with raw_peer(server.ws_url) as peer:
        peer.say(hello_of(TRANSIT, codecs=["pcm_s16le"], bufferMs=20_000))
        only_listener(server)
        wait_until(lambda: not server.shell.listeners)
        peer.read_all(5)
        assert peer.close_code == 4102


def test_who_never_reads_is_closed_within_15_s_of_taking_nothing_more(server: Served) -> None:
    """With the patience that listeners meet: not a second sooner than it says, and in time."""
    with raw_peer(server.ws_url) as peer:
        peer.say(hello_of(TRANSIT, codecs=["pcm_s16le"], bufferMs=20_000))
        listener = only_listener(server)
        wait_until(lambda: not listener._outlet.has_room)
        stopped_ns = server.shell.clock.now_ns()
        wait_until(lambda: listener.session.closing is not None, timeout_s=20)
        lasted_ns = server.shell.clock.now_ns() - stopped_ns
        assert listener.session.closing is Closing.SLOW_CONSUMER
        assert HOPELESS_NS - NS_PER_S <= lasted_ns <= 15 * NS_PER_S
        peer.read_all(5)
        assert peer.close_code == 4102
        quanta = [unpack_quantum(m) for m in peer.take_messages() if isinstance(m, bytes)]
    assert [q.index for q in quanta] == [n * QUANTUM_SAMPLES for n in range(len(quanta))]


def test_who_does_not_even_read_the_close_is_cut_off(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "HOPELESS_NS", 200_000_000)
    monkeypatch.setattr(outlet_module, "LINGER_S", 0.2)
    with raw_peer(server.ws_url) as peer:
        peer.say(hello_of(TRANSIT, codecs=["pcm_s16le"], bufferMs=20_000))
        protocol = only_listener(server)._outlet._protocol
        wait_until(lambda: protocol.disconnected)
        peer.read_all(5)
        assert peer.close_code is None


def test_after_a_stop_the_picture_goes_and_what_was_missed_is_announced(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second of PCM waits in buffers; a stop of three seconds is more than that."""
    from astradio_stream.server import patience

    monkeypatch.setattr(patience, "SKIP_AFTER_NS", 800_000_000)
    with raw_peer(server.ws_url, receive_bytes=65_536) as peer:
        peer.say(hello_of(TRANSIT, codecs=["pcm_s16le"], bufferMs=500))
        listener = only_listener(server)
        wait_until(lambda: not listener._outlet.has_room)
        wait_until(lambda: listener._outlet.has_room is False and listener._wake.is_set() is False)
        import time

        time.sleep(1.5)
        peer.socket.settimeout(0.5)
        messages: list[Any] = []
        end_s = time.monotonic() + 2.5
        while time.monotonic() < end_s:
            peer.read()
            messages += peer.take_messages()
        told = [m for m in messages if isinstance(m, dict) and m["type"] == "discontinuity"]
        assert len(told) == 1
        assert told[0]["reason"] == "slow"
        expected = 0
        for message in messages:
            if isinstance(message, bytes):
                quantum = unpack_quantum(message)
                assert quantum.index == expected
                expected += QUANTUM_SAMPLES
                after_gap = expected > told[0]["to"]
                assert len(quantum.viz_frames) == (0 if after_gap else 6)
            elif message["type"] == "discontinuity":
                assert message["from"] == expected
                assert message["to"] - message["from"] >= 0.8 * 48_000
                expected = message["to"]
        assert expected > told[0]["to"]


def test_beside_a_slow_listener_others_notice_nothing(server: Served) -> None:
    with raw_peer(server.ws_url) as deaf, listening(server.ws_url, TRANSIT, bufferMs=300) as well:
        deaf.say(hello_of(TRANSIT, codecs=["pcm_s16le"], bufferMs=20_000))
        well.take_quanta(12)


def test_nothing_keeps_a_listener_who_has_gone(server: Served) -> None:
    gone: list[weakref.ref[Any]] = []
    for _ in range(4):
        with listening(server.ws_url, TRANSIT, bufferMs=300) as listener:
            listener.take_quanta(5)
            listener.say({"type": "pause"})
            listener.report()
            gone.append(weakref.ref(only_listener(server)))
        wait_until(lambda: not server.shell.listeners)

    def n_kept() -> int:
        gc.collect()
        return sum(kept() is not None for kept in gone)

    wait_until(lambda: n_kept() <= 1)  # the loop may hold the arguments of its last call


def test_the_seam_is_in_one_module_only() -> None:
    root = Path(outlet_module.__file__).parent
    for path in root.glob("*.py"):
        if path.name not in ("outlet.py", "handshake.py"):
            assert ".transport" not in path.read_text() or path.name == "malformed.py", path


def test_a_length_on_the_wire_is_big_endian() -> None:
    assert framed(b"x" * 300)[:4] == struct.pack(">BBH", 0x82, 126, 300)
