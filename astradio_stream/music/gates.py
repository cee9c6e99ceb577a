"""Quality gates: is this a melody? Four figures read off the notes themselves, never off chance.

Does every phrase rise and settle, does the line walk more than it jumps, does it tell something
twice, does its rhythm vary and yet hold together? docs/gates.md tells how the figures behave; the
thresholds are fixed for good.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import log2, sqrt
from typing import TYPE_CHECKING, Final

from astradio_stream.music.melody import melody_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from astradio_stream.music.melody import Grid, Melody
    from astradio_stream.music.note import Note


@dataclass(frozen=True, slots=True)
class Gate:
    """One question to a melody, and what to do about a no."""

    name: str
    calibrated: float
    """Score (0-1) that a melody must reach."""
    strict: float
    """Score (0-1) that a good one reaches."""
    hint: str
    """A sentence that a composer or a listener can act on."""


# fmt: off
GATES: Final = (
    #    name                calibrated strict
    Gate("melody_arc",             .40,   .45, "Let each phrase climb to one highest note after its"
         " middle, then descend to a longer last note."),
    Gate("melody_step_leap",       .21,  .235, "Let most notes move by step, and answer each leap"
         " of a fourth or more with a step back."),
    Gate("melody_narrative",       .35,   .40, "Bring the first motif back after something else,"
         " changed a little."),
    Gate("rhythm_diversity",      .295,  .305, "Mix at least three note lengths, some off the beat,"
         " and repeat the rhythm of whole bars."),
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Gates:
    """The four scores of a melody and what follows from them."""

    scores: Mapping[str, float]
    """Score (0-1) by gate, in the order of `GATES`."""

    @property
    def calibrated(self) -> dict[str, bool]:
        """Return which gates reach their calibrated threshold, and whether all do."""
        return _passed({gate.name: self.scores[gate.name] >= gate.calibrated for gate in GATES})

    @property
    def strict(self) -> dict[str, bool]:
        """Return which gates reach their strict threshold, and whether all do."""
        return _passed({gate.name: self.scores[gate.name] >= gate.strict for gate in GATES})

    @property
    def hints(self) -> tuple[str, ...]:
        """Return a sentence for each gate that fails the calibrated threshold."""
        return tuple(gate.hint for gate in GATES if self.scores[gate.name] < gate.calibrated)

    def to_json(self) -> dict[str, object]:
        """Return `gates` of the HTTP contract."""
        return {
            "scores": dict(self.scores),
            "calibrated": self.calibrated,
            "strict": self.strict,
            "hints": list(self.hints),
        }


def _passed(by_gate: dict[str, bool]) -> dict[str, bool]:
    return {**by_gate, "overall": all(by_gate.values())}


def gates_of(notes: Iterable[Note], voices: Collection[int], grid: Grid) -> Gates:
    """Return the gates of the melody that `voices` play in `notes`, on a grid."""
    return melody_gates(melody_of(notes, voices, grid))


def melody_gates(melody: Melody) -> Gates:
    """Return the gates of a melody; scores are rounded to 1e-6."""
    scores = (
        melody_arc(melody),
        melody_step_leap(melody),
        melody_narrative(melody),
        rhythm_diversity(melody),
    )
    return Gates({gate.name: round(score, 6) for gate, score in zip(GATES, scores, strict=True)})


# Arc

_EARLIEST, _LATEST = 0.15, 0.9


def melody_arc(melody: Melody) -> float:
    """Return whether each phrase rises to one clear high point and settles (0-1).

    Of a phrase: ``clear * placed * (climb + fall + rest) / 3``, where

    - clear = 1 / number of separate moments at the highest pitch
    - placed = 1 while the first of them lies in 15 to 90 % of the phrase's time, 0 at its ends
    - climb, fall = net interval / all motion, from the first note to the high point, and from there
      to the last; 1 where the line goes straight
    - rest = 1 if the last note lasts as long as any other, less in proportion

    The score is the mean over phrases, weighted by notes. 1: straight up, straight down, a long
    last note. 0: flat, or highest at its very ends, or fewer than three notes everywhere.
    """
    total = weight = 0.0
    for start, stop in pairwise(melody.phrase_edges):
        first, last = bisect_left(melody.ticks, start), bisect_left(melody.ticks, stop)
        n_notes = last - first
        total += n_notes * _arc_of(melody, first, last, start, stop)
        weight += n_notes
    return total / weight if weight else 0.0


def _arc_of(melody: Melody, first: int, last: int, start: int, stop: int) -> float:
    if last - first < 3:
        return 0.0
    pitches = melody.pitches[first:last]
    top = max(pitches)
    peak = pitches.index(top)
    n_tops = sum(b == top != a for a, b in pairwise((None, *pitches)))
    time = (melody.ticks[first + peak] - start) / (stop - start)
    placed = min(1.0, time / _EARLIEST, (1.0 - time) / (1.0 - _LATEST))
    climb = _directness(pitches[: peak + 1])
    fall = _directness(pitches[peak:])
    lengths = melody.lengths[first:last]
    rest = lengths[-1] / max(lengths)
    return placed / n_tops * (climb + fall + rest) / 3.0


def _directness(pitches: Sequence[int]) -> float:
    motion = sum(abs(b - a) for a, b in pairwise(pitches))
    return abs(pitches[-1] - pitches[0]) / motion if motion else 0.0


# Steps and leaps

_LARGEST_STEP: Final = 2
_SMALLEST_LEAP: Final = 5
_STEPS_WANTED: Final = 0.6
_STEPS_ENOUGH: Final = 0.85
_MOTION_WANTED: Final = 0.4


def melody_step_leap(melody: Melody) -> float:
    """Return whether the line walks, leaps at times, and turns back after leaps (0-1).

    ``balance * (0.4 + 0.6 * answered) * moving``, over the intervals inside phrases, where

    - balance = (share / 0.6)^2 for a share of steps (1-2 semitones) among moving intervals below
      0.6; 1 up to 0.85; falling from there to 0.6 for nothing but steps
    - answered = share of leaps (5 semitones or more) that a step the other way follows, among those
      that anything follows; 1 if there are none
    - moving = share of intervals that move at all / 0.4, at most 1

    1: three to five notes in six go by step, and every leap turns back. 0: nothing moves, or
    nothing steps.

    **Source:** D. Huron, Sweet Anticipation (2006), ch. 5: small intervals, reversal after leaps.
    """
    n_intervals = n_moving = n_steps = n_leaps = n_answered = 0
    for pitches in _lines(melody):
        intervals = [b - a for a, b in pairwise(pitches)]
        n_intervals += len(intervals)
        n_moving += sum(interval != 0 for interval in intervals)
        n_steps += sum(0 < abs(interval) <= _LARGEST_STEP for interval in intervals)
        for leap, after in pairwise(interval for interval in intervals if interval):
            if abs(leap) >= _SMALLEST_LEAP:
                n_leaps += 1
                n_answered += abs(after) <= _LARGEST_STEP and (leap > 0) != (after > 0)
    if not n_steps:
        return 0.0
    share = n_steps / n_moving
    if share < _STEPS_WANTED:
        balance = (share / _STEPS_WANTED) ** 2
    else:
        balance = 1.0 - 0.4 * max(0.0, share - _STEPS_ENOUGH) / (1.0 - _STEPS_ENOUGH)
    answered = n_answered / n_leaps if n_leaps else 1.0
    moving = min(1.0, n_moving / n_intervals / _MOTION_WANTED)
    return balance * (0.4 + 0.6 * answered) * moving


def _lines(melody: Melody) -> list[tuple[int, ...]]:
    """Return the pitches phrase by phrase; what stands before and after the phrases too."""
    cuts = [0, *(bisect_left(melody.ticks, edge) for edge in melody.phrase_edges)]
    return [melody.pitches[a:b] for a, b in pairwise([*cuts, len(melody.pitches)])]


# Narrative

_Figure = tuple[int, dict[int, int]]
"""What a few bars say: their onsets as bits of a whole number, and the pitch at each onset."""

_FEWEST_NOTES: Final = 3
_FEWEST_FIGURES: Final = 4
_SAME_RHYTHM: Final = 0.5
_CONTRAST_WANTED: Final = 0.5
_VARIED_WANTED: Final = 0.3
_RECURRENCE_WANTED: Final = 0.5


def melody_narrative(melody: Melody) -> float:
    """Return whether motifs are stated, left, and brought back with variation (0-1).

    A figure is what two neighbouring bars say (four, where there are fewer than two notes a bar);
    one begins on every bar. Two figures are alike by ``common onsets / all onsets`` (0 below a
    half) times the cube of the share of intervals between their common onsets that agree: same
    direction and within a semitone, as in a transposition along the scale, straight or inverted.
    Then ``contrast * (1/2 recurrence + 1/4 return + 1/4 variation)``:

    - recurrence = mean, over all figures after the first, of the likeness to the most alike of
      those that ended before
    - return = greatest likeness of a figure of the last third to one of the first third
    - variation = share of them that copy no earlier one note for note / 0.3, at most 1, times
      recurrence / 0.5, at most 1: only what recurs can be varied
    - contrast = (1 - mean likeness of all pairs) / 0.5, at most 1

    1: everything grows out of the first figures, changed, and they return at the end. 0: nothing
    recurs, or nothing else happens, or there is too little to tell (under five figures).
    """
    n_bars = len(melody.bar_edges) - 1
    width = 2 if len(melody.ticks) >= 2 * n_bars else 4
    figures = _figures(melody, width)
    if len(figures) <= _FEWEST_FIGURES:
        return 0.0
    first_third, last_third = n_bars / 3.0, 2.0 * n_bars / 3.0
    nearest: list[float] = []
    n_copies = n_pairs = 0
    total = returned = 0.0
    for bar, figure in figures:
        best = 0.0
        is_copy = False
        for earlier_bar, earlier in figures:
            if earlier_bar + width > bar:
                break
            alike = _likeness(figure, earlier)
            is_copy = is_copy or (alike == 1.0 and figure == earlier)
            n_pairs += 1
            total += alike
            best = max(best, alike)
            if earlier_bar < first_third and bar + width > last_third:
                returned = max(returned, alike)
        if bar >= figures[0][0] + width:
            nearest.append(best)
            n_copies += is_copy
    if not nearest:
        return 0.0
    recurrence = sum(nearest) / len(nearest)
    varied = min(1.0, (1.0 - n_copies / len(nearest)) / _VARIED_WANTED)
    variation = varied * min(1.0, recurrence / _RECURRENCE_WANTED)
    contrast = min(1.0, (1.0 - total / n_pairs) / _CONTRAST_WANTED)
    return contrast * (recurrence / 2.0 + returned / 4.0 + variation / 4.0)


def _figures(melody: Melody, width: int) -> list[tuple[int, _Figure]]:
    """Return (number of its first bar, figure) for each `width` bars that hold enough notes."""
    found = []
    for bar, (start, stop) in enumerate(
        zip(melody.bar_edges, melody.bar_edges[width:], strict=False)
    ):
        first, last = bisect_left(melody.ticks, start), bisect_left(melody.ticks, stop)
        if last - first < _FEWEST_NOTES:
            continue
        pitch_at = {melody.ticks[n] - start: melody.pitches[n] for n in range(first, last)}
        found.append((bar, (sum(1 << tick for tick in pitch_at), pitch_at)))
    return found


def _likeness(a: _Figure, b: _Figure) -> float:
    onsets_a, pitch_a = a
    onsets_b, pitch_b = b
    n_common = (onsets_a & onsets_b).bit_count()
    rhythm = n_common / (onsets_a | onsets_b).bit_count()
    if n_common < _FEWEST_NOTES or rhythm < _SAME_RHYTHM:
        return 0.0
    if a == b:
        return 1.0
    straight = inverted = 0
    last_a = last_b = -1
    for tick, here_a in pitch_a.items():
        here_b = pitch_b.get(tick)
        if here_b is None:
            continue
        if last_a >= 0:
            up_a, up_b = here_a - last_a, here_b - last_b
            straight += -1 <= up_a - up_b <= 1 and (up_a > 0) == (up_b > 0)
            inverted += -1 <= up_a + up_b <= 1 and (up_a > 0) == (up_b < 0)
        last_a, last_b = here_a, here_b
    contour = max(straight, inverted) / (n_common - 1)
    return rhythm * contour * contour * contour


# Rhythm

_LENGTHS_BITS: Final = 2.0
_PLACES_BITS: Final = 3.0


def rhythm_diversity(melody: Melody) -> float:
    """Return whether note lengths and places in the bar vary while bars share rhythms (0-1).

    ``sqrt(lengths * places) * (0.25 + 0.75 * shared)``, where

    - lengths = entropy of the times from onset to onset (at most a bar) / 2 bits, at most 1: four
      lengths in balance are enough
    - places = entropy of the places in the bar where notes begin / 3 bits, at most 1: eight
    - shared = share of the bars that sound whose rhythm another bar has too

    1: several lengths and places, and every bar's rhythm returns. 0: all notes alike, or all on one
    place of the bar, or fewer than three notes.
    """
    return _diversity_of(melody.ticks, melody.bar_edges)


@lru_cache(maxsize=64)
def _diversity_of(ticks: tuple[int, ...], bar_edges: tuple[int, ...]) -> float:
    """Return `rhythm_diversity`, remembered: candidates for a theme mostly share their rhythm."""
    if len(ticks) < 3:
        return 0.0
    bar = max(b - a for a, b in pairwise(bar_edges))
    gaps = [min(b - a, bar) for a, b in pairwise(ticks)]
    places: list[int] = []
    rhythms: dict[tuple[int, ...], int] = {}
    for start, stop in pairwise(bar_edges):
        first, last = bisect_left(ticks, start), bisect_left(ticks, stop)
        here = tuple(tick - start for tick in ticks[first:last])
        places.extend(here)
        if here:
            rhythms[here] = rhythms.get(here, 0) + 1
    n_bars = sum(rhythms.values())
    if not n_bars:
        return 0.0
    shared = sum(count for count in rhythms.values() if count > 1) / n_bars
    lengths = min(1.0, _entropy_bits(gaps) / _LENGTHS_BITS)
    onsets = min(1.0, _entropy_bits(places) / _PLACES_BITS)
    return sqrt(lengths * onsets) * (0.25 + 0.75 * shared)


def _entropy_bits(values: Sequence[int]) -> float:
    counts: dict[int, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    n = len(values)
    return -sum(count / n * log2(count / n) for count in counts.values())
