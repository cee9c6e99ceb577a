"""The sound and the picture of a piece, laid down a second at a time by several threads.

The seconds may come in any order. Of the samples only their SHA-256 is kept, so that ten minutes
take no more memory than their packets do.
"""

from __future__ import annotations

import io
import threading
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from astradio_stream.audio.files import write_ogg_opus
from astradio_stream.stream.piece_json import event_to_json
from astradio_stream.units import SAMPLE_RATE_HZ, VIZ_SAMPLES, samples_to_seconds
from astradio_stream.viz.fields import fields_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from astradio_stream.music.score import Event
    from astradio_stream.stream.programme import Programme
    from astradio_stream.stream.segment import Segment


class Tape:
    """What is there of one piece so far."""

    def __init__(self, n_samples: int) -> None:
        """Begin a piece of some length, at index 0."""
        self._n_samples = n_samples
        self._lock = threading.Lock()
        self._early: dict[int, tuple[Segment, tuple[bytes, ...]]] = {}
        self._next = 0
        self._n_left = n_samples
        self._pcm = sha256()
        self._packets: list[bytes] = []
        self._frames: list[np.ndarray[Any, np.dtype[np.uint8]]] = []
        self._events: list[Event] = []

    def lay(self, segment: Segment, packets: tuple[bytes, ...]) -> None:
        """Add a second; what lies beyond the end of the piece counts as packets alone."""
        with self._lock:
            self._early[segment.number] = (segment, packets)
            while (found := self._early.pop(self._next, None)) is not None:
                self._append(*found)
                self._next += 1

    def pcm_digest(self) -> str:
        """Return the SHA-256 of the samples: interleaved, 16 bits, little-endian."""
        return self._pcm.hexdigest()

    def to_ogg(self, tags: Mapping[str, str]) -> bytes:
        """Return the sound as an Ogg Opus file."""
        file = io.BytesIO()
        write_ogg_opus(file, self._packets, self._n_samples, tags)
        return file.getvalue()

    def to_viz(self, programme: Programme) -> bytes:
        """Return the picture as JSON: a list of frames, each a number (0-255) for each field."""
        frames = np.concatenate(self._frames)[: -(-self._n_samples // VIZ_SAMPLES)]
        told = {
            "programmeId": programme.programme_id,
            "version": programme.model_versions.viz,
            "sampleRate": SAMPLE_RATE_HZ,
            "vizSamples": VIZ_SAMPLES,
            "durationS": samples_to_seconds(self._n_samples),
            "fields": fields_json(),
            "frames": np.ascontiguousarray(frames),
            "events": [
                event_to_json(event) for event in self._events if event.index < self._n_samples
            ],
        }
        return orjson.dumps(told, option=orjson.OPT_SERIALIZE_NUMPY)

    def _append(self, segment: Segment, packets: tuple[bytes, ...]) -> None:
        self._packets += packets
        pcm = segment.pcm[: self._n_left]
        self._n_left -= len(pcm)
        if len(pcm):
            self._pcm.update(np.ascontiguousarray(pcm, "<i2").data)
            self._frames.append(segment.viz)
            self._events += segment.events
