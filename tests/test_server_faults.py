"""Peers that misbehave, networks that fail, servers that die: the others hear nothing of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from astradio_stream.audio.opus import Decoder
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.segment import Rendition
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.units import QUANTUM_SAMPLES, SEGMENT_SAMPLES
from astradio_stream.wire.quantum import unpack_quantum
from loadtest.toxic import toxic
from tests.crowd import crowd_of
from tests.listener import TRANSIT, Listener, connected, hello_of, listening
from tests.raw_peer import RawPeer, raw_peer
from tests.test_server_main import process, url_told

if TYPE_CHECKING:
    from astradio_stream.audio.bank import Bank

N_HEALTHY = 20
TEXT, BINARY, PING = 0x1, 0x2, 0x9

Peer = Callable[[str], None]


@pytest.fixture(scope="module")
def crc_of(bank: Bank) -> Callable[[int], int]:
    """Return index -> CRC-32 of a quantum of TRANSIT as rendered here."""
    rendition = Rendition(resolve(TRANSIT, Moment(0), ModelVersions()), bank)

    @cache
    def crcs(k: int) -> list[int]:
        return rendition.segment(k).quantum_crcs()

    return lambda index: crcs(index // SEGMENT_SAMPLES)[index % SEGMENT_SAMPLES // QUANTUM_SAMPLES]


@pytest.fixture(scope="module")
def servers(
    tmp_path_factory: pytest.TempPathFactory, data_dir: Path
) -> Iterator[list[tuple[subprocess.Popen[str], str]]]:
    """Two servers in processes of their own: what each is, and where its stream is."""
    with ExitStack() as stack:
        started = []
        for _ in range(2):
            folder = tmp_path_factory.mktemp("server")
            made = stack.enter_context(process(folder, data_dir, RATE_LIMIT_MAX="200"))
            url = url_told(made).replace("http", "ws") + "/stream"
            started.append((made, url))
        yield started


@pytest.fixture
def url(servers: list[tuple[subprocess.Popen[str], str]]) -> str:
    return servers[1][1]


# Faulty peers: each returns when it has seen what the contract promises it ---------------------


def frame(opcode: int, payload: bytes, *, fin: bool = True) -> bytes:
    """Return a frame as a client sends it, with a mask of zeros."""
    length = len(payload)
    if length < 126:
        size = bytes([0x80 | length])
    elif length <= 0xFFFF:
        size = b"\xfe" + struct.pack(">H", length)
    else:
        size = b"\xff" + struct.pack(">Q", length)
    return bytes([opcode | (0x80 if fin else 0)]) + size + bytes(4) + payload


def pour(listener: Listener, data: bytes, n_times: int = 1) -> None:
    """Write bytes below the WebSocket until they are through or the server has had enough."""
    try:
        for _ in range(n_times):
            listener.connection.socket.sendall(data)
    except OSError:
        pass


def messages_until(peer: RawPeer, n_quanta: int) -> list[bytes | dict[str, Any]]:
    """Read until so many quanta came; return all messages."""
    messages: list[bytes | dict[str, Any]] = []
    peer.socket.settimeout(10)
    while sum(isinstance(message, bytes) for message in messages) < n_quanta:
        assert peer.read(), peer.close_code
        messages += peer.take_messages()
    return messages


def heard_of(messages: list[bytes | dict[str, Any]]) -> tuple[int, list[dict[str, Any]]]:
    """Return where the sound among messages ends, and the losses that were announced.

    There is no other loss, and nothing came twice.
    """
    end, skipped = 0, []
    for message in messages:
        if isinstance(message, bytes):
            quantum = unpack_quantum(message)
            assert quantum.index == end, "a gap or a duplicate that nobody announced"
            end += QUANTUM_SAMPLES
        elif message["type"] == "discontinuity":
            assert message["from"] == end
            skipped.append(message)
            end = message["to"]
        else:
            assert message["type"] in ("ready", "event"), message
    return end, skipped


def never_reads(url: str) -> None:
    """Say hello with the longest buffer, and take nothing for five seconds."""
    with toxic(url) as proxy, connected(proxy.url, close_timeout=0.1) as listener:
        proxy.down.is_stopped = True
        listener.say(hello_of(TRANSIT | {"seed": 1}, bufferMs=20_000, codecs=["pcm_s16le"]))
        time.sleep(5)


def reads_at_64_kbps(url: str) -> None:
    """Two thirds of what the sound alone needs: all that is lost was announced."""
    with toxic(url) as proxy:
        proxy.down.bytes_per_s = 8_000
        proxy.down.piece_bytes = 1_024
        with connected(proxy.url, close_timeout=0.1) as listener:
            listener.say(hello_of(TRANSIT))
            listener.take_for(5)
            assert len(listener.received) >= 3


def stops_for_3_s(url: str) -> None:
    """The network holds its breath; what comes after goes on where it was."""
    with toxic(url) as proxy, listening(proxy.url, TRANSIT) as listener:
        listener.take_quanta(20)
        proxy.down.is_stopped = True
        time.sleep(3)
        proxy.down.is_stopped = False
        listener.take_quanta(10)


def stops_for_6_s_with_much_to_take(url: str) -> None:
    """Sound that is not compressed fills every buffer: what was missed is announced, no more."""
    with raw_peer(url) as peer:
        peer.say(hello_of(TRANSIT, codecs=["pcm_s16le"], bufferMs=500))
        messages = messages_until(peer, 10)
        time.sleep(6)
        messages += messages_until(peer, 20)
        assert peer.close_code is None
    end, skipped = heard_of(messages)
    assert [(told["reason"], told["to"] - told["from"] >= 96_000) for told in skipped] == [
        ("slow", True)
    ]
    assert end > skipped[0]["to"]


def stops_for_30_s_without_a_word(url: str) -> None:
    """As a machine that sleeps: it was closed with 4102 long ago, which it still can read."""
    with raw_peer(url) as peer:
        peer.say(hello_of(TRANSIT))
        messages = messages_until(peer, 20)
        end, _ = heard_of(messages)
        peer.say({"type": "report", "played": 0, "received": end, "underruns": 0})
        time.sleep(30)
        peer.read_all(10)
        assert peer.close_code == 4102
    _, skipped = heard_of(messages + peer.take_messages())
    assert skipped == []


def stops_for_30_s_and_says_that_it_stands_still(url: str) -> None:
    """Who says that it hears nothing is sent no more than it can hold, and goes on after."""
    with raw_peer(url) as peer:
        peer.say(hello_of(TRANSIT))
        messages = messages_until(peer, 20)
        end, _ = heard_of(messages)
        report = {"type": "report", "played": end, "received": end, "underruns": 1}
        for _ in range(30):
            peer.say(report)
            time.sleep(1)
        messages += messages_until(peer, 40)
        assert peer.close_code is None
    _, skipped = heard_of(messages)
    assert skipped == []


def resets_in_the_middle_of_a_frame(url: str) -> None:
    for _ in range(5):
        with toxic(url) as proxy, listening(proxy.url, TRANSIT) as listener:
            listener.take_quanta(3)
            pour(listener, frame(TEXT, b'{"type": "ping", "t": 1}')[:9])
            proxy.cut()


def speaks_in_slices_of_one_byte(url: str) -> None:
    with toxic(url) as proxy:
        proxy.up.piece_bytes = 1
        with listening(proxy.url, TRANSIT) as listener:
            listener.say({"type": "ping", "t": 7})
            assert listener.take_text("pong")["t"] == 7
            listener.take_quanta(10)


def has_latency_and_jitter(url: str) -> None:
    with toxic(url) as proxy:
        proxy.up.latency_s = proxy.down.latency_s = 0.15
        proxy.down.jitter_s = 0.2
        with listening(proxy.url, TRANSIT) as listener:
            listener.take_quanta(40)


def flaps(url: str) -> None:
    """Lose the connection again and again, and go on at the sample each time."""
    end, heard = 0, 0
    with toxic(url) as proxy:
        for n in range(8):
            with listening(proxy.url, TRANSIT, **{"from": end}) as listener:
                assert listener.ready["resumed"] is (end > 0)
                first = listener.take_quanta(1 + n)[0]
                assert first.index == end
                end, heard = listener.end, heard + 1 + n
                proxy.cut()
    assert end == heard * QUANTUM_SAMPLES


def says_10_000_pings(url: str) -> None:
    with listening(url, TRANSIT) as listener:
        pour(listener, frame(TEXT, b'{"type": "ping", "t": 1}') * 1_000, 10)
        assert listener.take_close() == (4101, "rate_limited")
        warned, told = (text for text in listener.texts if text["type"] == "error")
        assert (warned["fatal"], told["fatal"]) == (False, True)
        assert warned["error"]["code"] == told["error"]["code"] == "RATE_LIMITED"


def pings_10_000_times(url: str) -> None:
    """The same with the control frames of the WebSocket."""
    with listening(url, TRANSIT) as listener:
        pour(listener, frame(PING, b"x") * 1_000, 10)
        assert listener.take_close() == (4101, "rate_limited")


def sends_binary(url: str) -> None:
    with listening(url, TRANSIT) as listener:
        listener.connection.send(json.dumps({"type": "ping", "t": 1}).encode())
        assert listener.take_close() == (1003, "")


def sends_text_that_is_none(url: str) -> None:
    with listening(url, TRANSIT) as listener:
        pour(listener, frame(TEXT, b"\xc3\x28"))
        assert listener.take_close() == (1007, "")


def sends_5_mb(url: str) -> None:
    with listening(url, TRANSIT) as listener:
        pour(listener, frame(TEXT, b"x" * 5_000_000))
        assert listener.take_close() == (1009, "")


def sends_fragments_for_ever(url: str) -> None:
    with listening(url, TRANSIT) as listener:
        pour(listener, frame(TEXT, b"{", fin=False))
        pour(listener, frame(0, b" ", fin=False) * 100, 1_000)
        assert listener.take_close() == (1009, "")


def sends_empty_fragments_for_ever(url: str) -> None:
    with listening(url, TRANSIT) as listener:
        pour(listener, frame(TEXT, b"", fin=False))
        pour(listener, frame(0, b"", fin=False) * 1_000, 10)
        assert listener.take_close() == (4101, "rate_limited")


FAULTY: list[Peer] = [
    never_reads,
    reads_at_64_kbps,
    stops_for_3_s,
    resets_in_the_middle_of_a_frame,
    speaks_in_slices_of_one_byte,
    has_latency_and_jitter,
    flaps,
    says_10_000_pings,
    pings_10_000_times,
    sends_binary,
    sends_text_that_is_none,
    sends_5_mb,
    sends_fragments_for_ever,
    sends_empty_fragments_for_ever,
]


FAULTY_FOR_LONG: list[Peer] = [
    stops_for_6_s_with_much_to_take,
    stops_for_30_s_without_a_word,
    stops_for_30_s_and_says_that_it_stands_still,
]


def assert_nothing_is_heard_of(peers: list[Peer], url: str, crc_of: Callable[[int], int]) -> None:
    """Let faulty peers do what they do beside healthy listeners, who must not notice."""
    with crowd_of(N_HEALTHY, [url], TRANSIT) as crowd, ThreadPoolExecutor(len(peers)) as executor:
        at_work = {peer.__name__: executor.submit(peer, url) for peer in peers}
        failed = {name: work.exception(90) for name, work in at_work.items()}
        assert not {name: error for name, error in failed.items() if error is not None}
        assert all(member.end > member.playhead() for member in crowd.members), "it ran dry"
    crowd.check(crc_of)
    for member in crowd.members:
        assert member.n_connections == 1
        assert member.n_skipped == 0
        assert member.least_ahead_s >= 0.0, "it had nothing to play"
    packets = [packet for quantum in crowd.members[0].quanta for packet in quantum.packets]
    assert len(Decoder().decode(packets)) == len(crowd.members[0].quanta) * QUANTUM_SAMPLES
    print(f"least ahead: {min(member.least_ahead_s for member in crowd.members):.2f} s")


def test_twenty_healthy_listeners_hear_nothing_of_fourteen_faulty_ones(
    url: str, crc_of: Callable[[int], int]
) -> None:
    assert len(FAULTY) == 14
    assert_nothing_is_heard_of(FAULTY, url, crc_of)


def test_twenty_healthy_listeners_hear_nothing_of_those_who_stop_for_30_s(
    url: str, crc_of: Callable[[int], int]
) -> None:
    assert_nothing_is_heard_of(FAULTY_FOR_LONG, url, crc_of)


# Servers that stop or die ------------------------------------------------------------------------


@pytest.mark.parametrize("stopped_s", [0.5, 3.0])
def test_after_a_stall_of_the_server_no_burst_is_longer_than_the_buffer(
    servers: list[tuple[subprocess.Popen[str], str]], stopped_s: float
) -> None:
    started, url = servers[1]
    with listening(url, TRANSIT, bufferMs=1_000) as listener:
        listener.take_quanta(10)
        listener.take_for(0.5)
        began = time.monotonic()
        os.kill(started.pid, signal.SIGSTOP)
        time.sleep(stopped_s)
        os.kill(started.pid, signal.SIGCONT)
        n_at_once = listener.take_for(0.3)
        stalled_s = time.monotonic() - began
    # One buffer fills what ran dry; what was missed beyond it is not made up for.
    assert n_at_once <= 10 * min(stalled_s, 1.0) + 4


def test_fifty_listeners_of_a_server_that_is_killed_go_on_at_the_other(
    servers: list[tuple[subprocess.Popen[str], str]], crc_of: Callable[[int], int]
) -> None:
    (doomed, first), (_, second) = servers
    with crowd_of(50, [first, second], TRANSIT) as crowd:
        crowd.wait_until(lambda member: len(member.quanta) >= 55)
        doomed.send_signal(signal.SIGKILL)
        assert doomed.wait(10) == -signal.SIGKILL
        crowd.wait_until(lambda member: member.n_connections > 1)
        kept = [len(member.quanta) for member in crowd.members]
        crowd.wait_until(lambda member: len(member.quanta) >= 90)
    crowd.check(crc_of)
    for member in crowd.members:
        indices = [quantum.index for quantum in member.quanta]
        assert indices == list(range(0, len(indices) * QUANTUM_SAMPLES, QUANTUM_SAMPLES))
        assert member.least_ahead_s > 0.0, "the gap was heard"
    print(f"least ahead: {min(member.least_ahead_s for member in crowd.members):.2f} s, {kept[0]}")


def test_a_socket_that_never_speaks_does_not_matter(url: str) -> None:
    bare = url.removeprefix("ws://").split("/")[0].split(":")
    with socket.create_connection((bare[0], int(bare[1]))), listening(url, TRANSIT) as listener:
        listener.take_quanta(5)


def test_no_error_was_logged(servers: list[tuple[subprocess.Popen[str], Any]]) -> None:
    """Nothing of all this was a mistake of ours."""
    started, _ = servers[1]
    environ = Path(f"/proc/{started.pid}/environ").read_bytes().split(b"\0")
    log_file = next(e for e in environ if e.startswith(b"ASTRADIO_LOG_FILE=")).partition(b"=")[2]
    lines = Path(os.fsdecode(log_file)).read_text().splitlines()
    assert lines
    assert [line for line in lines if " level=ERROR " in line] == []
