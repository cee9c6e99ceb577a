"""What model v1.1 reads of a programme's skies: one function of the sample index for each mode.

==============  ===================  ==========================  ===============================
mode            whose voices play    who answers                 what sets key, mode and mood
==============  ===================  ==========================  ===============================
transit         the moving sky       nobody                      the moving sky
natal           the birth            nobody                      the birth
overlay         the birth            the moving sky              both; friction and ease of the
                                                                 transits to the birth
compatibility   the first birth      the second                  both; friction and ease of the
                                                                 synastry
sandbox         no sky at all        nobody                      the controls
==============  ===================  ==========================  ===============================
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final

from astradio_stream.errors import OutsideEphemeris
from astradio_stream.music.v1_1.bells import Happening
from astradio_stream.music.v1_1.reading import (
    NEUTRAL,
    Reading,
    Skies,
    aspect_readings,
    blended,
    reading_of,
)
from astradio_stream.music.v1_1.score import ScoreV11
from astradio_stream.music.v1_1.timeline import MOVEMENT_SAMPLES
from astradio_stream.sky.almanac import events_between
from astradio_stream.sky.aspects import KIND_BY_NAME
from astradio_stream.sky.between import synastry_of, transits_to
from astradio_stream.sky.chart import chart_at, motion_of
from astradio_stream.sky.ephemeris import instants_of, places_of
from astradio_stream.sky.moment import LAST_MOMENT, Moment
from astradio_stream.sky.rising import rising_between
from astradio_stream.sky.zodiac import SIGN_NAMES
from astradio_stream.units import SAMPLE_RATE_HZ, unix_us_to_index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from astradio_stream.sky.almanac import SkyEvent
    from astradio_stream.sky.aspects import Aspect
    from astradio_stream.sky.values import Chart, Place
    from astradio_stream.stream.programme import Programme

_BLOCK: Final = MOVEMENT_SAMPLES
"""Happenings are looked up a few minutes at a time, so that hardly anybody waits for one to be
found who will not hear it yet; from where movements begin, whose sky the composer reads anyway."""
_FASTEST_RISING: Final = 60.0
"""The same for rising signs, of which there are twelve a day."""
_FASTEST_TOLD: Final = 3_600.0
"""Sky seconds per stream second up to which happenings are told: beyond, they come too thick."""


def _meeting(aspects: Iterable[Aspect]) -> tuple[float, float]:
    """Return ease and friction (0-1) of the aspects between two charts."""
    soft = hard = 0.0
    for aspect in aspects:
        nature = KIND_BY_NAME[aspect.kind].nature
        soft += aspect.strength * (nature == "soft") + 0.4 * aspect.strength * (nature == "neutral")
        hard += aspect.strength * (nature == "hard")
    return soft / (soft + 6.0), hard / (hard + 6.0)


def _met(a: Reading, b: Reading, aspects: Iterable[Aspect]) -> Reading:
    """Return the blend of two readings, at ease or in friction as they meet."""
    ease, friction = _meeting(aspects)
    return replace(blended((a, b), (0.55, 0.45)), ease=ease, friction=friction)


@lru_cache(maxsize=1024)
def chart_seen(moment: Moment, place: Place) -> Chart:
    """Return the chart of a moment, remembered for all programmes.

    One that is steered asks for the same skies as before; `ready` shows what the composer read.
    """
    return chart_at(moment, place)


@lru_cache(maxsize=1024)
def _reading_at(moment: Moment, place: Place) -> Reading:
    """Return what is read in the sky of a moment."""
    return reading_of(chart_seen(moment, place))


def skies_of(programme: Programme) -> Callable[[int], Skies]:
    """Return what is read at each sample index of a programme."""

    def sky_at(index: int) -> Chart:
        return chart_seen(programme.moment_at(index), programme.place)

    births = [birth.chart() for birth in programme.births]
    readings = [reading_of(chart) for chart in births]

    def transit(index: int) -> Skies:
        reading = _reading_at(programme.moment_at(index), programme.place)
        return Skies(reading, None, reading)

    def overlay(index: int) -> Skies:
        sky = sky_at(index)
        above = reading_of(sky)
        transits = transits_to(births[0], sky)
        mood = _met(readings[0], above, transits)
        return Skies(readings[0], above, mood, aspect_readings(transits))

    if programme.mode == "natal":
        alone = Skies(readings[0], None, readings[0])
        return lambda _index: alone
    if programme.mode == "compatibility":
        # Seen from the second: aspects go from the one that answers to the one that calls.
        synastry = synastry_of(births[1], births[0])
        mood = _met(readings[0], readings[1], synastry)
        both = Skies(readings[0], readings[1], mood, aspect_readings(synastry), is_pair=True)
        return lambda _index: both
    if programme.mode == "sandbox":
        free = Skies(NEUTRAL, None, NEUTRAL)
        return lambda _index: free
    return overlay if programme.mode == "overlay" else transit


def _rises(sign: int) -> str:
    return SIGN_NAMES[sign].title()


def foresight_of(programme: Programme) -> Callable[[int], Iterable[Callable[[], object]]]:
    """Return the pieces of work behind the sky at a sample index, as far as a programme reads it.

    Each is about as much as the last: reading what they have prepared.
    """
    if programme.mode not in ("transit", "overlay"):
        return lambda _index: ()

    def pieces(index: int) -> Iterable[Callable[[], object]]:
        utc_us = programme.moment_at(index).utc_us
        return tuple(partial(work, utc_us) for work in (instants_of, places_of, motion_of))

    return pieces


@lru_cache(maxsize=64)
def _events_between(begin: Moment, end: Moment) -> tuple[SkyEvent, ...]:
    """Return what becomes exact between two moments; beyond the ephemeris nothing does."""
    if begin >= end or end > LAST_MOMENT:
        return ()
    try:
        return tuple(events_between(begin, end))
    except OutsideEphemeris:
        return ()


def happenings_of(programme: Programme) -> Callable[[int, int], tuple[Happening, ...]]:
    """Return what becomes exact in the sky of a programme within a span of sample indices."""
    has_sky = programme.station is not None or programme.mode in ("transit", "overlay")
    if not has_sky or not 0.0 < programme.rate <= _FASTEST_TOLD:
        return lambda _start, _stop: ()

    def index_of(moment: Moment) -> int:
        if programme.station is not None:
            return unix_us_to_index(moment.utc_us)
        sky_us = moment.utc_us - programme.at.utc_us
        return round(sky_us * (SAMPLE_RATE_HZ / 1_000_000) / programme.rate)

    @lru_cache(maxsize=16)
    def block(number: int) -> tuple[Happening, ...]:
        begin = programme.moment_at(number * _BLOCK)
        end = programme.moment_at((number + 1) * _BLOCK)
        found = [
            Happening(index_of(event.moment), event.kind, event.text, event.bodies, event.name)
            for event in _events_between(begin, end)
        ]
        if programme.rate <= _FASTEST_RISING and begin < end <= LAST_MOMENT:
            found += [
                Happening(index_of(at), "rising", f"{_rises(sign)} rises", (), str(sign))
                for at, sign in rising_between(begin, end, programme.place)
            ]
            found.sort(key=lambda happening: happening.index)
        first, last = number * _BLOCK, (number + 1) * _BLOCK
        return tuple(happening for happening in found if first <= happening.index < last)

    def happenings(start: int, stop: int) -> tuple[Happening, ...]:
        numbers = range(max(0, start) // _BLOCK, max(0, stop - 1) // _BLOCK + 1)
        found = [happening for number in numbers for happening in block(number)]
        return tuple(happening for happening in found if start <= happening.index < stop)

    return happenings


def score_v1_1(programme: Programme) -> ScoreV11:
    """Return a programme as model v1.1 composes it."""
    return ScoreV11(
        programme.seed,
        skies_of(programme),
        programme.controls_at,
        programme.change_indices,
        happenings_of(programme),
        foresee=foresight_of(programme),
    )
