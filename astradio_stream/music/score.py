"""A score: the notes of an endless piece, asked for by span.

What every audio model's composer offers to the layers above, as protocols: they know neither
which model plays nor how it composes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from astradio_stream.music.melody import Grid
    from astradio_stream.music.midi import TempoMark
    from astradio_stream.music.note import Note

PULSE_FIELDS: Final = ("beat", "bar", "tension", "brightness", "hue")
"""What a score says of each moment for the picture: phases of beat and bar, friction, brightness,
and the key's place on the circle of fifths; all 0-1."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that becomes audible at an index and deserves a sentence."""

    index: int
    """Sample index at which it is heard."""
    kind: str
    """`section`, `key`, `note`, … (see PROTOCOL.md)."""
    text: str
    """A plain sentence."""
    bodies: tuple[str, ...]
    """Names of the bodies it speaks of."""
    more: tuple[tuple[str, int | float], ...] = ()
    """Further fields of its kind, by their names in JSON."""


class Score(Protocol):
    """A composed programme."""

    def notes(self, start: int, stop: int) -> tuple[Note, ...]:
        """Return the notes that can sound in [start, stop), ordered by onset."""
        ...

    def look_ahead(self, start: int) -> None:
        """Work out something that later seconds will need, while the one from `start` on is made.

        Whoever listens on hears no difference; he only waits for no second longer than for others.
        """
        ...

    def pulses(self, indices: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return `PULSE_FIELDS` at rising sample indices, shape (5, n_indices)."""
        ...

    def events(self, start: int, stop: int) -> tuple[Event, ...]:
        """Return what happens in [start, stop), ordered by index."""
        ...

    def tempo_map(self, start: int, stop: int) -> tuple[TempoMark, ...]:
        """Return tempo, metre and key from the bar line at or before `start` on, until `stop`."""
        ...

    def grid(self, start: int, stop: int) -> Grid:
        """Return bars and phrases: the whole phrases that touch [start, stop)."""
        ...

    def palette_json(self, index: int) -> dict[str, object]:
        """Return the palette at an index as the JSON of `ready` and of compose."""
        ...
