"""Pads of v1.1: sections of voices that move, and hold as long as the harmony does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.audio.v1_1.ensemble import Voice, opened, section
from astradio_stream.audio.v1_1.partials import wavetable
from astradio_stream.audio.v1_1.waves import (
    bend,
    fading,
    harmonics,
    loop_of,
    low_pass,
    place,
    resonance,
    rising,
    scatter,
    sine_of,
    tiled,
    without_offset,
)

if TYPE_CHECKING:
    from astradio_stream.audio.exact import F32

PAD_LOOP_S: Final = 2.0
STRINGS_LOOP_S: Final = 1.5
CHOIR_LOOP_S: Final = 1.5
GLASS_LOOP_S: Final = 1.5
ORGAN_LOOP_S: Final = 1.15
AIR_LOOP_S: Final = 1.6

_PAD: Final = (
    # cents, pan, vibrato Hz and cents, motion Hz, gain
    Voice(-9.0, -0.95, 0.8, 2.0, 0.50, 0.55),
    Voice(-5.0, 0.65, 1.2, 1.5, 1.00, 0.62),
    Voice(0.0, -0.30, 0.5, 2.0, 0.50, 1.00),
    Voice(0.0, 0.35, 0.8, 1.5, 1.50, 0.85),
    Voice(5.0, -0.65, 1.2, 1.0, 0.50, 0.62),
    Voice(9.0, 0.95, 0.5, 2.5, 1.00, 0.55),
)


def pad(pitch: int, n_samples: int) -> F32:
    """Make a warm chord tone: six detuned voices, each opening and closing by itself, some air."""
    loop = loop_of(pitch, PAD_LOOP_S)
    body, sheen = [], []
    for number, frequency in harmonics(loop.base_hz, 8_000.0):
        amplitude = low_pass(frequency, 850.0 + 2.0 * loop.base_hz) / number
        body.append(amplitude if number < 4 else amplitude * 0.35)
        sheen.append(0.0 if number < 2 else amplitude * 0.75)
    mellow, clear = section(loop, _PAD, wavetable(body), wavetable(sheen))
    for side in (0, 1):
        clear[side] += loop.hiss(22_000 + 2 * pitch + side) * np.float32(0.010)
    return opened((mellow, clear), n_samples, 0.55, 1.1)


_STRINGS: Final = (
    Voice(-9.0, -0.95, 5.2, 5.0, 1.25, 0.62),
    Voice(-5.0, 0.65, 4.6, 7.0, 0.625, 0.65),
    Voice(0.0, -0.3, 5.6, 5.0, 1.875, 1.00),
    Voice(0.0, 0.35, 4.9, 6.0, 0.625, 0.80),
    Voice(5.0, -0.65, 5.4, 6.0, 1.25, 0.65),
    Voice(9.0, 0.95, 4.4, 7.0, 1.875, 0.62),
)


def strings(pitch: int, n_samples: int) -> F32:
    """Make a soft string section: saw-like, through the resonances of wood, with a hint of bow.

    **Source:** main resonances of violin bodies near 280, 460 and 700 Hz and the bridge hill near
    2.5 kHz: N. H. Fletcher, T. D. Rossing, "The Physics of Musical Instruments", 1998, ch. 10.
    """
    loop = loop_of(pitch, STRINGS_LOOP_S)
    body, sheen = [], []
    for number, frequency in harmonics(loop.base_hz):
        wood = 0.55 + 0.5 * resonance(frequency, 460.0, 160.0)
        wood += 0.4 * resonance(frequency, 700.0, 220.0) + 0.5 * resonance(
            frequency, 2400.0, 1100.0
        )
        amplitude = wood * low_pass(frequency, 4_000.0) / number
        body.append(amplitude if frequency < 1_500.0 else amplitude * 0.5)
        sheen.append(amplitude * 0.5 if frequency >= 900.0 else 0.0)
    mellow, clear = section(loop, _STRINGS, wavetable(body), wavetable(sheen))
    for side in (0, 1):
        clear[side] += loop.band(21_000 + 2 * pitch + side, 2, 8) * np.float32(0.020)
        clear[side] += loop.hiss(54_000 + 2 * pitch + side) * np.float32(0.032)
    return opened((mellow, clear), n_samples, 0.22, 0.42)


_CHOIR: Final = (
    Voice(-9.0, -0.95, 4.4, 14.0, 0.625, 0.62),
    Voice(-4.0, 0.50, 5.0, 11.0, 1.25, 0.70),
    Voice(0.0, 0.00, 5.6, 9.0, 0.625, 1.00),
    Voice(4.0, -0.50, 4.4, 12.0, 1.25, 0.70),
    Voice(9.0, 0.95, 5.0, 15.0, 1.875, 0.62),
)
_AAH: Final = (
    # centre Hz, width Hz, gain: the vowel of "father", between a low and a high voice
    (680.0, 150.0, 1.0),
    (1_120.0, 170.0, 0.62),
    (2_650.0, 260.0, 0.24),
    (3_400.0, 320.0, 0.16),
)


def choir(pitch: int, n_samples: int) -> F32:
    """Make a soft choir on "aah": five throats, the vowel's formants, some breath.

    **Source:** formants of /a/ of alto and tenor, rounded: J. Sundberg, "The Science of the
    Singing Voice", 1987, chapter 5.
    """
    loop = loop_of(pitch, CHOIR_LOOP_S)
    body, sheen = [], []
    for number, frequency in harmonics(loop.base_hz, 8_000.0):
        vowel = 0.10 + sum(
            gain * resonance(frequency, centre, width) for centre, width, gain in _AAH
        )
        amplitude = vowel * low_pass(frequency, 3_600.0) / (0.4 + 0.6 * number)
        if number == 1:
            amplitude += 0.35
        body.append(amplitude if frequency < 2_000.0 else 0.0)
        sheen.append(amplitude * 0.9 if frequency >= 1_000.0 else 0.0)
    mellow, clear = section(loop, _CHOIR, wavetable(body), wavetable(sheen))
    for side in (0, 1):
        clear[side] += loop.band(23_000 + 2 * pitch + side, 4, 16) * np.float32(0.014)
        clear[side] += loop.hiss(55_000 + 2 * pitch + side) * np.float32(0.026)
    return opened((mellow, clear), n_samples, 0.30, 0.55)


_GLASS: Final = (
    # ratio, amplitude, beating Hz, pan
    (1.0, 1.0, 0.625, -0.3),
    (1.0 + 0.0009, 0.45, 1.0, 0.7),
    (2.0, 0.18, 1.5, 0.7),
    (2.32, 0.11, 1.0, -0.8),
    (3.0, 0.06, 2.0, 0.6),
    (4.25, 0.08, 1.5, -0.7),
    (6.63, 0.05, 2.5, 0.8),
)


def glass(pitch: int, n_samples: int) -> F32:
    """Make a glass harmonica: almost a sine, shimmering partials, a finger rubbing the rim.

    **Source:** ratios 1, 2.32, 4.25, 6.63 of the first modes of a wine glass: A. P. French, "In
    vino veritas", American Journal of Physics 51, 1983.
    """
    loop = loop_of(pitch, GLASS_LOOP_S)
    n_round = loop.n_samples
    low = np.zeros((2, n_round), np.float32)
    high = np.zeros((2, n_round), np.float32)
    for part, (ratio, amplitude, beat_hz, pan) in enumerate(_GLASS):
        frequency = loop.base_hz * ratio
        if frequency > 8_800.0:
            continue
        wave = sine_of(loop.turn(frequency, n_round, scatter(pitch, part)))
        shimmer = loop.slow(beat_hz, n_round, scatter(pitch, part + 16))
        shimmer *= np.float32(0.18 if ratio < 2.0 else 0.55)
        shimmer += np.float32(1.0)
        wave *= shimmer
        wave *= np.float32(amplitude)
        into = low if ratio < 2.0 else high
        place(into, wave, pan)
    high += loop.band(25_000 + pitch, 4, 32) * np.float32(0.006)
    high += loop.hiss(56_000 + pitch) * np.float32(0.010)
    return opened((low, high), n_samples, 0.28, 0.6)


_DRAWBARS: Final = (
    # ratio to the sounding pitch, amplitude: 16', 8', 5 1/3', 4', 2 2/3', 2'
    (0.5, 0.42),
    (1.0, 1.0),
    (1.5, 0.36),
    (2.0, 0.42),
    (3.0, 0.16),
    (4.0, 0.10),
    (6.0, 0.06),
    (8.0, 0.08),
    (12.0, 0.03),
    (16.0, 0.03),
)


def organ(pitch: int, n_samples: int) -> F32:
    """Make a mellow drawbar organ behind a slowly turning horn, with the click of its keys."""
    loop = loop_of(pitch, ORGAN_LOOP_S)
    n_round = loop.n_samples
    out = np.zeros((2, n_round), np.float32)
    for side in (0, 1):
        # The horn passes once a round: nearer is louder and higher, a third of a turn apart.
        near = loop.slow(1.0 / ORGAN_LOOP_S, n_round, side * 1431655765)
        for part, (ratio, amplitude) in enumerate(_DRAWBARS):
            frequency = loop.base_hz * ratio
            if frequency > 8_000.0:
                continue
            turned = loop.turn(frequency, n_round, scatter(pitch, part))
            turned += bend(near, frequency, 1.0 / ORGAN_LOOP_S, 2.2)
            wave = sine_of(turned)
            wave *= np.float32(amplitude * low_pass(frequency, 3_800.0))
            # The higher, the more it is thrown about, up to a fifth.
            wave *= near * np.float32(min(0.20, 0.07 + 0.03 * ratio)) + np.float32(1.0)
            out[side] += wave
    note = tiled(out, n_samples) * rising(0.008, n_samples)
    click = loop.band(27_000 + pitch, 4, 32)[:480] * fading(0.004, 480)
    note[:, :480] += click * rising(0.001, 480) * np.float32(0.10)
    return note


def air(pitch: int, n_samples: int) -> F32:
    """Make pitched breath: narrow bands of noise around the harmonics, a wind above them."""
    loop = loop_of(pitch, AIR_LOOP_S)
    n_round = loop.n_samples
    out = np.zeros((2, n_round), np.float32)
    swings = loop.slow(1.0 / AIR_LOOP_S, n_round, scatter(pitch, 7))
    for side in (0, 1):
        for number, amplitude, n_window in (
            (1, 1.0, 256),
            (2, 0.5, 256),
            (3, 0.28, 256),
            (5, 0.12, 128),
        ):
            key = 29_000 + 16 * pitch + 2 * number + side
            band = loop.noise(key, n_window)
            band *= sine_of(loop.turn(loop.base_hz * number, n_round, scatter(pitch, key)))
            out[side] += band * np.float32(amplitude)
        wind = loop.band(31_000 + 2 * pitch + side, 2, 16)
        wind *= swings * np.float32(0.4 if side else -0.4) + np.float32(1.0)
        out[side] += wind * np.float32(0.10)
        out[side] += loop.hiss(57_000 + 2 * pitch + side) * np.float32(0.035)
    # Left and right are two breaths; a share of each in the other keeps them in one room.
    out += out[::-1] * np.float32(0.35)
    out = np.stack([without_offset(side, np.ones(n_round, np.float32)) for side in out])
    return tiled(out, n_samples) * rising(0.45, n_samples)
