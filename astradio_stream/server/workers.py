"""Several processes on one port: each a whole server, none with anything to share.

The system spreads connections over the processes (SO_REUSEPORT), and any of them can play any
programme at any index, so nothing need be passed between them. This parent starts them, hands
signals on, starts again what died, and adds nothing of its own. Their metrics lie in files that
whichever process is asked adds up.

::

    parent ── SIGTERM, SIGHUP ──> worker 0, worker 1, …    each binds the same port
       ^──────── "ready", exit status ──────┘
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Final

from astradio_stream.server.logs import close_logs, log
from astradio_stream.server.metrics import MULTIPROC_DIR, forget_process

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.context import SpawnProcess
    from types import FrameType

    from astradio_stream.settings import Settings

SHORT_LIFE_S: Final = 10.0
"""A worker that died younger than this did not work at all …"""
MAX_SHORT_LIVES: Final = 5
"""… and after so many of them there is no sense in another."""
_POLL_S: Final = 0.5
_CONTEXT: Final = multiprocessing.get_context("spawn")


@dataclass
class Worker:
    """One process."""

    process: SpawnProcess
    """The process."""
    told: Connection
    """Says when it is ready, and ends with it."""
    began_s: float
    """When it was started (monotonic)."""
    is_ready: bool = False
    """Whether it answers."""


def supervise(
    settings: Settings, port: int, url: str, reread: Callable[[], Settings] | None
) -> int:
    """Run the workers until a signal; return the exit status."""
    with tempfile.TemporaryDirectory(prefix="astradio-metrics-") as folder:
        os.environ[MULTIPROC_DIR] = folder
        try:
            return _Supervisor(settings, port, url, reread).run()
        finally:
            del os.environ[MULTIPROC_DIR]


class _Supervisor:
    """The parent."""

    def __init__(
        self, settings: Settings, port: int, url: str, reread: Callable[[], Settings] | None
    ) -> None:
        self._settings = settings
        self._port = port
        self._url = url
        self._reread = reread
        self._workers: list[Worker] = []
        self._stops = 0
        self._n_short_lives = 0
        self._status = 0

    def run(self) -> int:
        """Start, watch, restart, stop."""
        from astradio_stream.server.main import announce  # noqa: PLC0415 - main imports this

        kept = {
            number: signal.signal(number, self._on_signal)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        try:
            self._workers = [self._started() for _ in range(self._settings.workers)]
            is_announced = False
            while self._workers:
                self._watch()
                if not is_announced and all(worker.is_ready for worker in self._workers):
                    is_announced = bool(self._workers)
                    announce(self._url)
        finally:
            for worker in self._workers:
                worker.process.kill()
            for number, handler in kept.items():
                signal.signal(number, handler)
        return self._status

    def _started(self) -> Worker:
        ours, theirs = _CONTEXT.Pipe(duplex=False)
        process = _CONTEXT.Process(
            target=run_worker, args=(self._settings, self._port, theirs, self._reread)
        )
        process.start()
        theirs.close()
        return Worker(process, ours, time.monotonic())

    def _watch(self) -> None:
        """Wait until a worker is ready or ended, or for half a second."""
        told = [worker.told for worker in self._workers if not worker.is_ready]
        ends = [worker.process.sentinel for worker in self._workers]
        for found in wait([*told, *ends], _POLL_S):
            for worker in tuple(self._workers):
                if found is worker.told:
                    worker.is_ready = _hears(worker.told)
                elif found == worker.process.sentinel:
                    self._ended(worker)

    def _ended(self, worker: Worker) -> None:
        """Forget a worker; unless all are to stop, start another."""
        worker.process.join()
        worker.told.close()
        self._workers.remove(worker)
        status = worker.process.exitcode or 0
        if worker.process.pid is not None:
            forget_process(worker.process.pid)
        if self._stops:
            self._status = self._status or status
            return
        log("WORKER_ENDED", pid=worker.process.pid, status=status)
        lived_s = time.monotonic() - worker.began_s
        self._n_short_lives = self._n_short_lives + 1 if lived_s < SHORT_LIFE_S else 0
        never_ready = not worker.is_ready
        if never_ready or self._n_short_lives > MAX_SHORT_LIVES:
            self._status = status or 1
            self._stop()
        else:
            self._workers.append(self._started())

    def _stop(self) -> None:
        self._stops += 1
        for worker in self._workers:
            worker.process.terminate()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        """Hand a signal on; at the second stop the workers leave at once, as they do alone."""
        if number == signal.SIGHUP:
            for worker in self._workers:
                if worker.process.pid is not None:
                    os.kill(worker.process.pid, signal.SIGHUP)
        else:
            self._stop()


def _hears(told: Connection) -> bool:
    """Return whether a worker says that it is ready, and does not just end."""
    try:
        return bool(told.recv())
    except EOFError:
        return False


def run_worker(
    settings: Settings,
    port: int,
    told: Connection,
    reread: Callable[[], Settings] | None,
) -> None:
    """Be one worker, until a signal."""
    from astradio_stream.server import main  # noqa: PLC0415 - main imports this

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's reaches all; the parent decides
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is something to reload
    handlers = main.open_logs_of(settings)
    threading.Thread(target=_follow_parent, name="parent", daemon=True).start()
    try:
        with main.bind(settings.host, port, shared=True) as bound:
            status = main.serve_on(bound, settings, lambda: told.send(True), reread)
    finally:
        close_logs(handlers)
    raise SystemExit(status)


def _follow_parent() -> None:
    """Leave in order once the parent is gone: no signal would reach this process any more."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        log("PARENT_ENDED", pid=os.getpid())
        os.kill(os.getpid(), signal.SIGTERM)
