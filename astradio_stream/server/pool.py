"""Threads that render, the most urgent work first.

Every piece of work has a deadline: the moment when its first quantum is due. Whoever needs it
sooner moves the deadline forward; work that has begun is not interrupted, it lasts milliseconds.
"""

from __future__ import annotations

import heapq
import threading
from concurrent.futures import Future
from itertools import count
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

T = TypeVar("T")


class Job(Generic[T]):
    """One piece of work."""

    __slots__ = ("deadline_ns", "future", "has_begun", "work")

    def __init__(self, work: Callable[[], T], deadline_ns: int) -> None:
        self.work = work
        self.deadline_ns = deadline_ns
        """When it must be done, on the monotonic clock."""
        self.future: Future[T] = Future()
        """Its result."""
        self.has_begun = False
        """Whether a thread has it."""


class RenderPool:
    """A few threads and a heap."""

    def __init__(self, n_threads: int) -> None:
        self.n_threads = n_threads
        self._heap: list[tuple[int, int, Job[object]]] = []
        self._order = count()
        self._has_work = threading.Condition()
        self._is_closed = False
        self._threads = [
            threading.Thread(target=self._run, name=f"render-{n}", daemon=True)
            for n in range(n_threads)
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> RenderPool:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    def submit(self, work: Callable[[], T], deadline_ns: int) -> Job[T]:
        """Return a job that some thread will do, before all with a later deadline.

        Raises:
            RuntimeError: the pool is closed.
        """
        job = Job(work, deadline_ns)
        self._push(job)
        return job

    def hurry(self, job: Job[T], deadline_ns: int) -> None:
        """Let a job be needed sooner; a later deadline than it has changes nothing."""
        if deadline_ns < job.deadline_ns and not job.has_begun:
            job.deadline_ns = deadline_ns
            self._push(job)

    def close(self) -> None:
        """Finish what has begun, drop what waits, let the threads end."""
        with self._has_work:
            self._is_closed = True
            waiting, self._heap = self._heap, []
            self._has_work.notify_all()
        for _, _, job in waiting:
            if not job.has_begun:
                job.future.cancel()
        for thread in self._threads:
            thread.join()

    def _push(self, job: Job[T]) -> None:
        with self._has_work:
            if self._is_closed:
                raise RuntimeError("the render threads have ended")
            entry = (job.deadline_ns, next(self._order), job)
            heapq.heappush(self._heap, entry)  # type: ignore[misc]
            self._has_work.notify()

    def _take(self) -> Job[object] | None:
        """Wait for the most urgent job; None once the pool is closed."""
        with self._has_work:
            while True:
                while self._heap:
                    _, _, job = heapq.heappop(self._heap)
                    if not job.has_begun:  # it stands in the heap once for each hurry
                        job.has_begun = True
                        return job
                if self._is_closed:
                    return None
                self._has_work.wait()

    def _run(self) -> None:
        while (job := self._take()) is not None:
            if not job.future.set_running_or_notify_cancel():
                continue
            try:
                result = job.work()
            except BaseException as error:
                job.future.set_exception(error)
            else:
                job.future.set_result(result)
            del job
