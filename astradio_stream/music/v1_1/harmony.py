"""Chords: progressions by genre, and voicings that move as little as they can.

All chords belong to the scale of the movement, but for the raised leading tone of a minor cadence.
A voicing is chosen from the chords of its own phrase alone: the first lies nearest to the centre of
its register, each further one nearest to the one before, without parallel fifths or octaves between
the outer voices.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Final

from astradio_stream.music.theory import has_perfect_fifth, pitch_of

if TYPE_CHECKING:
    from collections.abc import Sequence

OPEN: Final = {
    "modal": ((0, 3), (0, 4), (0, 5), (0, 0), (0, 6), (0, 2)),
    "functional": (
        (0, 3, 0, 4),
        (0, 0, 3, 4),
        (0, 4, 0, 4),
        (0, 5, 0, 4),
        (0, 0, 1, 4),
        (0, 3, 4, 0),
    ),
    "jazz": ((0, 1, 4, 0), (0, 5, 1, 4), (0, 0, 1, 4), (0, 3, 0, 4), (0, 0, 3, 4)),
    "loop": ((0, 5, 3, 0), (0, 3, 0, 4), (0, 0, 5, 3), (0, 4, 0, 3), (0, 0, 3, 4)),
    "sevenths": ((0, 3, 0, 4), (0, 5, 1, 4), (0, 3, 4, 0), (0, 0, 3, 4), (0, 1, 4, 0)),
    "vamp": ((0, 3, 0, 4), (0, 0, 3, 0), (0, 0, 3, 4), (0, 4, 0, 3)),
}
"""Chords of an open phrase, by table: degrees of the mode, one a bar (or each two bars).

All begin at home and come back to it: a scale has seven tonics, only weight tells which is meant.
"""

CLOSED: Final = {
    "modal": ((3, 0), (4, 0), (0, 0)),
    "functional": ((0, 3, 4, 0), (0, 1, 4, 0), (0, 4, 4, 0), (3, 4, 0, 0)),
    "jazz": ((0, 1, 4, 0), (5, 1, 4, 0), (1, 4, 0, 0)),
    "loop": ((0, 3, 4, 0), (3, 4, 0, 0), (0, 5, 4, 0)),
    "sevenths": ((0, 1, 4, 0), (3, 4, 0, 0), (0, 3, 4, 0)),
    "vamp": ((0, 3, 0, 0), (3, 4, 0, 0), (0, 3, 4, 0)),
}
"""Chords of a phrase that comes to rest on the tonic."""

_MINOR: Final = ("dorian", "aeolian", "phrygian", "locrian")


@dataclass(frozen=True, slots=True)
class Chord:
    """One chord in its scale."""

    degree: int
    """Of its root (0-6)."""
    steps: tuple[int, ...]
    """Scale steps of its tones above the tonic, root first."""
    raised: bool
    """Whether the seventh step is raised: the leading tone of a minor cadence."""

    def pitch(self, tonic: int, mode: str, step: int) -> int:
        """Return the pitch of a scale step, the leading tone raised where this chord wants it."""
        up = 1 if self.raised and step % 7 == 6 else 0
        return pitch_of(tonic, mode, step) + up

    def pitches(self, tonic: int, mode: str) -> tuple[int, ...]:
        """Return its tones in close position above the root."""
        return tuple(self.pitch(tonic, mode, step) for step in self.steps)


def firm(mode: str, degree: int) -> int:
    """Return a degree whose triad has a perfect fifth: a diminished one gives way to its third."""
    return degree if has_perfect_fifth(mode, degree) else (degree + 2) % 7


def chord_of(degree: int, mode: str, colours: tuple[int, ...], *, cadence: bool) -> Chord:
    """Return the chord on a degree; `cadence` raises the leading tone of a minor dominant."""
    root = firm(mode, degree)
    raised = cadence and root == 4 and mode in _MINOR
    base = pitch_of(0, mode, root)
    # A minor ninth above the root would bite in a chord that is held: it is left out.
    kept = [c for c in colours if c < 8 or pitch_of(0, mode, root + c) - base != 13]
    return Chord(root, tuple(root + colour for colour in kept), raised)


def _candidates(chord: Chord, tonic: int, mode: str, centre: int) -> list[tuple[int, ...]]:
    """Return voicings of a chord, low to high, around a centre."""
    classes = [pitch % 12 for pitch in chord.pitches(tonic, mode)]
    places = [pitch for pitch in range(centre - 10, centre + 11) if pitch % 12 in classes]
    n_tones = len(set(classes))
    complete = [
        voicing
        for voicing in combinations(places, n_tones)
        if len({pitch % 12 for pitch in voicing}) == n_tones and voicing[-1] - voicing[0] <= 16
    ]
    # Seconds within a voicing are spread where that can be.
    spread = [voicing for voicing in complete if all(b - a >= 2 for a, b in pairwise(voicing))]
    return spread or complete


def _is_parallel(before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Return whether two outer voices move in parallel fifths or octaves."""
    if before == after or before[0] == after[0]:
        return False
    first, second = (before[1] - before[0]) % 12, (after[1] - after[0]) % 12
    same_way = (after[0] - before[0]) * (after[1] - before[1]) > 0
    return same_way and first == second and first in (0, 7)


def voicings_of(
    chords: Sequence[Chord], basses: Sequence[int], tonic: int, mode: str, centre: int
) -> tuple[tuple[int, ...], ...]:
    """Return a voicing for each chord of a phrase.

    Args:
        chords: One per bar.
        basses: Pitch of the bass under each.
        tonic: Pitch of the tonic.
        mode: Name of the mode.
        centre: Pitch around which the voicings lie.
    """
    voiced: list[tuple[int, ...]] = []
    for place, chord in enumerate(chords):
        best: tuple[int, ...] = ()
        least = 1 << 30
        for candidate in _candidates(chord, tonic, mode, centre):
            middle = 0
            for pitch in candidate:
                middle += pitch
            cost = abs(middle - centre * len(candidate))
            if voiced:
                before = voiced[-1]
                for a, b in zip(before, candidate, strict=False):
                    cost += 4 * abs(a - b)
                outer = (basses[place - 1], before[-1]), (basses[place], candidate[-1])
                cost += 1_000 * _is_parallel(*outer)
            if cost < least:
                best, least = candidate, cost
        voiced.append(best)
    return tuple(voiced)
