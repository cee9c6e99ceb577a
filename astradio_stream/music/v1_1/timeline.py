"""Where every bar lies: movements of equal length, restarted in mid-form by changes of control.

::

    era 0                                era 1 (a change of controls)
    |- movement 0 -|- movement 1 -|- mo…|…vement 2 -|- movement 3 -|

Between two changes a movement is `MOVEMENT_SAMPLES` long to the sample, so its place needs no
memory. A change begins an era: the bar count goes on, on a grid that begins at the change. There
are at most 500 changes, so eras are found once, one from the other.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from astradio_stream.units import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOVEMENT_SAMPLES: Final = 192 * SAMPLE_RATE_HZ
"""Three minutes and twelve seconds."""
SECTION_BARS: Final = 8
"""Two phrases."""
_NO_END: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Era:
    """A span between two changes of control."""

    number: int
    start: int
    """First sample index."""
    stop: int
    """The index of the next change, or without end."""
    movement: int
    """The movement in which it begins."""
    bar: int
    """The bar of that movement with which it begins."""


class Stretch(NamedTuple):
    """One movement, or what an era holds of it; a tuple, for much is remembered by it."""

    era: int
    movement: int
    base: int
    """Sample index of its first bar here."""
    stop: int
    """Sample index at which it ends."""
    first_bar: int
    """Number of its first bar here within the movement."""
    n_bars: int
    """Bars of the whole movement."""

    @property
    def end(self) -> int:
        """Sample index at which the movement would end if no change came before."""
        return self.bar_start(self.n_bars)

    def bar_start(self, number: int) -> int:
        """Return the first sample index of a bar of the movement."""
        return self.base + (number - self.first_bar) * MOVEMENT_SAMPLES // self.n_bars

    def bar_at(self, index: int) -> int:
        """Return the number of the bar that holds a sample index."""
        within = index - self.base
        return self.first_bar + ((within + 1) * self.n_bars - 1) // MOVEMENT_SAMPLES


class Timeline:
    """All eras of a programme."""

    def __init__(self, changes: tuple[int, ...], bars_of: Callable[[int, int, int], int]) -> None:
        """Lay the eras out.

        Args:
            changes: Indices of the changes of control, rising.
            bars_of: (era, movement, sample index of its beginning there) -> bars of a movement.
        """
        self._bars_of = bars_of
        self._eras = [Era(0, 0, _NO_END, 0, 0)]
        for index in changes:
            if index <= 0:
                continue
            last = self._eras[-1]
            here = self._stretch(last, index)
            number = min(here.bar_at(index) + 1, here.n_bars)
            self._eras[-1] = Era(last.number, last.start, index, last.movement, last.bar)
            # The place in the form is kept, whatever the new number of bars.
            after = self._bars_of(len(self._eras), here.movement, index)
            bar = 4 * (number * after // here.n_bars // 4)
            if number < here.n_bars and bar < after:
                self._eras.append(Era(len(self._eras), index, _NO_END, here.movement, bar))
            else:
                self._eras.append(Era(len(self._eras), index, _NO_END, here.movement + 1, 0))
        self._starts = [era.start for era in self._eras]

    def _stretch(self, era: Era, index: int) -> Stretch:
        n_bars = self._bars_of(era.number, era.movement, era.start)
        first_length = (n_bars - era.bar) * MOVEMENT_SAMPLES // n_bars
        if index < era.start + first_length:
            stop = min(era.start + first_length, era.stop)
            return Stretch(era.number, era.movement, era.start, stop, era.bar, n_bars)
        later = (index - era.start - first_length) // MOVEMENT_SAMPLES
        base = era.start + first_length + later * MOVEMENT_SAMPLES
        movement = era.movement + 1 + later
        n_bars = self._bars_of(era.number, movement, base)
        stop = min(base + MOVEMENT_SAMPLES, era.stop)
        return Stretch(era.number, movement, base, stop, 0, n_bars)

    def at(self, index: int) -> Stretch:
        """Return the stretch that holds a sample index >= 0."""
        return self._stretch(self._eras[bisect_right(self._starts, index) - 1], index)

    def era(self, number: int) -> Era:
        """Return an era by its number."""
        return self._eras[number]

    def stretches(self, start: int, stop: int) -> Iterator[Stretch]:
        """Yield the stretches that touch [start, stop)."""
        index = max(0, start)
        while index < stop:
            stretch = self.at(index)
            yield stretch
            index = stretch.stop

    def bars(self, start: int, stop: int) -> Iterator[tuple[Stretch, int]]:
        """Yield (stretch, bar number) of all bars that touch [start, stop)."""
        for stretch in self.stretches(start, stop):
            number = stretch.bar_at(max(stretch.base, start))
            end = min(stop, stretch.stop)
            while number < stretch.n_bars and stretch.bar_start(number) < end:
                yield stretch, number
                number += 1
