"""Shares of energy by band: a tone lies where it sounds, and all shares make one."""

from __future__ import annotations

import numpy as np
import pytest

from astradio_stream.audio.bands import band_shares
from astradio_stream.audio.bank import Bank
from astradio_stream.units import SAMPLE_RATE_HZ


@pytest.fixture(scope="module")
def bank(banks: dict[str, Bank]) -> Bank:
    """The bank of model v1.0."""
    return banks["v1.0"]


TONES = [(60, 0), (260, 1), (520, 2), (1_050, 3), (2_100, 4), (4_200, 5), (8_500, 6), (20_000, 7)]


def tone(frequency: float) -> np.ndarray:
    wave = np.sin(np.arange(48_000) * 2 * np.pi * frequency / SAMPLE_RATE_HZ) * 20_000
    return np.stack([wave, wave]).astype(np.int16)


@pytest.mark.parametrize(("frequency", "band"), TONES)
def test_a_tone_is_strongest_in_its_band(frequency: float, band: int) -> None:
    assert np.argmax(band_shares(tone(frequency))) == band


def test_shares_make_one_whatever_the_signal(bank: Bank) -> None:
    square = np.where(np.arange(48_000) // 2 % 2, 32_767, -32_768).astype(np.int16)
    for pcm in (np.stack([square, square]), tone(100), bank.note("pad", 60).pcm):
        shares = band_shares(pcm)
        assert shares.min() >= 0
        assert shares.sum() == pytest.approx(1)


def test_silence_has_no_shares() -> None:
    assert not band_shares(np.zeros((2, 48_000), np.int16)).any()


def test_basses_are_lower_than_bells(bank: Bank) -> None:
    low, high = band_shares(bank.note("bass", 36).pcm), band_shares(bank.note("bell", 84).pcm)
    assert low[:2].sum() > 0.9
    assert high[3:].sum() > 0.8
