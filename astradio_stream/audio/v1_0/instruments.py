"""The instrument table of model v1.0."""

from __future__ import annotations

from typing import Final

from astradio_stream.audio.instrument import Instrument
from astradio_stream.audio.v1_0 import synths

INSTRUMENTS: Final = (
    #          name     low high length release  wet  T60  chord
    Instrument("pad", 50, 74, 5.6, 0.90, 0.30, 3.2, 3, synths.pad),
    Instrument("sub", 28, 39, 5.6, 1.00, 0.00, 1.0, 1, synths.sub),
    Instrument("bass", 28, 50, 2.8, 0.18, 0.00, 1.0, 1, synths.bass),
    Instrument("keys", 50, 84, 3.6, 0.45, 0.22, 2.6, 1, synths.keys),
    Instrument("pluck", 57, 89, 2.6, 0.50, 0.26, 2.4, 1, synths.pluck),
    Instrument("flute", 60, 86, 3.4, 0.22, 0.34, 2.8, 1, synths.flute),
    Instrument("bell", 72, 95, 4.2, 1.00, 0.34, 3.4, 1, synths.bell),
)
