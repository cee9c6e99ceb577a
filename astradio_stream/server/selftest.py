"""One second, made, encoded, decoded and compared, before anybody listens."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.audio import opus
from astradio_stream.errors import SelfTestFailed
from astradio_stream.units import SEGMENT_SAMPLES
from astradio_stream.wire.quantum import Codec, unpack_quantum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from astradio_stream.server.renderer import ReadyMade
    from astradio_stream.stream.segment import Segment

LIKENESS: Final = 0.5
"""Least correlation of what a decoder plays with what was encoded. At 16 kb/s, the least bit rate,
music has 0.8 and more; a wrong look-ahead, a mixed-up channel, a wrong packet have next to none."""


def check_second(segment: Segment, made: ReadyMade) -> None:
    """Compare a segment with what listeners get of it, read as a listener reads it.

    Args:
        segment: As rendered.
        made: The same second in Opus.

    Raises:
        SelfTestFailed: they are not the same sound.
    """
    quanta = [unpack_quantum(message) for message in made.with_viz]
    if any(quantum.codec is not Codec.OPUS for quantum in quanta):
        raise SelfTestFailed("the self-test failed: a second was not encoded as Opus")
    if [quantum.crc32 for quantum in quanta] != list(map(zlib.crc32, segment.quantum_pcm())):
        raise SelfTestFailed("the self-test failed: a quantum does not name its own samples")
    decoder, late = opus.Decoder(), opus.look_ahead()
    played = decoder.decode([packet for quantum in quanta for packet in quantum.packets])
    alike = likeness(played[late:], segment.pcm[: SEGMENT_SAMPLES - late])
    if alike < LIKENESS:
        sentence = f"the self-test failed: decoded sound is like the rendered by {alike:.2f}"
        raise SelfTestFailed(f"{sentence}, not {LIKENESS} or more; libopus may be broken")


def likeness(a: NDArray[np.int16], b: NDArray[np.int16]) -> float:
    """Return the correlation of two sounds of one shape (-1 to 1); two silences are alike."""
    one, other = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    size = float(np.sqrt((one @ one) * (other @ other)))
    if size == 0.0:
        return 1.0 if not (one.any() or other.any()) else 0.0
    return float(one @ other) / size
