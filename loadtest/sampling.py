"""A fair sample of the quanta that came, kept small: a reservoir, with its chance handed in.

Every quantum of a run is as likely to be kept as any other, however many there are; until the
reservoir is full all are.

**Source**: Kim-Hung Li, Reservoir-sampling algorithms of time complexity O(n(1 + log(N/n))), 1994,
algorithm L.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Sample:
    """One quantum to be verified."""

    programme_id: str
    """What it should be of."""
    version: str
    """Of the codec that wrote it, as `ready` told."""
    bitrate: int
    """Of the codec (bits per second)."""
    message: bytes
    """As it came."""


class Reservoir:
    """At most so many samples."""

    def __init__(self, size: int, chance: random.Random) -> None:
        """Keep `size` of all that will be offered."""
        self.samples: list[Sample] = []
        self.programmes: dict[str, dict[str, Any]] = {}
        """By id, those that samples are of."""
        self._size = size
        self._chance = chance
        self._n = 0
        self._next = 0 if size else -1
        self._weight = 1.0

    def offer(self, sample: Callable[[], tuple[Sample, dict[str, Any]]]) -> None:
        """Take what `sample` makes (with its programme), or let it go unmade."""
        number = self._n
        self._n += 1
        if number != self._next:
            return
        made, programme = sample()
        self.programmes.setdefault(made.programme_id, programme)
        if len(self.samples) < self._size:
            self.samples.append(made)
        else:
            self.samples[self._chance.randrange(self._size)] = made
        if len(self.samples) < self._size:
            self._next = number + 1
            return
        self._weight *= math.exp(math.log(1.0 - self._chance.random()) / self._size)
        skip = math.log(1.0 - self._chance.random()) / math.log1p(-self._weight)
        self._next = number + 1 + int(skip)
