"""The loops of the mix, compiled: notes added up, doubled, mastered; how loud each note is.

Everything is done in blocks of a few thousand samples that stay in a core's first cache. The
order of the arithmetic is the score's, sample by sample, so where a block or a span begins changes
nothing::

    samples of the bank ──× gain, × release──► full-rate bus ───────────┐
                        └─────────────────────► half-rate bus ──doubled─┴─► bent, rounded
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.compiled import compiled, within
from astradio_stream.units import VIZ_SAMPLES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from astradio_stream.audio.exact import F32

    _I16 = NDArray[np.int16]
    _I64 = NDArray[np.int64]

OFFSET, N_SAMPLES, N_CHANNELS, LOOP, IS_HALF, TONES, KIND, RELEASE_AT, N_RELEASE, N_LEVELS = (
    *range(10),
)
"""Columns of the table of a bank's notes: where its samples begin, how many there are in a channel,
and how many channels differ; samples of the loop at its end; whether it has half the rate; how many
such notes are added before they are weighed; its instrument; where its release begins, and how long
that is; of how many viz frames the level is known."""
N_COLUMNS: Final = N_LEVELS + 1

_BLOCK: Final = 4_096
"""Samples at once; even."""

_KNEE: Final = np.float32(0.60 * 32767.0)
_CEILING: Final = np.float32(0.88 * 32767.0)
"""-1.1 dB: leaves room for what a decoder's filter adds between samples."""
_ROOM: Final = _CEILING - _KNEE
_WHOLE: Final = np.float32(3 << 22)
"""Floats as large as this one are whole."""
_ZERO: Final = np.float32(0.0)
_ONE: Final = np.float32(1.0)

_BETWEEN: Final = tuple(
    np.float32(weight)
    for weight in (
        *(0.6298316, -0.1925658, 0.0968581, -0.0525882),
        *(0.0277857, -0.0134461, 0.0055643, -0.0017776),
    )
)
"""Weights of the nearest, second, … pair of neighbours of a sample put between two at 24 kHz:
flat up to 9 kHz, 69 dB down from 15 kHz on (least squares, reweighted towards minimax)."""
_REACH: Final = len(_BETWEEN)
_W0, _W1, _W2, _W3, _W4, _W5, _W6, _W7 = _BETWEEN


# Slices are handed over, not places in an array: an index that can be negative is no vector.


@within
def _add(out: F32, samples: _I16, gain: np.float32) -> None:
    """Add some samples of the bank to as many of one channel."""
    for i in range(len(out)):
        out[i] += np.float32(samples[i]) * gain


@within
def _add_weighed(out: F32, tones: F32, gain: np.float32) -> None:
    for i in range(len(out)):
        out[i] += tones[i] * gain


@within
def _add_let_go(out: F32, tones: F32 | _I16, gain: np.float32, release: F32) -> None:
    for i in range(len(out)):
        out[i] += np.float32(tones[i]) * gain * release[i]


@within
def _add_struck(  # noqa: PLR0917, compiled code knows places only
    bus: F32,
    begin: int,
    samples: _I16,
    table: _I64,
    releases: F32,
    rows: _I64,
    span: tuple[int, int],
    gains: tuple[np.float32, np.float32],
    tones: F32,
) -> None:
    """Add a note, or several of an instrument struck together alike, to a bus.

    Args:
        bus: Where to, shape (2, n_samples).
        begin: Sample index of its first, at its rate.
        samples: Of the bank.
        table: Of the bank's notes.
        releases: Of all instruments.
        rows: Of the table, one for each note.
        span: Onset and duration (samples at 48 kHz).
        gains: Left and right (ratio).
        tones: Room for `n_samples` values.
    """
    row = rows[0]
    onset, held = span
    if table[row, IS_HALF]:
        onset, held = onset >> 1, max(held >> 1, 1)
    length, n_loop = table[row, N_SAMPLES], table[row, LOOP]
    since = begin - onset
    last = since + bus.shape[1]
    if not n_loop:
        held = min(held, length)
        last = min(last, length)
    last = min(last, held + table[row, N_RELEASE])
    place = max(0, since)
    while place < last:
        source = place
        if place >= length:  # round the loop
            source = length - n_loop + (place - length + n_loop) % n_loop
        n_here = min(last - place, length - source)
        if place < held:
            n_here = min(n_here, held - place)
        for channel in range(2):
            out = bus[channel, place - since : place - since + n_here]
            skipped = source + min(channel, table[row, N_CHANNELS] - 1) * length
            first = table[row, OFFSET] + skipped
            sound = samples[first : first + n_here]
            let_go = table[row, RELEASE_AT] + place - held
            release = releases[let_go : let_go + n_here] if place >= held else releases[:0]
            if len(rows) == 1:
                if place < held:
                    _add(out, sound, gains[channel])
                else:
                    _add_let_go(out, sound, gains[channel], release)
                continue
            sums = tones[:n_here]
            sums[:] = _ZERO
            for tone in rows:  # whole numbers: their sum is exact
                first = table[tone, OFFSET] + skipped
                _add(sums, samples[first : first + n_here], _ONE)
            if place < held:
                _add_weighed(out, sums, gains[channel])
            else:
                _add_let_go(out, sums, gains[channel], release)
        place += n_here


@within
def _n_struck(table: _I64, rows: _I64, spans: _I64, sides: NDArray[np.float64], first: int) -> int:
    """Return how many notes from `first` on are of one instrument and struck together alike."""
    n_notes = 1
    while (
        first + n_notes < len(rows)
        and n_notes < table[rows[first], TONES]
        and table[rows[first + n_notes], KIND] == table[rows[first], KIND]
        and spans[0, first + n_notes] == spans[0, first]
        and spans[1, first + n_notes] == spans[1, first]
        and sides[0, first + n_notes] == sides[0, first]
        and sides[1, first + n_notes] == sides[1, first]
    ):
        n_notes += 1
    return n_notes


@within
def _put_between(between: F32, half: F32) -> None:
    """Put, between each two neighbours of a channel at half the rate, what belongs there."""
    n = len(between)
    a, b = half[_REACH : _REACH + n], half[_REACH + 1 : _REACH + 1 + n]
    c, d = half[_REACH - 1 : _REACH - 1 + n], half[_REACH + 2 : _REACH + 2 + n]
    e, f = half[_REACH - 2 : _REACH - 2 + n], half[_REACH + 3 : _REACH + 3 + n]
    g, h = half[_REACH - 3 : _REACH - 3 + n], half[_REACH + 4 : _REACH + 4 + n]
    for i in range(n):
        nearest = (a[i] + b[i]) * _W0 + (c[i] + d[i]) * _W1
        between[i] = nearest + (e[i] + f[i]) * _W2 + (g[i] + h[i]) * _W3
    a, b = half[_REACH - 4 : _REACH - 4 + n], half[_REACH + 5 : _REACH + 5 + n]
    c, d = half[_REACH - 5 : _REACH - 5 + n], half[_REACH + 6 : _REACH + 6 + n]
    e, f = half[_REACH - 6 : _REACH - 6 + n], half[_REACH + 7 : _REACH + 7 + n]
    g, h = half[_REACH - 7 : _REACH - 7 + n], half[_REACH + 8 : _REACH + 8 + n]
    for i in range(n):
        nearer = between[i] + (a[i] + b[i]) * _W4 + (c[i] + d[i]) * _W5
        between[i] = nearer + (e[i] + f[i]) * _W6 + (g[i] + h[i]) * _W7


@within
def _join(full: F32, half: F32, between: F32) -> None:
    """Add to a channel at the full rate one at half of it, even samples and those between."""
    for i in range(len(between)):
        full[2 * i] += half[i]
        full[2 * i + 1] += between[i]


@within
def _bend(x: F32) -> None:
    """Bend what lies above the knee k towards the ceiling c: k + (c - k) d / (d + c - k)."""
    for i in range(len(x)):  # without a branch: below the knee, d is 0
        over = max(abs(x[i]), _KNEE) - _KNEE
        straight = min(abs(x[i]), _KNEE)
        x[i] = np.copysign(straight + over * _ROOM / (over + _ROOM), x[i])


@within
def _interleave(pairs: NDArray[np.int32], left: F32, right: F32) -> None:
    """Round to whole numbers, halves to even, and put both channels of a sample in one word."""
    for i in range(len(pairs)):
        # Adding what has no room for fractions rounds them away.
        first, second = np.int32(left[i] + _WHOLE - _WHOLE), np.int32(right[i] + _WHOLE - _WHOLE)
        pairs[i] = (first & np.int32(0xFFFF)) | (second << np.int32(16))


@compiled
def mix(  # noqa: PLR0917, compiled code knows places only
    samples: _I16,
    table: _I64,
    releases: F32,
    rows: _I64,
    spans: _I64,
    sides: NDArray[np.float64],
    gains: NDArray[np.float64],
    start: int,
    pairs: NDArray[np.int32],
) -> None:
    """Mix notes into PCM.

    Args:
        samples: Of the bank.
        table: Of the bank's notes, shape (n_rows, N_COLUMNS).
        releases: Of all instruments, one behind the other.
        rows: Which row of the table each note is, shape (n_notes,).
        spans: Onset and duration (samples), shape (2, n_notes).
        sides: Gain left and right (ratio), shape (2, n_notes).
        gains: What makes each row as loud as others (ratio), shape (n_rows,).
        start: Sample index of the first.
        pairs: Where to, left in the lower half of each word, right in the upper.
    """
    first = start - start % 2
    stop = start + len(pairs)
    full = np.empty((2, _BLOCK), np.float32)
    half = np.empty((2, _BLOCK // 2 + 2 * _REACH), np.float32)
    tones = np.empty(_BLOCK, np.float32)
    for begin in range(first, stop, _BLOCK):
        full[:] = _ZERO
        half[:] = _ZERO
        note = 0
        while note < len(rows):
            n_notes = _n_struck(table, rows, spans, sides, note)
            struck = rows[note : note + n_notes]
            is_half = table[rows[note], IS_HALF]
            left = np.float32(sides[0, note] * gains[rows[note]])
            right = np.float32(sides[1, note] * gains[rows[note]])
            _add_struck(
                half if is_half else full,
                begin // 2 - _REACH if is_half else begin,
                samples,
                table,
                releases,
                struck,
                (spans[0, note], spans[1, note]),
                (left, right),
                tones,
            )
            note += n_notes
        n_skipped = max(0, start - begin)
        n_here = min(_BLOCK, stop - begin)
        n_pairs = (n_here + 1) // 2
        for channel in range(2):
            between = tones[:n_pairs]
            _put_between(between, half[channel])
            _join(full[channel], half[channel, _REACH : _REACH + n_pairs], between)
            _bend(full[channel, n_skipped:n_here])
        at, n_written = begin + n_skipped - start, n_here - n_skipped
        here = full[:, n_skipped:n_here]
        _interleave(pairs[at : at + n_written], here[0], here[1])


@compiled
def levels_of_notes(  # noqa: PLR0917, compiled code knows places only
    levels: F32,
    table: _I64,
    rows: _I64,
    spans: _I64,
    sides: NDArray[np.float64],
    gains: NDArray[np.float64],
    start: int,
    found: F32,
) -> None:
    """Find how loud each note is in consecutive viz frames.

    Args:
        levels: Of each note of the bank (0-1 of full scale), shape (n_rows, n_level_frames).
        table: Of the bank's notes.
        rows: Which row of both each note is, shape (n_notes,).
        spans: Onset and duration (samples), shape (2, n_notes).
        sides: Gain left and right (ratio), shape (2, n_notes).
        gains: What makes each row as loud as others (ratio), shape (n_rows,).
        start: Sample index of the first frame.
        found: Where to, shape (n_notes, n_frames).
    """
    for note, row in enumerate(rows):
        gain = np.float32(gains[row])
        left, right = np.float32(sides[0, note]) * gain, np.float32(sides[1, note]) * gain
        strength = np.sqrt(left * left + right * right)
        onset, duration = spans[0, note], spans[1, note]
        is_half, n_loop = table[row, IS_HALF], table[row, LOOP] << table[row, IS_HALF]
        loop_at = (table[row, N_SAMPLES] << is_half) - n_loop
        n_release = table[row, N_RELEASE] << is_half
        last = table[row, N_LEVELS] - 1
        for frame in range(found.shape[1]):
            since = start - onset + VIZ_SAMPLES * frame
            here = (start - onset) // VIZ_SAMPLES + frame
            if n_loop and since >= loop_at:
                here = min((loop_at + (since - loop_at) % n_loop) // VIZ_SAMPLES, last)
            if here < 0 or here > last:
                found[note, frame] = _ZERO
                continue
            gone = min(max((since - duration) / n_release, 0.0), 1.0)
            rest = _ONE - np.float32(gone)
            found[note, frame] = levels[row, here] * (rest * rest) * strength
