"""Struck keys of v1.1: felt piano and tine piano, each soft and hard.

A harder blow opens the treble, shortens the attack and knocks more; it is not merely louder.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.audio.exact import frequency_hz
from astradio_stream.audio.v1_1.partials import Partial, rung
from astradio_stream.audio.v1_1.waves import (
    BRIGHTEST_HZ,
    fading,
    knock,
    low_pass,
    place,
    rising,
    scatter,
    sine_of,
    turn,
)

if TYPE_CHECKING:
    from astradio_stream.audio.exact import F32


@dataclass(frozen=True, slots=True)
class _Blow:
    """How a hammer meets its string."""

    corner_hz: float
    """Frequency at which the felt takes away half of the amplitude of a very low note."""
    corner_rise: float
    """How many times its own frequency a note's corner lies above that."""
    attack_s: float
    """How long it stays on the string."""
    knock: float
    """How much of the action is heard (ratio)."""
    n_window: int
    """How dark that knock is: samples of the running mean."""


_PIANO_SOFT: Final = _Blow(520.0, 1.0, 0.009, 0.13, 8)
_PIANO_HARD: Final = _Blow(1_250.0, 2.0, 0.004, 0.17, 4)
_STRUCK_AT: Final = 8
"""The hammer strikes at an eighth of the string, which has little of every eighth harmonic."""
_MOST_PARTIALS: Final = 36
_APART: Final = 0.8
"""How far odd partials lie from even ones: two microphones above the soundboard."""


def _stretched(base_hz: float, number: int) -> float:
    """Return the frequency (Hz) of a stiff string's partial, B rising from 1e-4 with pitch.

    **Source:** H. Fletcher, "Normal vibration frequencies of a stiff piano string", JASA 36, 1964.
    """
    stiffness = 0.00012 + 0.0000006 * base_hz
    return base_hz * number * sqrt((1.0 + stiffness * number * number) / (1.0 + stiffness))


def _piano(pitch: int, n_samples: int, blow: _Blow) -> F32:
    base = frequency_hz(pitch)
    strings = []
    corner_hz = blow.corner_hz + blow.corner_rise * base
    longest_s = 1.35 - 0.017 * (pitch - 48)  # half-life of the fundamental
    for number in range(1, _MOST_PARTIALS + 1):
        frequency = _stretched(base, number)
        if frequency > BRIGHTEST_HZ or frequency > 6.5 * corner_hz:
            break
        where = float(sine_of(turn(12_000.0 / _STRUCK_AT * number, 2))[1])
        board = frequency / (frequency + 75.0)  # the soundboard gives little to the lowest
        amplitude = (0.15 + abs(where)) * board * low_pass(frequency, corner_hz) / sqrt(number)
        half_life_s = longest_s / (0.72 + 0.28 * number)
        pan = (0.02 * (pitch - 62) + (_APART if number & 1 else -_APART)) * 0.65
        start = scatter(pitch, number * number)
        # Strings a little apart: a prompt sound that dies soon, and what beats and sings on.
        strings += [
            Partial(frequency * 0.99985, amplitude * 0.62, half_life_s * 0.45, pan, start),
            Partial(frequency * 1.00020, amplitude * 0.38, half_life_s * 1.25, -pan, start),
        ]
    out = rung(2, n_samples, strings)
    out *= rising(blow.attack_s, n_samples)
    knock(33_000 + pitch, 0.011, blow.n_window, blow.knock, out)
    return out


def piano_soft(pitch: int, n_samples: int) -> F32:
    """Make a felt piano touched softly: dark, round, close."""
    return _piano(pitch, n_samples, _PIANO_SOFT)


def piano_hard(pitch: int, n_samples: int) -> F32:
    """Make a felt piano played out: the felt compressed, the strings bright."""
    return _piano(pitch, n_samples, _PIANO_HARD)


@dataclass(frozen=True, slots=True)
class _Tine:
    """How a tine is struck."""

    body_index: float
    """Depth of the modulation by its own frequency at the start (radians)."""
    tine: float
    """Share of the metallic partials at the start (ratio)."""
    attack_s: float
    """How soon it speaks."""


_EPIANO_SOFT: Final = _Tine(0.60, 0.08, 0.006)
_EPIANO_HARD: Final = _Tine(1.55, 0.24, 0.003)
_TINE_RATIO: Final = 14
_RADIAN: Final = (1 << 24) / 6.283185307179586
"""A radian of phase, 2^24 to the turn."""


def _epiano(pitch: int, n_samples: int, strike: _Tine) -> F32:
    """Modulate a sine by itself (body), and ring the first side bands of a modulator 14 (tine).

    **Source:** J. Chowning, D. Bristow, "FM Theory and Applications", 1986: the tine piano.
    """
    base = frequency_hz(pitch)
    out = np.zeros((2, n_samples), np.float32)
    half_life_s = 0.95 - 0.013 * (pitch - 60)
    depth = strike.body_index * (1.0 + 0.02 * max(0, 62 - pitch))  # long tines swing wider
    index = fading(half_life_s * 0.55, n_samples) * np.float32(depth * _RADIAN)
    index += np.float32(0.10 * _RADIAN)
    for detune, pan in ((0.9997, -0.6), (1.0003, 0.6)):
        turned = turn(base * detune, n_samples)
        moved = np.rint(sine_of(turned) * index).astype(np.int32).view(np.uint32)
        wave = sine_of(turned + (moved << np.uint32(8)))
        wave *= fading(half_life_s, n_samples)
        place(out, wave, pan)
    # Side bands at 13 and 15, of which the lower comes out upside down; lower for high notes.
    ratio = min(_TINE_RATIO, int(7_800.0 / base))
    tine = []
    for number, sign, pan in ((ratio - 1, -1.0, -0.6), (ratio + 1, 1.0, 0.6)):
        if number > 1:
            tine += [
                Partial(base * number, sign * strike.tine, 0.055, pan),
                Partial(base * number, sign * strike.tine * 0.25, 0.30, -pan),
            ]
    out += rung(2, n_samples, tine)
    out *= rising(strike.attack_s, n_samples)
    knock(34_000 + pitch, 0.006, 4, 0.03 + strike.tine * 0.4, out)
    return out


def epiano_soft(pitch: int, n_samples: int) -> F32:
    """Make a tine piano touched softly: nearly a bell of glass."""
    return _epiano(pitch, n_samples, _EPIANO_SOFT)


def epiano_hard(pitch: int, n_samples: int) -> F32:
    """Make a tine piano struck hard: it barks, and the tine rings."""
    return _epiano(pitch, n_samples, _EPIANO_HARD)
