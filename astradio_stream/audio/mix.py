"""The mix: notes of the bank added up into int16 PCM, from any index, exact to the bit.

Every note is a slice of the bank times a gain. They are added in the order of the score, one
elementwise multiply and add each, so the sum is the same on every CPU. The master at the end is
a curve without memory: straight up to its knee, then bending towards full scale.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.audio.bands import N_BANDS
from astradio_stream.units import VIZ_SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from astradio_stream.audio.bank import I16, Bank, BankNote
    from astradio_stream.audio.exact import F32
    from astradio_stream.music.note import Note

_KNEE: Final = np.float32(0.60 * 32767.0)
_CEILING: Final = np.float32(0.88 * 32767.0)
"""-1.1 dB: leaves room for what a decoder's filter adds between samples."""


class _Workspace:
    """Buffers of one render. Fresh ones would cost more page faults than the mix itself."""

    def __init__(self, n_samples: int) -> None:
        self.n_samples = n_samples
        self.out = np.empty((2, n_samples), np.float32)
        self.scratch = np.empty((2, n_samples), np.float32)
        self.chord = np.empty((2, n_samples), np.int16)


_idle: deque[_Workspace] = deque(maxlen=8)
"""Workspaces nobody uses; a deque, whose ends threads may share. No content outlives a render."""


def _workspace(n_samples: int) -> _Workspace:
    try:
        space = _idle.pop()
    except IndexError:
        return _Workspace(n_samples)
    return space if space.n_samples == n_samples else _Workspace(n_samples)


def _chords(notes: Iterable[Note], bank: Bank) -> Iterator[tuple[Note, list[BankNote]]]:
    """Yield the notes; those struck together alike come as one, with all their renderings."""
    first: Note | None = None
    tones: list[BankNote] = []
    for note in notes:
        rendered = bank.note(note.instrument, note.pitch)
        if (
            first is not None
            and len(tones) < rendered.chord_tones
            and note.onset == first.onset
            and note.duration == first.duration
            and note.left == first.left
            and note.right == first.right
            and note.instrument == first.instrument
        ):
            tones.append(rendered)
            continue
        if first is not None:
            yield first, tones
        first, tones = note, [rendered]
    if first is not None:
        yield first, tones


def _add(space: _Workspace, note: Note, tones: list[BankNote], start: int) -> None:
    """Add what a note, or a chord of such, gives to the mix whose first sample is `start`."""
    rendered = tones[0]
    length = rendered.pcm.shape[1]
    held = min(note.duration, length)
    first = max(0, start - note.onset)
    last = min(held + len(rendered.release), length, start + space.n_samples - note.onset)
    if first >= last:
        return
    at = note.onset + first - start
    part = space.scratch[:, : last - first]
    sound = rendered.pcm[:, first:last]
    if len(tones) > 1:
        chord = space.chord[:, : last - first]
        np.add(sound, tones[1].pcm[:, first:last], out=chord)
        for tone in tones[2:]:
            chord += tone.pcm[:, first:last]
        sound = chord
    part[...] = sound  # a cast of its own beats a multiply that casts
    part *= np.array(((note.left,), (note.right,)), np.float32)
    if last > held:
        let_go = max(first, held)
        part[:, let_go - first :] *= rendered.release[let_go - held : last - held]
    space.out[:, at : at + last - first] += part


def _bend(space: _Workspace) -> None:
    """Bend what lies above the knee k towards the ceiling c: k + (c - k) d / (d + c - k)."""
    x, over = space.out, space.scratch
    np.abs(x, out=over)
    magnitude = np.minimum(over, _KNEE)
    over -= _KNEE
    np.maximum(over, np.float32(0.0), out=over)
    magnitude += over * (_CEILING - _KNEE) / (over + (_CEILING - _KNEE))
    np.copysign(magnitude, x, out=x)


def render(notes: Iterable[Note], bank: Bank, start: int, n_samples: int) -> I16:
    """Return int16 PCM, interleaved, shape (n_samples, 2), of the span that begins at `start`.

    Args:
        notes: All notes that can sound in the span, in the order of the score.
        bank: The model's notes.
        start: First sample index.
        n_samples: Length of the span.
    """
    space = _workspace(n_samples)
    out = space.out
    out.fill(0.0)
    for note, tones in _chords(notes, bank):
        _add(space, note, tones, start)
    if max(float(out.max()), -float(out.min())) > float(_KNEE):
        _bend(space)
    np.rint(out, out=out)
    pcm = np.empty((n_samples, 2), np.int16)
    pcm[:, 0] = out[0]
    pcm[:, 1] = out[1]
    _idle.append(space)
    return pcm


def note_bands(notes: tuple[Note, ...], bank: Bank) -> NDArray[np.float64]:
    """Return how each note's energy is shared among the bands, shape (n_notes, 8)."""
    shares = [bank.note(note.instrument, note.pitch).bands for note in notes]
    return np.array(shares).reshape(len(notes), N_BANDS)


def note_levels(notes: tuple[Note, ...], bank: Bank, start: int, n_frames: int) -> F32:
    """Return how loud each note is in each viz frame from `start` on, (n_notes, n_frames).

    Level is the root mean square of the frame (0-1 of full scale) before the master, to the
    nearest frame: up to 8 ms early.
    """
    if not notes:
        return np.zeros((0, n_frames), np.float32)
    onsets = np.array([note.onset for note in notes], np.int64)[:, np.newaxis]
    durations = np.array([note.duration for note in notes], np.int64)[:, np.newaxis]
    gains = np.array([(note.left, note.right) for note in notes], np.float32)
    names = [(note.instrument, note.pitch) for note in notes]
    releases = np.array([len(bank.note(*name).release) for name in names], np.int64)[:, np.newaxis]

    since = start + VIZ_SAMPLES * np.arange(n_frames, dtype=np.int64)[np.newaxis, :] - onsets
    levels = bank.levels(names, since // VIZ_SAMPLES)
    let_go = np.clip((since - durations) / releases, 0.0, 1.0).astype(np.float32)
    rest = np.float32(1.0) - let_go
    levels *= rest * rest
    power = gains[:, 0] * gains[:, 0] + gains[:, 1] * gains[:, 1]
    levels *= np.sqrt(power)[:, np.newaxis]
    return levels
