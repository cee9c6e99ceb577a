"""What the instruments of v1.1 are made of: sums, tables, strings and levels do what they say."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from astradio_stream.audio.exact import noise, straight
from astradio_stream.audio.steady import steadied
from astradio_stream.audio.v1_1.partials import Partial, rung, wavetable
from astradio_stream.audio.v1_1.plucked import _karplus_strong, _loss, _passed, _string_taps
from astradio_stream.audio.v1_1.waves import BRIGHTEST_HZ, RATE_HZ, hissing, read, rubbed, sine_of

F64 = NDArray[np.float64]


def decibels(ratio: float) -> float:
    return float(10 * np.log10(ratio + 1e-30))


def test_the_sine_is_a_sine_at_every_corner() -> None:
    corners = np.arange(-3, 4)[np.newaxis, :] + (np.arange(9) << 29)[:, np.newaxis]
    turned = np.concatenate([corners.ravel() & 0xFFFFFFFF, np.arange(0, 1 << 32, 65_521)])
    wanted = np.sin(turned * (2 * np.pi / 2**32))
    assert np.abs(sine_of(turned.astype(np.uint32)) - wanted).max() < 3e-7


def test_rung_is_the_sum_of_decaying_sines() -> None:
    partials = (
        Partial(440.0, 1.0, 0.3, -0.5, 123_456_789),
        Partial(1_234.5, 0.4, 0.2, 0.5),
        Partial(8_900.0, 0.3, 1.0, -0.5, 1 << 31),
        Partial(BRIGHTEST_HZ + 1.0, 9.0, 1.0),
    )
    n_samples = 20_001
    seconds = np.arange(n_samples) / RATE_HZ
    wanted = np.zeros((2, n_samples))
    for frequency, amplitude, half_life_s, pan, start in partials[:3]:
        step = round(frequency * 2**32 / RATE_HZ)
        turns = (step * np.arange(n_samples) + start) / 2**32
        wave = amplitude * np.sin(2 * np.pi * (turns % 1.0)) * 0.5 ** (seconds / half_life_s)
        wanted += np.array([[np.sqrt((1 - pan) / 2)], [np.sqrt((1 + pan) / 2)]]) * wave
    found = rung(2, n_samples, partials)
    assert np.abs(found - wanted).max() < 1e-5
    assert not rung(1, 100, partials[3:]).any()


def test_a_wavetable_is_the_sum_of_its_harmonics() -> None:
    amplitudes = [1.0 / number for number in range(1, 61)]
    turned = (np.arange(30_000, dtype=np.uint32)) * np.uint32(143_165_577)
    turns = (turned.astype(np.float64) - (1 << 16)) / 2**32  # it is half a step late
    wanted = sum(
        amplitude * np.sin(2 * np.pi * (number * turns + number * (number - 1) / 32))
        for number, amplitude in enumerate(amplitudes, 1)
    )
    found = read(wavetable(amplitudes), turned)
    assert decibels(((found - wanted) ** 2).mean() / (wanted**2).mean()) < -65


def test_straight_lines_pass_through_their_points_and_go_round() -> None:
    drawn = straight(np.array([1.0, 3.0, -1.0], np.float32), 4)
    assert drawn.tolist() == [1.0, 1.5, 2.0, 2.5, 3.0, 2.0, 1.0, 0.0, -1.0, -0.5, 0.0, 0.5]


@pytest.mark.parametrize("period", [30.6, 61.2, 290.9])
def test_many_passes_at_once_are_the_same_string(period: float) -> None:
    """One pass at a time is the recurrence itself, written down sample by sample."""
    n_samples, n_pulse = 6_000, int(period * 1.3)
    pulse = np.zeros((2, n_samples), np.float32)
    pulse[:, :n_pulse] = np.stack([noise(number, n_pulse) for number in (1, 2)])
    whole = int(period) - 2
    planes = [_string_taps(period, 0.05, _loss(period, life), whole) for life in (0.3, 0.5)]
    wanted = pulse.astype(np.float64)
    for plane, taps in zip(wanted, planes, strict=True):
        for here in range(n_samples):
            for late, tap in enumerate(taps, whole):
                if here >= late:
                    plane[here] += tap * plane[here - late]
    found = _karplus_strong(pulse, n_pulse, whole, planes)
    assert np.abs(found - wanted).max() < 2e-3
    assert decibels(((found - wanted) ** 2).mean() / (wanted**2).mean()) < -75


def test_passes_multiply() -> None:
    assert _passed([1.0, 2.0], 3) == [1.0, 6.0, 12.0, 8.0]
    assert sum(_passed([0.1, 0.2, 0.3], 4)) == pytest.approx(0.6**4)


def test_a_steady_loop_swings_an_eighth_as_deep_and_still_goes_round() -> None:
    n_attack, n_loop = 7_001, 36_007
    place = np.arange(-n_attack, n_loop)
    swing = 1 + 0.5 * np.sin(2 * np.pi * 2 * place / n_loop)
    tone = np.sin(2 * np.pi * 440 * place / n_loop)
    note = np.stack([tone * swing, 0.5 * tone * swing]).astype(np.float32)
    steady = steadied(note, n_attack)
    levels = (steady[0, n_attack:][:36_000].astype(np.float64) ** 2).reshape(15, -1).mean(axis=1)
    assert decibels(levels.max() / levels.min()) < 9.5 / 8 + 0.3
    assert np.allclose(steady[1] * 2, steady[0], atol=1e-5)
    assert np.allclose(steady[:, n_attack - 500 : n_attack], steady[:, -500:], atol=1e-4)


@pytest.mark.parametrize(
    ("shaped", "low_hz", "high_hz"), [(hissing, 4_000, 10_000), (lambda x: rubbed(x, 8), 0, 1_500)]
)
def test_noise_lies_where_it_is_put_and_is_as_loud(shaped, low_hz: float, high_hz: float) -> None:  # type: ignore[no-untyped-def]
    rough = noise(99, 48_000)
    power = np.abs(np.fft.rfft(shaped(rough).astype(np.float64))) ** 2
    frequencies = np.fft.rfftfreq(48_000, 1 / RATE_HZ)
    inside = (frequencies >= low_hz) & (frequencies <= high_hz)
    assert power[inside].sum() > 0.75 * power.sum()
    loudness = (shaped(rough).astype(np.float64) ** 2).mean() / (
        rough.astype(np.float64) ** 2
    ).mean()
    assert abs(decibels(loudness)) < 1.5
