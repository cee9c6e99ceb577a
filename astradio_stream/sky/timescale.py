"""From civil time to the time that moves the planets.

Civil time is UT1 here (see `sky.moment`). Terrestrial Time TT = UT1 + delta T drives the Earth's
precession and nutation; TDB, within 2 ms of TT, is the argument of the ephemeris. Every time is
counted in days since J2000.0 of its own scale: as a float64 that is good to 0.6 microseconds over
the whole span, far below what a sky position can show.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from skyfield.api import load
from skyfield.timelib import tdb_minus_tt

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

J2000_JD: Final = 2_451_545.0
DAYS_PER_CENTURY: Final = 36_525.0
SECONDS_PER_DAY: Final = 86_400.0


@cache
def _delta_t_function() -> Callable[[Any], Any]:
    # The table inside Skyfield (IERS since 1973, Stephenson, Morrison, Hohenkerk and Zawilski
    # before and after): a file could expire, and a download could differ between machines.
    timescale = load.timescale(builtin=True)
    return timescale.delta_t_function  # type: ignore[no-any-return]


def delta_t_s(ut1_days: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return TT - UT1 (seconds) at times of UT1 (days since J2000), any one-dimensional shape.

    The table is a function of TT; asking it at UT1, 29 to 70 s earlier, changes the answer by less
    than 3 microseconds.
    """
    return np.asarray(_delta_t_function()(ut1_days + J2000_JD), dtype=np.float64)


def ut1_to_tt(ut1_days: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return TT (days since J2000) at times of UT1 (days since J2000)."""
    return ut1_days + delta_t_s(ut1_days) / SECONDS_PER_DAY


def tt_to_tdb(tt_days: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return TDB (days since J2000) at times of TT (days since J2000)."""
    tdb: NDArray[np.float64] = tt_days + tdb_minus_tt(J2000_JD, tt_days) / SECONDS_PER_DAY
    return tdb
