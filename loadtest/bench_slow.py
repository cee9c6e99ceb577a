"""What listeners who take nothing cost those beside them: lateness with and without."""

from __future__ import annotations

import json
import select
import time
from tempfile import TemporaryDirectory
from typing import Final

from loadtest.crowd import Member, Tally, hello_of
from loadtest.process import server
from loadtest.table import percentile, print_table

_WELL: Final = 40
_DEAF: Final = 40
_SECONDS: Final = 12.0


class Timed(Member):
    """A listener that notes how late each quantum comes against the rhythm of its own."""

    __slots__ = ("came",)

    def __init__(self, address: tuple[str, int], source: str, hello: bytes, tally: Tally) -> None:
        """Begin to connect."""
        super().__init__(address, source, hello, tally)
        self.came: list[tuple[int, float]] = []

    def _quantum(self, index: int) -> None:
        super()._quantum(index)
        self.came.append((index, time.monotonic()))

    def lateness_ms(self, since_s: float) -> list[float]:
        """Return how much later than its earliest each quantum came, against a steady clock."""
        offsets = [came - index / 48_000 for index, came in self.came if came >= since_s]
        return [1_000 * (offset - min(offsets)) for offset in offsets]


def _listen(members: list[Timed], seconds: float) -> list[float]:
    """Read as soon as something comes, report once a second; return all lateness (ms)."""
    poll = select.epoll()
    of_number = {member.fileno(): member for member in members}
    for number in of_number:
        poll.register(number, select.EPOLLIN)
    began = time.monotonic()
    reported = began
    while (now := time.monotonic()) < began + seconds:
        for number, _ in poll.poll(0.01):
            of_number[number].read()
        if now - reported > 1.0:
            reported = now
            for member in members:
                member.report(now)
    poll.close()
    since = began + 2.0
    return [late for member in members for late in member.lateness_ms(since)]


def _hello(codec: str, buffer_ms: int) -> bytes:
    return json.dumps(hello_of({"station": "now"}, buffer_ms) | {"codecs": [codec]}).encode()


def run(seconds: float = _SECONDS) -> None:
    """Measure and print."""
    tally = Tally()
    with TemporaryDirectory() as folder, server(folder, core=0) as running:
        address = ("127.0.0.1", running.port)
        well = [
            Timed(address, f"127.3.0.{n + 1}", _hello("opus", 500), tally) for n in range(_WELL)
        ]
        _listen(well, 2.0)
        alone = _listen(well, seconds)
        deaf = [
            Member(address, f"127.4.0.{n + 1}", _hello("pcm_s16le", 20_000), Tally())
            for n in range(_DEAF)
        ]
        for member in deaf:
            while member.is_open and member.first < 0:
                member.read()
                time.sleep(0.001)
        beside = _listen(well, seconds)
        for one in (*well, *deaf):
            one.close()
    rows = [["", "p50", "p99", "max"]]
    for name, values in ((f"{_WELL} alone", alone), (f"beside {_DEAF} deaf", beside)):
        figures = [percentile(values, share) for share in (0.5, 0.99, 1.0)]
        rows.append([name, *(f"{figure:.1f}" for figure in figures)])
    grown_ms = percentile(beside, 0.99) - percentile(alone, 0.99)
    print_table("Lateness of quanta, ms; the deaf take nothing of 3.8 MB each", rows)
    print(f"  p99 grows by {grown_ms:+.1f} ms, budget 5; gaps {tally.n_gaps}")


if __name__ == "__main__":
    run()
