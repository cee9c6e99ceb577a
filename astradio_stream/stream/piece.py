"""A piece: some seconds of a programme, with a beginning and an end, ready for a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astradio_stream.stream.segment import packets_of
from astradio_stream.units import SEGMENT_SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from astradio_stream.stream.segment import Rendition


def piece_segments(first: int, n_samples: int) -> range:
    """Return the segments whose packets a piece needs, that of its last look-ahead included."""
    return range(first, first + n_samples // SEGMENT_SAMPLES + 1)


def piece_packets(
    rendition: Rendition, first: int, n_samples: int, bitrate: int
) -> Iterator[tuple[bytes, ...]]:
    """Yield the packets of a piece, a segment at a time.

    Args:
        rendition: The programme being played.
        first: Number of the segment at which the piece begins.
        n_samples: Its length.
        bitrate: Of the packets (bits per second).
    """
    for number in piece_segments(first, n_samples):
        yield packets_of(rendition.segment(number), bitrate)


def piece_pcm(rendition: Rendition, first: int, n_samples: int) -> Iterator[NDArray[np.int16]]:
    """Yield the samples of a piece, a segment at a time, the last one cut to length."""
    for start in range(0, n_samples, SEGMENT_SAMPLES):
        n_here = min(SEGMENT_SAMPLES, n_samples - start)
        yield rendition.pcm(first * SEGMENT_SAMPLES + start, n_here)
