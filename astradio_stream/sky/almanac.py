"""The almanac: when something becomes exact in the sky.

Aspects, ingresses, lunations and stations are all zeros of smooth functions of time. A grid of
places finds where each function changes sign, then all zeros of a block are refined at once by the
Illinois method, a bracketing secant that cannot escape.

The grid is so fine that no function passes a zero, turns and comes back unseen, except where two
bodies turn against each other: those turning points are found first and cut the grid there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.sky.aspects import MAJOR_KINDS
from astradio_stream.sky.bodies import BODIES, MOON, N_PLANETS, SUN
from astradio_stream.sky.ephemeris import places_at, places_of, separation_deg
from astradio_stream.sky.moment import (
    FIRST_MOMENT,
    LAST_MOMENT,
    MICROSECONDS_PER_DAY,
    Moment,
    require_in_span,
)
from astradio_stream.sky.zodiac import DEGREES_PER_SIGN, SIGN_NAMES, sign_of
from astradio_stream.units import MICROSECONDS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from astradio_stream.sky.ephemeris import Places

_STEP_US: Final = MICROSECONDS_PER_DAY // 4
"""Distance of the grid: the Moon moves 3.8 degrees in it, aspects stand 30 degrees apart."""
_BLOCK_US: Final = 90 * MICROSECONDS_PER_DAY
_PRECISION_US: Final = 10_000
"""The step at which refinement ends: a hundredth of the second that is promised."""
_MOST_ITERATIONS: Final = 50

# Every pair that can make an aspect, and every arc from the first to the second that is one.
_PAIR_A, _PAIR_B = np.triu_indices(N_PLANETS, k=1)
_KIND_OF_ARC: Final = {
    sign * kind.angle_deg % 360.0: kind.name for kind in MAJOR_KINDS for sign in (1, -1)
}
_ARCS_DEG: Final = np.array(sorted(_KIND_OF_ARC))
_SIGN_STARTS_DEG: Final = np.linspace(0.0, 330.0, 12)
_LUNATIONS: Final = {0: "new_moon", 90: "first_quarter", 180: "full_moon", 270: "last_quarter"}
_NOBODY: Final = -1

# Source: the ephemeris itself, each sixteenth of a day; with a sixth to spare or more.
FASTEST_DEG_PER_DAY: Final = np.array([1.2, 18.0, 2.6, 1.5, 0.95, 0.3, 0.16, 0.08, 0.05, 0.05])
"""No planet moves faster in longitude, in the order of `bodies.BODIES`, …"""
HARDEST_DEG_PER_DAY2: Final = np.array(
    [0.001, 0.65, 0.25, 0.05, 0.02, 0.005, 0.003, 0.0015, 0.001, 0.001]
)
"""… or changes its speed faster, but where its light passes the Sun."""
CLEAR_OF_SUN_DEG: Final = 1.0


@dataclass(frozen=True, slots=True, order=True)
class SkyEvent:
    """Something that becomes exact."""

    moment: Moment
    """The second in which it becomes exact."""
    kind: str
    """aspect, ingress, lunation or station."""
    bodies: tuple[str, ...]
    name: str
    """The aspect kind, the sign entered, the phase, or retrograde/direct."""
    longitude_deg: float
    """Of the first body, for a lunation of the Moon (degrees)."""

    @property
    def text(self) -> str:
        """Return a sentence for people: ``Moon enters Taurus``."""
        first = _title(self.bodies[0])
        if self.kind == "ingress":
            return f"{first} enters {_title(self.name)}"
        if self.kind == "station":
            return f"{first} turns {self.name}"
        if self.kind == "lunation":
            return f"{_title(self.name)} in {_title(sign_of(self.longitude_deg).name)}"
        return f"{first} {self.name} {_title(self.bodies[1])}"


@dataclass(frozen=True, slots=True)
class _Brackets:
    """Spans of time that hold one zero each; every array has the shape (n_zeros,)."""

    before_us: NDArray[np.int64]
    after_us: NDArray[np.int64]
    a: NDArray[np.intp]
    """Body that is subtracted, or none."""
    b: NDArray[np.intp]
    """Body that is looked at."""
    target_deg: NDArray[np.float64]
    """What the arc from `a` to `b` is at the zero (degrees); unused for speeds."""


def events_between(start: Moment, end: Moment) -> Iterator[SkyEvent]:
    """Yield all events from `start` to before `end`, in order of time.

    Major aspects of the ten planets, their ingresses into signs, their stations, and the four
    lunations, which stand for the aspects of Sun and Moon at these arcs.

    Raises:
        OutsideEphemeris: if the span is not covered.
    """
    require_in_span(start, "from")
    require_in_span(end, "hours")
    first_us = start.utc_us - start.utc_us % _STEP_US
    if end.utc_us - first_us <= 2 * _STEP_US:
        if nothing_is_near(start, end) or _is_quiet(start, end):
            return
        quarters = range(first_us, end.utc_us, _STEP_US)
        found = (event for quarter_us in quarters for event in _events_of_quarter(quarter_us))
        yield from (event for event in found if start <= event.moment < end)
        return
    for block_us in range(first_us, end.utc_us, _BLOCK_US):
        events = sorted(_events_of_block(block_us, min(block_us + _BLOCK_US, end.utc_us)))
        yield from (event for event in events if start <= event.moment < end)


def nothing_is_near(start: Moment, end: Moment) -> bool:
    """Return whether nothing is so near that it could happen from `start` to `end`.

    That costs little where the places at `start` are remembered, as those of a chart are. Where
    the Sun bends a body's light there is no telling.
    """
    days = (end.utc_us - start.utc_us + 2 * MICROSECONDS_PER_SECOND) / MICROSECONDS_PER_DAY
    places = places_of(start.utc_us)
    longitude, speed = places.longitude_deg[:N_PLANETS, 0], places.speed_deg_per_day[:N_PLANETS, 0]
    arcs = longitude[_PAIR_B] - longitude[_PAIR_A]
    reach = FASTEST_DEG_PER_DAY * days
    to_turn = np.abs(speed)
    to_sun = np.abs(separation_deg(longitude[SUN], longitude[MOON + 1 :]))
    to_sign = np.abs(separation_deg(_SIGN_STARTS_DEG[:, None], longitude)).min(axis=0)
    to_aspect = np.abs(separation_deg(_ARCS_DEG[:, None], arcs)).min(axis=0)
    return bool(
        (to_turn > HARDEST_DEG_PER_DAY2 * days).all()
        and (to_sun > CLEAR_OF_SUN_DEG).all()
        and (to_sign > reach).all()
        and (to_aspect > reach[_PAIR_A] + reach[_PAIR_B]).all()
    )


def _is_quiet(start: Moment, end: Moment) -> bool:
    """Return whether nothing happens from `start` to `end`, at a tenth of the cost of a search.

    Where no body and no pair turns back, an arc that crosses no target from the first moment to
    the last crosses none between them. Events are told by the whole second before them.
    """
    first_us = max(start.utc_us - MICROSECONDS_PER_SECOND, FIRST_MOMENT.utc_us)
    last_us = min(end.utc_us + 2 * MICROSECONDS_PER_SECOND, LAST_MOMENT.utc_us)
    grid = np.array([first_us, last_us])
    places = places_at(grid)
    speed, longitude = places.speed_deg_per_day[:N_PLANETS], places.longitude_deg[:N_PLANETS]
    no_one, everyone = np.full(N_PLANETS, _NOBODY), np.arange(N_PLANETS)
    relative, arcs = speed[_PAIR_B] - speed[_PAIR_A], longitude[_PAIR_B] - longitude[_PAIR_A]
    found = (
        _sign_changes(grid, speed, no_one, everyone),
        _sign_changes(grid, relative, _PAIR_A, _PAIR_B),
        _crossings(grid, arcs, _ARCS_DEG, _PAIR_A, _PAIR_B),
        _crossings(grid, longitude, _SIGN_STARTS_DEG, no_one, everyone),
    )
    return not any(brackets.b.size for brackets in found)


@lru_cache(maxsize=64)
def _events_of_quarter(start_us: int) -> tuple[SkyEvent, ...]:
    """Return the events of a quarter of a day; a stream asks for the same one again and again."""
    return tuple(sorted(_events_of_block(start_us, start_us + _STEP_US)))


def _events_of_block(start_us: int, end_us: int) -> Iterator[SkyEvent]:
    # The grid stands on whole quarters of days, whatever was asked for, and each zero is refined
    # alone: an event has the same second in every list that it is in.
    grid = np.arange(start_us, end_us + _STEP_US, _STEP_US).clip(max=LAST_MOMENT.utc_us)
    speed = places_at(grid).speed_deg_per_day[:N_PLANETS]
    no_one, everyone = np.full(N_PLANETS, _NOBODY), np.arange(N_PLANETS)
    stations = _sign_changes(grid, speed, no_one, everyone)
    station_us = _zeros_in(stations, _speed_of)
    turns = _sign_changes(grid, speed[_PAIR_B] - speed[_PAIR_A], _PAIR_A, _PAIR_B)
    # From here on every arc is monotonic between two times of the grid.
    grid = np.unique(np.concatenate((grid, station_us, _zeros_in(turns, _speed_of))))

    longitude = places_at(grid).longitude_deg[:N_PLANETS]
    arcs = longitude[_PAIR_B] - longitude[_PAIR_A]
    aspects = _crossings(grid, arcs, _ARCS_DEG, _PAIR_A, _PAIR_B)
    ingresses = _crossings(grid, longitude, _SIGN_STARTS_DEG, no_one, everyone)

    yield from _station_events(stations, station_us)
    yield from _aspect_events(aspects, _zeros_in(aspects, _arc_error))
    yield from _ingress_events(ingresses, _zeros_in(ingresses, _arc_error))


# Where zeros are


def _sign_changes(
    grid: NDArray[np.int64],
    values: NDArray[np.float64],
    a: NDArray[np.intp],
    b: NDArray[np.intp],
) -> _Brackets:
    """Return where rows of values, shape (n_rows, n_grid), change sign."""
    is_negative = values < 0.0
    row, i = np.nonzero(is_negative[:, :-1] != is_negative[:, 1:])
    return _Brackets(grid[i], grid[i + 1], a[row], b[row], np.zeros(i.size))


def _crossings(
    grid: NDArray[np.int64],
    arcs_deg: NDArray[np.float64],
    targets_deg: NDArray[np.float64],
    a: NDArray[np.intp],
    b: NDArray[np.intp],
) -> _Brackets:
    """Return where rows of arcs, shape (n_rows, n_grid), cross any of the targets."""
    beyond = separation_deg(targets_deg[:, None], arcs_deg[:, None])
    is_negative = beyond < 0.0
    # Half a turn away the shorter arc changes sign too, without being a zero.
    is_near = np.abs(beyond) < 90.0
    crosses = (is_negative[..., :-1] != is_negative[..., 1:]) & is_near[..., :-1] & is_near[..., 1:]
    row, target, i = np.nonzero(crosses)
    return _Brackets(grid[i], grid[i + 1], a[row], b[row], targets_deg[target])


def _arc_error(brackets: _Brackets, places: Places) -> NDArray[np.float64]:
    """Return by how much each arc has passed its target (degrees), at one time per bracket."""
    n = np.arange(brackets.b.size)
    origin = np.where(brackets.a == _NOBODY, 0.0, places.longitude_deg[brackets.a, n])
    return separation_deg(brackets.target_deg, places.longitude_deg[brackets.b, n] - origin)


def _speed_of(brackets: _Brackets, places: Places) -> NDArray[np.float64]:
    """Return the speed of each arc (degrees per day), at one time per bracket."""
    n = np.arange(brackets.b.size)
    origin = np.where(brackets.a == _NOBODY, 0.0, places.speed_deg_per_day[brackets.a, n])
    speed: NDArray[np.float64] = places.speed_deg_per_day[brackets.b, n] - origin
    return speed


def _zeros_in(
    brackets: _Brackets, value_of: Callable[[_Brackets, Places], NDArray[np.float64]]
) -> NDArray[np.int64]:
    """Return the time of the zero in each bracket, all refined together.

    Source of the method: Dowell and Jarratt, A modified regula falsi method, BIT 11 (1971).
    """
    zeros = brackets.after_us.copy()
    if not zeros.size:
        return zeros
    t0, t1 = brackets.before_us.astype(np.float64), brackets.after_us.astype(np.float64)
    f0 = value_of(brackets, places_at(brackets.before_us))
    f1 = value_of(brackets, places_at(brackets.after_us))
    moving = np.arange(zeros.size)
    for _ in range(_MOST_ITERATIONS):
        rise = np.where(f1 == f0, 1.0, f1 - f0)
        secant = np.clip(t1 - f1 * (t1 - t0) / rise, np.minimum(t0, t1), np.maximum(t0, t1))
        step = np.abs(secant - zeros[moving])
        zeros[moving] = np.rint(secant).astype(np.int64)
        goes_on = step >= _PRECISION_US
        moving = moving[goes_on]
        if not moving.size:
            break
        t0, t1, f0, f1 = t0[goes_on], t1[goes_on], f0[goes_on], f1[goes_on]
        f = value_of(_chosen(brackets, moving), places_at(zeros[moving]))
        # The new end replaces the old one of its sign; an end that stays twice counts half.
        other_side = (f < 0.0) != (f1 < 0.0)
        t0, f0 = np.where(other_side, t1, t0), np.where(other_side, f1, 0.5 * f0)
        t1, f1 = zeros[moving].astype(np.float64), f
    return zeros


def _chosen(brackets: _Brackets, rows: NDArray[np.intp]) -> _Brackets:
    return _Brackets(*(getattr(brackets, name)[rows] for name in _Brackets.__slots__))


# What they mean


def _station_events(brackets: _Brackets, zeros_us: NDArray[np.int64]) -> Iterator[SkyEvent]:
    after = places_at(brackets.after_us).speed_deg_per_day
    here = places_at(zeros_us).longitude_deg
    for n, b in enumerate(brackets.b):
        direction = "retrograde" if after[b, n] < 0.0 else "direct"
        yield _event(zeros_us[n], "station", (BODIES[b].name,), direction, here[b, n])


def _aspect_events(brackets: _Brackets, zeros_us: NDArray[np.int64]) -> Iterator[SkyEvent]:
    here = places_at(zeros_us).longitude_deg
    for n, (a, b, arc_deg) in enumerate(
        zip(brackets.a, brackets.b, brackets.target_deg, strict=True)
    ):
        names = (BODIES[a].name, BODIES[b].name)
        if (a, b) == (SUN, MOON) and arc_deg in _LUNATIONS:
            yield _event(zeros_us[n], "lunation", names, _LUNATIONS[arc_deg], here[MOON, n])
        else:
            yield _event(zeros_us[n], "aspect", names, _KIND_OF_ARC[arc_deg], here[a, n])


def _ingress_events(brackets: _Brackets, zeros_us: NDArray[np.int64]) -> Iterator[SkyEvent]:
    speed = places_at(zeros_us).speed_deg_per_day
    for n, (b, start_deg) in enumerate(zip(brackets.b, brackets.target_deg, strict=True)):
        # A retrograde body enters the sign before this cusp.
        sign = SIGN_NAMES[int(start_deg // DEGREES_PER_SIGN) - (1 if speed[b, n] < 0.0 else 0)]
        yield _event(zeros_us[n], "ingress", (BODIES[b].name,), sign, start_deg)


def _event(
    utc_us: np.int64, kind: str, bodies: tuple[str, ...], name: str, longitude_deg: float
) -> SkyEvent:
    # Rounded down, so that no event leaves the quarter of a day that it was found in.
    whole_second = int(utc_us) // MICROSECONDS_PER_SECOND * MICROSECONDS_PER_SECOND
    longitude = round(float(longitude_deg), 6) % 360.0
    return SkyEvent(Moment(whole_second), kind, bodies, name, longitude)


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()
