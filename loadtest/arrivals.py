"""When listeners and requests come: a plan made beforehand, the same for the same seed.

Arrivals do not wait for a server that is slow: who is late to be served was due all the same.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

RAMP_SHARE: Final = 0.75
"""Of the time in which a ramp rises; then it stays."""


def _poisson(n: int, per_s: float, _duration_s: float, chance: random.Random) -> list[float]:
    at_s, moments = 0.0, []
    for _ in range(n):
        moments.append(at_s)
        at_s += chance.expovariate(per_s)
    return moments


def _ramp(n: int, _per_s: float, duration_s: float, _chance: random.Random) -> list[float]:
    return [RAMP_SHARE * duration_s * number / n for number in range(n)]


def _herd(n: int, _per_s: float, _duration_s: float, _chance: random.Random) -> list[float]:
    return [0.0] * n


ARRIVALS: Final[dict[str, Callable[[int, float, float, random.Random], list[float]]]] = {
    "poisson": _poisson,
    "ramp": _ramp,
    "herd": _herd,
}


def arrivals(kind: str, n: int, per_s: float, duration_s: float, seed: int) -> list[float]:
    """Return when each of `n` comes (seconds after the start), rising."""
    return ARRIVALS[kind](n, per_s, duration_s, random.Random(f"arrivals {seed}"))
