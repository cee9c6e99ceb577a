"""How a note's energy is shared among eight bands: by halving, cheap, and exact on every machine.

Each step splits a signal into sums and differences of neighbours, the upper and the lower half of
its spectrum (roughly: the slopes are gentle, which an aurora does not mind)::

    48 kHz ─► 12-24 kHz  band 7
       └────► 6-12 kHz   band 6
          └─► …
              └► 187-375 Hz  band 1,  below  band 0

All numbers are integers, so sums are exact in any order, unlike those of an FFT. It is done once
per note of the bank: the picture of a mix is then a sum over its notes, and costs next to nothing.

**Source:** A. Haar, "Zur Theorie der orthogonalen Funktionensysteme", Math. Ann. 69, 1910.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_BANDS: Final = 8

_HEARD_SAMPLES: Final = 1 << 15
"""How much of a note is looked at: its first 0.7 s, where most of its energy lies."""


def band_shares(pcm: NDArray[np.int16], *, half_rate: bool = False) -> NDArray[np.float64]:
    """Return the share of each band in the energy of a note, shape (8,), of sum 1.

    Args:
        pcm: The note, shape (1 or 2, n_samples).
        half_rate: Whether it has 24 000 samples per second, so that its top band is empty.
    """
    n_steps = N_BANDS - 2 if half_rate else N_BANDS - 1
    heard = _HEARD_SAMPLES >> half_rate
    signal = pcm[0, :heard].astype(np.int64) + pcm[-1, :heard]
    signal = signal[: len(signal) >> n_steps << n_steps]
    energy = np.zeros(N_BANDS)
    for step in range(n_steps):
        early, late = signal[0::2], signal[1::2]
        # Sums grow by two at each step while there are half as many: scaled back to the first.
        energy[n_steps - step] = int(np.square(early - late).sum()) / (2 << step)
        signal = early + late
    energy[0] = int(np.square(signal).sum()) / (1 << n_steps)
    total = 0.0
    for band in energy.tolist():
        total += band
    return energy / max(total, 1.0)
