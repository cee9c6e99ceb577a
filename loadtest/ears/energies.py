"""How much the ear gets from one note: the table by which model v1.1 finds its loudness.

``python -m loadtest ears energies`` measures it on the bank and prints it as Python, for
`astradio_stream/music/v1_1/energies.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.audio.mix import render
from astradio_stream.audio.v1_1.gains import REFERENCE_LUFS
from astradio_stream.audio.v1_1.instruments import INSTRUMENTS
from astradio_stream.music.note import Note
from astradio_stream.music.v1_1.energies import HELD_S
from astradio_stream.units import SAMPLE_RATE_HZ
from loadtest.ears.levels import powers_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from astradio_stream.audio.bank import Bank

_REFERENCE_POWER: Final = 10.0 ** ((REFERENCE_LUFS + 0.691) / 10.0)
_GAIN: Final = 0.25
_N_PITCHES: Final = 4
_TENTH_S: Final = 0.1


def energy_of(bank: Bank, instrument: str, pitch: int, held_s: float) -> float:
    """Return the energy of a note at gain 1, in seconds of a sound at the reference loudness."""
    duration = round(held_s * SAMPLE_RATE_HZ)
    note = Note(0, duration, 0, instrument, pitch, 0.7, _GAIN, _GAIN)
    pcm = render([note], bank, 0, duration + 4 * SAMPLE_RATE_HZ)
    wave = np.ascontiguousarray(pcm.T, dtype=np.float32) / np.float32(32768.0)
    energy = float(powers_of(wave).sum()) * _TENTH_S
    return float(energy / (2.0 * _GAIN * _GAIN) / _REFERENCE_POWER)


def energies_of(bank: Bank, instrument: str, pitches: Iterable[int]) -> tuple[float, ...]:
    """Return mean energies over some pitches, by `HELD_S`."""
    chosen = list(pitches)
    return tuple(
        sum(energy_of(bank, instrument, pitch, held_s) for pitch in chosen) / len(chosen)
        for held_s in HELD_S
    )


def lines_of(bank: Bank) -> Iterable[str]:
    """Yield the lines of both tables."""
    yield "ENERGIES: Final = {"
    drums = next(row for row in INSTRUMENTS if row.name == "drums")
    for row in INSTRUMENTS:
        if row is drums:
            continue
        pitches = np.linspace(row.lowest, row.highest, _N_PITCHES).round().astype(int).tolist()
        figures = ", ".join(f"{each:.3g}" for each in energies_of(bank, row.name, pitches))
        yield f'    "{row.name}": ({figures}),'
    yield "}"
    yield "STROKES: Final = {"
    for piece, _ in drums.pieces:
        yield f"    {piece}: {energy_of(bank, 'drums', piece, 0.5):.3g},"
    yield "}"
