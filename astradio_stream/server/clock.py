"""The two clocks that the shell reads, and one that tests set by hand."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Monotonic time to wait by, and Unix time to tell."""

    def now_ns(self) -> int:
        """Return monotonic time (nanoseconds); only differences have a meaning."""

    def unix_us(self) -> int:
        """Return Unix time (microseconds)."""


class SystemClock:
    """The clocks of the machine."""

    def now_ns(self) -> int:
        """Return monotonic time (nanoseconds)."""
        return time.monotonic_ns()

    def unix_us(self) -> int:
        """Return Unix time (microseconds)."""
        return time.time_ns() // 1_000


class ManualClock:
    """Time that passes only when told to."""

    def __init__(self, now_ns: int = 0, unix_us: int = 0) -> None:
        self._now_ns = now_ns
        self._unix_ns = unix_us * 1_000

    def now_ns(self) -> int:
        """Return monotonic time (nanoseconds)."""
        return self._now_ns

    def unix_us(self) -> int:
        """Return Unix time (microseconds)."""
        return self._unix_ns // 1_000

    def pass_ns(self, duration_ns: int) -> None:
        """Let time pass."""
        self._now_ns += duration_ns
        self._unix_ns += duration_ns
