"""What becomes exact in the sky, as bells: a figure for each kind, in the key of the moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from astradio_stream.music.note import Note, placed
from astradio_stream.music.theory import nearest_octave, pitch_of
from astradio_stream.music.v1_1.reading import BODY_NAMES
from astradio_stream.units import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Iterator

    from astradio_stream.music.v1_1.form import Movement

_APART: Final = SAMPLE_RATE_HZ // 5
_LASTS: Final = 3 * SAMPLE_RATE_HZ
_GAIN: Final = 0.55

_HARD: Final = ("square", "opposition", "quincunx", "semisquare", "sesquisquare")
_SIGN_RULERS: Final = (4, 3, 2, 1, 0, 2, 3, 9, 5, 6, 7, 8)
"""Bodies that rule the signs from Aries to Pisces (modern rulers): they ring as a sign rises."""
_GESTURES: Final = ((0, 2, 4, 7), (0, 4, 0), (7, 8, 9, 7), (4, 2, 1, 0))
"""By the element of a rising sign: fire leaps up, earth stands, air flutters, water falls."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that becomes exact in the sky while the music plays."""

    index: int
    """Sample index."""
    kind: str
    """aspect, ingress, lunation, station or rising."""
    text: str
    bodies: tuple[str, ...]
    name: str = ""
    """The kind of aspect, the way of a station; of a rising sign its number."""


def figure_of(happening: Happening) -> tuple[int, ...]:
    """Return the scale steps above the tonic that tell of a happening.

    A soft aspect opens a triad, a hard one rubs a seventh against the tonic; an ingress climbs, a
    lunation climbs wide; a station turns where the body turns; a rising sign by its element.
    """
    if happening.kind == "aspect":
        return (6, 7, 4) if happening.name in _HARD else (0, 2, 4)
    if happening.kind == "station":
        return (4, 2, 0) if happening.name == "retrograde" else (0, 2, 4)
    if happening.kind == "rising":
        return _GESTURES[int(happening.name) % 4]
    return {"ingress": (0, 2, 4), "lunation": (0, 4, 7, 9)}.get(happening.kind, (0,))


def ringers_of(happening: Happening) -> tuple[int, ...]:
    """Return the bodies that ring: those it speaks of, of a rising sign its ruler."""
    if happening.kind == "rising":
        return (_SIGN_RULERS[int(happening.name) % 12],)
    return tuple(BODY_NAMES.index(name) for name in happening.bodies if name in BODY_NAMES) or (0,)


def bells_of(happening: Happening, movement: Movement, gain: float) -> Iterator[Note]:
    """Yield the notes of a happening; two bodies take turns, each from its own place."""
    tonic = nearest_octave(movement.tonic, 74)
    ringers = ringers_of(happening)
    for place, step in enumerate(figure_of(happening)):
        body = ringers[place % len(ringers)]
        yield placed(
            onset=happening.index + place * _APART,
            duration=_LASTS,
            voice=body,
            instrument="bell",
            pitch=pitch_of(tonic, movement.palette.mode, step),
            velocity=0.6,
            gain=_GAIN * gain,
            pan=0.5 * movement.reading.bodies[body].azimuth,
        )
