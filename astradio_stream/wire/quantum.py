"""A quantum as bytes: 100 ms of sound and picture in one binary message, big-endian.

::

    0      1      2        4        8        16        17      18       20
    kind   codec  epoch    crc32    index    packets   viz     bytes    lengths, packets, viz frames
    u8     u8     u16      u32      i64      u8        u8      u16      u16 each, then bytes

A cached segment keeps its ten quanta ready-made at epoch 0; `with_epoch` makes them a listener's
own by two bytes. JavaScript reads and writes the same vectors: tests/vectors/quantum.json.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from astradio_stream import units

if TYPE_CHECKING:
    from collections.abc import Sequence

KIND_QUANTUM: Final = 1
PCM_BYTES: Final = units.QUANTUM_SAMPLES * units.N_CHANNELS * 2
MAX_U16: Final = 0xFFFF
MAX_U32: Final = 0xFFFF_FFFF

_HEAD: Final = struct.Struct(">BBHIqBBH")
_EPOCH: Final = struct.Struct(">H")
_EPOCH_OFFSET: Final = 2
_VIZ_OFFSET: Final = 17


class Codec(IntEnum):
    """How the sound of a quantum is written."""

    OPUS = 0
    PCM_S16LE = 1

    @property
    def word(self) -> str:
        """The name in `hello.codecs` and `ready.codec`."""
        return self.name.lower()

    @property
    def n_packets(self) -> int:
        """Packets of one quantum."""
        return units.PACKETS_PER_QUANTUM if self is Codec.OPUS else 1


CODEC_OF_WORD: Final = {codec.word: codec for codec in Codec}


class MalformedQuantum(ValueError):
    """The bytes or the parts are not a quantum of this protocol."""


@dataclass(frozen=True, slots=True)
class Quantum:
    """100 ms of sound and picture."""

    codec: Codec
    """How the packets are written."""
    epoch: int
    """The unbroken run of indices this belongs to, 0 … 65 535."""
    crc32: int
    """CRC-32 of the PCM as rendered, interleaved little-endian int16."""
    index: int
    """First sample, a multiple of 4 800."""
    packets: tuple[bytes, ...]
    """Five Opus packets, or 19 200 bytes of PCM."""
    viz_frames: tuple[bytes, ...]
    """Six frames of equal length, or none."""


def pack_quantum(  # noqa: PLR0917, in the order of the bytes
    codec: Codec,
    epoch: int,
    crc32: int,
    index: int,
    packets: Sequence[bytes],
    viz_frames: Sequence[bytes],
) -> bytes:
    """Return the binary message of one quantum.

    Raises:
        MalformedQuantum: a part does not fit the format; the sentence says which.
    """
    codec = Codec(codec)
    lengths = [len(packet) for packet in packets]
    frame_lengths = {len(frame) for frame in viz_frames}
    if len(frame_lengths) > 1:
        raise MalformedQuantum("viz frames must be of one length")
    frame_bytes = frame_lengths.pop() if frame_lengths else 0
    _check(
        codec,
        epoch,
        index,
        lengths=lengths,
        n_frames=len(viz_frames),
        frame_bytes=frame_bytes,
    )
    if not 0 <= crc32 <= MAX_U32:
        raise MalformedQuantum(f"crc32 must fit in 32 bits, got {crc32}")
    head = _HEAD.pack(
        KIND_QUANTUM, codec, epoch, crc32, index, len(lengths), len(viz_frames), frame_bytes
    )
    return b"".join((head, struct.pack(f">{len(lengths)}H", *lengths), *packets, *viz_frames))


def pack_run(
    codec: Codec,
    index: int,
    crcs: Sequence[int],
    packets: Sequence[bytes],
    picture: bytes,
) -> tuple[bytes, ...]:
    """Return the messages of consecutive quanta at epoch 0, from parts that are known to fit.

    Args:
        codec: Of all of them.
        index: First sample of the first.
        crcs: CRC-32 of the PCM of each.
        packets: Packets of all, in order.
        picture: Viz frames of all, one behind the other, of one length; empty for no picture.
    """
    n_packets, n_bytes = codec.n_packets, len(picture) // len(crcs)
    n_frames = units.VIZ_FRAMES_PER_QUANTUM if picture else 0
    frame_bytes = n_bytes // units.VIZ_FRAMES_PER_QUANTUM
    lengths = struct.Struct(f">{n_packets}H")
    messages = []
    for n, crc in enumerate(crcs):
        own = packets[n * n_packets : (n + 1) * n_packets]
        at = index + n * units.QUANTUM_SAMPLES
        head = _HEAD.pack(KIND_QUANTUM, codec, 0, crc, at, n_packets, n_frames, frame_bytes)
        frames = picture[n * n_bytes : (n + 1) * n_bytes]
        messages.append(b"".join((head, lengths.pack(*map(len, own)), *own, frames)))
    return tuple(messages)


def unpack_quantum(message: bytes) -> Quantum:
    """Return the quantum in a binary message; `pack_quantum` of it gives the same bytes.

    Raises:
        MalformedQuantum: the message is not exactly one quantum; the sentence says why.
    """
    if len(message) < _HEAD.size:
        raise MalformedQuantum(
            f"a quantum has a head of {_HEAD.size} bytes, got {len(message)} in all"
        )
    kind, code, epoch, crc32, index, n_packets, n_frames, frame_bytes = _HEAD.unpack_from(message)
    if kind != KIND_QUANTUM:
        raise MalformedQuantum(f"kind must be {KIND_QUANTUM}, got {kind}")
    try:
        codec = Codec(code)
    except ValueError:
        raise MalformedQuantum(f"codec must be 0 or 1, got {code}") from None
    offset = _HEAD.size + 2 * n_packets
    if len(message) < offset:
        raise MalformedQuantum("the message ends inside the packet lengths")
    lengths = struct.unpack_from(f">{n_packets}H", message, _HEAD.size)
    _check(codec, epoch, index, lengths=lengths, n_frames=n_frames, frame_bytes=frame_bytes)
    expected = offset + sum(lengths) + n_frames * frame_bytes
    if len(message) != expected:
        raise MalformedQuantum(f"the head promises {expected} bytes, got {len(message)}")
    parts = []
    for length in (*lengths, *[frame_bytes] * n_frames):
        parts.append(message[offset : offset + length])
        offset += length
    return Quantum(codec, epoch, crc32, index, tuple(parts[:n_packets]), tuple(parts[n_packets:]))


def with_epoch(packed: bytes, epoch: int) -> bytes:
    """Return a packed quantum as one of another epoch; nothing else changes."""
    if not 0 <= epoch <= MAX_U16:
        raise MalformedQuantum(f"epoch must fit in 16 bits, got {epoch}")
    if epoch == 0 and packed[_EPOCH_OFFSET : _EPOCH_OFFSET + 2] == b"\0\0":
        return packed
    return b"".join((packed[:_EPOCH_OFFSET], _EPOCH.pack(epoch), packed[_EPOCH_OFFSET + 2 :]))


def without_viz(packed: bytes) -> bytes:
    """Return a packed quantum without its viz frames; the sound stays as it is."""
    *_, n_frames, frame_bytes = _HEAD.unpack_from(packed)
    end = len(packed) - n_frames * frame_bytes
    return b"".join((packed[:_VIZ_OFFSET], b"\0\0\0", packed[_HEAD.size : end]))


def _check(
    codec: Codec,
    epoch: int,
    index: int,
    *,
    lengths: Sequence[int],
    n_frames: int,
    frame_bytes: int,
) -> None:
    """Raise unless the parts obey the rules that hold in both directions."""
    if not 0 <= epoch <= MAX_U16:
        raise MalformedQuantum(f"epoch must fit in 16 bits, got {epoch}")
    if not 0 <= index <= units.LAST_INDEX or index % units.QUANTUM_SAMPLES:
        raise MalformedQuantum(
            f"index must be a multiple of {units.QUANTUM_SAMPLES} from 0 to {units.LAST_INDEX},"
            f" got {index}"
        )
    if len(lengths) != codec.n_packets:
        raise MalformedQuantum(f"{codec.word} has {codec.n_packets} packets, got {len(lengths)}")
    if codec is Codec.PCM_S16LE and lengths[0] != PCM_BYTES:
        raise MalformedQuantum(f"a quantum of PCM has {PCM_BYTES} bytes, got {lengths[0]}")
    if not all(1 <= length <= MAX_U16 for length in lengths):
        raise MalformedQuantum(f"a packet has 1 to {MAX_U16} bytes, got lengths {list(lengths)}")
    if n_frames not in (0, units.VIZ_FRAMES_PER_QUANTUM):
        raise MalformedQuantum(
            f"a quantum has {units.VIZ_FRAMES_PER_QUANTUM} viz frames or none, got {n_frames}"
        )
    if bool(n_frames) != bool(frame_bytes) or frame_bytes > MAX_U16:
        raise MalformedQuantum(f"{n_frames} viz frames cannot have {frame_bytes} bytes each")
