"""The short way in: it reads what the library would read, and nothing else."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from astradio_stream.server.frames import ends_with_a_frame, ends_with_the_request, whole_text
from tests.listener import TRANSIT, hello_of
from tests.raw_peer import RawPeer, raw_peer, wait_until
from tests.serving import Served, SilentEngine, serving, settings_in

LENGTHS = [*range(3), 119, *range(123, 129), 131, 250, 252, 254, 4_088, 4_089, 65_535, 65_536]
REQUEST = b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n"
MESSAGES = st.tuples(
    st.sampled_from([Opcode.TEXT, Opcode.BINARY, Opcode.CONT]), st.binary(max_size=300)
)
CONTROLS = st.tuples(st.sampled_from([Opcode.PING, Opcode.PONG]), st.binary(max_size=125))


def frame_of(payload: bytes, opcode: Opcode = Opcode.TEXT, **changes: Any) -> bytes:
    """Return a client's frame as the library writes it."""
    return Frame(opcode, payload, **changes).serialize(mask=True)


def read_by_the_library(data: bytes) -> list[tuple[Opcode, bytes]] | None:
    """Return the frames in what a client sent, or None if it is not whole, or wrong."""
    server = ServerProtocol(state=State.OPEN)
    server.parser = server.parse()
    server.receive_data(data)
    frames = [one for one in server.events_received() if isinstance(one, Frame)]
    is_whole = server.parser_exc is None and not server.reader.buffer
    return [(one.opcode, bytes(one.data)) for one in frames] if is_whole else None


@pytest.mark.parametrize("length", LENGTHS)
def test_a_text_of_any_length_is_read_as_it_was_sent(length: int) -> None:
    frame = frame_of(b"x" * length)
    assert whole_text(frame) == ("x" * length if 8 <= len(frame) <= 4_096 else None)
    assert ends_with_a_frame(frame)
    assert not ends_with_a_frame(frame[:-1])
    assert not ends_with_a_frame(frame + b"\x81")


@pytest.mark.parametrize("frame", [
    frame_of(b"two!", Opcode.BINARY), frame_of(b"two!", Opcode.PING), frame_of(b"two!", fin=False),
    b"\xc1" + frame_of(b"two!")[1:], frame_of(b"two!", Opcode.CONT), frame_of(b"\xff\xfe\xfd\xfc"),
    Frame(Opcode.TEXT, b"not masked").serialize(mask=False),
    frame_of(b"two!") * 2, frame_of(b"two!")[:-1], frame_of(b"two!") + b"\0",
    b"\x81\xff" + bytes(131), b"\x81\xff" + bytes(7) + b"\x7f" + bytes(131),
    b"\x81\xfe\0\1\0\0\0\0",
    b"\x81", b"",
], ids=lambda frame: frame[:2].hex() + f"-{len(frame)}")  # fmt: skip
def test_whatever_else_comes_is_the_librarys(frame: bytes) -> None:
    assert whole_text(frame) is None


@given(st.binary(min_size=4, max_size=140), st.integers(0, 255), st.integers(0, 255))
def test_no_bytes_are_read_otherwise_than_by_the_library(rest: bytes, at: int, length: int) -> None:
    for data in (bytes((0x81, length)) + rest, bytes((at, length)) + rest, b"\x81\xfe" + rest):
        text = whole_text(data)
        if text is not None:
            assert read_by_the_library(data) == [(Opcode.TEXT, text.encode())]


@given(st.lists(MESSAGES | CONTROLS, max_size=5), st.data())
def test_where_a_frame_ends_is_known(
    frames: list[tuple[Opcode, bytes]], cut: st.DataObject
) -> None:
    written = [frame_of(payload, opcode) for opcode, payload in frames]
    whole = b"".join(written)
    ends = {len(b"".join(written[:n])) for n in range(len(written) + 1)}
    assert ends_with_a_frame(whole)
    at = cut.draw(st.integers(0, len(whole)))
    assert ends_with_a_frame(whole[:at]) == (at in ends)


def test_the_request_is_known_from_what_comes_with_it() -> None:
    assert ends_with_the_request(REQUEST)
    for other in (
        b"", b"\r\n\r\n", REQUEST[:-1], REQUEST[4:],
        REQUEST + frame_of(b"{}"), REQUEST + b"\r\n\r\n",
    ):  # fmt: skip
        assert not ends_with_the_request(other)


# In pieces, on a real socket ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(settings_in(tmp_path_factory.mktemp("frames")), SilentEngine()) as served:
        yield served


@pytest.fixture
def peer(server: Served) -> Iterator[RawPeer]:
    with raw_peer(server.ws_url, 1_000_000) as peer:
        peer.say(hello_of(TRANSIT, viz=False, bufferMs=200))
        told: list[Any] = []
        while not any(isinstance(one, dict) and one["type"] == "ready" for one in told):
            peer.read()
            told += peer.take_messages()
        yield peer


def ping(t: int) -> bytes:
    return b'{"type":"ping","t":%d}' % t


def spoken(t: int) -> bytes:
    """Return the same question in one of the ways in which frames may ask it."""
    whole = ping(t)
    match t % 6:
        case 0:
            return frame_of(whole[:9], fin=False) + frame_of(whole[9:], Opcode.CONT)
        case 1:
            return frame_of(b"", Opcode.PONG) + frame_of(whole)
        case 2:
            return frame_of(whole + b" " * 120)
        case 3:
            return (
                frame_of(whole[:9], fin=False)
                + frame_of(b"?", Opcode.PING)
                + frame_of(whole[9:], Opcode.CONT)
            )
        case _:
            return frame_of(whole)


def answers(peer: RawPeer, n: int) -> list[int]:
    """Return what the next pongs echo."""
    got: list[int] = []
    peer.socket.settimeout(10)
    while len(got) < n and peer.read():
        told = peer.take_messages()
        got += [one["t"] for one in told if isinstance(one, dict) and one["type"] == "pong"]
    return got


@pytest.mark.parametrize("seed", range(4))
def test_however_the_frames_are_cut_every_question_is_answered(peer: RawPeer, seed: int) -> None:
    dice = random.Random(seed)
    pieces = [spoken(t) for t in range(60)]  # nothing is cut, as nearly always in life
    if seed:
        said = b"".join(pieces)
        ends = sorted({len(said), *dice.sample(range(1, len(said)), 100)})
        pieces = [said[at:end] for at, end in itertools.pairwise([0, *ends])]
    for piece in pieces:
        peer.socket.sendall(piece)
        time.sleep(0.002)  # so that it arrives by itself
    assert answers(peer, 60) == list(range(60))


def test_each_in_a_piece_of_its_own_takes_the_short_way(
    server: Served, peer: RawPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_until(lambda: len(server.shell.listeners) == 1)
    (listener,) = server.shell.listeners
    protocol = listener._outlet._protocol
    taken_apart: list[bytes] = []
    receive = protocol.conn.receive_data
    monkeypatch.setattr(
        protocol.conn, "receive_data", lambda data: (taken_apart.append(data), receive(data))
    )
    pieces = {t: spoken(t) for t in range(6, 12)}
    for t, piece in pieces.items():
        peer.socket.sendall(piece)
        assert answers(peer, 1) == [t]
    assert taken_apart == [pieces[6], pieces[7], pieces[9]]
    cut = frame_of(ping(1))  # from now on all of it is the library's
    peer.socket.sendall(cut[:5])
    time.sleep(0.05)
    peer.socket.sendall(cut[5:])
    assert answers(peer, 1) == [1]
    peer.socket.sendall(spoken(10))
    assert answers(peer, 1) == [10]
    assert len(taken_apart) == 6


def test_what_is_said_after_goodbye_is_not_heeded(server: Served) -> None:
    with raw_peer(server.ws_url) as peer:
        peer.say(hello_of(TRANSIT, viz=False, bufferMs=200))
        peer.say({"type": "bye"})
        peer.say({"type": "ping", "t": 1})
        while peer.close_code is None:
            assert peer.read()
        assert peer.close_code == 1000
        told = [one for one in peer.take_messages() if isinstance(one, dict)]
        assert "pong" not in [one["type"] for one in told]
