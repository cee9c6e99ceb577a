"""Waves and envelopes: right to the ear, and the same bits however they are cut."""

from __future__ import annotations

import math

import numpy as np
import pytest

from astradio_stream.audio import exact


def test_sine_is_a_sine() -> None:
    turn = exact.phase(exact.phase_step(997.0), 100_000)
    expected = np.sin(turn.astype(np.float64) * (2 * np.pi / 2**32))
    assert np.abs(exact.sine(turn) - expected).max() < 3e-7


def test_sine_of_a_part_equals_part_of_the_sine() -> None:
    turn = exact.phase(exact.phase_step(441.3), 10_000)
    whole = exact.sine(turn)
    for cut in (1, 7, 16, 4_999):
        parts = np.concatenate([exact.sine(turn[:cut]), exact.sine(turn[cut:])])
        assert np.array_equal(parts, whole)


@pytest.mark.parametrize("pitch", [0, 21, 60, 69, 108, 127])
def test_frequency_is_equal_tempered(pitch: int) -> None:
    assert exact.frequency_hz(pitch) == pytest.approx(440.0 * 2 ** ((pitch - 69) / 12), rel=1e-12)


def test_decay_halves_in_its_half_life() -> None:
    curve = exact.decay(0.25, 48_000)
    assert curve[0] == 1.0
    assert curve[12_000] == pytest.approx(0.5, rel=1e-4)
    assert curve[47_999] == pytest.approx(1 / 16, rel=1e-3)
    assert np.all(np.diff(curve) <= 0)


def test_swell_rises_to_one() -> None:
    curve = exact.swell(0.1, 9_600)
    assert curve[0] == 0.0
    assert curve[2_400] == pytest.approx(0.5, abs=1e-3)
    assert np.all(curve[4_800:] == 1.0)


def test_noise_belongs_to_its_key() -> None:
    assert np.array_equal(exact.noise(5, 1_001), exact.noise(5, 2_000)[:1_001])
    assert not np.array_equal(exact.noise(5, 1_000), exact.noise(6, 1_000))
    assert abs(float(exact.noise(5, 100_000).mean())) < 0.01
    assert float(exact.noise(5, 100_000).std()) == pytest.approx(1 / math.sqrt(3), rel=0.01)
