"""The render threads: the most urgent first, whoever asked first."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astradio_stream.server.pool import Job, RenderPool


class Gate:
    """Work that holds the only thread until it is opened."""

    def __init__(self, pool: RenderPool) -> None:
        self._open = threading.Event()
        self._is_held = threading.Event()
        self.job = pool.submit(self._hold, 0)
        assert self._is_held.wait(10)

    def _hold(self) -> None:
        self._is_held.set()
        assert self._open.wait(10)

    def open(self) -> None:
        self._open.set()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.one_of(st.none(), st.integers(0, 9)))))
def test_work_is_done_by_deadline_and_then_by_age(work: list[tuple[int, int | None]]) -> None:
    done: list[int] = []
    with RenderPool(1) as pool:
        gate = Gate(pool)
        jobs: list[Job[None]] = []
        for n, (deadline, _) in enumerate(work):
            jobs.append(pool.submit(lambda n=n: done.append(n), deadline))  # type: ignore[misc]
        for job, (_, sooner) in zip(jobs, work, strict=True):
            if sooner is not None:
                pool.hurry(job, sooner)
        gate.open()
        for job in jobs:
            job.future.result(10)
    deadlines = [min(first, first if sooner is None else sooner) for first, sooner in work]
    assert sorted(done) == list(range(len(work)))
    assert [deadlines[n] for n in done] == sorted(deadlines)


def test_an_error_is_told_and_the_thread_goes_on() -> None:
    def fail() -> None:
        raise ValueError("no")

    with RenderPool(1) as pool:
        with pytest.raises(ValueError, match="no"):
            pool.submit(fail, 0).future.result(10)
        assert pool.submit(lambda: 7, 0).future.result(10) == 7


def test_closing_finishes_what_has_begun_and_drops_what_waits() -> None:
    pool = RenderPool(1)
    gate = Gate(pool)
    waiting = pool.submit(lambda: 1, 5)
    closing = threading.Thread(target=pool.close)
    closing.start()
    with pytest.raises(CancelledError):
        waiting.future.result(10)
    gate.open()
    closing.join(10)
    assert gate.job.future.result(0) is None
    with pytest.raises(RuntimeError):
        pool.submit(lambda: 1, 0)
