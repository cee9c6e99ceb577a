"""The kernel DE421: where Sun, Moon, Earth and planets are in space.

The Jet Propulsion Laboratory's ephemeris as the package `skyfield-data` brings it. Its twelve
segments are packed once into a single table of Chebyshev coefficients, so that one pass of array
arithmetic gives all of them: for a single moment the number of numpy calls is the whole cost.

Source: Folkner, Williams and Boggs, The Planetary and Lunar Ephemeris DE 421, IPN Progress Report
42-178 (2009). The kernel is in the public domain.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Final

import numpy as np
from jplephem.spk import SPK

from astradio_stream.sky.timescale import SECONDS_PER_DAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

# fmt: off
ROWS: Final = (
    # centre, target: NAIF numbers; the rows are addressed by the constants below
    (0, 10),   # Sun                      from the solar system's barycentre
    (3, 301),  # Moon                     from the barycentre of Earth and Moon
    (0, 1),    # Mercury
    (0, 2),    # Venus
    (0, 4),    # Mars, and so on: barycentres of the systems
    (0, 5),
    (0, 6),
    (0, 7),
    (0, 8),
    (0, 9),    # Pluto
    (0, 3),    # barycentre of Earth and Moon
    (3, 399),  # Earth                    from the barycentre of Earth and Moon
)
# fmt: on
SUN_ROW: Final = 0
MOON_ROW: Final = 1
EARTH_MOON_ROW: Final = 10
EARTH_ROW: Final = 11
N_TARGETS: Final = 10
"""The first rows are the ten planets of a chart in canonical order."""
_N_COEFFICIENTS: Final = 14


@dataclass(frozen=True, slots=True)
class Kernel:
    """The packed coefficients of all segments."""

    coefficients_km: NDArray[np.float64]
    """Chebyshev coefficients, lowest first, shape (n_records, 14, 3), zero-padded."""
    first_record: NDArray[np.intp]
    """Where each segment begins, shape (12, 1)."""
    last_record: NDArray[np.intp]
    """Where each segment ends (inclusive), shape (12, 1)."""
    start_days: NDArray[np.float64]
    """Begin of each segment (TDB, days since J2000), shape (12, 1)."""
    interval_days: NDArray[np.float64]
    """Length of one record of each segment (days), shape (12, 1)."""

    def records_at(
        self, tdb_days: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what to evaluate: coefficients (14, 3, 12, n_times) and arguments (12, n_times).

        Just outside the kernel the first and last record are continued: light that left Pluto
        hours before the first day is 0.014 of a record before it.
        """
        position = (tdb_days - self.start_days) / self.interval_days
        record = position.astype(np.intp) + self.first_record
        np.clip(record, self.first_record, self.last_record, out=record)
        argument = 2.0 * (position - (record - self.first_record)) - 1.0
        gathered = self.coefficients_km[record]
        return gathered.transpose(2, 3, 0, 1), argument

    def positions_km(self, tdb_days: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the position of each row from its centre (km), shape (3, 12, n_times).

        Args:
            tdb_days: TDB (days since J2000), shape (n_times,) or one time per row (12, n_times).
        """
        coefficients, s = self.records_at(tdb_days)
        # Clenshaw's recurrence, elementwise, so that any number of times gives the same bits.
        s2 = 2.0 * s
        b1 = coefficients[-1]
        b0 = coefficients[-2] + s2 * b1
        for coefficient in coefficients[-3:0:-1]:
            b1, b0 = b0, coefficient + s2 * b0 - b1
        position: NDArray[np.float64] = coefficients[0] + s * b0 - b1
        return position

    def states_km(
        self, tdb_days: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return positions (km) and velocities (km per day), each of shape (3, 12, n_times)."""
        coefficients, s = self.records_at(tdb_days)
        s2 = 2.0 * s
        b1 = coefficients[-1]
        b0 = coefficients[-2] + s2 * b1
        # d is the derivative of b by s, in the same recurrence.
        d1 = np.zeros_like(b1)
        d0 = 2.0 * b1
        for coefficient in coefficients[-3:0:-1]:
            b2, b1 = b1, b0
            b0 = coefficient + s2 * b1 - b2
            d1, d0 = d0, 2.0 * b1 + s2 * d0 - d1
        positions = coefficients[0] + s * b0 - b1
        rates = (b0 + s * d0 - d1) * (2.0 / self.interval_days)
        return positions, rates


@cache
def load_kernel() -> Kernel:
    """Read the kernel from the package `skyfield-data` (17 MB, about 50 ms, once per process).

    The package's own helper is not used: it warns when other files beside the kernel, which are
    not read here, are a year old.
    """
    resource = files("skyfield_data") / "data" / "de421.bsp"
    with as_file(resource) as path, SPK.open(str(path)) as spk:
        tables = [spk[pair].load_array() for pair in ROWS]
        starts = [spk[pair].start_second / SECONDS_PER_DAY for pair in ROWS]
        packed = [_pad(coefficients) for _, _, coefficients in tables]
        intervals = [interval for _, interval, _ in tables]
    lengths = np.array([len(table) for table in packed])
    first = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    coefficients = np.concatenate(packed)
    coefficients.flags.writeable = False
    return Kernel(
        coefficients_km=coefficients,
        first_record=first[:, None],
        last_record=(first + lengths - 1)[:, None],
        start_days=np.array(starts)[:, None],
        interval_days=np.array(intervals)[:, None],
    )


def _pad(coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return jplephem's (3, n_records, n) as (n_records, 14, 3), a copy filled with zeros."""
    _, n_records, n = coefficients.shape
    padded = np.zeros((n_records, _N_COEFFICIENTS, 3))
    padded[:, :n] = coefficients.transpose(1, 2, 0)
    return padded
