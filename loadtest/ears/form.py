"""The long form: does an hour repeat itself, do its motifs come back, are its keys prepared?"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import librosa
import numpy as np
from scipy.sparse import csr_array

from astradio_stream.music.theory import KEY_NAMES, MODES
from astradio_stream.units import SAMPLE_RATE_HZ
from loadtest.ears.keys import HEARD_HZ, HOP
from loadtest.ears.likeness import UNPITCHED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random

    from numpy.typing import NDArray

    from astradio_stream.music.midi import TempoMark
    from astradio_stream.music.note import Note
    from astradio_stream.music.score import Score

WINDOW_S: Final = 120
_TICKS: Final = 12
"""Parts of a beat: halves, thirds and quarters."""
_LATE: Final = 0.25
"""A hand that is late by less than three quarters of a tick stays on it."""
_MOTIF: Final = 4
"""Intervals of a motif: five notes."""

Bar = tuple[int, frozenset[tuple[int, int, int]]]
"""First sample, and what is played: (tick, voice, pitch above the tonic)."""


def _spans(score: Score, stop: int) -> list[tuple[TempoMark, int]]:
    """Return the marks before `stop`, each with the index at which the next one holds."""
    marks = score.tempo_map(0, stop)
    return list(zip(marks, [*(mark.index for mark in marks), stop][1:], strict=True))


def _pitched(score: Score, start: int, stop: int) -> list[Note]:
    """Return the pitched notes that sound in [start, stop)."""
    return [
        note
        for note in score.notes(start, stop)
        if note.instrument not in UNPITCHED and note.onset < stop
        and note.onset + note.duration > start
    ]  # fmt: skip


def bars_of(score: Score, stop: int) -> list[Bar]:
    """Return the bars of [0, stop), written above their tonic: a return in another key is one."""
    bars: list[Bar] = []
    for mark, end in _spans(score, stop):
        bar_samples = mark.samples_per_beat * mark.beats_per_bar
        n_ticks = mark.beats_per_bar * _TICKS
        played = defaultdict(set)
        for note in _pitched(score, mark.index, end):
            if note.onset >= mark.index:
                tick = int((note.onset - mark.index) * _TICKS / mark.samples_per_beat + _LATE)
                above = note.pitch - KEY_NAMES.index(mark.key)
                played[tick // n_ticks].add((tick % n_ticks, note.voice, above))
        for number in range(int((end - mark.index) / bar_samples)):
            start = mark.index + round(number * bar_samples)
            bars.append((start, frozenset(played[number])))
    return bars


def likeness_of_windows(bars: Sequence[Bar]) -> NDArray[np.float64]:
    """Return how alike each two windows of two minutes are that do not overlap, on any bar lines.

    Likeness is the share of notes that they have in common, bar by bar: same place in the bar,
    same voice, same step above the tonic (Dice's coefficient, 0-1).
    """
    names = {name: place for place, name in enumerate(sorted({n for _, bar in bars for n in bar}))}
    rows = [row for row, (_, bar) in enumerate(bars) for _ in bar]
    columns = [names[name] for _, bar in bars for name in sorted(bar)]
    table = csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(bars), len(names)))
    common = (table @ table.T).toarray()
    counts = np.array([len(bar) for _, bar in bars], np.float64)
    mean_s = (bars[-1][0] - bars[0][0]) / (len(bars) - 1) / SAMPLE_RATE_HZ
    n_window = max(1, round(WINDOW_S / mean_s))
    found = []
    for lag in range(n_window, len(bars) - n_window + 1):
        shared = _sliding(np.diagonal(common, lag), n_window)
        both = _sliding(counts[:-lag] + counts[lag:], n_window)
        found.append(2.0 * shared / np.maximum(both, 1.0))
    return np.concatenate(found)


def _sliding(values: NDArray[np.float64], n_window: int) -> NDArray[np.float64]:
    summed = np.concatenate([[0.0], np.cumsum(values)])
    spans: NDArray[np.float64] = summed[n_window:] - summed[:-n_window]
    return spans


def likeness_by_ear(mono: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return how alike each two windows of two minutes sound that do not overlap (-1 to 1).

    Each second is a vector of chroma and MFCC, in standard deviations from the whole; likeness is
    the mean cosine of the seconds of two windows, one by one.

    Args:
        mono: Sound at `HEARD_HZ`.
    """
    spectrum = np.abs(librosa.stft(mono, n_fft=4_096, hop_length=HOP)) ** 2
    chroma = librosa.feature.chroma_stft(S=spectrum, sr=HEARD_HZ, tuning=0.0)
    mel = librosa.power_to_db(librosa.feature.melspectrogram(S=spectrum, sr=HEARD_HZ))
    both = np.concatenate([chroma, librosa.feature.mfcc(S=mel, n_mfcc=20)])
    n_seconds = len(mono) // HEARD_HZ
    edges = np.arange(n_seconds) * HEARD_HZ // HOP
    seconds = np.add.reduceat(both, edges, axis=1)
    seconds -= seconds.mean(axis=1, keepdims=True)
    seconds /= seconds.std(axis=1, keepdims=True)
    seconds /= np.linalg.norm(seconds, axis=0)
    cosines = seconds.T @ seconds
    found = [
        _sliding(np.diagonal(cosines, lag), WINDOW_S) / WINDOW_S
        for lag in range(WINDOW_S, n_seconds - WINDOW_S + 1)
    ]
    return np.concatenate(found)


# Motifs

Line = list[tuple[int, int]]
"""(tick from the beginning, pitch) of one voice, in order."""


def line_of(score: Score, voice: int, stop: int) -> Line:
    """Return the highest notes of a voice in [0, stop)."""
    tops: dict[int, int] = {}
    begun = 0
    for mark, end in _spans(score, stop):
        for note in _pitched(score, mark.index, end):
            if note.voice == voice and note.onset >= mark.index:
                tick = int((note.onset - mark.index) * _TICKS / mark.samples_per_beat + _LATE)
                tops[begun + tick] = max(tops.get(begun + tick, 0), note.pitch)
        begun += round((end - mark.index) * _TICKS / mark.samples_per_beat)
    return sorted(tops.items())


def shuffled(line: Line, chance: Random) -> Line:
    """Return a line of the same steps and the same rhythm, the steps in another order."""
    steps = [after - before for (_, before), (_, after) in pairwise(line)]
    chance.shuffle(steps)
    pitches = [line[0][1]]
    for step in steps:
        pitches.append(pitches[-1] + step)
    return [(tick, pitch) for (tick, _), pitch in zip(line, pitches, strict=True)]


@dataclass(frozen=True, slots=True)
class Recurrence:
    """How a line comes back to its motifs."""

    n_motifs: int
    """Motifs (five notes of the same steps and rhythm, in any key) heard at least thrice, each
    time more than two minutes after the last."""
    covered: float
    """Share of the line's notes that belong to one (0-1)."""


def recurrence_of(line: Line, seconds_per_tick: float) -> Recurrence:
    """Return the motifs that a line comes back to."""
    places = defaultdict(list)
    for at in range(len(line) - _MOTIF):
        five = line[at : at + _MOTIF + 1]
        shape = tuple((b[0] - a[0], b[1] - a[1]) for a, b in pairwise(five))
        if len({pitch for _, pitch in five}) >= 3:  # a note that is only repeated is no motif
            places[shape].append(at)
    covered: set[int] = set()
    n_motifs = 0
    far = WINDOW_S / seconds_per_tick
    for found in places.values():
        returns, last = 0, -far - 1.0
        for at in found:
            if line[at][0] - last > far:
                returns, last = returns + 1, line[at][0]
        if returns >= 3:
            n_motifs += 1
            covered.update(at + place for at in found for place in range(_MOTIF + 1))
    return Recurrence(n_motifs, len(covered) / max(1, len(line)))


# Keys

_TRIADS: Final = {"major": (0, 4, 7), "minor": (0, 3, 7), "diminished": (0, 3, 6)}

_DOMINANTS: Final = ((7, "major"), (7, "minor"), (11, "diminished"))
"""Triads that lead into a key, by semitones above its tonic."""


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A change of key and how the bar before it leads there."""

    index: int
    """First sample of the new key."""
    before: str
    after: str
    chord: str
    """The triad that explains the last bar best, for instance "G major"."""
    preparation: str
    """`dominant` of the new key, `common chord` of both, or `none`."""


def _weights(notes: Iterable[Note], start: int, stop: int) -> tuple[NDArray[np.float64], int]:
    """Return how long each pitch class sounds in a span, and the pitch class of the bass."""
    weights = np.zeros(12)
    basses: Counter[int] = Counter()
    for note in notes:
        sounding = min(stop, note.onset + note.duration) - max(start, note.onset)
        if sounding > 0:
            weights[note.pitch % 12] += sounding
            basses[note.pitch] += sounding
    lowest = min(basses) if basses else 0
    low: Counter[int] = Counter()
    for pitch, sounding in basses.items():
        if pitch <= lowest + 12:
            low[pitch % 12] += sounding
    return weights, (low.most_common(1)[0][0] if low else 0)


def _chord_of(weights: NDArray[np.float64], bass: int) -> tuple[int, str]:
    """Return root and kind of the triad with most of the sound in it; its root is best the bass."""
    whole = max(float(weights.sum()), 1.0)
    best, most = (0, "major"), -1.0
    for root in range(12):
        for kind, steps in _TRIADS.items():
            inside = sum(float(weights[(root + step) % 12]) for step in steps) / whole
            thirds = min(float(weights[(root + step) % 12]) for step in steps) / whole
            fit = inside + thirds + 0.15 * (root == bass)
            if fit > most:
                best, most = (root, kind), fit
    return best


def _scale(mark: TempoMark) -> set[int]:
    tonic = KEY_NAMES.index(mark.key)
    return {(tonic + step) % 12 for step in MODES[mark.mode]}


def key_changes(score: Score, stop: int) -> list[KeyChange]:
    """Return all changes of key or mode before `stop`, and how each is prepared.

    A change is prepared where the triad of the last bar is a dominant of the new key (a major or
    minor chord on its fifth step, or the diminished one on its leading tone: the upper tones of a
    dominant seventh), or has all its tones in both scales (a common chord).
    """
    found = []
    for before, after in pairwise(score.tempo_map(0, stop)):
        if (before.key, before.mode) == (after.key, after.mode):
            continue
        bar = round(before.samples_per_beat * before.beats_per_bar)
        start, end = after.index - bar, after.index
        weights, bass = _weights(_pitched(score, start, end), start, end)
        root, kind = _chord_of(weights, bass)
        tones = {(root + step) % 12 for step in _TRIADS[kind]}
        preparation = "none"
        place = (root - KEY_NAMES.index(after.key)) % 12
        if (place, kind) in _DOMINANTS:
            preparation = "dominant"
        elif tones <= _scale(before) & _scale(after):
            preparation = "common chord"
        found.append(
            KeyChange(
                index=after.index,
                before=f"{before.key} {before.mode}",
                after=f"{after.key} {after.mode}",
                chord=f"{KEY_NAMES[root]} {kind}",
                preparation=preparation,
            )
        )
    return found
