"""People who never lived: synthetic births for demonstrations and measurements.

A profile is a function of (seed, number): the same hundred profiles stand at the head of any
hundred thousand. Days follow the ages of the users of such a service, hours the hours of births,
places the population of the towns of the gazetteer. Names say what they are: "Demo Amber Heron
000042". Whoever wants columns for a million charts takes `births_of`; whoever wants rows for a
store takes `profile_of`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.sky.civil import zone_of
from astradio_stream.sky.moment import MICROSECONDS_PER_DAY, us_to_iso
from astradio_stream.units import UNIX_EPOCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from astradio_stream.sky.gazetteer import Town


_MICROSECOND: Final = timedelta(microseconds=1)
_BLOCK: Final = 4_096
"""Profiles per key of the generator."""
_DRAWS: Final = 6
"""Numbers per profile: day, hour, minute, town, whether the time is known, name."""
_UNIT: Final = 2.0**-53
_MINUTE_US: Final = 60_000_000

FIRST_DAY: Final = -10_957
"""1940-01-01, in days since 1970."""
DECADE_DAYS: Final = 3_652
# Parts of the births in the decades from 1940 on; the last ends with 2007: all are grown up.
DECADE_PARTS: Final = (1, 4, 8, 14, 22, 30, 21)
_LAST_DECADE_DAYS: Final = 2_922
# Parts of the births by the hour of local mean time. Births are most frequent in the eighth hour
# and at noon and rarest at night. Source of the shape: Mathews and Curtin, "When are babies born:
# morning, noon, or night?", NCHS data brief 200 (2015); the numbers are ours.
HOUR_PARTS: Final = (
    27, 26, 25, 25, 25, 27, 30, 46, 63, 48, 47, 48, 60, 53, 50, 50, 50, 50, 43, 37, 35, 34, 33, 30,
)  # fmt: skip
TIME_KNOWN_SHARE: Final = 0.85
"""The rest knows the day only."""

_ADJECTIVES: Final = (
    "Amber", "Azure", "Bronze", "Copper", "Coral", "Crimson", "Golden", "Indigo", "Ivory", "Jade",
    "Lilac", "Ochre", "Opal", "Pearl", "Russet", "Sable", "Scarlet", "Silver", "Umber", "Violet",
)  # fmt: skip
_ANIMALS: Final = (
    "Badger", "Bittern", "Crane", "Curlew", "Falcon", "Finch", "Hare", "Heron", "Ibis", "Lark",
    "Lynx", "Marten", "Otter", "Owl", "Plover", "Raven", "Robin", "Stoat", "Swift", "Wren",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Births:
    """n births as columns."""

    utc_us: NDArray[np.int64]
    """Moments (microseconds since 1970, whole minutes), shape (n_births,)."""
    town: NDArray[np.int64]
    """Rank of the town in the gazetteer, shape (n_births,)."""
    lat_deg: NDArray[np.float64]
    lon_deg: NDArray[np.float64]
    time_known: NDArray[np.bool_]
    name: NDArray[np.int64]
    """Which of the 400 names, shape (n_births,)."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One synthetic person, as a user would have typed it in."""

    name: str
    local: str
    """Date and time of the local clock, ISO 8601; the date alone if the time is unknown."""
    tz: str
    fold: int
    """1 if the clock showed this twice and the second is meant."""
    lat_deg: float
    lon_deg: float
    place: str


def births_of(seed: int, first: int, n_births: int, towns: Sequence[Town]) -> Births:
    """Return the births number `first` and following of a seed.

    Args:
        seed: 0 to 2**63 - 1.
        first: Number of the first birth, from 0.
        n_births: How many.
        towns: Of the gazetteer, in its order.
    """
    blocks = range(first // _BLOCK, (first + n_births - 1) // _BLOCK + 1) if n_births else range(0)
    units = np.concatenate(
        [np.empty((_DRAWS, 0)), *(_units_of(seed, block) for block in blocks)], axis=1
    )
    skipped = first % _BLOCK
    day, hour, minute, town, known, name = units[:, skipped : skipped + n_births]

    population = np.array([each.population for each in towns], dtype=np.float64)
    rank = _drawn(population, town)[0]
    lat_deg = np.array([each.lat_deg for each in towns])[rank]
    lon_deg = np.array([each.lon_deg for each in towns])[rank]

    decade, within = _drawn(np.array(DECADE_PARTS, dtype=np.float64), day)
    length = np.where(decade == len(DECADE_PARTS) - 1, _LAST_DECADE_DAYS, DECADE_DAYS)
    days = FIRST_DAY + decade * DECADE_DAYS + (within * length).astype(np.int64)
    hours = _drawn(np.array(HOUR_PARTS, dtype=np.float64), hour)[0]
    minutes = hours * 60 + (minute * 60.0).astype(np.int64)
    # Local mean time: four minutes for each degree east.
    minutes -= np.rint(lon_deg * 4.0).astype(np.int64)
    return Births(
        utc_us=days * MICROSECONDS_PER_DAY + minutes * _MINUTE_US,
        town=rank,
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        time_known=known < TIME_KNOWN_SHARE,
        name=(name * (len(_ADJECTIVES) * len(_ANIMALS))).astype(np.int64),
    )


def profile_of(births: Births, number: int, first: int, towns: Sequence[Town]) -> Profile:
    """Return one of these births as its parents would have written it down.

    Args:
        births: As `births_of` returned them.
        number: Which of them, from 0.
        first: The `first` that they were asked for with: names count through.
        towns: The same towns.
    """
    town = towns[int(births.town[number])]
    zone = zone_of(town.tz)
    # Of an hour that comes twice, `fold` is 1 in the second.
    shown = zone.fromutc(
        UNIX_EPOCH.replace(tzinfo=zone) + timedelta(0, 0, int(births.utc_us[number]))
    )
    local, fold = us_to_iso((shown.replace(tzinfo=None) - UNIX_EPOCH) // _MICROSECOND), shown.fold
    adjective, animal = divmod(int(births.name[number]), len(_ANIMALS))
    return Profile(
        name=f"Demo {_ADJECTIVES[adjective]} {_ANIMALS[animal]} {first + number:06}",
        local=local if births.time_known[number] else local.partition("T")[0],
        tz=town.tz,
        fold=fold if births.time_known[number] else 0,
        lat_deg=town.lat_deg,
        lon_deg=town.lon_deg,
        place=f"{town.name}, {town.country}",
    )


def _units_of(seed: int, block: int) -> NDArray[np.float64]:
    """Return the numbers in [0, 1) of one block of profiles, shape (6, 4096)."""
    raw = np.random.Philox(key=[seed, block]).random_raw(_DRAWS * _BLOCK)
    units = (np.asarray(raw) >> np.uint64(11)).astype(np.float64) * _UNIT
    return units.reshape(_DRAWS, _BLOCK)


def _drawn(
    parts: NDArray[np.float64], unit: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return which part each number falls into, and where within it (0 to 1)."""
    edges = np.cumsum(parts)
    at = unit * edges[-1]
    which = np.minimum(np.searchsorted(edges, at, side="right"), parts.size - 1)
    return which, (at - edges[which] + parts[which]) / parts[which]
