"""The modes of a programme, and which of them each audio model plays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Mode:
    """One row of the table of modes."""

    name: str
    """As in `programme.mode`."""
    n_charts: int
    """How many births it plays."""
    has_moving_sky: bool
    """Whether a sky moves in it; `at`, `rate` and `place` say which, and are else left out."""
    plays: str
    """What it plays, for people."""


MODES: Final = {
    mode.name: mode
    for mode in (
        Mode("transit", 0, True, "the sky"),
        Mode("natal", 1, False, "one birth"),
        Mode("overlay", 1, True, "one birth under the sky"),
        Mode("compatibility", 2, False, "two births"),
        Mode("sandbox", 0, False, "what the controls say"),
    )
}
"""Modes of the protocol."""
MODE_NAMES: Final = {name: name for name in MODES} | {"sky": "transit"}
"""The name of a mode by each name that clients may use: `sky` is `transit`."""


@dataclass(frozen=True, slots=True)
class Accepts:
    """What an audio model can play. Every model plays the stations."""

    modes: tuple[str, ...]
    """Names of its modes."""
    has_controls: bool
    """Whether it follows controls and their changes."""


MODEL_ACCEPTS: Final = {
    "v1.0": Accepts(("transit",), has_controls=False),
    "v1.1": Accepts(tuple(MODES), has_controls=True),
}
"""By audio version; each in `versions.VERSIONS["audio"]` has a row."""
