"""A crowd as a process of its own, from the side of the benchmark that lets it come."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from loadtest.cores import crowd_core

if TYPE_CHECKING:
    from collections.abc import Iterator


class Crowding:
    """A crowd whose members have all joined."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.join_p95_s = float(self.told()["joinP95S"])
        """From when a member was due to its first quantum (seconds)."""

    def told(self) -> dict[str, Any]:
        """Return what it tells next: when it has joined, and at the end.

        Raises:
            RuntimeError: It ended without a word; what went wrong stands on its standard error.
        """
        assert self._process.stdout is not None  # noqa: S101
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the crowd ended with exit code {self._process.wait()}")
        told: dict[str, Any] = json.loads(line)
        return told


@contextmanager
def crowding(port: int, n: int, seconds: float, per_s: float, *args: str) -> Iterator[Crowding]:
    """Let so many listeners join a server at some rate, and then listen for some seconds."""
    with subprocess.Popen(  # noqa: S603 - our own crowd
        [sys.executable, "-m", "loadtest.crowd", str(port), str(n), str(seconds),
         "--core", str(crowd_core()), "--per-s", str(per_s), *args],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        try:
            yield Crowding(process)
        finally:
            process.kill()
