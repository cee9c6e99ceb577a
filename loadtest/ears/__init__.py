"""Outside ears: what analysers that know nothing of the composer hear in model v1.1.

They get sound, or notes, and what the score declares of key and tempo; nothing of how it was made.
The libraries they hear with (librosa, pyloudnorm, scipy) belong to the tests.
"""

from __future__ import annotations

from typing import Final

NAMES: Final = ("tempo", "key", "loudness", "human", "identity", "hour", "energies")
"""The commands; kept apart from what answers them, which needs the libraries of the tests."""
