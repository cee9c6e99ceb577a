"""Sampled quanta against a local render: the same function, the same samples, or a finding.

CRC and picture must be equal everywhere. Packets must be equal where both ends use the same
libopus; elsewhere each is decoded beside the local one, from the same cold start, and must sound
alike. Bounded in time: what was not reached is said (`verified` of `sampled`), and as programmes
take turns it is not always the same ones.
"""

from __future__ import annotations

import random
import re
import time
import zlib
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from astradio_stream.audio import opus
from astradio_stream.errors import AstradioError, CodecUnavailable
from astradio_stream.server.banks import load_bank
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.segment import Rendition, packets_of
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.units import (
    PACKET_SAMPLES,
    PACKETS_PER_QUANTUM,
    QUANTUM_SAMPLES,
    SEGMENT_SAMPLES,
    VIZ_FRAMES_PER_QUANTUM,
)
from astradio_stream.wire.quantum import Codec, Quantum, unpack_quantum

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from astradio_stream.audio.bank import Bank
    from astradio_stream.stream.segment import Segment
    from loadtest.sampling import Reservoir, Sample
    from loadtest.tally import Tally

_UNLIKE: Final = 0.5
"""Power of the difference between two decodings of a packet, as a share of the power of the sound.
Two encoders of 96 kb/s stay below 0.1 each; other sound is beyond 1."""
_FLOOR: Final = 100.0
"""Power (int16 squared) that no ear hears: −70 dB."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A segment as rendered here."""

    segment: Segment
    crcs: list[int]
    packets: tuple[bytes, ...]


class Verifier:
    """Judges samples by rendering again what they should be."""

    def __init__(self, folder: Path, tally: Tally) -> None:
        """Judge with the note banks in `folder`, made there if they are missing."""
        self._folder = folder
        self._tally = tally
        self._banks: dict[str, Bank] = {}
        self._renditions: dict[str, Rendition | None] = {}
        self._made: tuple[tuple[str, int, int], _Made] | None = None

    def verify(self, reservoir: Reservoir, limit_s: float) -> None:
        """Judge the samples of a reservoir, for so long at the most (seconds)."""
        began = time.monotonic()
        counts = self._tally.counts
        counts["sampled"] += len(reservoir.samples)
        for sample in in_turn(reservoir.samples):
            if time.monotonic() - began > limit_s:
                break
            rendition = self._rendition(sample, reservoir.programmes[sample.programme_id])
            if rendition is not None:
                self._judge(sample, rendition)
                counts["verified"] += 1

    def _rendition(self, sample: Sample, programme: dict[str, Any]) -> Rendition | None:
        known = self._renditions.get(sample.programme_id, 0)
        if known != 0:
            return known  # type: ignore[return-value]
        rendition = None
        try:
            resolved = resolve(programme, Moment(0), ModelVersions())
            if resolved.programme_id != sample.programme_id:
                self._tally.find("wrong_programme", sample.programme_id)
            else:
                rendition = Rendition(resolved, self._bank(resolved.model_versions.audio))
        except AstradioError as error:
            self._tally.find("wrong_programme", str(error))
        self._renditions[sample.programme_id] = rendition
        return rendition

    def _bank(self, version: str) -> Bank:
        if version not in self._banks:
            self._banks[version] = load_bank(AUDIO_MODELS[version], self._folder)
        return self._banks[version]

    def _render(self, sample: Sample, rendition: Rendition, number: int, bitrate: int) -> _Made:
        key = sample.programme_id, number, bitrate
        if self._made is None or self._made[0] != key:
            segment = rendition.segment(number)
            packets = packets_of(segment, bitrate) if bitrate else ()
            self._made = key, _Made(segment, segment.quantum_crcs(), packets)
        return self._made[1]

    def _judge(self, sample: Sample, rendition: Rendition) -> None:
        try:
            quantum = unpack_quantum(sample.message)
        except ValueError as error:
            self._tally.find("malformed", str(error))
            return
        number, offset = divmod(quantum.index, SEGMENT_SAMPLES)
        place = offset // QUANTUM_SAMPLES
        bitrate = sample.bitrate if quantum.codec is Codec.OPUS else 0
        made = self._render(sample, rendition, number, bitrate)
        if quantum.crc32 != made.crcs[place]:
            self._tally.find("wrong_crc", f"{quantum.index} of {sample.programme_id[:8]}")
        self._judge_picture(quantum, made, place)
        if quantum.codec is Codec.PCM_S16LE:
            if zlib.crc32(quantum.packets[0]) != made.crcs[place]:
                self._tally.find("wrong_sound", f"{quantum.index} as PCM")
            return
        first = place * PACKETS_PER_QUANTUM
        self._judge_packets(quantum, made.packets[first : first + PACKETS_PER_QUANTUM], sample)

    def _judge_picture(self, quantum: Quantum, made: _Made, place: int) -> None:
        if not quantum.viz_frames:
            return
        first = place * VIZ_FRAMES_PER_QUANTUM
        frames = made.segment.viz[first : first + VIZ_FRAMES_PER_QUANTUM]
        if b"".join(quantum.viz_frames) != frames.tobytes():
            self._tally.find("wrong_picture", str(quantum.index))

    def _judge_packets(self, quantum: Quantum, ours: tuple[bytes, ...], sample: Sample) -> None:
        try:
            heard = opus.Decoder().decode(quantum.packets).astype(np.float64)
        except CodecUnavailable as error:
            self._tally.find("bad_opus", f"{quantum.index}: {error}")
            return
        self._tally.counts["decoded"] += len(quantum.packets)
        if _version_in(sample.version) == _version_in(opus.library().version):
            wrong = [n for n, packet in enumerate(quantum.packets) if packet != ours[n]]
            for n in wrong:
                self._tally.find("wrong_packet", f"packet {n} of {quantum.index}")
            return
        wanted = opus.Decoder().decode(ours).astype(np.float64)
        for n in range(PACKETS_PER_QUANTUM):
            span = slice(n * PACKET_SAMPLES, (n + 1) * PACKET_SAMPLES)
            power = float(np.mean(wanted[span] ** 2))
            apart = float(np.mean((heard[span] - wanted[span]) ** 2))
            if apart > max(_FLOOR, _UNLIKE * power):
                self._tally.find("wrong_sound", f"packet {n} of {quantum.index}")


def in_turn(samples: Sequence[Sample]) -> Iterator[Sample]:
    """Yield all samples, a segment of each programme after another: each is rendered only once.

    Programmes have their turns in an order that differs from run to run, as what was sampled does.
    """
    of_segment: dict[tuple[str, int], list[Sample]] = {}
    for sample in sorted(samples, key=_index_of):
        key = sample.programme_id, _index_of(sample) // SEGMENT_SAMPLES
        of_segment.setdefault(key, []).append(sample)
    waiting: dict[str, deque[list[Sample]]] = {}
    for (programme_id, _), together in of_segment.items():
        waiting.setdefault(programme_id, deque()).append(together)
    names = sorted(waiting)
    random.Random(b"".join(sorted(sample.message[:16] for sample in samples))).shuffle(names)
    turns = deque(names)
    while turns:
        name = turns.popleft()
        yield from waiting[name].popleft()
        if waiting[name]:
            turns.append(name)


def _index_of(sample: Sample) -> int:
    return int.from_bytes(sample.message[8:16])


def _version_in(name: str) -> str:
    digits = re.search(r"\d+\.\d+(?:\.\d+)?", name)
    return digits[0] if digits else name
