"""Composes the next section piece by piece while the one before it plays.

What a section needs before its first note (sky, movement, melodies, the bars by which its loudness
is found) would otherwise be composed within one second of stream. Everything done here is
remembered by the composer, which would have found the same later: what is played does not depend
on it, only when it is worked out.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from astradio_stream.music.v1_1.loudness import SAMPLED_BARS
from astradio_stream.music.v1_1.timeline import SECTION_BARS, Stretch
from astradio_stream.units import SAMPLE_RATE_HZ, SEGMENT_SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from astradio_stream.music.v1_1.composer import Composer

    _Step = tuple[int, Callable[[], object]]
    """How much work it is, and what; `True` says that it has to be done once more."""

_FARTHEST_SAMPLES: Final = 120 * SAMPLE_RATE_HZ
"""Two sections of the slowest bars: who finds a section prepared farther ahead has gone back."""

_MOST_WORK: Final = 2
"""What one second does of the next section, in units of about a third of a millisecond; less than
most seconds' own work."""
_MORE_CANDIDATES: Final = 8
"""How many seconds a theme may still take whose first candidate is not good enough."""
_SKY, _MOVEMENT, _PHRASES, _CANDIDATE, _PERIOD, _BAR = 4, 1, 1, 1, 3, 1


class _Section(NamedTuple):
    """Eight bars, or what a stretch has of them."""

    start: int
    """First sample index."""
    stretch: Stretch
    number: int
    """Within its movement."""


def _begins_within(stretch: Stretch, bar: int, start: int) -> bool:
    """Return whether a bar begins within the second from `start` on."""
    here, following = stretch.bar_start(bar), stretch.bar_start(bar + 1)
    return here == start or following < start + SEGMENT_SAMPLES


class Ahead:
    """The steps that are left to do for the next section."""

    def __init__(
        self,
        composer: Composer,
        loudness: Callable[[Stretch, int], float],
        happenings: Callable[[int, int], object],
        foresee: Callable[[int], Iterable[Callable[[], object]]],
    ) -> None:
        """Prepare what a score asks for.

        Args:
            composer: Of the score.
            loudness: (stretch, section) -> its gain, found from its sampled bars.
            happenings: What becomes exact in [start, stop).
            foresee: What has to be worked out, piece by piece, before the sky at a sample index
                can be read.
        """
        self._composer = composer
        self._loudness = loudness
        self._happenings = happenings
        self._foresee = foresee
        self._section: _Section | None = None
        """The one that steps are left of, or the last that was finished."""
        self._steps: deque[_Step] = deque()

    def go_on(self, start: int) -> None:
        """Do a step of what follows, while the second from `start` on is made.

        Seconds in which a bar begins have enough to do, unless time presses.
        """
        stretch = self._composer.timeline.at(start)
        bar = stretch.bar_at(start)
        following = self._after(stretch, bar // SECTION_BARS)
        section = self._section
        if section is None or not following.start <= section.start <= start + _FARTHEST_SAMPLES:
            section = self._begin(following)
        elif not self._steps and section.start == following.start:
            section = self._begin(self._after(section.stretch, section.number))
        n_seconds = (section.start - start) // SEGMENT_SAMPLES
        is_late = n_seconds < len(self._steps) + _MORE_CANDIDATES
        if section.start > following.start and not is_late and _begins_within(stretch, bar, start):
            return
        n_left = _MOST_WORK + is_late
        while n_left > 0:
            try:
                work, step = self._steps.popleft()
            except IndexError:  # all is done, perhaps by another thread
                return
            if step() is True:
                self._steps.appendleft((work, step))
            n_left -= work

    def _after(self, stretch: Stretch, number: int) -> _Section:
        """Return the section after one."""
        first = (number + 1) * SECTION_BARS
        if stretch.bar_start(first) < stretch.stop and first < stretch.n_bars:
            return _Section(stretch.bar_start(first), stretch, number + 1)
        after = self._composer.timeline.at(stretch.stop)
        return _Section(stretch.stop, after, after.first_bar // SECTION_BARS)

    def _begin(self, section: _Section) -> _Section:
        before, is_done = self._section, not self._steps
        # The last section of a movement asks for the sky of the next one.
        has_sky = (
            is_done
            and before is not None
            and before.stretch.end == section.start
            and self._after(before.stretch, before.number).start == section.start
        )
        self._section = section
        # None of them holds this object: a score that nobody plays must be gone at once.
        self._steps = deque(self._steps_of(section.stretch, section.number, has_sky=has_sky))
        return section

    def _sky_at(self, index: int) -> Iterator[_Step]:
        yield from ((_SKY, piece) for piece in self._foresee(index))
        yield _SKY, partial(self._composer.skies_at, index)

    def _steps_of(self, stretch: Stretch, section: int, *, has_sky: bool) -> Iterator[_Step]:
        """Yield what a section needs, each thing after what it needs itself, and how much work.

        The sky at its beginning is left out where it was read for the section before.
        """
        composer, first = self._composer, section * SECTION_BARS
        start = stretch.bar_start(first)
        if section == stretch.first_bar // SECTION_BARS:
            if not has_sky:
                yield from self._sky_at(stretch.base)
            yield _MOVEMENT, partial(composer.movement_of, stretch)
        if first + SECTION_BARS >= stretch.n_bars:  # it ends in the key of the next movement
            yield from self._sky_at(stretch.end)
            after = partial(composer.movement, stretch.era, stretch.movement + 1, stretch.end)
            yield _MOVEMENT, after
        yield _PHRASES, partial(composer.phrases, stretch, section)
        yield _CANDIDATE, lambda: composer.search(stretch, section).go_on()
        yield _PERIOD, partial(composer.period, stretch, section)
        yield _PERIOD, partial(composer.guest_melodies, stretch, section)
        for place in SAMPLED_BARS:
            bar = min(first + place, stretch.n_bars - 1)
            yield _BAR, partial(composer.bar_notes, stretch, bar)
        yield 0, partial(self._loudness, stretch, section)
        yield _SKY, partial(self._happenings, max(0, start), start + 1)
