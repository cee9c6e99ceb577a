"""How far apart two pieces are, on paper and by ear: distances of stated parts, each 0 to 1.

====================  ==================================================================
of the score
key                   steps on the circle of fifths / 6
mode                  steps from bright to dark / 6
tempo                 octaves apart, at most one
pitch classes         half the sum of differences of two shares (total variation), by the
                      time that each sounds
intervals             the same, of the steps between the highest notes of one voice
rhythm                the same, of the places in the beat where pitched notes and drums begin
balance               the same, of the energy of each instrument
register              the same, of octaves, by the time that each sounds
of the sound
bands                 root mean square of the differences of nine octave levels / 20 dB
chroma                total variation of pitch classes
onsets                octaves apart in onsets per second / 2, at most two
centroid              octaves apart, at most one
tempo                 as above, as heard; half and double count as the same
====================  ==================================================================

A distance is the mean of its parts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeVar

import librosa
import numpy as np

from astradio_stream.music.theory import KEY_NAMES, MODES
from astradio_stream.units import SAMPLE_RATE_HZ
from loadtest.ears.cloud import heard, octave_levels_db
from loadtest.ears.keys import HEARD_HZ, HOP
from loadtest.ears.tempi import onset_envelope, tempo_bpm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    from astradio_stream.music.note import Note
    from astradio_stream.music.score import Score
    from loadtest.ears.excerpts import Wave

UNPITCHED: Final = ("drums", "vinyl", "noise", "air")
_MODE_NAMES: Final = tuple(MODES)
_PARTS_OF_A_BEAT: Final = 12

_Piece = TypeVar("_Piece")
Shares = dict[object, float]
"""What is shared among what; of sum 1."""


def _shares(weights: Mapping[object, float]) -> Shares:
    whole = sum(weights.values())
    return {key: weight / whole for key, weight in weights.items()} if whole else {}


def _apart(a: Shares, b: Shares) -> float:
    """Return the total variation of two shares (0-1); nothing against nothing is alike."""
    if not a or not b:
        return float(bool(a) != bool(b))
    return 0.5 * sum(abs(a.get(key, 0.0) - b.get(key, 0.0)) for key in a.keys() | b.keys())


def _octaves(a: float, b: float, most: float = 1.0) -> float:
    """Return how far apart two rates are, as a share of `most` octaves (0-1)."""
    if a <= 0.0 or b <= 0.0:
        return float(a != b)
    return min(1.0, abs(float(np.log2(a / b))) / most)


def _tempo_octaves(a_bpm: float, b_bpm: float) -> float:
    """Return how far apart two heard tempi are, half and double the same, times two (0-1)."""
    apart = abs(float(np.log2(a_bpm / b_bpm))) % 1.0
    return 2.0 * min(apart, 1.0 - apart)


@dataclass(frozen=True, slots=True)
class OnPaper:
    """What is compared of a score."""

    fifths: int
    """The key's place on the circle of fifths (0-11)."""
    mode: int
    """From bright to dark (0-6)."""
    tempo_bpm: float
    pitch_classes: Shares
    intervals: Shares
    rhythm: Shares
    balance: Shares
    register: Shares

    def apart(self, other: OnPaper) -> dict[str, float]:
        """Return the parts of the distance to another piece (0-1)."""
        fifths = (self.fifths - other.fifths) % 12
        return {
            "key": min(fifths, 12 - fifths) / 6.0,
            "mode": abs(self.mode - other.mode) / 6.0,
            "tempo": _octaves(self.tempo_bpm, other.tempo_bpm),
            "pitch classes": _apart(self.pitch_classes, other.pitch_classes),
            "intervals": _apart(self.intervals, other.intervals),
            "rhythm": _apart(self.rhythm, other.rhythm),
            "balance": _apart(self.balance, other.balance),
            "register": _apart(self.register, other.register),
        }


def _intervals(notes: Iterable[Note]) -> Shares:
    """Return the steps of each pitched voice from one of its highest notes to the next."""
    tops: dict[tuple[int, int], int] = {}
    for note in notes:
        tick = (note.voice, note.onset // (SAMPLE_RATE_HZ // 20))
        tops[tick] = max(tops.get(tick, 0), note.pitch)
    steps: Counter[object] = Counter()
    lines = sorted(tops.items())
    for ((voice, _), pitch), ((next_voice, _), next_pitch) in pairwise(lines):
        if voice == next_voice:
            steps[voice, max(-12, min(12, next_pitch - pitch))] += 1
    return _shares(steps)


def on_paper(score: Score, start: int, stop: int) -> OnPaper:
    """Return what is compared of a span of a score, in the key and tempo of its beginning."""
    mark = score.tempo_map(start, start + 1)[0]
    notes = [note for note in score.notes(start, stop) if note.onset >= start]
    pitched = [note for note in notes if note.instrument not in UNPITCHED]
    classes: Counter[object] = Counter()
    octaves: Counter[object] = Counter()
    for note in pitched:
        classes[note.pitch % 12] += note.duration
        octaves[note.pitch // 12] += note.duration
    places: Counter[object] = Counter()
    balance: Counter[object] = Counter()
    for note in notes:
        ticks = round((note.onset - mark.index) * _PARTS_OF_A_BEAT / mark.samples_per_beat)
        drum = note.pitch if note.instrument == "drums" else 0
        places[drum, ticks % _PARTS_OF_A_BEAT] += 1
        energy = (note.left**2 + note.right**2) * min(note.duration, SAMPLE_RATE_HZ)
        balance[note.instrument] += energy  # type: ignore[assignment]
    return OnPaper(
        fifths=7 * KEY_NAMES.index(mark.key) % 12,
        mode=_MODE_NAMES.index(mark.mode),
        tempo_bpm=float(60 * SAMPLE_RATE_HZ / mark.samples_per_beat),
        pitch_classes=_shares(classes),
        intervals=_intervals(pitched),
        rhythm=_shares(places),
        balance=_shares(balance),
        register=_shares(octaves),
    )


@dataclass(frozen=True, slots=True)
class ByEar:
    """What is compared of a sound."""

    bands_db: NDArray[np.float64]
    """Share of each octave in the energy (dB), no lower than -50."""
    chroma: Shares
    onsets_per_s: float
    centroid_hz: float
    tempo_bpm: float

    def apart(self, other: ByEar) -> dict[str, float]:
        """Return the parts of the distance to another piece (0-1)."""
        bands_db = float(np.sqrt(np.square(self.bands_db - other.bands_db).mean()))
        return {
            "bands": min(1.0, bands_db / 20.0),
            "chroma": _apart(self.chroma, other.chroma),
            "onsets": _octaves(self.onsets_per_s, other.onsets_per_s, 2.0),
            "centroid": _octaves(self.centroid_hz, other.centroid_hz),
            "tempo": _tempo_octaves(self.tempo_bpm, other.tempo_bpm),
        }


def by_ear(wave: Wave) -> ByEar:
    """Return what is compared of a sound of some tens of seconds."""
    mono = heard(wave)
    envelope = onset_envelope(mono)
    onsets = librosa.onset.onset_detect(onset_envelope=envelope, sr=HEARD_HZ)
    spectrum = np.abs(librosa.stft(mono, n_fft=4_096, hop_length=HOP))
    chroma = librosa.feature.chroma_stft(S=spectrum**2, sr=HEARD_HZ, tuning=0.0, norm=None)
    centroid = librosa.feature.spectral_centroid(S=spectrum, sr=HEARD_HZ)
    return ByEar(
        bands_db=np.maximum(list(octave_levels_db(wave).values()), -50.0),
        chroma=_shares(dict(enumerate(np.sqrt(chroma).mean(axis=1).tolist()))),
        onsets_per_s=len(onsets) * SAMPLE_RATE_HZ / wave.shape[1],
        centroid_hz=float(np.median(centroid)),
        tempo_bpm=tempo_bpm(envelope),
    )


def distance(parts: Mapping[str, float]) -> float:
    """Return the mean of the parts."""
    return sum(parts.values()) / len(parts)


def own_and_others(
    families: list[list[_Piece]], apart: Callable[[_Piece, _Piece], float]
) -> tuple[float, float, float, float]:
    """Return how families of pieces hold together.

    Returns:
        Median distance within a family and between two; the share of pieces nearer to their own
        family than to every other one, by the mean of distances; the share whose nearest piece is
        of their own.
    """
    own: list[float] = []
    others: list[float] = []
    nearer = nearest = total = 0
    for place, family in enumerate(families):
        for one in family:
            means, least = [], []
            for number, theirs in enumerate(families):
                found = [apart(one, other) for other in theirs if other is not one]
                means.append(float(np.mean(found)))
                least.append(min(found))
                (own if number == place else others).extend(found)
            nearer += int(np.argmin(means)) == place
            nearest += int(np.argmin(least)) == place
            total += 1
    return float(np.median(own)), float(np.median(others)), nearer / total, nearest / total
