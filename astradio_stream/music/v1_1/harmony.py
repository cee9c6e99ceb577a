"""Chords: progressions by genre, and voicings that move as little as they can.

All chords belong to the scale of the movement, but for the raised leading tone of a minor cadence.
A voicing is chosen from the chords of its own phrase alone: the first lies nearest to the centre of
its register, each further one nearest to the one before, without parallel fifths or octaves between
the outer voices, and with the leading tone and the seventh of a dominant resolved. The last one
also looks at the first chord of the phrase that follows, so that the rules hold across phrases
without a memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
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

STRAINS: Final = (6, 8, 3)
"""Steps above the root that tension adds to a chord, the mildest first: seventh, ninth, fourth."""
_MOST_TONES: Final = 5
_REST: Final = 0.25
"""Tension below which a chord is at rest."""
_FLOOR: Final = 48
"""Lowest pitch of a voicing: close chords below are mud."""

_DOMINANT: Final = 4
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
    bent: tuple[int, ...] = (0,) * 7
    """Semitones by which it bends each step of the scale: a chord borrowed from another key."""

    def pitch(self, tonic: int, mode: str, step: int) -> int:
        """Return the pitch of a scale step, bent where this chord wants it."""
        up = 1 if self.raised and step % 7 == 6 else 0
        return pitch_of(tonic, mode, step) + up + self.bent[step % 7]

    def pitches(self, tonic: int, mode: str) -> tuple[int, ...]:
        """Return its tones in close position above the root."""
        return tuple(self.pitch(tonic, mode, step) for step in self.steps)


def firm(mode: str, degree: int) -> int:
    """Return a degree whose triad has a perfect fifth: a diminished one gives way to its third."""
    return degree if has_perfect_fifth(mode, degree) else (degree + 2) % 7


def strained(
    colours: tuple[int, ...], tension: float, chance: float, *, at_home: bool
) -> tuple[int, ...]:
    """Return the colours of a chord under tension: what it adds it never takes away again.

    Args:
        colours: Steps above the root that the genre has anyway.
        tension: 0 to 1; near 0 the last of many colours is left out, from a quarter on there are
            more, at 1 two or three.
        chance: Of this chord (0-1): some are strained earlier than others.
        at_home: Whether it is the tonic, which stays restful until all else is strained.
    """
    if tension < _REST * chance and len(colours) > 3:
        return colours[:-1]
    pressed = max(0.0, tension - (_REST + 0.45 if at_home else _REST)) / (1.0 - _REST)
    wanted = [step for step in STRAINS if step not in colours]
    n_added = int(2.2 * pressed + 0.9 * chance) if pressed else 0
    return (*colours, *wanted[:n_added])[:_MOST_TONES]


def chord_of(degree: int, mode: str, colours: tuple[int, ...], *, cadence: bool) -> Chord:
    """Return the chord on a degree; `cadence` raises the leading tone of a minor dominant."""
    root = firm(mode, degree)
    raised = cadence and root == 4 and mode in _MINOR
    base = pitch_of(0, mode, root)
    # A minor ninth above the root would bite in a chord that is held: it is left out.
    kept = [c for c in colours if c < 8 or pitch_of(0, mode, root + c) - base != 13]
    return Chord(root, tuple(root + colour for colour in kept), raised)


def dominant_of(next_tonic: int, tonic: int, mode: str) -> Chord:
    """Return the dominant triad of another key, spelt in this one with the fewest bent steps."""
    wanted = [(next_tonic + above) % 12 for above in (7, 11, 2)]
    best, least = Chord(4, (4, 6, 8), raised=False), 99
    for root in range(7):
        steps = (root, root + 2, root + 4)
        bends = [
            (pitch - pitch_of(tonic, mode, step) + 6) % 12 - 6
            for pitch, step in zip(wanted, steps, strict=True)
        ]
        total = sum(abs(bend) for bend in bends)
        if total < least and max(abs(bend) for bend in bends) <= 1:
            bent = [0] * 7
            for step, bend in zip(steps, bends, strict=True):
                bent[step % 7] = bend
            best, least = Chord(root, steps, raised=False, bent=tuple(bent)), total
    return best


@lru_cache(maxsize=512)
def _candidates(chord: Chord, tonic: int, mode: str, centre: int) -> tuple[tuple[int, ...], ...]:
    """Return voicings of a chord, low to high, around a centre."""
    classes = [pitch % 12 for pitch in chord.pitches(tonic, mode)]
    lowest = max(_FLOOR, centre - 10)
    places = [pitch for pitch in range(lowest, lowest + 21) if pitch % 12 in classes]
    n_tones = len(set(classes))
    complete = [
        voicing
        for voicing in combinations(places, n_tones)
        if len({pitch % 12 for pitch in voicing}) == n_tones and voicing[-1] - voicing[0] <= 16
    ]
    # Seconds within a voicing are spread where that can be.
    spread = [voicing for voicing in complete if all(b - a >= 2 for a, b in pairwise(voicing))]
    return tuple(spread or complete)


def is_parallel(before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Return whether two outer voices, (low, high), move in parallel fifths or octaves."""
    if before == after or before[0] == after[0]:
        return False
    first, second = (before[1] - before[0]) % 12, (after[1] - after[0]) % 12
    same_way = (after[0] - before[0]) * (after[1] - before[1]) > 0
    return same_way and first == second and first in (0, 7)


def _distance(before: tuple[int, ...], after: tuple[int, ...]) -> int:
    """Return how far the voices move in all, counted from the highest down."""
    moved = 0
    for a, b in zip(reversed(before), reversed(after), strict=False):
        moved += abs(a - b)
    return moved


def _at_rest(voicing: tuple[int, ...], centre: int) -> int:
    """Return how far a voicing lies from the centre of its register."""
    middle = 0
    for pitch in voicing:
        middle += pitch
    return abs(middle - centre * len(voicing))


def _unresolved(
    chord: Chord, before: tuple[int, ...], after: tuple[int, ...], tonic: int, mode: str
) -> int:
    """Return how many tones of a dominant do not go where they lead: a third up, a seventh down."""
    classes = {pitch % 12 for pitch in after}
    third = chord.pitch(tonic, mode, chord.degree + 2) % 12
    seventh = chord.pitch(tonic, mode, chord.degree + 6) % 12
    n_left = 0
    for pitch in before:
        if pitch % 12 == third and (pitch + 1) % 12 in classes and pitch not in after:
            n_left += pitch + 1 not in after
        elif pitch % 12 == seventh:
            down = [pitch - by for by in (1, 2) if (pitch - by) % 12 in classes]
            n_left += bool(down) and not any(goal in after for goal in down)
    return n_left


def first_voicing(chord: Chord, tonic: int, mode: str, centre: int) -> tuple[int, ...]:
    """Return the voicing with which a phrase begins: the one nearest to the centre."""
    return min(_candidates(chord, tonic, mode, centre), key=lambda v: (_at_rest(v, centre), v))


def voicings_of(
    chords: Sequence[Chord],
    basses: Sequence[int],
    place: tuple[int, str, int],
    after: tuple[Chord, int] | None = None,
) -> tuple[tuple[int, ...], ...]:
    """Return a voicing for each chord of a phrase.

    Args:
        chords: One per bar.
        basses: Pitch of the bass under each.
        place: Pitch of the tonic, name of the mode, pitch around which the voicings lie.
        after: The first chord of the next phrase and its bass, to which the last one leads.
    """
    tonic, mode, centre = place
    voiced = [first_voicing(chords[0], tonic, mode, centre)]
    goal = None
    if after is not None:
        goal = after[1], first_voicing(after[0], tonic, mode, centre)
    for bar in range(1, len(chords)):
        before, chord = voiced[-1], chords[bar]
        leads_on = goal is not None and bar == len(chords) - 1
        if chord == chords[bar - 1] and not leads_on:
            voiced.append(before)
            continue
        best: tuple[int, ...] = ()
        least = 1 << 30
        for candidate in _candidates(chord, tonic, mode, centre):
            cost = _at_rest(candidate, centre) + 4 * _distance(before, candidate)
            here = (basses[bar], candidate[-1])
            cost += 1_000 * is_parallel((basses[bar - 1], before[-1]), here)
            if chords[bar - 1].degree == _DOMINANT:
                cost += 100 * _unresolved(chords[bar - 1], before, candidate, tonic, mode)
            if goal is not None and leads_on:
                cost += 2 * _distance(candidate, goal[1])
                cost += 1_000 * is_parallel(here, (goal[0], goal[1][-1]))
            if cost < least:
                best, least = candidate, cost
        voiced.append(best)
    return tuple(voiced)


def basses_under(
    basses: Sequence[int],
    tops: Sequence[int],
    themes: Sequence[int | None],
    lowest: int,
    highest: int,
) -> tuple[int, ...]:
    """Return basses, moved by octaves where they would run parallel to the theme or the chords.

    The first and the last stay, so that periods fit together whatever happens within them.

    Args:
        basses: Pitch of the bass in each bar.
        tops: Highest tone of the chord in each.
        themes: Pitch of the theme on each first beat, None where it is silent.
        lowest: Of the instrument.
        highest: Of the instrument.
    """
    paths: dict[int, tuple[int, tuple[int, ...]]] = {basses[0]: (0, (basses[0],))}
    for bar in range(1, len(basses)):
        shifts = (0,) if bar == len(basses) - 1 else (0, 12, -12)
        places = [basses[bar] + s for s in shifts if not s or lowest <= basses[bar] + s <= highest]
        onward: dict[int, tuple[int, tuple[int, ...]]] = {}
        for pitch in places:
            best: tuple[int, tuple[int, ...]] | None = None
            for before, (so_far, path) in paths.items():
                cost = so_far + (pitch != basses[bar])
                cost += 100 * is_parallel((before, tops[bar - 1]), (pitch, tops[bar]))
                here, there = themes[bar - 1], themes[bar]
                if here is not None and there is not None:
                    cost += 10 * is_parallel((before, here), (pitch, there))
                if best is None or cost < best[0]:
                    best = cost, (*path, pitch)
            if best is not None:
                onward[pitch] = best
        paths = onward
    return min(paths.values())[1]
