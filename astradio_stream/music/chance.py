"""Chance that remembers nothing: numbers keyed by (seed, kind of decision, position).

A counter-based generator (Philox) is a function, not a process: the numbers for bar 90 000 are the
same whether or not anybody asked for bar 1. Only its raw output is used, which numpy keeps stable.

**Source:** J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11, 2011.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numpy.random.bit_generator import ISeedSequence

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

_UNIT = 2.0**-53


class _Key(ISeedSequence):
    """A key as it is, in place of what numpy would read from the system before it heeds a key."""

    def __init__(self, seed: int, decision: int) -> None:
        self._words = seed, decision

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> Any:  # noqa: ARG002
        """Return the two words of a Philox key."""
        return np.array(self._words, dtype=dtype)


class Draws:
    """A short run of chance numbers for one decision at one place."""

    __slots__ = ("_at", "_raw")

    def __init__(self, raw: list[int]) -> None:
        self._raw = raw
        self._at = 0

    def copies(self, n: int) -> list[Draws]:
        """Return `n` runs of the same numbers: what is left of this one."""
        return [Draws(self._raw[self._at :]) for _ in range(n)]

    def split(self, n: int) -> list[Draws]:
        """Return `n` runs of equal length that share what is left of this one."""
        rest = self._raw[self._at :]
        each = len(rest) // n
        return [Draws(rest[part * each : (part + 1) * each]) for part in range(n)]

    def unit(self) -> float:
        """Return the next number in [0, 1)."""
        value = self._raw[self._at]
        self._at += 1
        return (value >> 11) * _UNIT

    def below(self, n: int) -> int:
        """Return the next whole number in [0, n)."""
        return int(self.unit() * n)

    def signed(self) -> float:
        """Return the next number in [-1, 1)."""
        return 2.0 * self.unit() - 1.0

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of `choices`, all alike."""
        return choices[self.below(len(choices))]

    def weighted(self, weights: Sequence[float]) -> int:
        """Return a position in `weights`, likely in proportion to its weight."""
        total = 0.0
        for weight in weights:
            total += weight
        mark = self.unit() * total
        for position, weight in enumerate(weights):
            mark -= weight
            if mark < 0.0:
                return position
        return len(weights) - 1


def draws(seed: int, decision: int, *position: int, n: int = 32) -> Draws:
    """Return up to `n` chance numbers for a decision (its number in a model's table).

    Args:
        seed: The programme's seed, 0 … 2^53 - 1.
        decision: Which kind of decision; each model numbers its own.
        position: Up to three whole numbers >= 0 that say where (movement, section, bar …).
        n: How many numbers will be drawn at the most.
    """
    return Draws(_raw(seed, decision, position, n))


@lru_cache(maxsize=256)
def _raw(seed: int, decision: int, position: tuple[int, ...], n: int) -> list[int]:
    """Return the raw numbers; whoever reads them leaves them as they are."""
    counter = [0, *position, 0, 0, 0][:4]
    key = cast("np.random.SeedSequence", _Key(seed, decision))  # numpy's stubs name no other
    generator = np.random.Philox(key, counter=counter)
    numbers: list[int] = generator.random_raw(n).tolist()
    return numbers
