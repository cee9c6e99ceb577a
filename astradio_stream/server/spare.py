"""Work that may wait, done on the render threads in the time that listeners leave over.

A piece is cut into works of a few milliseconds. No more of them are handed to the threads than
these can begin at once, so a listener's second waits for one of them at the most. Which piece goes
next is decided by when it should be done: a short one overtakes a long one that came shortly
before it, and no stream of short ones holds up a long one for ever.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from itertools import count
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from astradio_stream.server.clock import Clock

FIRST_GUESS_NS: Final = 6_000_000
"""How long a work takes until some were measured (nanoseconds)."""
_REMEMBERED: Final = 64
"""Works over which the mean of what one takes is taken."""


class _Batch:
    """The works of one piece."""

    def __init__(
        self, works: Iterable[Callable[[], object]], weight: float, done: asyncio.Future[None]
    ) -> None:
        self.waiting = deque(works)
        self.weight = weight
        self.n_left = len(self.waiting)
        self.done = done


class SpareTime:
    """What the render threads do when nobody listens.

    Its methods are called on the event loop's thread only.
    """

    def __init__(
        self,
        run: Callable[[Callable[[], object]], asyncio.Future[object]],
        n_threads: int,
        clock: Clock,
    ) -> None:
        """Share threads with listeners.

        Args:
            run: Does a work on one of the threads, after the listeners' own.
            n_threads: How many there are.
            clock: Where time comes from.
        """
        self._run = run
        self._n_threads = n_threads
        self._clock = clock
        self._heap: list[tuple[int, int, _Batch]] = []
        self._order = count()
        self._n_running = 0
        self._weight_running = 0.0
        self._work_ns = float(FIRST_GUESS_NS)
        self._is_closed = False

    def wait_ns(self, due_ns: int) -> int:
        """Return for how long all threads are busy with what is due earlier, as far as we know."""
        ahead = sum(
            len(batch.waiting) * batch.weight for due, _, batch in self._heap if due <= due_ns
        )
        return round((ahead + self._weight_running) * self._work_ns / self._n_threads)

    async def do(
        self, works: Iterable[Callable[[], object]], due_ns: int, weight: float = 1.0
    ) -> None:
        """Do all works, in any order; the first error ends it.

        Args:
            works: Each takes a few milliseconds.
            due_ns: When they should be done (monotonic time, nanoseconds): the earliest go first.
            weight: How many times longer each takes than others do, so that who comes after them
                is told the truth about the wait.

        Raises:
            CancelledError: the server ends.
        """
        batch = _Batch(works, weight, asyncio.get_running_loop().create_future())
        if self._is_closed:
            batch.done.cancel()
        elif batch.waiting:
            heapq.heappush(self._heap, (due_ns, next(self._order), batch))
            self._fill()
        else:
            batch.done.set_result(None)
        await batch.done

    def close(self) -> None:
        """Drop what waits."""
        self._is_closed = True
        waiting, self._heap = self._heap, []
        for _, _, batch in waiting:
            batch.done.cancel()

    def _fill(self) -> None:
        """Hand out works while a thread is free, and one more, so that none need wait for us."""
        while self._heap and self._n_running <= self._n_threads:
            batch = self._heap[0][2]
            if batch.done.done():
                batch.waiting.clear()
            if not batch.waiting:
                heapq.heappop(self._heap)
                continue
            self._begin(batch, batch.waiting.popleft())

    def _begin(self, batch: _Batch, work: Callable[[], object]) -> None:
        self._n_running += 1
        self._weight_running += batch.weight
        began_ns = self._clock.now_ns()
        self._run(work).add_done_callback(lambda done: self._end(batch, began_ns, done))

    def _end(self, batch: _Batch, began_ns: int, done: asyncio.Future[object]) -> None:
        self._n_running -= 1
        self._weight_running -= batch.weight
        batch.n_left -= 1
        # Of what was begun together each waits for the others: that is not what one takes.
        took_ns = (self._clock.now_ns() - began_ns) * self._n_threads / (self._n_threads + 1)
        self._work_ns += (took_ns / batch.weight - self._work_ns) / _REMEMBERED
        if done.cancelled():
            batch.done.cancel()
        elif batch.done.done():
            done.exception()  # it was told of the first
        elif (error := done.exception()) is not None:
            batch.done.set_exception(error)
        elif batch.n_left == 0:
            batch.done.set_result(None)
        self._fill()
