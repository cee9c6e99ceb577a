"""Where a mix stands among pieces by human composers: the same figures, by the same measures.

The pieces and how they were measured: tests/authorities/README.md, `human_music.csv`.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Final

import librosa
import numpy as np
from scipy.signal import resample_poly

from astradio_stream.units import SAMPLE_RATE_HZ
from loadtest.ears.keys import HEARD_HZ, HOP, chroma_of, key_of
from loadtest.ears.levels import integrated_lufs, loudness_range_lu, powers_of, true_peak_db
from loadtest.ears.tempi import onset_envelope, tempo_bpm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from loadtest.ears.excerpts import Wave

PIECES: Final = Path(__file__).parents[2] / "tests" / "authorities" / "human_music.csv"
OCTAVES_HZ: Final = (31, 62, 124, 248, 496, 992, 1_984, 3_968, 7_936)
_BLOCK_S: Final = 5


def heard(wave: Wave) -> NDArray[np.float32]:
    """Return both channels as one at the rate of the analysers."""
    mono: NDArray[np.float32] = resample_poly(wave.mean(axis=0), 147, 320)
    return mono


def octave_levels_db(wave: Wave) -> dict[int, float]:
    """Return the share of each octave in the energy of the mid channel (dB of the whole)."""
    power = np.zeros(SAMPLE_RATE_HZ // 2 + 1)
    middle = np.asarray(wave.mean(axis=0))
    window = np.hanning(SAMPLE_RATE_HZ)
    for start in range(0, len(middle) - SAMPLE_RATE_HZ + 1, SAMPLE_RATE_HZ // 2):
        part = np.fft.rfft(middle[start : start + SAMPLE_RATE_HZ] * window)
        power += np.square(np.abs(part))
    whole = power.sum()
    return {
        lowest: float(10.0 * np.log10(power[lowest : 2 * lowest].sum() / whole + 1e-12))
        for lowest in OCTAVES_HZ
    }


def self_similarity(mono: NDArray[np.float32], chroma: NDArray[np.float64]) -> float:
    """Return the 90th percentile of the cosine between blocks of 5 s that are no neighbours."""
    mfcc = librosa.feature.mfcc(y=mono, sr=HEARD_HZ, hop_length=HOP)
    n_frames = min(mfcc.shape[1], chroma.shape[1])
    both = np.concatenate([chroma[:, :n_frames], mfcc[:, :n_frames]])
    n_block = _BLOCK_S * HEARD_HZ // HOP
    n_blocks = n_frames // n_block
    blocks = both[:, : n_blocks * n_block].reshape(len(both), n_blocks, n_block).mean(axis=2)
    blocks -= blocks.mean(axis=1, keepdims=True)
    blocks /= np.linalg.norm(blocks, axis=0)
    cosines = blocks.T @ blocks
    return float(np.percentile(cosines[np.triu_indices(n_blocks, 2)], 90))


def figures_of(wave: Wave) -> dict[str, float]:
    """Return the figures of the table of human music, of a sound of some minutes."""
    powers = powers_of(wave)
    middle, side = wave.mean(axis=0), (wave[0] - wave[1]) / 2.0
    rms = float(np.sqrt(np.square(wave, dtype=np.float64).mean()))
    mono = heard(wave)
    envelope = onset_envelope(mono)
    onsets = librosa.onset.onset_detect(onset_envelope=envelope, sr=HEARD_HZ)
    chroma = librosa.util.normalize(
        chroma_of(mono), axis=0
    )  # each frame alike, as the table has it
    _, key_corr, key_margin = key_of(chroma.mean(axis=1))
    centroid = librosa.feature.spectral_centroid(y=mono, sr=HEARD_HZ)
    return {
        "lufs": integrated_lufs(powers),
        "lra": loudness_range_lu(powers),
        "true_peak_db": true_peak_db(wave),
        "crest_db": float(20.0 * np.log10(np.abs(wave).max() / rms)),
        "side_mid_db": float(10.0 * np.log10(np.square(side).mean() / np.square(middle).mean())),
        "corr": float(np.corrcoef(wave[0], wave[1])[0, 1]),
        **{f"oct_{hz}": level for hz, level in octave_levels_db(wave).items()},
        "onsets_per_s": len(onsets) / (wave.shape[1] / SAMPLE_RATE_HZ),
        "key_corr": key_corr,
        "key_margin": key_margin,
        "tempo": tempo_bpm(envelope),
        "centroid_hz": float(np.median(centroid)),
        "selfsim_p90": self_similarity(mono, chroma),
    }


def human_figures() -> dict[str, NDArray[np.float64]]:
    """Return the figures of all human pieces, sorted, by name."""
    with PIECES.open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name not in ("piece", "dur_s")]
    return {name: np.sort([float(row[name]) for row in rows]) for name in names}


def percentile_among(value: float, pieces: NDArray[np.float64]) -> float:
    """Return how many of some sorted figures lie below a value (0-100), equal ones by half."""
    below, up_to = np.searchsorted(pieces, value, "left"), np.searchsorted(pieces, value, "right")
    return float(50.0 * (below + up_to) / len(pieces))
