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
from dataclasses import dataclass
from importlib import resources
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream import audio
from astradio_stream.audio.bands import N_BANDS
from astradio_stream.audio.bank import (
    I16,
    Bank,
    Rendering,
    assemble,
    batches_of,
    render_pitches,
    rendering_of,
    stored_samples,
)
from astradio_stream.audio.mix import gathered, mixed, note_bands, note_levels
from astradio_stream.music.score import PULSE_FIELDS
from astradio_stream.units import QUANTUM_SAMPLES, VIZ_FRAMES_PER_SEGMENT
from astradio_stream.viz.frames import frames

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from astradio_stream.audio.instrument import Instrument
    from astradio_stream.stream.models import AudioModel

_CRC_VALUES: Final = 2
"""The check at the end of the file: one u32 as two int16."""


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


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a note lies in the file: samples, then levels, then bands."""

    offset: int
    """Number of its first value."""
    n_channels: int
    """1 or 2."""
    n_samples: int
    """Samples per channel."""
    n_frames: int
    """Viz frames that have a level."""

    @property
    def levels_at(self) -> int:
        """Number of the first value of its levels, two to a float32."""
        return self.offset + self.n_channels * self.n_samples

    @property
    def bands_at(self) -> int:
        """Number of the first value of its bands, four to a float64."""
        return self.levels_at + 2 * self.n_frames

    @property
    def end(self) -> int:
        """Number of the value after its last."""
        return self.bands_at + 4 * N_BANDS


_Layout = dict[tuple[str, int], _Place]


def _layout(instruments: tuple[Instrument, ...]) -> tuple[int, _Layout]:
    """Return the length of the file (int16 values) and the place of each note."""
    offset, places = 0, {}
    for instrument in instruments:
        for pitch in instrument.pitches:
            n_samples = stored_samples(instrument, pitch)
            n_frames = n_samples // instrument.frame_samples
            place = _Place(offset, 1 if instrument.mono else 2, n_samples, n_frames)
            places[instrument.name, pitch] = place
            offset = place.end
    return offset + _CRC_VALUES, places


def _write(values: I16, place: _Place, made: Rendering) -> None:
    values[place.offset : place.levels_at] = made.pcm.reshape(-1)
    values[place.levels_at : place.bands_at] = made.levels.view(np.int16)
    values[place.bands_at : place.end] = made.bands.view(np.int16)


def _read(values: I16, place: _Place) -> Rendering:
    """Return a note whose samples stay where they are; its few figures are copied."""
    return Rendering(
        values[place.offset : place.levels_at].reshape(place.n_channels, place.n_samples),
        values[place.levels_at : place.bands_at].copy().view(np.float32),
        values[place.bands_at : place.end].copy().view(np.float64),
    )


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


def _make(model: AudioModel) -> I16:
    length, places = _layout(model.instruments)
    values = np.empty(length, np.int16)

    # On one thread: several would fight for the interpreter's lock, and take longer.
    for instrument, pitches in batches_of(model.instruments):
        for pitch, pcm in zip(pitches, render_pitches(instrument, pitches), strict=True):
            _write(values, places[instrument.name, pitch], rendering_of(instrument, pcm))
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


def compile_kernels() -> None:
    """Have the loops of mix and picture compiled, or read from Numba's cache, by using them."""
    nothing = assemble((), {}, np.zeros(0, np.int16), {})
    notes = gathered((), nothing)
    mixed(notes, nothing, 0, QUANTUM_SAMPLES)
    levels = note_levels(notes, nothing, 0, VIZ_FRAMES_PER_SEGMENT)
    pulses = np.zeros((len(PULSE_FIELDS), VIZ_FRAMES_PER_SEGMENT))
    frames(pulses, notes.voices, levels, note_bands(notes, nothing))


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
    length, places = _layout(model.instruments)
    values = _mapped(path, length)
    if values is None:
        values = _make(model)
        _keep(path, values)
    rendered = {note: _read(values, place) for note, place in places.items()}
    offsets = {note: place.offset for note, place in places.items()}
    return assemble(model.instruments, rendered, values, offsets)
