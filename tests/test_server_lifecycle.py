"""From the first probe to the last close: drain, restart, reload, standstill, several processes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from astradio_stream.server.drain import LEAVERS_PER_S, SPREAD_SHARE, turns_s
from astradio_stream.units import QUANTUM_SAMPLES
from astradio_stream.wire.quantum import unpack_quantum
from tests.listener import STATION, TRANSIT, Listener, hello_of, listening
from tests.processes import Running, running
from tests.raw_peer import wait_until


@given(st.integers(1, 20_000), st.floats(0, 600))
def test_turns_rise_from_now_and_fit_into_the_drain(n_listeners: int, drain_s: float) -> None:
    turns = turns_s(n_listeners, drain_s)
    assert turns[0] == 0
    assert turns == sorted(turns)
    assert turns[-1] <= SPREAD_SHARE * drain_s
    assert turns[-1] <= n_listeners / LEAVERS_PER_S


def test_without_listeners_there_are_no_turns() -> None:
    assert turns_s(0, 25.0) == []


# Rolling restart ---------------------------------------------------------------------------------


class Wanderer:
    """A listener that moves to another server when it is told to, and notes every quantum."""

    def __init__(self, programme: dict[str, Any]) -> None:
        self.crc_of: dict[int, int] = {}
        self.end: int | None = None
        self.closes: list[int] = []
        self._programme = programme

    async def listen(self, here: str, there: str, n_quanta_there: int) -> None:
        """Listen here until told to move, then there for a while."""
        await self._listen(here, None)
        await self._listen(there, n_quanta_there)

    async def _listen(self, url: str, n_quanta: int | None) -> None:
        begin = {} if self.end is None else {"from": self.end}
        async with connect(url, compression=None, max_queue=None) as connection:
            await connection.send(json.dumps(hello_of(self._programme, **begin)))
            until: float | None = None
            while n_quanta is None or n_quanta > 0:
                timeout_s = None if until is None else max(0.0, until - time.monotonic())
                try:
                    try:
                        message = await asyncio.wait_for(connection.recv(), timeout_s)
                    except TimeoutError:  # a busy machine may be told to go before it says so
                        await connection.send('{"type":"bye"}')
                        return
                except ConnectionClosed as closed:
                    self.closes.append(closed.rcvd.code if closed.rcvd else 1006)
                    return
                if isinstance(message, bytes):
                    quantum = unpack_quantum(message)
                    assert self.end in (None, quantum.index), "a gap or a duplicate"
                    self.end = quantum.index + QUANTUM_SAMPLES
                    self.crc_of[quantum.index] = quantum.crc32
                    if n_quanta is not None:
                        n_quanta -= 1
                elif json.loads(message)["type"] == "drain":
                    until = time.monotonic() + json.loads(message)["reconnectAfterMs"] / 1_000
                else:
                    assert json.loads(message)["type"] != "discontinuity"


def test_a_rolling_restart_under_100_listeners_is_not_heard(tmp_path: Path, data_dir: Path) -> None:
    programmes = [STATION, TRANSIT]
    wanderers = [Wanderer(programmes[n % 2]) for n in range(100)]
    with (
        running(tmp_path / "a", data_dir, DRAIN_S="10", RATE_LIMIT_MAX="1000") as here,
        running(tmp_path / "b", data_dir, RATE_LIMIT_MAX="1000") as there,
    ):

        async def restart() -> float:
            moving = [
                asyncio.create_task(wanderer.listen(here.ws_url, there.ws_url, 15))
                for wanderer in wanderers
            ]
            while not all(wanderer.end for wanderer in wanderers):
                await asyncio.sleep(0.05)
                for task in moving:
                    assert not task.done(), task.result()
            here.process.send_signal(signal.SIGTERM)
            began_s = time.monotonic()
            await asyncio.gather(*moving)
            return began_s

        began_s = asyncio.run(restart())
        assert here.process.wait(10) == 0
        assert {code for wanderer in wanderers for code in wanderer.closes} <= {1012}
        assert time.monotonic() - began_s <= 10
        assert here.events()[-1] == "STOPPED"
    for kind in (0, 1):
        crc_of: dict[int, int] = {}
        for wanderer in wanderers[kind::2]:
            for index, crc in wanderer.crc_of.items():
                assert crc_of.setdefault(index, crc) == crc


def test_a_second_signal_ends_it_at_once(tmp_path: Path, data_dir: Path) -> None:
    with running(tmp_path, data_dir, DRAIN_S="60") as server, listening(server.ws_url) as listener:
        listener.take_quanta(1)
        server.process.send_signal(signal.SIGTERM)
        listener.take_text("drain")
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(2) == 128 + signal.SIGTERM


# Standstill --------------------------------------------------------------------------------------


@pytest.mark.parametrize("stall_s", [0.5, 3.0])
def test_after_a_standstill_no_burst_is_longer_than_the_buffer(
    tmp_path: Path, data_dir: Path, stall_s: float
) -> None:
    with (
        running(tmp_path, data_dir) as server,
        listening(server.ws_url, TRANSIT, bufferMs=2_000) as listener,
    ):
        began_s = time.monotonic()
        listener.take_for(1.5)
        os.kill(server.process.pid, signal.SIGSTOP)
        listener.take_for(stall_s)
        before = listener.end
        os.kill(server.process.pid, signal.SIGCONT)
        heard = min(before, round((time.monotonic() - began_s) * 48_000))
        resumed_s = time.monotonic()
        listener.take_quanta(1)
        for _ in range(12):
            listener.take_for(0.1)
            since = round((time.monotonic() - resumed_s) * 48_000)
            assert listener.end <= heard + since + 96_000 + 2 * QUANTUM_SAMPLES
        assert listener.end > before + 96_000 - (before - heard)  # and the buffer is full again
        assert not any(text["type"] == "discontinuity" for text in listener.texts)


# Reload ------------------------------------------------------------------------------------------


def test_sighup_takes_over_what_may_change_and_drops_nobody(tmp_path: Path, data_dir: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("ENABLE_VIZ_ENGINE=true\nOPUS_BITRATE=64000\n")
    with (
        running(tmp_path, data_dir) as server,
        listening(server.ws_url, TRANSIT, bufferMs=300) as listener,
    ):
        assert len(listener.take_quanta(2)[-1].viz_frames) == 6
        dotenv.write_text("ENABLE_VIZ_ENGINE=false\nRATE_LIMIT_MAX=77\nOPUS_BITRATE=96000\n")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "RELOADED" in server.events())
        listener.take_quanta(5)
        assert listener.take_quanta(1)[0].viz_frames == ()
        config = httpx.get(f"{server.url}/api/config").json()
        assert config["viz"] is False
        ready = httpx.get(f"{server.url}/readyz")
        assert (ready.status_code, ready.json()["checks"]["viz_engine_loaded"]) == (200, False)
        (line,) = [line for line in server.log_file.read_text().splitlines() if "RELOADED" in line]
        assert "rate_limit_max=77" in line
        assert "opus_bitrate" not in line  # a cache may hold it for ever: not reloadable

        dotenv.write_text("ENABLE_VIZ_ENGINE=perhaps\n")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "RELOAD_FAILED" in server.events())
        assert httpx.get(f"{server.url}/api/config").json()["viz"] is False
        listener.take_quanta(3)


# Several processes -------------------------------------------------------------------------------


def listeners_counted(server: Running) -> float:
    lines = httpx.get(f"{server.url}/metrics").text.splitlines()
    return float(next(line for line in lines if line.startswith("astradio_listeners ")).split()[1])


def test_two_workers_share_a_port_count_together_and_leave_together(
    tmp_path: Path, data_dir: Path
) -> None:
    with (
        contextlib.ExitStack() as stack,
        running(tmp_path, data_dir, "--workers", "2", DRAIN_S="10") as server,
    ):
        listeners: list[Listener] = [
            stack.enter_context(listening(server.ws_url, TRANSIT)) for _ in range(12)
        ]
        for listener in listeners:
            listener.take_quanta(5)
        heard = {q.index: q.crc32 for q in listeners[0].received}
        assert all(q.crc32 == heard[q.index] for one in listeners for q in one.received[:5])
        for _ in range(6):  # whichever process is asked
            wait_until(lambda: listeners_counted(server) == 12)
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: server.events().count("RELOADED") == 2)
        server.process.send_signal(signal.SIGTERM)
        for listener in listeners:
            listener.take_text("drain")
            assert listener.take_close() == (1012, "restart")
        assert server.process.wait(10) == 0
    events = server.events()
    assert events.count("READY") == events.count("DRAINING") == events.count("STOPPED") == 2


def test_workers_whose_parent_dies_leave_in_order(tmp_path: Path, data_dir: Path) -> None:
    with running(tmp_path, data_dir, "--workers", "2") as server:
        with listening(server.ws_url, TRANSIT) as listener:
            listener.take_quanta(5)
            server.process.kill()
            listener.take_text("drain")
            assert listener.take_close() == (1012, "restart")
        wait_until(lambda: server.events().count("STOPPED") == 2)


def test_a_worker_that_dies_is_replaced_and_the_others_play_on(
    tmp_path: Path, data_dir: Path
) -> None:
    with running(tmp_path, data_dir, "--workers", "2") as server:
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
        pids = [
            int(pid)
            for pid in children.read_text().split()
            if "resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_text()
        ]
        assert len(pids) == 2
        os.kill(pids[0], signal.SIGKILL)
        wait_until(lambda: server.events().count("READY") == 3)
        with listening(server.ws_url, TRANSIT) as listener:
            listener.take_quanta(3)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
