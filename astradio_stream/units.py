"""The grid of time and the conversions between units that every layer shares.

Time is an integer sample index at 48 000 Hz. Everything longer than a sample is a whole number
of samples, so nothing here ever rounds and then accumulates::

    packet      960 samples    20 ms    one Opus packet
    viz frame   800 samples    1/60 s   one frame of the picture
    quantum   4 800 samples   100 ms    5 packets + 6 viz frames, one message on the wire
    segment  48 000 samples     1 s     10 quanta, the unit of rendering and caching
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

SAMPLE_RATE_HZ: Final = 48_000
N_CHANNELS: Final = 2

PACKET_SAMPLES: Final = 960
VIZ_SAMPLES: Final = 800
QUANTUM_SAMPLES: Final = 4_800
SEGMENT_SAMPLES: Final = 48_000

PACKETS_PER_QUANTUM: Final = QUANTUM_SAMPLES // PACKET_SAMPLES
VIZ_FRAMES_PER_QUANTUM: Final = QUANTUM_SAMPLES // VIZ_SAMPLES
VIZ_FRAMES_PER_SEGMENT: Final = SEGMENT_SAMPLES // VIZ_SAMPLES
QUANTA_PER_SEGMENT: Final = SEGMENT_SAMPLES // QUANTUM_SAMPLES

LAST_INDEX: Final = 2**53 - 1
"""The largest sample index, and the largest seed: what a JavaScript Number still holds exactly."""

END_INDEX: Final = LAST_INDEX - LAST_INDEX % SEGMENT_SAMPLES
"""Streams end here: the last whole segment below 2^53, after 5 946 years."""
LAST_PLAYED_INDEX: Final = END_INDEX - QUANTUM_SAMPLES
"""First sample of the very last quantum."""

MICROSECONDS_PER_SECOND: Final = 1_000_000
SECONDS_PER_DAY: Final = 86_400
UNIX_EPOCH: Final = datetime(1970, 1, 1)
"""Whence Unix times are counted, in UTC; and what local clocks show is counted from theirs."""


def seconds_to_samples(duration_s: float) -> int:
    """Return the whole number of samples nearest to a duration (seconds)."""
    return round(duration_s * SAMPLE_RATE_HZ)


def samples_to_seconds(n_samples: int) -> float:
    """Return a number of samples as seconds."""
    return n_samples / SAMPLE_RATE_HZ


def milliseconds_to_samples(duration_ms: int) -> int:
    """Return a whole number of milliseconds as samples, exactly."""
    return duration_ms * (SAMPLE_RATE_HZ // 1000)


def index_to_unix_us(index: int) -> int:
    """Return the Unix time (microseconds, rounded down) of a sample index of the station grid."""
    return index * 125 // 6


def unix_us_to_index(unix_us: int) -> int:
    """Return the last sample index of the station grid at or before a Unix time (microseconds)."""
    return unix_us * 6 // 125


def floor_to_quantum(index: int) -> int:
    """Return the first sample index of the quantum that holds `index`."""
    return index - index % QUANTUM_SAMPLES
