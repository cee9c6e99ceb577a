"""The note bank and its room: every note in tune, none cut, none clipped, always the same."""

from __future__ import annotations

import numpy as np
import pytest

from astradio_stream.audio.bank import Bank, levels_of, render_pitches
from astradio_stream.audio.exact import frequency_hz
from astradio_stream.audio.room import room
from astradio_stream.audio.v1_0.instruments import INSTRUMENTS
from astradio_stream.units import SAMPLE_RATE_HZ


@pytest.fixture(scope="module")
def bank(banks: dict[str, Bank]) -> Bank:
    """The bank of model v1.0."""
    return banks["v1.0"]


def all_notes() -> list[tuple[str, int]]:
    return [(i.name, pitch) for i in INSTRUMENTS for pitch in range(i.lowest, i.highest + 1)]


def test_every_pitch_of_every_instrument_is_there(bank: Bank) -> None:
    for name, pitch in all_notes():
        assert bank.note(name, pitch).pcm.shape[0] == 2
    assert len(bank) == len(all_notes())
    with pytest.raises(KeyError):
        bank.note("flute", 20)


def test_bank_stays_small(bank: Bank) -> None:
    assert bank.n_bytes < 150e6


def test_no_note_clips_or_is_cut(bank: Bank) -> None:
    for name, pitch in all_notes():
        pcm = bank.note(name, pitch).pcm
        peak = np.abs(pcm.astype(np.int32)).max() * bank.note(name, pitch).chord_tones
        assert 29_900 <= peak <= 30_003
        assert np.abs(pcm[:, -1]).max() <= 1, f"{name} {pitch} ends in a step"
        assert np.abs(pcm[:, 0]).max() <= 600, f"{name} {pitch} begins with a step"


def test_no_note_has_a_direct_component(bank: Bank) -> None:
    for name, pitch in all_notes():
        pcm = bank.note(name, pitch).pcm.astype(np.float64)
        assert np.abs(pcm.mean(axis=1)).max() < 32.768, f"{name} {pitch}"  # 1e-3 of full scale


@pytest.mark.parametrize(
    ("name", "pitch"), [(i.name, p) for i in INSTRUMENTS for p in (i.lowest, i.highest)]
)
def test_notes_are_in_tune(bank: Bank, name: str, pitch: int) -> None:
    """The strongest partial near the fundamental lies within 8 cents of it."""
    pcm = bank.note(name, pitch).pcm[0, :96_000].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm)), 1 << 19))
    frequencies = np.fft.rfftfreq(1 << 19, 1 / SAMPLE_RATE_HZ)
    wanted = frequency_hz(pitch)
    near = (frequencies > wanted * 0.94) & (frequencies < wanted * 1.06)
    found = frequencies[near][spectrum[near].argmax()]
    assert abs(1200 * np.log2(found / wanted)) < 8


def test_no_aliases_above_the_highest_partial(bank: Bank) -> None:
    """Energy above 18 kHz stays below -60 dB of the note, attacks with noise apart."""
    for name, pitch in all_notes():
        if name == "flute":
            continue  # its breath is white noise
        pcm = bank.note(name, pitch).pcm[0, 2_400:50_400].astype(np.float64)
        power = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm)))) ** 2
        treble_db = 10 * np.log10(power[18_000:].sum() / power.sum())
        assert treble_db < -60, f"{name} {pitch}: {treble_db:.1f} dB"


def test_rendering_twice_gives_the_same_notes(bank: Bank) -> None:
    for instrument in INSTRUMENTS:
        pitch = instrument.lowest + 3
        alone = render_pitches(instrument, [pitch])[0]
        assert np.array_equal(alone, bank.note(instrument.name, pitch).pcm)


def test_levels_are_the_loudness_of_frames(bank: Bank) -> None:
    pcm = bank.note("keys", 60).pcm
    levels = levels_of(pcm)
    third = pcm[:, 1_600:2_400].astype(np.float64) / 32_768
    assert levels[2] == pytest.approx(np.sqrt((third**2).mean()), rel=1e-6)


def test_the_room_decays_as_it_says() -> None:
    impulse = np.zeros((1, 2, 96_000), np.float32)
    impulse[0, :, 0] = 1.0
    wet = room(impulse, 2.0)[0].astype(np.float64)
    energy_db = 10 * np.log10((wet.reshape(2, 40, 2_400) ** 2).mean(axis=(0, 2)) + 1e-20)
    slope = np.polyfit(np.arange(10, 30) * 0.05, energy_db[10:30], 1)[0]
    assert -60 / slope == pytest.approx(2.0, rel=0.25)  # treble dies sooner, so a little less
    assert abs(np.corrcoef(wet)[0, 1]) < 0.4  # left and right are different rooms
