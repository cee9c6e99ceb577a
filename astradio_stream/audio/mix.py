"""The mix: notes of the bank added up into int16 PCM, from any index, exact to the bit.

Every note is a slice of the bank times a gain. They are added in the order of the score, one
elementwise multiply and add each, so the sum is the same on every CPU. Notes that the bank keeps
at half the rate are added up by themselves, on even samples, and doubled together: from there on
even and odd samples lie apart, until the last step puts all in one row. The master before it is a
curve without memory: straight up to its knee, then bending towards full scale.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.music.note import Note
from astradio_stream.units import VIZ_SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from astradio_stream.audio.bank import I16, Bank, BankNote
    from astradio_stream.audio.exact import F32

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

_ONSET, _DURATION, _LEFT, _RIGHT = (
    Note._fields.index(name) for name in ("onset", "duration", "left", "right")
)


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
        self.n_pairs = (n_samples + 1) // 2
        self.full = _Bus(2 * self.n_pairs)
        self.half = _Bus(self.n_pairs + 1 + 2 * _REACH)
        self.phases = self.full.scratch.reshape(2, 2, self.n_pairs)
        """Every other sample and those after them, two channels each: where notes of the full
        rate were scratched before, so that all buffers fit in a core's own cache."""


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
    length = rendered.mixed.shape[1]
    place = first
    while place < last:
        source = place
        if place >= length:
            begin = length - rendered.loop
            source = begin + (place - begin) % rendered.loop
        n_here = min(last - place, length - source)
        yield place - first, rendered.mixed[:, source : source + n_here]
        place += n_here


def _sound(bus: _Bus, tones: list[BankNote], first: int, last: int) -> F32:
    """Return, in the bus's scratch, a note or a chord of such while it is held.

    Both channels of what sits in the middle are one: shape (1, n_samples) or (2, n_samples).
    """
    rendered = tones[0]
    pcm = rendered.mixed
    part = bus.scratch[: len(pcm), : last - first]
    if rendered.loop and last > pcm.shape[1]:
        for place, sound in _rounds(rendered, first, last):
            part[:, place : place + sound.shape[1]] = sound
    elif len(tones) > 1:
        chord = bus.chord[: len(pcm), : last - first]
        np.add(pcm[:, first:last], tones[1].mixed[:, first:last], out=chord)
        for tone in tones[2:]:
            chord += tone.mixed[:, first:last]
        part[...] = chord
    else:
        part[...] = pcm[:, first:last]  # a cast of its own beats a multiply that casts
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
        length = rendered.mixed.shape[1]
        held = min(held, length)
        last = min(last, length)
    last = min(last, held + len(rendered.release))
    first = max(0, since)
    if first >= last:
        return
    part = _sound(bus, tones, first, last)
    if note.left == note.right:
        part *= np.float32(note.left * rendered.gain)
    else:
        gain = bus.gain
        gain[0, 0] = note.left * rendered.gain
        gain[1, 0] = note.right * rendered.gain
        if len(part) == 1:  # alike in both channels, but not in the middle of the room
            part = np.multiply(part, gain)
        else:
            part *= gain
    if last > held:
        let_go = max(first, held)
        part[:, let_go - first :] *= rendered.release[let_go - held : last - held]
    out = bus.out[:, first - since : last - since]
    out += part


def _double(space: _Workspace, start: int, half_start: int, *, alone: bool) -> None:
    """Put into the phases the bus at half the rate, doubled, and the whole mix unless `alone`.

    Args:
        space: Whose buses have been filled.
        start: First sample index of the whole mix.
        half_start: From where on the bus at half the rate has sound.
        alone: Whether no note has the full rate.
    """
    bus, n_pairs = space.half, space.n_pairs
    here = (start >> 1) - half_start  # the bus's sample at or just before the first of the mix
    odd = start & 1
    between = space.phases[1 - odd]
    pair = bus.scratch[:, :n_pairs]
    for reach, weight in enumerate(_BETWEEN):
        left, right = here - reach, here + 1 + reach
        sums = pair if reach else between
        np.add(bus.out[:, left : left + n_pairs], bus.out[:, right : right + n_pairs], out=sums)
        sums *= weight
        if reach:
            between += pair
    whole = bus.out[:, here + odd : here + odd + n_pairs]
    if alone:
        space.phases[odd] = whole
    else:
        np.add(space.full.out[:, odd::2], whole, out=space.phases[odd])
        between += space.full.out[:, 1 - odd :: 2]


def _bend(x: F32, magnitude: F32) -> None:
    """Bend what lies above the knee k towards the ceiling c: k + (c - k) d / (d + c - k)."""
    np.abs(x, out=magnitude)
    high = np.flatnonzero(magnitude > _KNEE)  # few: only peaks reach so far
    over = magnitude[high] - _KNEE
    x[high] = np.copysign(_KNEE + over * _ROOM / (over + _ROOM), x[high])


def _mastered(space: _Workspace, phases: F32, scratch: F32) -> I16:
    """Return the mix bent, rounded and in one row; `phases` has shape (n_phases, 2, n_samples)."""
    if max(float(phases.max()), -float(phases.min())) > float(_KNEE):
        _bend(phases.reshape(-1), scratch.reshape(-1))
    np.rint(phases, out=phases)
    whole = space.full.chord.reshape(phases.shape)
    whole[...] = phases  # cast first, put in a row after: cheaper than both in one step
    pcm = np.empty((2 * space.n_pairs, 2), np.int16)
    row = pcm.reshape(-1, *phases.shape[:2])
    for phase, channels in enumerate(whole):
        for channel, samples in enumerate(channels):
            row[:, phase, channel] = samples
    return pcm[: space.n_samples]


def render(notes: Iterable[Note], bank: Bank, start: int, n_samples: int) -> I16:
    """Return int16 PCM, interleaved, shape (n_samples, 2), of the span that begins at `start`.

    Args:
        notes: All notes that can sound in the span, in the order of the score.
        bank: The model's notes.
        start: First sample index.
        n_samples: Length of the span.
    """
    space = _workspace(n_samples)
    full, half = space.full, space.half
    half_start = (start >> 1) - _REACH + 1
    at_full: list[tuple[Note, list[BankNote]]] = []
    at_half: list[tuple[Note, list[BankNote]]] = []
    for chord in _chords(notes, bank):
        (at_half if chord[1][0].half_rate else at_full).append(chord)
    # One bus after the other: both at once would push each other out of the cache.
    if at_half:
        half.out.fill(0.0)
    for note, tones in at_half:
        _add(half, note, tones, half_start)
    if at_full or not at_half:
        full.out.fill(0.0)
    for note, tones in at_full:
        _add(full, note, tones, start)
    if at_half:
        _double(space, start, half_start, alone=not at_full)
        pcm = _mastered(space, space.phases, full.out)
    else:
        pcm = _mastered(space, full.out[np.newaxis], full.scratch)
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
    columns = tuple(zip(*notes, strict=True))
    spans = np.array((columns[_ONSET], columns[_DURATION]), np.int64)
    since = start - spans[0]
    levels = bank.levels(rows, since, n_frames)
    released = (since - spans[1])[:, np.newaxis] + VIZ_SAMPLES * np.arange(n_frames)
    let_go = released / bank.release_samples[rows, np.newaxis]
    np.maximum(let_go, 0.0, out=let_go)
    np.minimum(let_go, 1.0, out=let_go)
    rest = np.float32(1.0) - let_go.astype(np.float32)
    rest *= rest
    levels *= rest
    gains = np.array((columns[_LEFT], columns[_RIGHT]), np.float32)
    gains *= bank.gains[rows]
    gains *= gains
    levels *= np.sqrt(gains[0] + gains[1])[:, np.newaxis]
    return levels
