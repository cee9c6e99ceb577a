"""A server as a process of its own, and what the system and its metrics tell of it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from http.client import HTTPResponse

_START_LIMIT_S: Final = 60.0
_STOP_LIMIT_S: Final = 40.0
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")

Samples = dict[tuple[str, str], float]
"""Value by name and, of a histogram's buckets, upper bound."""


class ServerFailed(RuntimeError):
    """A server of ours that did not start, or did not stop; the sentence says how."""


@dataclass(frozen=True)
class Server:
    """One that answers."""

    pid: int
    """Its process."""
    port: int
    """Where it answers, on the loopback."""
    ready_s: float
    """From start to ready (seconds)."""

    def cpu_s(self) -> float:
        """Return the CPU time that it has used (seconds)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S

    def rss_kb(self) -> int:
        """Return its resident memory (KB).

        Raises:
            ProcessLookupError: It has ended: what is left of it has no memory.
        """
        status = Path(f"/proc/{self.pid}/status").read_text()
        _, found, rest = status.partition("VmRSS:")
        if not found:
            raise ProcessLookupError(f"process {self.pid} has ended")
        return int(rest.split()[0])

    def end(self) -> str:
        """Return how it ended, in words; nothing while it runs. Who waits for it still can."""
        try:
            found = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:  # waited for already
            return "it is gone"
        if found is None:
            return ""
        by_itself = found.si_code == os.CLD_EXITED
        return f"exit code {found.si_status}" if by_itself else f"signal {found.si_status}"

    def n_files(self) -> int:
        """Return how many files and sockets it holds."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def samples(self) -> Samples:
        """Return the figures of its metrics page."""
        with opened(f"http://127.0.0.1:{self.port}/metrics", timeout_s=30) as page:
            return samples_in(page.read().decode())


_STRAIGHT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def opened(url: str, timeout_s: float) -> HTTPResponse:
    """Return the answer to a GET, asked for straight: no proxy of the environment is meant."""
    answer: HTTPResponse = _STRAIGHT.open(url, timeout=timeout_s)
    return answer


def samples_in(text: str) -> Samples:
    """Return the figures of a metrics page."""
    return {
        (sample.name, sample.labels.get("le", "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_ready(port: int) -> bool:
    """Say whether a server there answers that it is ready."""
    try:
        with opened(f"http://127.0.0.1:{port}/readyz", timeout_s=1) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


@contextmanager
def server(
    folder: str, core: int | None = None, cores: tuple[int, ...] = (), **settings: str
) -> Iterator[Server]:
    """Run a server of its own, on one core or some if they are named, until the block ends.

    Raises:
        ServerFailed: It did not become ready; or it did not stop when the block ended, and was
            killed.
    """
    port = int(settings.get("ASTRADIO_PORT") or free_port())
    environment = os.environ | {
        "ASTRADIO_PORT": str(port),
        "ASTRADIO_DATA_DIR": folder,
        "ASTRADIO_LOG_FILE": f"{folder}/app.log",
        "RATE_LIMIT_MAX": "1000000",
        **settings,
    }
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "astradio_stream", "serve"],
        env=environment,
        stdout=subprocess.DEVNULL,
        process_group=0,  # a word to us at a terminal is not one to it
    )
    cores = (core,) if core is not None else cores
    if cores:
        os.sched_setaffinity(process.pid, cores)
    try:
        while not is_ready(port):
            if process.poll() is not None:
                raise ServerFailed(
                    f"the server ended before it was ready: exit code {process.returncode}"
                )
            if time.perf_counter() - began > _START_LIMIT_S:
                raise ServerFailed(f"the server was not ready within {_START_LIMIT_S:g} s")
            time.sleep(0.01)
        yield Server(process.pid, port, time.perf_counter() - began)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise ServerFailed(f"the server did not stop within {_STOP_LIMIT_S:g} s") from None


def difference(after: Mapping[tuple[str, str], float], before: Samples) -> Samples:
    """Return by how much each figure grew."""
    return {name: value - before.get(name, 0.0) for name, value in after.items()}


def quantile_s(grown: Samples, histogram: str, share: float) -> str:
    """Return the bucket in which a share of the values lies, as `<= bound` in ms."""
    name = f"{histogram}_bucket"
    bounds = sorted((float(le), n) for (found, le), n in grown.items() if found == name)
    total = bounds[-1][1]
    bound = next(bound for bound, n in bounds if n >= share * total)
    return f"<= {bound * 1_000:g}"
