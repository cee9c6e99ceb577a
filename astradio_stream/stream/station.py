"""The stations: programmes that everybody shares, locked to the clock of the world.

A station's sample index *is* UTC: index 0 is 1970-01-01T00:00:00Z, and the sky at an index is the
sky of that instant. So any two servers play the same note at the same time without having met.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Station:
    """One row of the table of stations."""

    name: str
    """As in `programme.station`."""
    title: str
    """What the page calls it."""
    seed: int
    """Which of the endlessly many arrangements of the sky it plays."""


STATIONS: Final = {station.name: station for station in (Station("now", "The sky now", 0),)}
