"""The mix: notes of the bank added up into int16 PCM, from any index, exact to the bit.

Every note is a slice of the bank times a gain. They are added in the order of the score, one
elementwise multiply and add each, so the sum is the same on every CPU. Notes that the bank keeps
at half the rate are added up by themselves, on even samples, and doubled together. The master at
the end is a curve without memory: straight up to its knee, then bending towards full scale.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

import numpy as np

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

_ROOM: Final = _CEILING - _KNEE

_BETWEEN: Final = tuple(
    np.float32(c)
    for c in (
        *(0.6298316, -0.1925658, 0.0968581, -0.0525882),
        *(0.0277857, -0.0134461, 0.0055643, -0.0017776),
    )
)
"""Weights of the nearest, second, … pair of neighbours of a sample put between two at 24 kHz:
flat up to 9 kHz, 69 dB down from 15 kHz on (least squares, reweighted towards minimax)."""
_REACH: Final = len(_BETWEEN)


class _Bus:
    """Where notes of one rate are added up."""

    def __init__(self, n_samples: int) -> None:
        self.n_samples = n_samples
        self.out = np.empty((2, n_samples), np.float32)
        self.scratch = np.empty((2, n_samples), np.float32)
        self.chord = np.empty((2, n_samples), np.int16)
        self.gain = np.empty((2, 1), np.float32)


class _Workspace:
    """Buffers of one render. Fresh ones would cost more page faults than the mix itself."""

    def __init__(self, n_samples: int) -> None:
        self.n_samples = n_samples
        self.full = _Bus(n_samples)
        self.half = _Bus(n_samples // 2 + 1 + 2 * _REACH)


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
        if first is None and rendered.chord_tones == 1:
            yield note, [rendered]
            continue
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


def _rounds(rendered: BankNote, first: int, last: int) -> Iterator[tuple[int, I16]]:
    """Yield (place, samples) of the pieces that make up a held note from `first` to `last`."""
    length = rendered.pcm.shape[1]
    place = first
    while place < last:
        source = place
        if place >= length:
            begin = length - rendered.loop
            source = begin + (place - begin) % rendered.loop
        n_here = min(last - place, length - source)
        yield place - first, rendered.pcm[:, source : source + n_here]
        place += n_here


def _sound(bus: _Bus, tones: list[BankNote], first: int, last: int) -> F32:
    """Return, in the bus's scratch, a note or a chord of such while it is held."""
    part = bus.scratch[:, : last - first]
    rendered = tones[0]
    if rendered.loop and last > rendered.pcm.shape[1]:
        for place, sound in _rounds(rendered, first, last):
            part[:, place : place + sound.shape[1]] = sound
    elif len(tones) > 1:
        chord = bus.chord[:, : last - first]
        np.add(rendered.pcm[:, first:last], tones[1].pcm[:, first:last], out=chord)
        for tone in tones[2:]:
            chord += tone.pcm[:, first:last]
        part[...] = chord
    else:
        part[...] = rendered.pcm[:, first:last]  # a cast of its own beats a multiply that casts
    return part


def _add(bus: _Bus, note: Note, tones: list[BankNote], start: int) -> None:
    """Add what a note, or a chord of such, gives to the bus whose first sample is `start`."""
    rendered = tones[0]
    onset, held = note.onset, note.duration
    if rendered.half_rate:
        onset, held = onset >> 1, held >> 1 or 1
    since = start - onset
    last = since + bus.n_samples
    if not rendered.loop:
        length = rendered.pcm.shape[1]
        held = min(held, length)
        last = min(last, length)
    last = min(last, held + len(rendered.release))
    first = max(0, since)
    if first >= last:
        return
    part = _sound(bus, tones, first, last)
    gain = bus.gain
    gain[0, 0] = note.left * rendered.gain
    gain[1, 0] = note.right * rendered.gain
    part *= gain
    if last > held:
        let_go = max(first, held)
        part[:, let_go - first :] *= rendered.release[let_go - held : last - held]
    out = bus.out[:, first - since : last - since]
    out += part


def _add_doubled(space: _Workspace, start: int, half_start: int) -> None:
    """Add the bus at half the rate, from whose `half_start` on it has sound, to the whole mix."""
    bus, n_samples = space.half, space.n_samples
    n_pairs = n_samples // 2 + 1
    here = (start >> 1) - half_start  # the bus's sample at or just before the first of the mix
    between = bus.scratch[:, :n_pairs]
    between.fill(0.0)
    pair = space.full.scratch[:, :n_pairs]
    for reach, weight in enumerate(_BETWEEN):
        left, right = here - reach, here + 1 + reach
        np.add(bus.out[:, left : left + n_pairs], bus.out[:, right : right + n_pairs], out=pair)
        pair *= weight
        between += pair
    out, odd = space.full.out, start & 1
    whole = bus.out[:, here + odd :]
    evens, odds = out[:, odd::2], out[:, 1 - odd :: 2]
    evens += whole[:, : evens.shape[1]]
    odds += between[:, : odds.shape[1]]


def _bend(space: _Bus) -> None:
    """Bend what lies above the knee k towards the ceiling c: k + (c - k) d / (d + c - k)."""
    x, magnitude = space.out.reshape(-1), space.scratch.reshape(-1)
    np.abs(x, out=magnitude)
    high = np.flatnonzero(magnitude > _KNEE)  # few: only peaks reach so far
    over = magnitude[high] - _KNEE
    x[high] = np.copysign(_KNEE + over * _ROOM / (over + _ROOM), x[high])


def render(notes: Iterable[Note], bank: Bank, start: int, n_samples: int) -> I16:
    """Return int16 PCM, interleaved, shape (n_samples, 2), of the span that begins at `start`.

    Args:
        notes: All notes that can sound in the span, in the order of the score.
        bank: The model's notes.
        start: First sample index.
        n_samples: Length of the span.
    """
    space = _workspace(n_samples)
    out = space.full.out
    out.fill(0.0)
    half_start = (start >> 1) - _REACH + 1
    doubles = False
    for note, tones in _chords(notes, bank):
        if not tones[0].half_rate:
            _add(space.full, note, tones, start)
            continue
        if not doubles:
            space.half.out.fill(0.0)
            doubles = True
        _add(space.half, note, tones, half_start)
    if doubles:
        _add_doubled(space, start, half_start)
    if max(float(out.max()), -float(out.min())) > float(_KNEE):
        _bend(space.full)
    np.rint(out, out=out)
    pcm = np.empty((n_samples, 2), np.int16)
    whole = space.full.chord  # cast first, interleaved after: cheaper than both in one step
    whole[...] = out
    pcm[:, 0] = whole[0]
    pcm[:, 1] = whole[1]
    _idle.append(space)
    return pcm


def note_bands(notes: tuple[Note, ...], bank: Bank) -> NDArray[np.float64]:
    """Return how each note's energy is shared among the bands, shape (n_notes, 8)."""
    bands: NDArray[np.float64] = bank.bands[bank.rows(notes)]
    return bands


def note_levels(notes: tuple[Note, ...], bank: Bank, start: int, n_frames: int) -> F32:
    """Return how loud each note is in each viz frame from `start` on, (n_notes, n_frames).

    Level is the root mean square of the frame (0-1 of full scale) before the master, to the
    nearest frame: up to 8 ms early.
    """
    if not notes:
        return np.zeros((0, n_frames), np.float32)
    rows = bank.rows(notes)
    onsets = np.array([note.onset for note in notes], np.int64)[:, np.newaxis]
    durations = np.array([note.duration for note in notes], np.int64)[:, np.newaxis]
    gains = np.array([(note.left, note.right) for note in notes], np.float32)
    gains *= bank.gains[rows, np.newaxis]
    releases = bank.release_samples[rows, np.newaxis]

    since = start + VIZ_SAMPLES * np.arange(n_frames, dtype=np.int64)[np.newaxis, :] - onsets
    levels = bank.levels(rows, since)
    let_go = np.clip((since - durations) / releases, 0.0, 1.0).astype(np.float32)
    rest = np.float32(1.0) - let_go
    levels *= rest * rest
    power = gains[:, 0] * gains[:, 0] + gains[:, 1] * gains[:, 1]
    levels *= np.sqrt(power)[:, np.newaxis]
    return levels
