"""Latencies in log-linear buckets: every value within one part in 32, whatever its size, mergeable.

Values are whole microseconds. Below 64 each has a bucket of its own; above, every doubling is cut
into 32 buckets of equal width, so that a bucket is never wider than a 32nd of what it holds::

    0 ... 63      width 1
    64 ... 127    width 2
    128 ... 255   width 4        and so on to an hour

**Source**: Gil Tene, HdrHistogram, whose buckets are laid out alike.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_US: Final = 3_600_000_000
"""An hour: what takes longer is an hour."""
_LINEAR: Final = 64
_HALF: Final = _LINEAR // 2


def bucket_of(value_us: int) -> int:
    """Return the number of the bucket that holds a value (microseconds)."""
    if value_us < _LINEAR:
        return value_us
    shift = value_us.bit_length() - 6
    return (shift << 5) + (value_us >> shift)


def highest_in(bucket: int) -> int:
    """Return the greatest value (microseconds) that a bucket holds."""
    if bucket < _LINEAR:
        return bucket
    shift = (bucket >> 5) - 1
    return ((_HALF + (bucket & (_HALF - 1)) + 1) << shift) - 1


class Histogram:
    """How often each latency was seen."""

    __slots__ = ("_counts", "max_us", "n", "sum_us")

    @property
    def min_us(self) -> int:
        """The least value, as the lower end of its bucket (microseconds); 0 where there is none."""
        least = min((bucket for bucket, n in self._counts.items() if n), default=0)
        return highest_in(least - 1) + 1 if least else 0

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self.n = 0
        """How many values."""
        self.max_us = 0
        """The greatest of them, exactly (microseconds)."""
        self.sum_us = 0
        """All of them together (microseconds)."""

    def record_s(self, value_s: float) -> None:
        """Record a value (seconds); what is below zero was in time."""
        value_us = min(MAX_US, max(0, round(value_s * 1e6)))
        self._counts[bucket_of(value_us)] += 1
        self.n += 1
        self.sum_us += value_us
        self.max_us = max(self.max_us, value_us)

    def quantile_ms(self, share: float) -> float:
        """Return a value (milliseconds) that at least `share` (0-1) of the values do not exceed.

        It is the upper end of its bucket, never more than the maximum; 0 where there is none.
        """
        wanted, seen = share * self.n, 0
        for bucket in sorted(self._counts):
            seen += self._counts[bucket]
            if seen >= wanted:
                return min(highest_in(bucket), self.max_us) / 1e3
        return self.max_us / 1e3

    @property
    def mean_ms(self) -> float:
        """The mean (milliseconds), 0 where there is none."""
        return self.sum_us / self.n / 1e3 if self.n else 0.0

    def add(self, other: Histogram) -> None:
        """Take in what another recorded."""
        self._counts.update(other._counts)
        self.n += other.n
        self.sum_us += other.sum_us
        self.max_us = max(self.max_us, other.max_us)

    def grown_since(self, before: Histogram) -> Histogram:
        """Return what was recorded since a copy was made; its maximum is that of its buckets."""
        made = Histogram()
        made._counts = self._counts - before._counts
        made.n, made.sum_us = self.n - before.n, self.sum_us - before.sum_us
        made.max_us = min(self.max_us, highest_in(max(made._counts))) if made._counts else 0
        return made

    def copy(self) -> Histogram:
        """Return one that does not change with this."""
        made = Histogram()
        made.add(self)
        return made

    def to_json(self) -> dict[str, Any]:
        """Return all of it for a file or another process."""
        counts = {str(bucket): self._counts[bucket] for bucket in sorted(self._counts)}
        return {"n": self.n, "maxUs": self.max_us, "sumUs": self.sum_us, "buckets": counts}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Histogram:
        """Return what `to_json` told."""
        made = cls()
        made._counts.update({int(bucket): n for bucket, n in told["buckets"].items()})
        made.n, made.max_us, made.sum_us = told["n"], told["maxUs"], told["sumUs"]
        return made
