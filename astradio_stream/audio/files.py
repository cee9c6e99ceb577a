"""Pieces as files: Ogg Opus from packets that exist already, WAV from PCM.

No packet is encoded again: what the file holds is what listeners of the stream received.
"""

from __future__ import annotations

import wave
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import av

from astradio_stream.audio.opus import look_ahead
from astradio_stream.units import N_CHANNELS, PACKET_SAMPLES, SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import IO

    import numpy as np
    from numpy.typing import NDArray

_TICK: Final = Fraction(1, SAMPLE_RATE_HZ)
_SAMPLE_BYTES: Final = 2 * N_CHANNELS
_WAV_HEADER_BYTES: Final = 44
LONGEST_WAV_SAMPLES: Final = (2**32 - 1 - _WAV_HEADER_BYTES) // _SAMPLE_BYTES
"""A WAV file tells its size in 32 bits: six hours and a quarter."""


def write_ogg_opus(
    file: IO[bytes], packets: Iterable[bytes], n_samples: int, tags: Mapping[str, str]
) -> None:
    """Write an Ogg Opus file that plays exactly `n_samples` samples.

    Args:
        file: Where to; it must be seekable.
        packets: Packets of 960 samples. The decoder is late by its look-ahead, so they must cover
            `n_samples` plus 120: one packet more than the piece has.
        n_samples: Length of the piece (samples).
        tags: Vorbis comments.
    """
    # bitexact: a fixed stream serial number, so that equal pieces are equal files.
    with av.open(file, "w", format="ogg", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(
            "libopus", SAMPLE_RATE_HZ, layout="stereo", options={"application": "lowdelay"}
        )
        # Opened for its header alone: it names the same look-ahead as our packets need.
        stream.codec_context.open()
        for name, value in tags.items():
            stream.metadata[name] = value
        at = -look_ahead()
        for data in packets:
            length = min(PACKET_SAMPLES, n_samples - at)
            if length <= 0:
                break
            packet = av.Packet(data)
            packet.stream = stream
            packet.time_base = _TICK
            packet.pts = packet.dts = at
            packet.duration = length
            container.mux(packet)
            at += PACKET_SAMPLES


def write_wav(file: IO[bytes], blocks: Iterable[NDArray[np.int16]]) -> None:
    """Write 16-bit stereo WAV from blocks of interleaved PCM, each shape (n_samples, 2).

    Together they must not be longer than `LONGEST_WAV_SAMPLES`.
    """
    with wave.open(file, "wb") as writer:
        writer.setnchannels(N_CHANNELS)
        writer.setsampwidth(2)
        writer.setframerate(SAMPLE_RATE_HZ)
        for block in blocks:
            writer.writeframes(block.astype("<i2", copy=False).tobytes())
