"""Many slightly different voices reading one wavetable: what makes a section of one player.

Each voice has its own detuning, vibrato, and place between left and right; a dark and a bright
table are blended by a slow swing of its own, so that the filter seems to move.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from astradio_stream.audio.v1_1.waves import (
    bend,
    cents,
    read,
    rising,
    scatter,
    sides,
    tiled,
)

if TYPE_CHECKING:
    from astradio_stream.audio.exact import F32
    from astradio_stream.audio.v1_1.waves import Loop


@dataclass(frozen=True, slots=True)
class Voice:
    """One player of a section."""

    detune_cents: float
    """How far it is off."""
    pan: float
    """Where it sits (-1 left … 1 right)."""
    vibrato_hz: float
    """How fast its pitch swings; near enough, the loop decides."""
    vibrato_cents: float
    """How far its pitch swings to either side; 0 for not at all."""
    motion_hz: float = 0.0
    """How fast its brightness swings; 0 for not at all."""
    gain: float = 1.0
    """How strong it is; a stronger one in the middle keeps the others' beats shallow."""


def section(loop: Loop, voices: tuple[Voice, ...], dark: F32, bright: F32) -> tuple[F32, F32]:
    """Return one round of the dark and of the bright part of a section, each (2, n_samples).

    The voices stand in the order of their detuning, those in the middle the strongest.
    """
    n_samples = loop.n_samples
    mellow = np.zeros((2, n_samples), np.float32)
    clear = np.zeros((2, n_samples), np.float32)
    for number, voice in enumerate(voices):
        # Starts that lie apart by squares keep the sum of neighbours even (M. R. Schroeder, 1970).
        rank = 2 * number - len(voices) + 1
        start = scatter(loop.pitch, 0) + rank * rank * (1 << 29) // len(voices)
        turned = loop.turn(loop.base_hz * cents(voice.detune_cents), n_samples, start)
        if voice.vibrato_cents:
            swing = loop.slow(voice.vibrato_hz, n_samples, scatter(loop.pitch, number + 16))
            turned += bend(swing, loop.base_hz, voice.vibrato_hz, voice.vibrato_cents)
        low, high = read(dark, turned), read(bright, turned)
        if voice.motion_hz:
            motion = loop.slow(voice.motion_hz, n_samples, scatter(loop.pitch, number + 32))
            motion *= np.float32(0.65)
            motion += np.float32(1.0)
            high *= motion
        for side, gain in enumerate(sides(voice.pan)):
            mellow[side] += low * (gain * np.float32(voice.gain))
            clear[side] += high * (gain * np.float32(voice.gain))
    return mellow, clear


def opened(parts: tuple[F32, F32], n_samples: int, attack_s: float, opening_s: float) -> F32:
    """Return a held note whose dark part rises first and whose bright part opens after it."""
    mellow, clear = parts
    note = tiled(mellow, n_samples) * rising(attack_s, n_samples)
    note += tiled(clear, n_samples) * rising(opening_s, n_samples)
    return note
