"""The wheel: everyone in time, nobody twice, many together without holding the loop."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from astradio_stream.server.clock import ManualClock, SystemClock
from astradio_stream.server.pump import (
    BUSY_DOWN,
    BUSY_UP,
    GATHERINGS,
    JUDGED_NS,
    QUANTUM_NS,
    TICK_NS,
    TURN_NS,
    Pump,
)

MS = 1_000_000


class Waiter:
    """One who is due at some moments, and notes when it was called."""

    def __init__(self, moments: list[int], most_gathered: int = 0, work: Any = None) -> None:
        self.slot = -1
        self.most_gathered = most_gathered
        self.moments = moments
        self.called: list[int] = []
        self._work = work

    def on_tick(self, now_ns: int) -> int | None:
        self.called.append(now_ns)
        if self._work:
            self._work()
        return self.moments.pop(0) if self.moments else None


def run(seconds: float, *waiters: Waiter, pump: Pump | None = None) -> None:
    async def turn() -> None:
        wheel = pump or Pump(SystemClock())
        for waiter in waiters:
            wheel.watch(waiter, waiter.moments.pop(0))
        await asyncio.sleep(seconds)

    asyncio.run(turn())


def test_everyone_is_called_at_each_moment_and_not_before() -> None:
    now = SystemClock().now_ns()
    waiters = [Waiter([now + (20 + 7 * n) * MS, now + (120 + n) * MS]) for n in range(30)]
    wanted = [list(waiter.moments) for waiter in waiters]
    run(0.6, *waiters)
    for waiter, moments in zip(waiters, wanted, strict=True):
        assert len(waiter.called) == len(moments)
        assert all(c >= m for c, m in zip(waiter.called, moments, strict=True))


def test_a_moment_that_has_passed_comes_at_once_and_the_wheel_stops_and_starts_again() -> None:
    clock = SystemClock()
    pump = Pump(clock)

    async def turn() -> None:
        for _ in range(3):
            late = Waiter([clock.now_ns() - 10**9])
            pump.watch(late, late.moments.pop(0))
            await asyncio.sleep(0.05)
            assert len(late.called) == 1

    asyncio.run(turn())


def test_another_moment_takes_the_place_of_the_former() -> None:
    clock = SystemClock()
    pump = Pump(clock)
    waiter, gone = Waiter([]), Waiter([])

    async def turn() -> None:
        now = clock.now_ns()
        pump.watch(waiter, now + 30 * MS)
        pump.watch(waiter, now + 200 * MS)
        pump.watch(waiter, now + 60 * MS)
        pump.watch(gone, now + 30 * MS)
        pump.forget(gone)
        await asyncio.sleep(0.4)
        assert [(called - now) // (50 * MS) for called in waiter.called] == [1]
        assert gone.called == []

    def kept() -> int:
        return sum(map(len, pump._wheel.values()))

    async def no_more_than_one_place_each() -> None:
        for n in range(50):
            pump.watch(waiter, clock.now_ns() + n * 700 * MS)
            pump.watch(gone, clock.now_ns() + n * 30_000 * MS)
            assert kept() == 2
        pump.forget(waiter)
        pump.forget(gone)
        assert kept() == 0

    asyncio.run(turn())
    asyncio.run(no_more_than_one_place_each())


def test_a_crowd_in_one_tick_does_not_hold_the_loop() -> None:
    clock = ManualClock()
    pump = Pump(clock)
    crowd = [Waiter([], work=lambda: clock.pass_ns(MS)) for _ in range(100)]
    laps: list[int] = []

    async def turn() -> None:
        for waiter in crowd:
            pump.watch(waiter, 0)
        while not all(waiter.called for waiter in crowd):
            began_ns = clock.now_ns()
            await asyncio.sleep(0)
            laps.append(clock.now_ns() - began_ns)

    asyncio.run(asyncio.wait_for(turn(), 10))
    assert max(laps) == TURN_NS
    assert sum(laps) == 100 * MS


def test_the_busy_gather_as_much_as_a_buffer_bears() -> None:
    clock = ManualClock()
    pump = Pump(clock)
    levels = []
    for busy in (0.4, 0.6, 0.45, 0.6, 0.6, 0.6, 0.3, 0.1, 0.1, 0.1, 0.1):
        clock.pass_ns(JUDGED_NS)
        pump._judge(clock.now_ns() - round(busy * JUDGED_NS), clock.now_ns())
        levels.append(pump.gather_ns(9) // QUANTUM_NS)
    assert levels == [0, 1, 1, 3, 7, 7, 7, 3, 1, 0, 0]

    async def slots() -> list[int]:
        pump._gathering = len(GATHERINGS) - 1
        waiters = [Waiter([], most_gathered=most) for most in (0, 2, 7, 79)]
        for waiter in waiters:
            pump.watch(waiter, clock.now_ns() + 50 * TICK_NS)
        return [waiter.slot - waiters[0].slot for waiter in waiters]

    assert [slot * TICK_NS // QUANTUM_NS for slot in asyncio.run(slots())] == [0, 2, 7, 7]


def test_one_step_of_gathering_does_not_call_for_the_next() -> None:
    """Twice the quanta in a write cannot cost less than half, so a step up is never undone."""
    for fewer, more in zip(GATHERINGS, GATHERINGS[1:], strict=False):
        assert BUSY_UP * (fewer + 1) / (more + 1) > BUSY_DOWN


@pytest.mark.parametrize("n_waiters", [1, 50])
def test_the_wheel_is_empty_once_nobody_waits(n_waiters: int) -> None:
    clock = SystemClock()
    pump = Pump(clock)
    waiters = [Waiter([clock.now_ns() + 5 * MS]) for _ in range(n_waiters)]
    run(0.1, *waiters, pump=pump)
    assert pump._wheel == {}
    assert not pump._is_turning
