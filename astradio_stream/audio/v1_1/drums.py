"""The drum kit of v1.1: soft, woody, close; one piece per pitch of General MIDI, at 48 000 Hz.

What is below 120 Hz is dry and the same in both channels. Instead of the long room each piece has
a small one of its own: a whisper of noise, different left and right, that outlives the stroke.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.audio.exact import (
    F32,
    decay,
    noise,
    phase,
    phase_step,
    sine,
    swell,
)
from astradio_stream.audio.v1_1.waves import banded, place, rubbed, without_offset
from astradio_stream.units import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Callable

_KEY: Final = 50_000


def _n(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE_HZ)


def _band(key: int, n_samples: int, rises: int, falls: int) -> F32:
    """Return noise shaped by `rises` differences and `falls` means of neighbours, about as loud.

    One and two: broad around 9 kHz; two and four: narrower there; none and some: dull.
    """
    wave = noise(_KEY + key, n_samples + rises + falls)
    for _ in range(rises):
        wave = wave[1:] - wave[:-1]
    for _ in range(falls):
        wave = (wave[1:] + wave[:-1]) * np.float32(0.62)
    return wave


def _swept(from_hz: float, to_hz: float, half_life_s: float, n_samples: int) -> F32:
    """Return a sine whose frequency falls towards `to_hz`."""
    steps = decay(half_life_s, n_samples) * np.float32(phase_step(from_hz - to_hz))
    steps += np.float32(phase_step(to_hz))
    turned = np.add.accumulate(np.rint(steps).astype(np.uint32), dtype=np.uint32)
    return sine(turned)


def _partials(
    out: F32, rows: tuple[tuple[float, float, float, float], ...], scale: float = 1.0
) -> None:
    """Add decaying partials (Hz, amplitude, half-life s, pan) to `out`, (2, n_samples)."""
    for number, (frequency, amplitude, half_life_s, pan) in enumerate(rows):
        n_samples = min(out.shape[1], _n(12 * half_life_s))
        wave = sine(phase(phase_step(frequency * scale), n_samples, number * 1327217885))
        wave *= decay(half_life_s, n_samples)
        wave *= np.float32(amplitude)
        place(out[:, :n_samples], wave, pan)


def _centred(wave: F32) -> F32:
    return np.stack([wave, wave])


def _spray(key: int, n_samples: int, shape: tuple[int, int], width: float) -> F32:
    """Return noise that is `width` (0-1) different left and right, shape (2, n_samples)."""
    middle = _band(key, n_samples, *shape)
    edge = _band(key + 1, n_samples, *shape) * np.float32(width)
    return np.stack([middle + edge, middle - edge])


def _kick(n_samples: int) -> F32:
    body = _swept(128.0, 45.0, 0.022, n_samples)
    body *= decay(0.085, n_samples)
    body /= np.float32(1.0) + np.abs(body) * np.float32(0.35)
    body = without_offset(body, decay(0.085, n_samples)) * swell(0.002, n_samples)
    n_click = _n(0.012)
    click = rubbed(_band(0, n_click, 0, 1), 8) * decay(0.0015, n_click) * swell(0.0004, n_click)
    body[:n_click] += click * np.float32(0.30)
    return _centred(body)


def _heartbeat(n_samples: int) -> F32:
    body = _swept(74.0, 42.0, 0.035, n_samples)
    body *= decay(0.075, n_samples)
    body *= swell(0.016, n_samples)
    return _centred(body)


def _snare(n_samples: int) -> F32:
    out = _spray(10, n_samples, (1, 3), 0.35)
    wires = decay(0.050, n_samples) + decay(0.11, n_samples) * np.float32(0.18)
    out *= wires * swell(0.0012, n_samples) * np.float32(0.42)
    shell = _swept(260.0, 183.0, 0.010, n_samples) * decay(0.045, n_samples)
    shell += sine(phase(phase_step(331.0), n_samples)) * decay(0.028, n_samples) * np.float32(0.4)
    out += shell * swell(0.0012, n_samples) * np.float32(0.8)
    return out


def _brush(n_samples: int) -> F32:
    out = _spray(20, n_samples, (1, 6), 0.5)
    stroke = swell(0.05, n_samples) * decay(0.075, n_samples)
    stroke += swell(0.003, n_samples) * decay(0.018, n_samples) * np.float32(0.8)
    out *= stroke
    skin = _swept(230.0, 190.0, 0.02, n_samples) * decay(0.03, n_samples)
    out += skin * swell(0.004, n_samples) * np.float32(0.25)
    return out


def _rim(n_samples: int) -> F32:
    out = np.zeros((2, n_samples), np.float32)
    _partials(
        out,
        (
            (482.0, 0.55, 0.018, 0.0),
            (1_690.0, 0.9, 0.010, 0.1),
            (2_270.0, 0.45, 0.007, -0.2),
            (3_860.0, 0.2, 0.004, 0.3),
        ),
    )
    return out * swell(0.0006, n_samples)


def _clap(n_samples: int) -> F32:
    out = _spray(30, n_samples, (0, 1), 0.5)
    out = np.stack([banded(side, 8, 32) for side in out])
    hands = np.zeros(n_samples, np.float32)
    for start_s, strength in ((0.0, 0.7), (0.010, 0.85), (0.021, 1.0)):
        start = _n(start_s)
        rest = n_samples - start
        half_life_s = 0.0045 if start_s < 0.02 else 0.045
        hands[start:] += decay(half_life_s, rest) * swell(0.0006, rest) * np.float32(strength)
    return out * hands


_METAL: Final = (
    # Six tones of a cheap cymbal and their kin (Hz, amplitude, pan)
    (3_270.0, 0.35, -0.3),
    (4_148.0, 0.45, 0.4),
    (5_397.0, 0.55, -0.5),
    (6_260.0, 0.60, 0.2),
    (7_411.0, 0.60, 0.5),
    (8_635.0, 0.55, -0.2),
    (10_120.0, 0.45, 0.6),
    (11_890.0, 0.30, -0.6),
)


def _metal(out: F32, half_life_s: float, amplitude: float) -> None:
    rows = tuple(
        (hz, amplitude * level, half_life_s * (1.25 - hz / 20_000.0), pan)
        for hz, level, pan in _METAL
    )
    _partials(out, rows)


def _hat(n_samples: int, key: int, half_life_s: float, attack_s: float) -> F32:
    out = _spray(key, n_samples, (2, 5), 0.35)
    out *= decay(half_life_s, n_samples) * np.float32(0.5)
    _metal(out, half_life_s * 0.8, 0.16)
    return out * swell(attack_s, n_samples)


def _closed_hat(n_samples: int) -> F32:
    return _hat(n_samples, 40, 0.018, 0.0008)


def _open_hat(n_samples: int) -> F32:
    return _hat(n_samples, 44, 0.11, 0.001)


def _pedal_hat(n_samples: int) -> F32:
    out = _hat(n_samples, 48, 0.014, 0.004)
    foot = rubbed(_band(50, n_samples, 0, 2), 8) * decay(0.006, n_samples)
    return out + foot * swell(0.002, n_samples) * np.float32(0.12)


def _ride(n_samples: int) -> F32:
    out = _spray(60, n_samples, (2, 4), 0.6)
    out *= decay(0.24, n_samples) * np.float32(0.12)
    out += _spray(62, n_samples, (2, 3), 0.2) * (decay(0.008, n_samples) * np.float32(0.35))
    _metal(out, 0.30, 0.10)
    _partials(
        out, ((613.0, 0.05, 0.25, 0.2), (1_040.0, 0.07, 0.30, -0.2), (2_210.0, 0.09, 0.25, 0.1))
    )
    return out * swell(0.001, n_samples)


def _ride_bell(n_samples: int) -> F32:
    out = _spray(64, n_samples, (2, 4), 0.4)
    out *= decay(0.05, n_samples) * np.float32(0.12)
    _metal(out, 0.22, 0.06)
    rows = (
        (742.0, 0.5, 0.33, 0.0),
        (1_477.0, 0.4, 0.30, 0.2),
        (2_215.0, 0.45, 0.26, -0.2),
        (3_391.0, 0.3, 0.16, 0.3),
    )
    _partials(out, rows)
    return out * swell(0.001, n_samples)


def _shaker(n_samples: int) -> F32:
    out = _spray(70, n_samples, (2, 5), 0.4)
    grains = swell(0.035, n_samples) * decay(0.022, n_samples)
    return out * grains


def _cabasa(n_samples: int) -> F32:
    out = _spray(74, n_samples, (1, 4), 0.4)
    grains = swell(0.05, n_samples) * decay(0.03, n_samples)
    return out * grains


def _tom(n_samples: int, to_hz: float, key: int) -> F32:
    body = _swept(to_hz * 1.5, to_hz, 0.035, n_samples) * decay(0.13, n_samples)
    over = _swept(to_hz * 2.4, to_hz * 1.72, 0.03, n_samples) * decay(0.05, n_samples)
    body += over * np.float32(0.25)
    skin = rubbed(_band(key, n_samples, 0, 2), 16) * decay(0.012, n_samples)
    body += skin * np.float32(0.25)
    return _centred(body * swell(0.003, n_samples))


def _low_tom(n_samples: int) -> F32:
    return _tom(n_samples, 82.0, 80)


def _mid_tom(n_samples: int) -> F32:
    return _tom(n_samples, 116.0, 82)


def _high_tom(n_samples: int) -> F32:
    return _tom(n_samples, 158.0, 84)


def _crash(n_samples: int) -> F32:
    out = _spray(90, n_samples, (1, 3), 0.8)
    out *= decay(0.42, n_samples) * np.float32(0.30)
    _metal(out, 0.5, 0.10)
    _partials(out, ((438.0, 0.03, 0.4, 0.3), (911.0, 0.05, 0.5, -0.3), (1_530.0, 0.07, 0.45, 0.2)))
    return out * swell(0.12, n_samples)


def _tick(n_samples: int) -> F32:
    out = _spray(94, n_samples, (2, 4), 0.3)
    out *= decay(0.004, n_samples) + decay(0.05, n_samples) * np.float32(0.25)
    _metal(out, 0.05, 0.25)
    return out * swell(0.0006, n_samples)


_KIT: Final[dict[int, tuple[float, float, float, Callable[[int], F32]]]] = {
    # pitch: length s, share and half-life s of its small room
    35: (0.60, 0.000, 0.05, _heartbeat),
    36: (0.52, 0.000, 0.05, _kick),
    37: (0.30, 0.030, 0.06, _rim),
    38: (0.55, 0.040, 0.09, _snare),
    39: (0.50, 0.060, 0.09, _clap),
    40: (0.60, 0.030, 0.08, _brush),
    41: (0.95, 0.008, 0.09, _low_tom),
    42: (0.22, 0.010, 0.05, _closed_hat),
    44: (0.20, 0.010, 0.05, _pedal_hat),
    45: (0.90, 0.008, 0.09, _mid_tom),
    46: (0.75, 0.010, 0.08, _open_hat),
    48: (0.85, 0.008, 0.09, _high_tom),
    49: (3.20, 0.010, 0.30, _crash),
    51: (1.60, 0.008, 0.20, _ride),
    53: (1.80, 0.008, 0.20, _ride_bell),
    54: (0.35, 0.020, 0.06, _tick),
    69: (0.30, 0.010, 0.05, _cabasa),
    70: (0.24, 0.010, 0.05, _shaker),
}

PIECES: Final = tuple((pitch, row[0]) for pitch, row in _KIT.items())
"""Pitch and length (seconds) of each piece."""


def drums(pitch: int, n_samples: int) -> F32:
    """Make one stroke on the piece that `pitch` names, with its small room."""
    _, share, half_life_s, stroke = _KIT[pitch]
    out = stroke(n_samples)
    if share:
        late = np.stack([rubbed(_band(100 + side, n_samples, 1, 2), 2) for side in (0, 1)])
        late *= decay(half_life_s, n_samples) * swell(0.03, n_samples)
        out += late * np.float32(share)
    return out
