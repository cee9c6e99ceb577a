"""The twelve points of a chart that compatibility looks at, in whole tenths of a degree.

A point is one of the ten planets, the ascendant or the midheaven. Its longitude counts as the tenth
of a degree that it stands in, 0 to 3 599, rounded down so that it never leaves its sign. Everything
in this package is defined on these whole numbers: a score found by table look-up among millions is
then the score of the pair, not nearly so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.sky.bodies import BODIES, N_PLANETS, PLANET_NAMES, PLANET_WEIGHTS
from astradio_stream.sky.zodiac import DIGNITIES, ELEMENTS, MODALITIES, SIGNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from astradio_stream.sky.values import Chart

TENTHS: Final = 3_600
ABSENT: Final = TENTHS
"""Stands for a point that is not known: the angles of a chart without a time."""
TENTHS_PER_SIGN: Final = 300
TENTHS_PER_HOUSE: Final = 300

POINT_NAMES: Final = (*PLANET_NAMES, "ascendant", "midheaven")
N_POINTS: Final = len(POINT_NAMES)
PACKED_BYTES: Final = 2 * N_POINTS
POINT_INDEX: Final = {name: i for i, name in enumerate(POINT_NAMES)}
ASCENDANT: Final = POINT_INDEX["ascendant"]
MIDHEAVEN: Final = POINT_INDEX["midheaven"]

Tenths = tuple[int, ...]
"""Twelve whole numbers in the order of `POINT_NAMES`, each 0 to 3 599 or `ABSENT`."""

IS_LUMINARY: Final = (*(body.luminary for body in BODIES[:N_PLANETS]), False, False)
BODY_WEIGHTS: Final = (*PLANET_WEIGHTS, 0, 0)
"""Part of each point in the balances of elements and modalities: angles have none."""
DIGNITY_OF: Final = (*(DIGNITIES[name] for name in PLANET_NAMES), (None,) * 12, (None,) * 12)
"""``DIGNITY_OF[point][sign_index]``: angles have none."""
ELEMENT_OF: Final = tuple(ELEMENTS.index(sign.element) for sign in SIGNS)
MODALITY_OF: Final = tuple(MODALITIES.index(sign.modality) for sign in SIGNS)

_MICRODEGREES_PER_TENTH: Final = 100_000


def tenths_of_degrees(longitude_deg: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Return the tenth of a degree that each longitude stands in; NaN is `ABSENT`.

    Longitudes in charts are rounded to a millionth of a degree. Counting these millionths as whole
    numbers keeps 4.3 degrees from falling into tenth 42 by the last bit of a product.
    """
    absent = np.isnan(longitude_deg)
    micro = np.rint(np.where(absent, 0.0, longitude_deg) * 1e6).astype(np.int64)
    tenths = micro // _MICRODEGREES_PER_TENTH % TENTHS
    return np.where(absent, ABSENT, tenths).astype(np.uint16)


def tenths_of(chart: Chart) -> Tenths:
    """Return the points of a chart; without a time it has no ascendant and no midheaven."""
    angles = chart.angles
    degrees = [body.longitude_deg for body in chart.bodies[:N_PLANETS]]
    degrees += [angles.ascendant_deg, angles.midheaven_deg] if angles else [np.nan, np.nan]
    return tuple(tenths_of_degrees(np.array(degrees)).tolist())


def require_tenths(values: Sequence[int]) -> Tenths:
    """Return points as whole numbers in range.

    Raises:
        ValueError: if there are not twelve, or one is not 0 to 3 599 or `ABSENT`.
    """
    tenths = tuple(int(value) for value in values)
    if len(tenths) != N_POINTS or not all(0 <= value <= ABSENT for value in tenths):
        message = f"a chart has {N_POINTS} points from 0 to {ABSENT}, got {tenths}"
        raise ValueError(message)
    return tenths


def packed_points(tenths: NDArray[np.uint16]) -> list[bytes]:
    """Return charts as `PACKED_BYTES` each, for a place where they are kept.

    Args:
        tenths: Shape (12, n_charts).
    """
    whole = np.ascontiguousarray(tenths.T.astype("<u2")).tobytes()
    return [whole[i : i + PACKED_BYTES] for i in range(0, len(whole), PACKED_BYTES)]


def unpacked_points(packed: Sequence[bytes]) -> NDArray[np.uint16]:
    """Return what `packed_points` packed, shape (12, n_charts)."""
    columns = np.frombuffer(b"".join(packed), dtype="<u2").reshape(-1, N_POINTS).T
    return columns.astype(np.uint16)


def house_in(tenth: int, ascendant_tenth: int) -> int:
    """Return the house, 1 to 12, of a point in a chart with this ascendant.

    For overlays houses are equal, counted from the rising degree: the one division that needs
    nothing but the ascendant, and that exists at every latitude.
    """
    return (tenth - ascendant_tenth) % TENTHS // TENTHS_PER_HOUSE + 1
