"""Spare time: listeners first, then whoever is due first, never more at once than threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from astradio_stream.server.clock import ManualClock
from astradio_stream.server.spare import FIRST_GUESS_NS, SpareTime


class Threads:
    """Threads that do nothing until they are told to."""

    def __init__(self) -> None:
        self.begun: list[tuple[Callable[[], object], asyncio.Future[object]]] = []
        self.most = 0

    def run(self, work: Callable[[], object]) -> asyncio.Future[object]:
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self.begun.append((work, future))
        self.most = max(self.most, len(self.begun))
        return future

    async def finish_one(self) -> None:
        """Do the work that was begun first."""
        work, future = self.begun.pop(0)
        try:
            future.set_result(work())
        except Exception as error:
            future.set_exception(error)
        for _ in range(3):
            await asyncio.sleep(0)

    async def finish(self) -> None:
        while self.begun:
            await self.finish_one()


def run_with(test: Callable[[SpareTime, Threads, ManualClock], Any], n_threads: int = 2) -> None:
    async def main() -> None:
        threads, clock = Threads(), ManualClock()
        await test(SpareTime(threads.run, n_threads, clock), threads, clock)

    asyncio.run(main())


def test_all_works_are_done_and_no_more_at_once_than_one_beside_the_threads() -> None:
    async def test(spare: SpareTime, threads: Threads, _clock: ManualClock) -> None:
        done: list[int] = []
        task = asyncio.create_task(spare.do([lambda n=n: done.append(n) for n in range(20)], 0))
        await asyncio.sleep(0)
        await threads.finish()
        await task
        assert sorted(done) == list(range(20))
        assert threads.most == 3

    run_with(test)


def test_who_is_due_first_goes_first() -> None:
    async def test(spare: SpareTime, threads: Threads, _clock: ManualClock) -> None:
        done: list[str] = []
        long = asyncio.create_task(spare.do([lambda: done.append("long")] * 10, due_ns=1_000))
        await asyncio.sleep(0)
        short = asyncio.create_task(spare.do([lambda: done.append("short")] * 2, due_ns=500))
        await asyncio.sleep(0)
        await threads.finish()
        await asyncio.gather(long, short)
        assert done == ["long"] * 3 + ["short"] * 2 + ["long"] * 7

    run_with(test)


def test_the_first_error_ends_a_piece_and_only_that() -> None:
    async def test(spare: SpareTime, threads: Threads, _clock: ManualClock) -> None:
        done: list[int] = []

        def fail() -> None:
            raise ArithmeticError("broken")

        bad = asyncio.create_task(spare.do([fail, fail, *[lambda: done.append(1)] * 9], 0))
        good = asyncio.create_task(spare.do([lambda: done.append(2)] * 3, 1))
        await asyncio.sleep(0)
        await threads.finish()
        with pytest.raises(ArithmeticError):
            await bad
        await good
        assert done.count(2) == 3
        assert done.count(1) <= 2

    run_with(test)


def test_nothing_to_do_is_done() -> None:
    async def test(spare: SpareTime, _threads: Threads, _clock: ManualClock) -> None:
        await spare.do([], 0)

    run_with(test)


def test_the_wait_counts_what_is_due_earlier() -> None:
    async def test(spare: SpareTime, threads: Threads, _clock: ManualClock) -> None:
        assert spare.wait_ns(1_000) == 0
        task = asyncio.create_task(spare.do([lambda: None] * 11, due_ns=500))
        await asyncio.sleep(0)
        assert spare.wait_ns(400) == 3 * FIRST_GUESS_NS // 2  # what has begun
        assert spare.wait_ns(500) == 11 * FIRST_GUESS_NS // 2
        await threads.finish()
        await task
        assert spare.wait_ns(1_000) == 0

    run_with(test)


def test_the_wait_counts_heavy_works_as_many() -> None:
    async def test(spare: SpareTime, threads: Threads, clock: ManualClock) -> None:
        task = asyncio.create_task(spare.do([lambda: None] * 11, due_ns=500, weight=40))
        await asyncio.sleep(0)
        assert spare.wait_ns(400) == 3 * 40 * FIRST_GUESS_NS // 2  # what has begun
        assert spare.wait_ns(500) == 11 * 40 * FIRST_GUESS_NS // 2
        while threads.begun:
            clock.pass_ns(40 * FIRST_GUESS_NS // 2)  # the guess was right
            await threads.finish_one()
        await task
        light = asyncio.create_task(spare.do([lambda: None] * 2, due_ns=500))
        await asyncio.sleep(0)
        assert spare.wait_ns(500) == pytest.approx(FIRST_GUESS_NS, rel=0.1)
        await threads.finish()
        await light

    run_with(test)


def test_the_wait_learns_how_long_a_work_takes() -> None:
    async def test(spare: SpareTime, threads: Threads, clock: ManualClock) -> None:
        task = asyncio.create_task(spare.do([lambda: None] * 1_000, 0))
        await asyncio.sleep(0)
        for _ in range(600):
            clock.pass_ns(10_000_000)  # one finishes every 10 ms on two threads
            await threads.finish_one()
        left = 400
        assert spare.wait_ns(0) == pytest.approx(left * 10_000_000, rel=0.1)
        await threads.finish()
        await task

    run_with(test)


def test_when_it_closes_what_waits_is_dropped() -> None:
    async def test(spare: SpareTime, threads: Threads, _clock: ManualClock) -> None:
        task = asyncio.create_task(spare.do([lambda: None] * 10, 0))
        await asyncio.sleep(0)
        spare.close()
        with pytest.raises(asyncio.CancelledError):
            await task
        await threads.finish()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.create_task(spare.do([lambda: None], 0))

    run_with(test)
