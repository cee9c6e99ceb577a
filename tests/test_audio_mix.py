"""The mix: any span, cut anywhere, is the same samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from astradio_stream.audio.bank import Bank
from astradio_stream.audio.mix import gathered, note_levels, render
from astradio_stream.music.note import Note, placed


@pytest.fixture(scope="module")
def bank(banks: dict[str, Bank]) -> Bank:
    """The bank of model v1.0."""
    return banks["v1.0"]


def chord(onset: int = 10_000, gain: float = 0.2) -> tuple[Note, ...]:
    return tuple(
        placed(
            onset=onset + 500 * n,
            duration=30_000,
            voice=n,
            instrument="pad",
            pitch=pitch,
            velocity=1.0,
            gain=gain,
            pan=-0.5 + 0.5 * n,
        )
        for n, pitch in enumerate((55, 59, 62))
    )


@given(cuts=st.lists(st.integers(1, 119_999), min_size=1, max_size=4, unique=True))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_render_in_parts_equals_render_whole(bank: Bank, cuts: list[int]) -> None:
    whole = render(chord(), bank, 0, 120_000)
    edges = [0, *sorted(cuts), 120_000]
    parts = [render(chord(), bank, a, b - a) for a, b in zip(edges, edges[1:], strict=False)]
    assert np.array_equal(np.concatenate(parts), whole)


def test_silence_is_silent(bank: Bank) -> None:
    assert not render((), bank, 0, 4_800).any()
    assert not render(chord(onset=10_000), bank, 0, 10_000).any()


def test_a_note_falls_silent_after_its_release(bank: Bank) -> None:
    release = len(bank.note("pad", 55).release)
    end = 10_000 + 1_000 + 30_000 + release
    assert not render(chord(), bank, end, 4_800).any()
    assert render(chord(), bank, end - 4_800, 4_800).any()


def test_no_note_ends_in_a_step(bank: Bank) -> None:
    pcm = render(chord(), bank, 0, 120_000).astype(np.int32)
    steps = np.abs(np.diff(pcm, axis=0)).max(axis=1)
    assert steps[40_000:].max() <= 2 * steps[15_000:40_000].max()


def test_the_master_never_passes_its_ceiling(bank: Bank) -> None:
    loud = render(chord(gain=5.0), bank, 0, 60_000)
    assert np.abs(loud.astype(np.int32)).max() <= round(0.88 * 32_767)


def test_a_quiet_mix_passes_straight(bank: Bank) -> None:
    one = chord()[:1]
    pcm = render(one, bank, 10_000, 4_800)
    rendered = bank.note("pad", 55).pcm[:, :4_800]
    assert np.array_equal(pcm[:, 0], np.rint(rendered[0] * np.float32(one[0].left)))


def test_levels_follow_the_sound(bank: Bank) -> None:
    levels = note_levels(gathered(chord(onset=0), bank), bank, 0, 60)
    alone = render(chord(onset=0)[:1], bank, 0, 48_000).astype(np.float64) / 32_768
    heard = np.sqrt((alone.reshape(60, 800, 2) ** 2).sum(axis=2).mean(axis=1) / 2)
    assert levels.shape == (3, 60)
    # A stereo note's level weighs both channels alike; pan moves it by a few per cent.
    assert np.allclose(levels[0][5:], heard[5:] * np.sqrt(2), rtol=0.35)
    assert note_levels(gathered((), bank), bank, 0, 60).shape == (0, 60)


@pytest.mark.parametrize("pan", [0.0, 0.4])
def test_a_drum_that_is_dry_in_the_middle_is_mixed_from_one_channel(
    banks: dict[str, Bank], pan: float
) -> None:
    """Wherever it stands, it sounds as both its channels would."""
    kick = banks["v1.1"].note("drums", 36)
    assert (kick.pcm.shape[0], kick.mixed.shape[0]) == (2, 1)
    stroke = placed(
        onset=100,
        duration=48_000,
        voice=4,
        instrument="drums",
        pitch=36,
        velocity=1.0,
        gain=0.5,
        pan=pan,
    )
    gains = np.array([stroke.left, stroke.right], np.float32) * np.float32(kick.gain)
    expected = np.rint(kick.pcm.T * gains)
    pcm = render((stroke,), banks["v1.1"], 100, kick.pcm.shape[1])
    assert np.abs(pcm - expected).max() <= 1.0
    assert expected.any()


@given(cuts=st.lists(st.integers(1, 59_999), min_size=1, max_size=3, unique=True))
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_notes_of_both_rates_are_the_same_wherever_they_are_cut(
    banks: dict[str, Bank], cuts: list[int]
) -> None:
    """Even and odd samples lie apart in the mix; an odd beginning or length changes nothing."""
    where = {"voice": 4, "velocity": 1.0, "pan": 0.0}
    notes = (
        placed(onset=501, duration=480, instrument="drums", pitch=42, gain=0.5, **where),
        placed(onset=900, duration=30_000, instrument="pad", pitch=60, gain=0.5, **where),
    )
    whole = render(notes, banks["v1.1"], 0, 60_000)
    edges = [0, *sorted(cuts), 60_000]
    spans = zip(edges, edges[1:], strict=False)
    parts = [render(notes, banks["v1.1"], a, b - a) for a, b in spans]
    assert np.array_equal(np.concatenate(parts), whole)
