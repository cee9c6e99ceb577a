"""The parameters of a viz frame, in the order in which they travel: one u8 each.

A value is `minimum + (maximum - minimum) * u8 / 255`. New fields are added at the end only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from astradio_stream.sky.bodies import PLANET_NAMES


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter of the picture."""

    name: str
    """As in `ready.viz.fields`."""
    minimum: float
    """What u8 = 0 means."""
    maximum: float
    """What u8 = 255 means."""


N_BANDS: Final = 8
BODY_FIELDS: Final = PLANET_NAMES

FIELDS: Final = tuple(
    Field(name, 0.0, 1.0)
    for name in (
        "level",
        "beat",
        "bar",
        "tension",
        "brightness",
        "hue",
        *(f"band{band}" for band in range(N_BANDS)),
        *BODY_FIELDS,
    )
)
"""All fields of viz version v1.0."""

N_FIELDS: Final = len(FIELDS)


def fields_json() -> list[dict[str, object]]:
    """Return the fields as `ready.viz.fields`."""
    return [{"name": field.name, "min": field.minimum, "max": field.maximum} for field in FIELDS]
