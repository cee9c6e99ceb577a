"""The stations: programmes that everybody shares, locked to the clock of the world.

A station's sample index *is* UTC: index 0 is 1970-01-01T00:00:00Z, and the sky at an index is the
sky of that instant. So any two servers play the same note at the same time without having met.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from astradio_stream.music.controls import Controls
from astradio_stream.stream.modes import MODEL_ACCEPTS
from astradio_stream.units import SAMPLE_RATE_HZ, floor_to_quantum

LIVE_LEAD_SAMPLES: Final = 2 * SAMPLE_RATE_HZ
"""How far behind now a listener joins: the burst that fills the default buffer ends at now, in what
others have had made already."""


@dataclass(frozen=True, slots=True)
class Station:
    """One row of the table of stations."""

    name: str
    """As in `programme.station`."""
    title: str
    """What the page calls it."""
    seed: int
    """Which of the endlessly many arrangements of the sky it plays."""
    controls: Controls
    """What it wishes beyond the sky."""


_NO_WISHES: Final = Controls()

# fmt: off
_TABLE: Final = (
    #        name              title                 seed  controls
    Station("now",            "The sky now",            0, _NO_WISHES),
    Station("now-ambient",    "Ambient sky now",        0, Controls(genre="ambient")),
    Station("now-classical",  "Classical sky now",      0, Controls(genre="classical")),
    Station("now-jazz",       "Jazz sky now",           0, Controls(genre="jazz")),
    Station("now-electronic", "Electronic sky now",     0, Controls(genre="electronic")),
    Station("now-lofi",       "Lo-fi sky now",          0, Controls(genre="lofi")),
    Station("now-house",      "House sky now",          0, Controls(genre="house")),
)
# fmt: on
STATIONS: Final = {station.name: station for station in _TABLE}


def stations_of(audio_version: str) -> tuple[str, ...]:
    """Return the names of the stations that an audio model plays as they are meant.

    One that cannot follow controls would play every genre alike, so it has those without only.
    """
    has_controls = MODEL_ACCEPTS[audio_version].has_controls
    return tuple(
        station.name
        for station in STATIONS.values()
        if has_controls or station.controls == _NO_WISHES
    )


def joined_at(live_index: int) -> int:
    """Return where a listener who names no index joins a station that is now at `live_index`."""
    return floor_to_quantum(max(0, live_index - LIVE_LEAD_SAMPLES))
