"""A token bucket in whole numbers: no float, no drift, no clock of its own.

A bucket holds `n_tokens` and fills from empty in `window_s`. Instead of a level it keeps the moment
at which it will be full again; each token taken moves that moment on by `window_s / n_tokens`.
Moments are counted in nanoseconds times `n_tokens`, so that this step is a whole number too::

    now                     full again
    ──┼──────────────────────────┼──        what is missing: (full - now) / step tokens
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NS_PER_S: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """How much a bucket holds, and how fast it fills."""

    n_tokens: int
    """In a full bucket, at least 1."""
    window_s: int
    """How long an empty one takes to fill (seconds), at least 1."""

    @property
    def step(self) -> int:
        """What one token is in (nanoseconds times `n_tokens`)."""
        return self.window_s * NS_PER_S


DEFAULT_RATE: Final = Rate(50, 10)
"""Of the protocol."""


class Bucket:
    """One bucket; it begins full."""

    __slots__ = ("_full", "rate")

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        """What it holds now, and how fast it fills; see `change`."""
        self._full: int | None = None

    def take(self, now_ns: int, n_tokens: int = 1) -> bool:
        """Take a token, or several; return whether there were so many."""
        rate, step = self.rate, self.rate.step
        now = now_ns * rate.n_tokens
        full = now if self._full is None else max(now, self._full)
        full += n_tokens * step
        if full - now > rate.n_tokens * step:
            return False
        self._full = full
        return True

    def wait_ns(self, now_ns: int, n_tokens: int = 1) -> int:
        """Return how long until there are tokens (nanoseconds, rounded up; 0 if there are)."""
        if self._full is None:
            return 0
        rate = self.rate
        # With them taken the bucket may be full at the latest a whole window from then.
        spare = (rate.n_tokens - n_tokens) * rate.step
        missing = self._full - spare - now_ns * rate.n_tokens
        return max(0, -(-missing // rate.n_tokens))

    def n_left(self, now_ns: int) -> int:
        """Return how many whole tokens there are."""
        return self.rate.n_tokens - -(-self._missing(now_ns) // self.rate.step)

    def fill_ns(self, now_ns: int) -> int:
        """Return how long until it is full (nanoseconds, rounded up)."""
        return -(-self._missing(now_ns) // self.rate.n_tokens)

    def _missing(self, now_ns: int) -> int:
        """Return what it lacks, in the units of `Rate.step`."""
        return max(0, (self._full or 0) - now_ns * self.rate.n_tokens)

    def is_full(self, now_ns: int) -> bool:
        """Return whether it is as good as new."""
        return self._full is None or self._full <= now_ns * self.rate.n_tokens

    def change(self, rate: Rate, now_ns: int) -> None:
        """Hold and fill otherwise from now on: the tokens that are missing stay missing.

        What is missing is rounded up to a part of a token that the new rate can count; a bucket
        that became smaller lacks at most all it holds.
        """
        if rate is self.rate or rate == self.rate:
            return
        if self._full is not None:
            missing = max(0, self._full - now_ns * self.rate.n_tokens)
            missing = -(-missing * rate.step // self.rate.step)
            self._full = now_ns * rate.n_tokens + min(missing, rate.n_tokens * rate.step)
        self.rate = rate
