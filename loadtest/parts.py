"""The parts of what a server sends, each held to the contract; what is otherwise is an error.

Nothing is compared here with what came before, nor with what should sound.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from astradio_stream.units import QUANTUM_SAMPLES

HEAD: Final = struct.Struct(">BBHIqBBH")
"""Of a quantum: kind, codec, epoch, CRC-32, index, numbers of packets and frames, bytes of each."""
_FIVE: Final = struct.Struct(">5H")
_OPUS_HEAD: Final = HEAD.size + _FIVE.size
_PCM_BYTES: Final = QUANTUM_SAMPLES * 4
_BITRATES: Final = range(6_000, 510_001)
"""Of Opus (bit/s)."""


def index_of(message: dict[str, Any], name: str) -> int:
    """Return a field that is a whole number, not below zero.

    Raises:
        KeyError, ValueError: It is missing, or something else.
    """
    value = message[name]
    if type(value) is not int or value < 0:
        raise ValueError(name)
    return value


def named(message: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the programme of a message and its id.

    Raises:
        KeyError, ValueError: One is missing, or something else.
    """
    programme, programme_id = message["programme"], message["programmeId"]
    if not (isinstance(programme, dict) and isinstance(programme_id, str)):
        raise ValueError("programme")
    return programme, programme_id


def codec_of(ready: dict[str, Any], wanted: str) -> tuple[str, int]:
    """Return version and bitrate (bit/s) of the encoder that `ready` names.

    Raises:
        KeyError, ValueError: One is missing, or something else, or it is of a codec not `wanted`.
    """
    codec = ready["codec"]
    version, bitrate = codec["version"], codec["bitrate"]
    is_right = codec["name"] == wanted and isinstance(version, str) and type(bitrate) is int
    if not is_right or (wanted == "opus" and bitrate not in _BITRATES):
        raise ValueError("codec")
    return version, bitrate


def is_whole(message: bytes) -> bool:
    """Return whether bytes are one quantum: its parts add up. The costly check is `verify`'s."""
    if len(message) < _OPUS_HEAD or message[0] != 1:
        return False
    _, codec, _, _, index, n_packets, n_frames, frame_bytes = HEAD.unpack_from(message)
    if index < 0 or index % QUANTUM_SAMPLES or n_frames not in (0, 6):
        return False
    if codec == 0 and n_packets == 5:
        sizes = _FIVE.unpack_from(message, HEAD.size)
        return 0 not in sizes and _OPUS_HEAD + sum(sizes) + n_frames * frame_bytes == len(message)
    whole = HEAD.size + 2 + _PCM_BYTES + n_frames * frame_bytes
    return bool(codec == 1 and n_packets == 1 and len(message) == whole)
