"""The command `render`: a piece of a programme into files, whole or not at all.

==========  ===========================================================================
ending      what is in the file
==========  ===========================================================================
`.opus`     what a listener receives, packet for packet
`.wav`      the samples before encoding
`.mid`      the notes, a track for each body
`.json`     palette, gates, text, events with their reasons, tempo map, provenance
==========  ===========================================================================

All files are written beside their places first and moved there together at the end, so a run that
breaks or is stopped leaves nothing behind.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
from errno import EIO
from functools import cached_property
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Final, cast

import av
import orjson
from tqdm import tqdm

from astradio_stream.audio import opus
from astradio_stream.audio.files import LONGEST_WAV_SAMPLES, write_ogg_opus, write_wav
from astradio_stream.errors import Detail, ValidationFailed
from astradio_stream.server.banks import load_bank
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.piece import (
    Span,
    piece_midi,
    piece_of,
    piece_packets,
    piece_pcm,
    piece_segments,
    piece_tags,
)
from astradio_stream.stream.piece_json import piece_to_json
from astradio_stream.stream.segment import Rendition
from astradio_stream.units import END_INDEX, SAMPLE_RATE_HZ, SEGMENT_SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import IO

    from astradio_stream.music.score import Score
    from astradio_stream.settings import Settings
    from astradio_stream.stream.programme import Programme


@dataclass(frozen=True)
class Job:
    """One call of `render`."""

    programme: Programme
    first: int
    """Second at which the piece begins."""
    n_samples: int
    style: str
    """Of the text in the `.json`."""
    settings: Settings

    @property
    def span(self) -> Span:
        """The piece in sample indices."""
        start = self.first * SEGMENT_SAMPLES
        return Span(start, start + self.n_samples)

    @cached_property
    def score(self) -> Score:
        """The programme, composed; without its sound this needs no bank."""
        return AUDIO_MODELS[self.programme.model_versions.audio].score_of(self.programme)

    @cached_property
    def rendition(self) -> Rendition:
        """The programme on the bank of its model."""
        model = AUDIO_MODELS[self.programme.model_versions.audio]
        bank = load_bank(model, self.settings.data_dir)
        return Rendition(self.programme, bank)


def _write_opus(file: IO[bytes], job: Job, name: str) -> None:
    segments = piece_packets(job.rendition, job.first, job.n_samples, job.settings.opus_bitrate)
    total = len(piece_segments(job.first, job.n_samples))
    with tqdm(segments, total=total, unit="s", desc=name) as told:
        packets = (packet for segment in told for packet in segment)
        write_ogg_opus(file, packets, job.n_samples, piece_tags(job.programme))


def _write_wav(file: IO[bytes], job: Job, name: str) -> None:
    blocks = piece_pcm(job.rendition, job.first, job.n_samples)
    total = -(-job.n_samples // SAMPLE_RATE_HZ)
    with tqdm(blocks, total=total, unit="s", desc=name) as told:
        write_wav(file, told)


def _write_midi(file: IO[bytes], job: Job, _name: str) -> None:
    file.write(piece_midi(job.score, job.span))


def _write_json(file: IO[bytes], job: Job, _name: str) -> None:
    piece = piece_of(job.programme, job.score, job.span, job.style)
    told = piece_to_json(piece, opus.library().version)
    file.write(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


_WRITERS: Final[dict[str, Callable[[IO[bytes], Job, str], None]]] = {
    ".opus": _write_opus,
    ".wav": _write_wav,
    ".mid": _write_midi,
    ".json": _write_json,
}
ENDINGS: Final = tuple(_WRITERS)
"""Endings of the files that can be written."""


def render(job: Job, outs: Sequence[Path]) -> None:
    """Write a piece into files, each in the format of its ending.

    Raises:
        ValidationFailed: The piece does not fit into the stream, or a file has no place.
        OSError: A file cannot be written; then none is there.
    """
    _require_room(job)
    for out in outs:
        _require_place(out)
        _require_size(out, job)
    with ExitStack() as parts:
        written = [(_write_part(out, job, parts), out) for out in outs]
        for part, out in written:
            part.replace(out)


def _write_part(out: Path, job: Job, parts: ExitStack) -> Path:
    """Write a file beside its place; when `parts` closes it is gone, unless it was moved."""
    try:
        with NamedTemporaryFile(dir=out.parent, suffix=".part", delete=False) as file:
            part = Path(file.name)
            parts.callback(part.unlink, missing_ok=True)
            _WRITERS[out.suffix.lower()](cast("IO[bytes]", file), job, out.name)
        part.chmod(0o644)
    except (OSError, av.error.FFmpegError) as error:
        # The muxer hides what the file said; either names a file that is nobody's business.
        cause = error if isinstance(error, OSError) else error.__context__
        number = getattr(cause, "errno", None) or EIO
        raise OSError(number, os.strerror(number), str(out)) from error
    return part


def _require_room(job: Job) -> None:
    if job.span.stop > END_INDEX:
        last = END_INDEX // SEGMENT_SAMPLES
        sentence = f"the piece must end by second {last}, where every stream does"
        raise ValidationFailed([Detail("--from", sentence)])


def _require_size(out: Path, job: Job) -> None:
    if out.suffix.lower() == ".wav" and job.n_samples > LONGEST_WAV_SAMPLES:
        longest_s = LONGEST_WAV_SAMPLES // SAMPLE_RATE_HZ
        sentence = f"a .wav file holds at most {longest_s} seconds; a .opus file holds more"
        raise ValidationFailed([Detail("--duration", sentence)])


def _require_place(out: Path) -> None:
    if not out.parent.is_dir():
        raise ValidationFailed([Detail("--out", f"there is no folder {out.parent}")])
    if out.is_dir():
        raise ValidationFailed([Detail("--out", f"{out} is a folder")])
