"""Model v1.0: what the sky asks for is what the score says."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from astradio_stream.audio.v1_0.instruments import INSTRUMENTS
from astradio_stream.music.theory import MODES
from astradio_stream.music.v1_0.form import bar_at, bar_of, bar_start
from astradio_stream.music.v1_0.palette import MOVEMENT_SAMPLES, Sky, palette_of
from astradio_stream.music.v1_0.score import LOOK_BACK_SAMPLES, RELEASE_SAMPLES, ScoreV10
from astradio_stream.units import SAMPLE_RATE_HZ

SPEEDS = (1.0, 13.2, 1.4, 1.2, 0.5, 0.08, 0.03, 0.01, 0.006, 0.004)
LONGITUDES = st.lists(st.floats(0, 359.999999), min_size=10, max_size=10)


def sky(longitudes: list[float] | None = None, **changes: object) -> Sky:
    """Return a sky; by default one without a close aspect, spread over the signs."""
    spread = longitudes or [10.0, 50.0, 25.0, 345.0, 118.0, 83.0, 205.0, 157.0, 241.0, 287.0]
    return dataclasses.replace(Sky(tuple(spread), SPEEDS, 0.0), **changes)


def score_of(a_sky: Sky, seed: int = 1) -> ScoreV10:
    return ScoreV10(seed, lambda _index: a_sky)


def in_signs(*signs: int) -> list[float]:
    """Return ten longitudes in the given signs, at degrees that make no aspect within 7°."""
    return [30.0 * signs[n % len(signs)] + 1.0 + 2.9 * n for n in range(10)]


@given(longitudes=LONGITUDES, ascendant=st.floats(0, 360))
@settings(max_examples=200)
def test_every_sky_has_a_palette(longitudes: list[float], ascendant: float) -> None:
    palette = palette_of(Sky(tuple(longitudes), SPEEDS, ascendant))
    assert palette.mode in MODES
    assert palette.n_bars % 4 == 0
    assert palette.beats in (3, 4)
    assert 50 < palette.tempo_bpm < 108
    for share in (palette.density, palette.tension, palette.brightness, palette.space):
        assert 0.0 <= share <= 1.0
    assert all(-0.55 <= pan <= 0.55 for pan in palette.pans)


def test_the_sun_sets_the_key_by_fifths_from_aries() -> None:
    keys = [palette_of(sky([30.0 * sign + 15.0] + [200.0] * 9)).key_name for sign in range(12)]
    assert keys == ["C", "G", "D", "A", "E", "B", "F#", "C#", "Ab", "Eb", "Bb", "F"]


def test_fire_is_faster_than_water() -> None:
    assert (
        palette_of(sky(in_signs(0, 4, 8))).tempo_bpm > palette_of(sky(in_signs(3, 7, 11))).tempo_bpm
    )


def test_squares_bring_tension_and_darken_the_mode() -> None:
    soft = palette_of(sky([0.0, 120.0, 240.0, 60.0, 180.5, 300.0, 1.0, 121.0, 241.0, 61.0]))
    hard = palette_of(sky([0.0, 90.0, 180.0, 270.0, 0.5, 90.5, 180.5, 270.5, 91.0, 1.0]))
    assert hard.tension > soft.tension
    modes = list(MODES)
    assert modes.index(hard.mode) > modes.index(soft.mode)


def test_water_widens_the_room() -> None:
    assert palette_of(sky(in_signs(3, 7, 11))).space > palette_of(sky(in_signs(0, 4, 8))).space


def test_the_waxing_moon_rises_and_the_waning_falls() -> None:
    waxing = palette_of(sky([0.0, 90.0] + [200.0] * 8))
    waning = palette_of(sky([0.0, 270.0] + [200.0] * 8))
    assert waxing.line == 1.0
    assert waning.line == -1.0
    assert palette_of(sky([0.0, 180.0] + [200.0] * 8)).fullness == 1.0


@given(longitudes=LONGITUDES, index=st.integers(0, 10**14))
def test_bars_partition_the_stream(longitudes: list[float], index: int) -> None:
    palette = palette_of(sky(longitudes))
    movement, number = index // MOVEMENT_SAMPLES, bar_at(palette, index)
    assert bar_start(palette, movement, number) <= index
    assert index < bar_start(palette, movement, number + 1)
    assert bar_start(palette, movement, palette.n_bars) == (movement + 1) * MOVEMENT_SAMPLES


def test_a_bar_needs_no_other_bar() -> None:
    palette = palette_of(sky())
    forward = [bar_of(5, palette, 2, n) for n in range(palette.n_bars)]
    backward = [bar_of(5, palette, 2, n) for n in reversed(range(palette.n_bars))]
    assert forward == backward[::-1]
    assert {bar.material for bar in forward} >= {0, 1}
    assert forward[-1].closes
    assert forward[-1].degree == 0


@given(longitudes=LONGITUDES, seed=st.integers(0, 2**53 - 1), start_s=st.integers(0, 10**7))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_notes_stay_within_their_instruments(
    longitudes: list[float], seed: int, start_s: int
) -> None:
    ranges = {i.name: (i.lowest, i.highest, i.length_s, i.release_s) for i in INSTRUMENTS}
    score = score_of(sky(longitudes), seed)
    start = start_s * SAMPLE_RATE_HZ
    for note in score.notes(start, start + 10 * SAMPLE_RATE_HZ):
        lowest, highest, length_s, release_s = ranges[note.instrument]
        assert lowest <= note.pitch <= highest
        assert length_s * SAMPLE_RATE_HZ <= LOOK_BACK_SAMPLES
        assert release_s * SAMPLE_RATE_HZ <= RELEASE_SAMPLES
        assert note.duration > 0
        assert 0.0 < note.velocity <= 1.0
        assert 0.0 <= note.left < 0.6
        assert 0.0 <= note.right < 0.6


def test_spans_agree_wherever_they_are_cut() -> None:
    score = score_of(sky())
    whole = score.notes(0, 400 * SAMPLE_RATE_HZ)
    begins = {note for k in range(400) for note in score.notes(k * 48_000, (k + 1) * 48_000)}
    assert begins == set(whole)
    assert list(whole) == sorted(whole, key=lambda n: (n.onset, n.voice, n.pitch))


def test_pitches_belong_to_the_key() -> None:
    score = score_of(sky())
    palette = score.palette(0)
    scale = {(palette.key + step) % 12 for step in MODES[palette.mode]}
    assert {note.pitch % 12 for note in score.notes(0, MOVEMENT_SAMPLES)} <= scale


def test_all_ten_bodies_are_heard_within_an_hour() -> None:
    score = score_of(sky())
    voices = {note.voice for note in score.notes(0, 20 * MOVEMENT_SAMPLES)}
    assert voices == set(range(10))


def test_the_theme_moves_mostly_by_step() -> None:
    melody = [n for n in score_of(sky()).notes(0, 5 * MOVEMENT_SAMPLES) if n.voice == 0]
    leaps = [abs(b.pitch - a.pitch) for a, b in zip(melody, melody[1:], strict=False)]
    assert len(melody) > 100
    assert sum(leap <= 4 for leap in leaps) / len(leaps) > 0.6
    assert max(leaps) <= 12


def test_seeds_make_other_pieces_of_one_sky() -> None:
    one = score_of(sky(), 1).notes(0, MOVEMENT_SAMPLES)
    other = score_of(sky(), 2).notes(0, MOVEMENT_SAMPLES)
    assert score_of(sky(), 1).palette(0) == score_of(sky(), 2).palette(0)
    assert [(n.onset, n.pitch) for n in one] != [(n.onset, n.pitch) for n in other]


def test_phases_run_from_zero_to_one() -> None:
    score = score_of(sky())
    indices = np.arange(0, 60 * SAMPLE_RATE_HZ, 800, dtype=np.int64)
    beat, bar, *colours = score.pulses(indices)
    assert beat.min() >= 0
    assert beat.max() < 1
    palette = score.palette(0)
    bars = np.flatnonzero(np.diff(bar) < 0)
    assert len(bars) == pytest.approx(60 / (palette.beats * 60 / palette.tempo_bpm), abs=1)
    assert np.count_nonzero(np.diff(beat) < 0) == pytest.approx(palette.tempo_bpm, abs=1)
    for colour in colours:
        assert colour.min() >= 0
        assert colour.max() <= 1


def test_retrograde_mercury_turns_its_figures() -> None:
    speeds = (*SPEEDS[:2], -0.8, *SPEEDS[3:])
    direct = score_of(sky()).notes(0, MOVEMENT_SAMPLES)
    retrograde = score_of(sky(speeds_deg_per_day=speeds)).notes(0, MOVEMENT_SAMPLES)
    assert [n for n in direct if n.voice == 2] != [n for n in retrograde if n.voice == 2]
