"""Where a change of controls takes effect, and what it replaces of what was sent already.

::

    heard          sent                     the listener has these quanta
    ──┴───┬────┬────┬────┬────┬────┬
          |    |    |  ^ the change         `now`, or the next beat or bar from what was heard
          |    └────┴────┴──── ...          sent again, out of the changed programme
          └ the quantum before stays: nothing in it has changed

There is no crossfade, and none is needed. Up to the index of a change the changed programme sounds
as the one before it; at the index its notes let go and others begin, as at any bar line. Packets
of a segment depend only on what was heard before them, so those before the splice are the same
bytes, and a decoder that goes on with the new ones hears what it would have heard all along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from astradio_stream.errors import Detail, ValidationFailed
from astradio_stream.music.controls import Controls, read_controls
from astradio_stream.units import LAST_INDEX, floor_to_quantum

if TYPE_CHECKING:
    from collections.abc import Iterator

    from astradio_stream.fields import Details
    from astradio_stream.music.score import Score
    from astradio_stream.stream.programme import Programme

FORE_SAMPLES: Final = 48
"""How far before its index a change may be heard. Instruments kept at half the rate are put between
the samples by a filter that looks 15 samples ahead; this is a millisecond."""


def first_replaced(effective: int) -> int:
    """Return the first sample of the quantum from which on a change replaces what was sent."""
    return floor_to_quantum(max(0, effective - FORE_SAMPLES))


def steered(
    programme: Programme, score: Score, raw: object, quantise: str, earliest: int
) -> tuple[Programme, int]:
    """Return the programme steered once more, and the index from which the new music sounds.

    A change that was announced and waits at the next bar line is joined: both come there together.

    Args:
        programme: What is played.
        score: It, as composed.
        raw: The `controls` of a `steer`, as parsed: only what changes.
        quantise: `now`, `beat` or `bar`.
        earliest: First sample of the first quantum that can still be replaced.

    Raises:
        ValidationFailed: Controls are wrong or none, or the programme cannot be steered, or not
            here: it was steered further on already, or so often that there is no room.
    """
    details: Details = []
    controls = read_controls(raw, "controls", details)
    if controls == Controls() and not details:
        details.append(Detail("controls", "controls must name at least one control to change"))
    if details:
        raise ValidationFailed(details)
    effective = _effective(score, quantise, earliest + FORE_SAMPLES)
    last = programme.change_indices[-1] if programme.changes else 0
    if effective < last and _effective(score, "bar", earliest + FORE_SAMPLES) == last:
        effective = last
    if effective < last and programme.station is None:
        sentence = f"the programme is steered at index {last} already: seek there to steer it on"
        raise ValidationFailed([Detail("controls", sentence)])
    return programme.with_change(effective, controls), effective


def _effective(score: Score, quantise: str, earliest: int) -> int:
    """Return the first index from `earliest` on at which such a change may come."""
    if quantise == "now" or earliest > LAST_INDEX:
        return earliest
    places = _bars(score, earliest) if quantise == "bar" else _beats(score, earliest)
    return next(index for index in places if index >= earliest)


def _bars(score: Score, index: int) -> Iterator[int]:
    """Yield the bar lines of the phrase that holds an index, and the one that ends it."""
    yield from score.grid(index, index + 1).bar_edges


def _beats(score: Score, index: int) -> Iterator[int]:
    """Yield the beats of the phrase that holds an index, and the first one after it."""
    grid = score.grid(index, index + 1)
    for place, n_beats in enumerate(grid.beats):
        start, length = grid.bar_edges[place], grid.bar_edges[place + 1] - grid.bar_edges[place]
        yield from (start + length * beat // n_beats for beat in range(n_beats))
    yield grid.bar_edges[-1]
