"""Grooves: what the drums of a genre play, piece by piece, and how much drive each piece needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from astradio_stream.music.chance import Draws

Hits = tuple[tuple[float, float], ...]
"""(beat, velocity) of each stroke in a bar of four."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of the kit in a groove."""

    pitch: int
    """Number of the piece in the instrument `drums`."""
    drive: float
    """Drive (drums x fullness, 0-1) from which it plays."""
    odds: float
    """Chance of each stroke (0-1)."""
    hits: Hits


def _every(step: float, first: float, velocity: float, accent: float) -> Hits:
    """Return strokes `step` beats apart from `first` on; those on a beat are accented."""
    count = int((4.0 - first) / step + 0.999)
    beats = [first + step * n for n in range(count)]
    return tuple((beat, accent if beat % 1.0 == 0.0 else velocity) for beat in beats)


# fmt: off
GROOVES: Final[dict[str, tuple[Piece, ...]]] = {
    "heartbeat": (
        Piece(35, 0.30, 1.00, ((0, .50), (.5, .34))),
        Piece(69, 0.55, 0.70, _every(1.0, 0.5, .22, .22)),
    ),
    "swing": (
        Piece(51, 0.08, 1.00, ((0, .50), (1, .62), (1.5, .40), (2, .50), (3, .62), (3.5, .40))),
        Piece(44, 0.15, 1.00, ((1, .46), (3, .46))),
        Piece(40, 0.22, 0.90, ((1, .34), (3, .38), (2.5, .20))),
        Piece(35, 0.35, 0.75, ((0, .34), (2.5, .26))),
        Piece(38, 0.50, 0.25, ((1.5, .30), (2.5, .34), (3.5, .30))),
    ),
    "four": (
        Piece(36, 0.12, 1.00, ((0, .80), (1, .76), (2, .80), (3, .76))),
        Piece(46, 0.24, 1.00, ((.5, .42), (1.5, .42), (2.5, .42), (3.5, .44))),
        Piece(39, 0.30, 1.00, ((1, .56), (3, .58))),
        Piece(42, 0.40, 0.92, _every(0.25, 0.0, .22, .30)),
        Piece(70, 0.55, 0.85, _every(0.5, 0.25, .24, .24)),
        Piece(37, 0.60, 0.35, ((1.75, .34), (2.75, .30), (3.75, .34))),
    ),
    "boombap": (
        Piece(36, 0.08, 1.00, ((0, .74), (2.5, .62))),
        Piece(38, 0.16, 1.00, ((1, .62), (3, .66))),
        Piece(42, 0.20, 0.94, _every(0.5, 0.0, .28, .36)),
        Piece(36, 0.40, 0.40, ((1.75, .46), (3.75, .40))),
        Piece(54, 0.45, 0.60, ((.5, .20), (2.5, .20))),
        Piece(37, 0.55, 0.25, ((1.75, .26), (3.5, .30))),
    ),
    "house": (
        Piece(36, 0.06, 1.00, ((0, .84), (1, .80), (2, .84), (3, .80))),
        Piece(46, 0.16, 1.00, ((.5, .46), (1.5, .46), (2.5, .46), (3.5, .48))),
        Piece(39, 0.22, 1.00, ((1, .58), (3, .60))),
        Piece(70, 0.30, 0.95, _every(0.5, 0.25, .28, .28)),
        Piece(42, 0.48, 0.90, _every(0.5, 0.0, .22, .30)),
        Piece(45, 0.62, 0.22, ((2.75, .40), (3.25, .40), (3.75, .46))),
    ),
}
# fmt: on
_FILLS: Final[dict[str, Hits]] = {
    "heartbeat": (),
    "swing": ((2.0, 0.36), (2.5, 0.42), (3.0, 0.46), (3.5, 0.5)),
    "four": ((3.0, 0.5), (3.25, 0.46), (3.5, 0.54), (3.75, 0.6)),
    "boombap": ((3.25, 0.42), (3.5, 0.5), (3.75, 0.46)),
    "house": ((3.0, 0.46), (3.5, 0.5), (3.75, 0.58)),
}
"""Strokes of snare or toms that lead into the next section."""


CARDINAL, FIXED, MUTABLE = range(3)
"""Ways of a groove, by the rising sign (number % 3): it pushes, it stands, it varies."""
_SELDOM: Final = 0.5
"""Pieces of lower odds are what a drummer adds now and then."""


def _odds_of(piece: Piece, syncopation: float, way: int) -> float:
    """Return the chance of each stroke of a piece."""
    if piece.odds >= 1.0:
        return 1.0
    if piece.odds < _SELDOM:
        habit = (1.0, 0.5, 1.6)[way]
        return piece.odds * habit * (0.4 + 1.2 * syncopation)
    return 1.0 if way == FIXED else piece.odds


def strokes_of(
    groove: str,
    drive: float,
    syncopation: float,
    way: int,
    *,
    fills: bool,
    turns: bool,
    opens: bool,
    chance: Draws,
) -> Iterator[tuple[float, int, float]]:
    """Yield (beat, piece, velocity) of a bar.

    Args:
        groove: A key of `GROOVES`, or empty for none.
        drive: How much the drums have to say (0-1); 0 silences them.
        syncopation: How much falls beside the beat (0-1).
        way: `CARDINAL`, `FIXED` or `MUTABLE`.
        fills: Whether the bar ends a section.
        turns: Whether it ends the first phrase of one.
        opens: Whether it begins one.
        chance: At least 60 numbers.
    """
    if not groove or drive <= 0.0:
        return
    for piece in GROOVES[groove]:
        odds = _odds_of(piece, syncopation, way)
        for beat, velocity in piece.hits:
            plays = piece.odds >= 1.0 or chance.unit() <= odds
            if drive < piece.drive or not plays:
                continue
            if fills and beat >= 3.0 and piece.pitch in (42, 46, 70):
                continue
            push = 1.12 if way == CARDINAL and beat == 0.0 else 1.0
            yield beat, piece.pitch, min(1.0, velocity * push * (0.78 + 0.3 * drive))
    toms = (48, 45, 41) if drive > 0.5 else (38,)
    if fills and drive > 0.25:
        for place, (beat, velocity) in enumerate(_FILLS[groove]):
            yield beat, toms[place * len(toms) // max(1, len(_FILLS[groove]))], velocity
    if turns and drive > 0.25 and _FILLS[groove]:
        yield 3.5, toms[0], 0.34
    if opens and drive > 0.35 and groove != "heartbeat":
        yield 0.0, 49, 0.42
