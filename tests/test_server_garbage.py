"""What a connection leaves behind: nothing that has to be looked for, so nobody looks for it."""

from __future__ import annotations

import asyncio
import gc
import socket
import struct
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from astradio_stream.server import collecting
from astradio_stream.server.collecting import MB_GROWN, Collecting
from astradio_stream.server.towns import towns
from tests.listener import TRANSIT, connected, listening
from tests.raw_peer import raw_peer, wait_until
from tests.serving import Served, SilentEngine, serving, settings_in

OURS = ("astradio_stream.server", "astradio_stream.wire", "uvicorn.protocols", "websockets.server")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(settings_in(tmp_path_factory.mktemp("server")), SilentEngine()) as served:
        towns(served.shell.settings.data_dir)
        yield served


@pytest.fixture(autouse=True)
def python_as_it_was() -> Iterator[None]:
    """No collection while a test looks, and afterwards those of always."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.enable()


def alive() -> Counter[str]:
    """Count what a connection is made of."""
    return Counter(
        f"{type(one).__module__}.{type(one).__qualname__}"
        for one in gc.get_objects()
        if str(type(one).__module__).startswith(OURS)
    )


def says_goodbye(server: Served) -> None:
    with listening(server.ws_url, TRANSIT) as listener:
        listener.take_quanta(3)
        listener.report(0)


def seeks_and_steers(server: Served) -> None:
    with listening(server.ws_url, TRANSIT) as listener:
        listener.take_quanta(1)
        listener.say({"type": "seek", "to": 480_000})
        listener.take_text("ready")
        listener.say({"type": "steer", "controls": {"tempo": 0.7}, "quantise": "now"})
        listener.take_for(0.2)


def is_torn_away(server: Served) -> None:
    with raw_peer(server.ws_url) as peer:
        peer.say({"type": "hello", "protocol": 1, "programme": TRANSIT})
        peer.read()
        at_once = struct.pack("ii", 1, 0)
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)


def is_sent_away(server: Served) -> None:
    with connected(server.ws_url) as listener:
        listener.say({"type": "hello", "protocol": 99})
        assert listener.take_text("error")["fatal"]
        assert listener.take_close()[0] == 4001


def is_denied(server: Served) -> None:
    with pytest.raises(InvalidStatus), connected(server.ws_url + "/nowhere"):
        pass


def speaks_another_version(server: Served) -> None:
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "8"}
    asking = HTTPConnection("127.0.0.1", server.port, timeout=5)
    asking.request("GET", "/stream", headers=headers)
    assert asking.getresponse().status == 426
    asking.close()


def breaks_the_frames(server: Served) -> None:
    with raw_peer(server.ws_url) as peer:
        peer.socket.sendall(b"\xff\xff\xff\xff")
        peer.read_all(5)
        assert peer.close_code == 1002


def does_not_shake_hands(server: Served) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as peer:
        upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ?\r\n"
        peer.sendall(f"GET /stream HTTP/1.1\r\nHost: localhost\r\n{upgrade}\r\n".encode())
        assert b" 4" in peer.recv(20)
        while peer.recv(4_096):
            pass


def asks_over_http(server: Served) -> None:
    asking = HTTPConnection("127.0.0.1", server.port, timeout=5)
    for path in ("/readyz", "/api/status", "/metrics", "/"):
        asking.request("GET", path)
        asking.getresponse().read()
    asking.close()


@pytest.mark.parametrize(
    "visit",
    [
        says_goodbye,
        seeks_and_steers,
        is_torn_away,
        is_sent_away,
        is_denied,
        speaks_another_version,
        breaks_the_frames,
        does_not_shake_hands,
        asks_over_http,
    ],
)
def test_nothing_remains_of_who_has_gone(server: Served, visit: Callable[[Served], None]) -> None:
    visit(server)
    wait_until(lambda: not server.shell.listeners)
    gc.collect()
    before = alive()
    for _ in range(5):
        visit(server)
    wait_until(lambda: alive() - before == Counter())


class Memory:
    """How much was ever held."""

    most_mb = 300


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Memory:
    held = Memory()
    monkeypatch.setattr(collecting, "_most_mb", lambda: held.most_mb)
    return held


class Left:
    """Something that refers to itself."""

    itself: Left


def circle() -> None:
    """Leave garbage that only a look through everything finds."""
    garbage: list[Any] = []
    garbage.append(garbage)
    gc.collect(1)  # what survives the young is old
    del garbage


def begun() -> Collecting:
    ours = Collecting()
    ours.begin()
    return ours


def test_the_old_are_left_alone_while_somebody_listens(memory: Memory) -> None:
    ours = begun()
    circle()
    assert ours.tidy(1) is False
    memory.most_mb += MB_GROWN
    assert ours.tidy(1) is False


def test_python_looks_at_nothing_by_itself_once_a_server_has_begun(memory: Memory) -> None:
    gc.enable()
    begun()
    assert not gc.isenabled()


def test_the_young_are_looked_through_again_and_again(memory: Memory) -> None:
    ours = begun()

    async def while_something_is_left_behind() -> None:
        looking = asyncio.create_task(ours.keep_looking(0.001))
        for _ in range(3):
            left = Left()
            left.itself = left
            gone = weakref.ref(left)
            del left
            assert gone() is not None
            async with asyncio.timeout(5):
                while gone() is not None:
                    await asyncio.sleep(0.001)
        looking.cancel()

    asyncio.run(while_something_is_left_behind())


def test_everything_is_looked_through_when_nobody_listens_and_then_no_more(memory: Memory) -> None:
    ours = begun()
    assert ours.tidy(0) is False
    circle()
    assert ours.tidy(0) is True
    assert ours.tidy(0) is False


def test_memory_that_grows_and_grows_is_looked_through_whoever_listens(memory: Memory) -> None:
    ours = begun()
    memory.most_mb += MB_GROWN + 1
    assert ours.tidy(1_000) is True
    assert ours.tidy(1_000) is False


def test_who_has_not_begun_leaves_python_alone(memory: Memory) -> None:
    circle()
    assert Collecting().tidy(0) is False
