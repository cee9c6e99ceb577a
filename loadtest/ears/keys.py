"""In which key an excerpt stands, by its chroma alone.

**Source:** C. L. Krumhansl, "Cognitive Foundations of Musical Pitch", 1990, table 2.1 (profiles of
major and minor after Krumhansl and Kessler, 1982) and chapter 4 (the key that correlates best).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import librosa
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEARD_HZ: Final = 22_050
HOP: Final = 2_048
MAJOR: Final = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR: Final = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
_MINOR_MODES: Final = ("dorian", "aeolian", "phrygian", "locrian")


@dataclass(frozen=True, slots=True)
class Key:
    """A tonic and one of two modes."""

    tonic: int
    """Pitch class, 0 = C."""
    is_minor: bool

    @property
    def relative(self) -> Key:
        """The key of the other mode with the same notes."""
        return Key((self.tonic + (3 if self.is_minor else 9)) % 12, not self.is_minor)

    def relation_to(self, declared: Key) -> str:
        """Return how it lies to a declared key: exact, relative, fifth, parallel or far."""
        if self == declared:
            return "exact"
        if self == declared.relative:
            return "relative"
        if self.tonic == declared.tonic:
            return "parallel"
        apart = (self.tonic - declared.tonic) % 12
        return "fifth" if self.is_minor == declared.is_minor and apart in (5, 7) else "far"


def declared_key(tonic: int, mode: str) -> Key:
    """Return the major or minor key that a mode is a shade of: by its third."""
    return Key(tonic, mode in _MINOR_MODES)


def chroma_of(mono: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the magnitude of the twelve pitch classes by frame, shape (12, n_frames).

    Args:
        mono: Sound at `HEARD_HZ`, tuned to 440 Hz.
    """
    chroma = librosa.feature.chroma_cqt(y=mono, sr=HEARD_HZ, hop_length=HOP, tuning=0.0, norm=None)
    return np.asarray(chroma, np.float64)


def loudness_of(chroma: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how loud each pitch class is on the whole, shape (12,).

    **Source:** S. S. Stevens, "The Measurement of Loudness", JASA 27, 1955: the power 0.6 of the
    magnitude.
    """
    weights: NDArray[np.float64] = (chroma**0.6).mean(axis=1)
    return weights


def key_of(pitch_classes: NDArray[np.float64]) -> tuple[Key, float, float]:
    """Return the key that twelve weights suggest, its correlation, and its lead over the next."""
    found = []
    for profile, is_minor in ((MAJOR, False), (MINOR, True)):
        for tonic in range(12):
            wanted = np.roll(profile, tonic)
            match = float(np.corrcoef(wanted, pitch_classes)[0, 1])
            found.append((match, Key(tonic, is_minor)))
    found.sort(key=lambda each: -each[0])
    return found[0][1], found[0][0], found[0][0] - found[1][0]
