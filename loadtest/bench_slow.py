"""What listeners who take nothing cost those beside them: lateness with and without."""

from __future__ import annotations

import time
from tempfile import TemporaryDirectory
from typing import Any, Final

from loadtest.cores import server_core
from loadtest.crowd import Crowd, hello_of
from loadtest.member import Member, Tally
from loadtest.process import server
from loadtest.table import percentile, print_table

_WELL: Final = 40
_DEAF: Final = 40
_SECONDS: Final = 12.0
_PER_S: Final = 1_000.0
_SETTLING_S: Final = 2.0


class Timed(Member):
    """A listener that notes how late each quantum comes against the rhythm of its own.

    Its buffer is small, so that it is read as soon as something comes.
    """

    __slots__ = ("came",)

    def __init__(self, address: tuple[str, int], source: str, hello: bytes, tally: Tally) -> None:
        """Begin to connect."""
        super().__init__(address, source, hello, tally)
        self.came: list[tuple[int, float]] = []

    def _quantum(self, index: int, now_s: float) -> None:
        super()._quantum(index, now_s)
        self.came.append((index, now_s))

    def lateness_ms(self, since_s: float) -> list[float]:
        """Return how much later than its earliest each quantum came, against a steady clock."""
        offsets = [came - index / 48_000 for index, came in self.came if came >= since_s]
        return [1_000 * (offset - min(offsets)) for offset in offsets]


def _lateness_ms(well: Crowd, members: list[Timed], seconds: float) -> list[float]:
    """Listen; return all lateness (ms)."""
    since_s = time.monotonic() + _SETTLING_S
    well.listen(_SETTLING_S + seconds)
    return [late for member in members for late in member.lateness_ms(since_s)]


def _hello(codec: str, buffer_ms: int) -> dict[str, Any]:
    return hello_of({"station": "now"}, buffer_ms) | {"codecs": [codec]}


def run(seconds: float = _SECONDS) -> None:
    """Measure and print."""
    with TemporaryDirectory() as folder, server(folder, core=server_core()) as running:
        well, deaf = (Crowd(("127.0.0.1", running.port), kind) for kind in (Timed, Member))
        joined, _ = well.join([_hello("opus", 500)] * _WELL, _PER_S)
        members = [one for one in joined if isinstance(one, Timed)]
        alone = _lateness_ms(well, members, seconds)
        deaf.join([_hello("pcm_s16le", 20_000)] * _DEAF, _PER_S)  # and take no more from then on
        beside = _lateness_ms(well, members, seconds)
        for crowd in (well, deaf):
            crowd.close()
    rows = [["", "p50", "p99", "max"]]
    for name, values in ((f"{_WELL} alone", alone), (f"beside {_DEAF} deaf", beside)):
        figures = [percentile(values, share) for share in (0.5, 0.99, 1.0)]
        rows.append([name, *(f"{figure:.1f}" for figure in figures)])
    grown = [percentile(beside, share) - percentile(alone, share) for share in (0.5, 0.99, 1.0)]
    rows.append(["beside - alone", *(f"{figure:.1f}" for figure in grown)])
    rows.append(["gaps", "", "", str(well.tally.n_gaps)])
    print_table("Lateness of quanta, ms; the deaf take nothing of 3.8 MB each", rows)


if __name__ == "__main__":
    run()
