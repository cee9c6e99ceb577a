"""The note banks of the models: made once, then kept as a file that is mapped.

A mapped file is shared by all processes and read as it is needed; the next start takes it as it
is. Its name holds a fingerprint of the code that makes it and of numpy, its last four bytes the
CRC-32 of the rest: a stale or torn file is made again, a folder that takes no files is done
without.
"""

from __future__ import annotations

import hashlib
import zlib
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

import numpy as np

from astradio_stream import audio
from astradio_stream.audio.bank import I16, Bank, assemble
from astradio_stream.audio.mix import gathered, mixed, note_levels
from astradio_stream.music.score import PULSE_FIELDS
from astradio_stream.server.bank_layout import CRC_VALUES, layout_of, read_note
from astradio_stream.server.making import made_values
from astradio_stream.units import QUANTUM_SAMPLES, VIZ_FRAMES_PER_SEGMENT
from astradio_stream.viz.frames import frames

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from astradio_stream.stream.models import AudioModel


def sources_of(folder: Traversable) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the text of every module in a package, in one order everywhere."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from sources_of(entry)
        elif entry.name.endswith(".py"):
            yield entry.name, entry.read_bytes()


def fingerprint() -> str:
    """Return 16 hexadecimal digits that change with the code that makes the sound."""
    digest = hashlib.sha256(np.__version__.encode())
    for name, source in sources_of(resources.files(audio)):
        digest.update(name.encode() + source)
    return digest.hexdigest()[:16]


def _crc_of(values: I16) -> I16:
    crc = np.array([zlib.crc32(values[:-CRC_VALUES].data)], "<u4")
    return crc.view("<i2").astype(np.int16)


def _mapped(path: Path, length: int) -> I16 | None:
    """Return the file's values, mapped; None if there is none or it is not whole."""
    try:
        values = np.asarray(np.load(path, mmap_mode="r")).view(np.ndarray)
    except (OSError, ValueError, EOFError):
        return None
    if values.dtype != np.int16 or values.shape != (length,):
        return None
    return values if np.array_equal(values[-CRC_VALUES:], _crc_of(values)) else None


def _make(model: AudioModel) -> I16:
    values = made_values(model)
    values[-CRC_VALUES:] = _crc_of(values)
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


def compile_kernels() -> None:
    """Have the loops of mix and picture compiled, or read from Numba's cache, by using them."""
    nothing = assemble((), {}, np.zeros(0, np.int16), {})
    notes = gathered((), nothing)
    mixed(notes, nothing, 0, QUANTUM_SAMPLES)
    levels = note_levels(notes, nothing, 0, VIZ_FRAMES_PER_SEGMENT)
    pulses = np.zeros((len(PULSE_FIELDS), VIZ_FRAMES_PER_SEGMENT))
    frames(pulses, notes.voices, levels, notes.rows, nothing.bands)


def load_bank(model: AudioModel, folder: Path) -> Bank:
    """Return the bank of a model, from its file in `folder` or made now and kept there.

    Whoever has it can play at once: what mixes and draws its notes is compiled by then.
    """
    with ThreadPoolExecutor(1, "compiling") as executor:
        compiling = executor.submit(compile_kernels)
        bank = _bank_in(folder, model)
        compiling.result()
    return bank


def _bank_in(folder: Path, model: AudioModel) -> Bank:
    path = folder / "banks" / f"{model.version}-{fingerprint()}.npy"
    length, places = layout_of(model.instruments)
    values = _mapped(path, length)
    if values is None:
        values = _make(model)
        _keep(path, values)
    rendered = {note: read_note(values, place) for note, place in places.items()}
    offsets = {note: place.offset for note, place in places.items()}
    return assemble(model.instruments, rendered, values, offsets)
