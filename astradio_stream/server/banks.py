"""The note banks of the models: made once on all threads, then kept as a file that is mapped.

A mapped file is shared by all processes and read as it is needed; the next start takes it as it
is. Its name holds a fingerprint of the code that makes it and of numpy, its last four bytes the
CRC-32 of the rest: a stale or torn file is made again, a folder that takes no files is done
without.
"""

from __future__ import annotations

import hashlib
import zlib
from importlib import resources
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream import audio
from astradio_stream.audio.bank import (
    I16,
    Bank,
    assemble,
    batches_of,
    instrument_samples,
    render_pitches,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from astradio_stream.audio.instrument import Instrument
    from astradio_stream.stream.models import AudioModel

_CRC_VALUES: Final = 2
"""The check at the end of the file: one u32 as two int16."""


def _sources(folder: Traversable) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _sources(entry)
        elif entry.name.endswith(".py"):
            yield entry.name, entry.read_bytes()


def fingerprint() -> str:
    """Return 16 hexadecimal digits that change with the code that makes the sound."""
    digest = hashlib.sha256(np.__version__.encode())
    for name, source in _sources(resources.files(audio)):
        digest.update(name.encode() + source)
    return digest.hexdigest()[:16]


def _layout(
    instruments: tuple[Instrument, ...],
) -> tuple[int, list[tuple[tuple[str, int], int, int]]]:
    """Return the length of the file (int16 values) and (note, offset, n_samples) of each note."""
    offset, rows = 0, []
    for instrument in instruments:
        n_samples = instrument_samples(instrument)
        for pitch in range(instrument.lowest, instrument.highest + 1):
            rows.append(((instrument.name, pitch), offset, n_samples))
            offset += 2 * n_samples
    return offset + _CRC_VALUES, rows


def _crc_of(values: I16) -> I16:
    crc = np.array([zlib.crc32(values[:-_CRC_VALUES].data)], "<u4")
    return crc.view("<i2").astype(np.int16)


def _mapped(path: Path, length: int) -> I16 | None:
    """Return the file's values, mapped; None if there is none or it is not whole."""
    try:
        values = np.asarray(np.load(path, mmap_mode="r")).view(np.ndarray)
    except (OSError, ValueError, EOFError):
        return None
    if values.dtype != np.int16 or values.shape != (length,):
        return None
    return values if np.array_equal(values[-_CRC_VALUES:], _crc_of(values)) else None


def _make(instruments: tuple[Instrument, ...], executor: Executor) -> I16:
    length, rows = _layout(instruments)
    values = np.empty(length, np.int16)
    places = {note: (offset, n_samples) for note, offset, n_samples in rows}

    def fill(work: tuple[Instrument, range]) -> None:
        instrument, pitches = work
        for pitch, pcm in zip(pitches, render_pitches(instrument, pitches), strict=True):
            offset, n_samples = places[instrument.name, pitch]
            values[offset : offset + 2 * n_samples] = pcm.reshape(-1)

    for _ in executor.map(fill, batches_of(instruments)):
        pass
    values[-_CRC_VALUES:] = _crc_of(values)
    return values


def _keep(path: Path, values: I16) -> None:
    """Write the file beside its place, then move it there; a folder may refuse it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            np.save(file, values)
        path.parent.joinpath(file.name).replace(path)
    except OSError:
        return
    for other in path.parent.glob(f"{path.name.split('-')[0]}-*.npy"):
        if other != path:
            other.unlink(missing_ok=True)


def load_bank(model: AudioModel, folder: Path, executor: Executor) -> Bank:
    """Return the bank of a model, from its file in `folder` or made now and kept there."""
    path = folder / "banks" / f"{model.version}-{fingerprint()}.npy"
    length, rows = _layout(model.instruments)
    values = _mapped(path, length)
    if values is None:
        values = _make(model.instruments, executor)
        _keep(path, values)
    rendered = {
        note: values[offset : offset + 2 * n_samples].reshape(2, n_samples)
        for note, offset, n_samples in rows
    }
    return assemble(model.instruments, rendered)
