"""How fast an excerpt goes, as librosa hears it: the period of its onsets, likeliest near 120.

**Source:** D. P. W. Ellis, "Beat Tracking by Dynamic Programming", J. New Music Research 36, 2007.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import librosa
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEARD_HZ: Final = 22_050
TOLERANCE: Final = 0.04
_OCTAVES: Final = (1.0, 0.5, 2.0)


def onset_envelope(mono: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much begins in each frame of 512 samples, of sound at `HEARD_HZ`."""
    return np.asarray(librosa.onset.onset_strength(y=mono, sr=HEARD_HZ), np.float32)


def tempo_bpm(envelope: NDArray[np.float32]) -> float:
    """Return the tempo of an onset envelope (beats per minute)."""
    return float(np.ravel(librosa.feature.tempo(onset_envelope=envelope, sr=HEARD_HZ))[0])


def relation(heard_bpm: float, declared_bpm: float) -> str:
    """Return whether a tempo is the declared one within 4 %, its half or double, or another."""
    for octave, name in zip(_OCTAVES, ("exact", "half", "double"), strict=True):
        if abs(heard_bpm / (declared_bpm * octave) - 1.0) < TOLERANCE:
            return name
    return "other"
