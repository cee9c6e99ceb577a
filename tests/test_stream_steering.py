"""Steering: where it takes effect, that nothing before it changes, that the seam is no seam."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astradio_stream.audio.opus import Decoder
from astradio_stream.errors import ValidationFailed
from astradio_stream.music.controls import GENRES, Controls
from astradio_stream.music.theory import KEY_NAMES
from astradio_stream.sky.moment import parse_moment
from astradio_stream.stream.modes import MODES
from astradio_stream.stream.programme import Programme
from astradio_stream.stream.reading import GREENWICH
from astradio_stream.stream.segment import Rendition, packets_of
from astradio_stream.stream.steering import FORE_SAMPLES, first_replaced, steered
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.units import (
    LAST_INDEX,
    PACKETS_PER_QUANTUM,
    QUANTUM_SAMPLES,
    SAMPLE_RATE_HZ,
    SEGMENT_SAMPLES,
)

if TYPE_CHECKING:
    from astradio_stream.audio.bank import Bank

PLAIN = Programme(
    station=None,
    mode="transit",
    seed=7,
    at=parse_moment("2026-03-20T12:00:00Z"),
    rate=1.0,
    place=GREENWICH,
    charts=(),
    controls=Controls(),
    changes=(),
    model_versions=ModelVersions(audio="v1.1"),
)
assert MODES[PLAIN.mode].has_moving_sky


@pytest.fixture(scope="module")
def bank(banks: dict[str, Bank]) -> Bank:
    return banks["v1.1"]


@pytest.fixture(scope="module")
def plain(bank: Bank) -> Rendition:
    return Rendition(PLAIN, bank)


def steer(
    rendition: Rendition, earliest: int, quantise: str = "now", **controls: Any
) -> tuple[Programme, int]:
    wishes = controls or {"tension": 1}
    return steered(rendition.programme, rendition.score, wishes, quantise, earliest)


# Where -------------------------------------------------------------------------------------------


def test_now_is_a_millisecond_into_the_first_quantum_that_can_be_replaced(plain: Rendition) -> None:
    _, effective = steer(plain, 480_000)
    assert effective == 480_000 + FORE_SAMPLES
    assert first_replaced(effective) == 480_000


@pytest.mark.parametrize("earliest", [0, 4_800, 480_000, 191 * SAMPLE_RATE_HZ, 3_600_000_000])
def test_beat_and_bar_are_the_next_ones_of_the_score(plain: Rendition, earliest: int) -> None:
    mark = plain.score.tempo_map(earliest, earliest + 1)[-1]
    beat_samples = mark.samples_per_beat
    for quantise, length in (("beat", beat_samples), ("bar", beat_samples * mark.beats_per_bar)):
        _, effective = steer(plain, earliest, quantise)
        assert 0 <= effective - FORE_SAMPLES - earliest <= length
        n_since = (effective - mark.index) / length
        # A bar begins on the sample before its exact place, and a beat divides a bar in samples.
        assert abs(n_since - round(n_since)) * length <= 2


def test_the_first_bar_line_of_a_new_movement_is_a_bar_line_too(plain: Rendition) -> None:
    end = 192 * SAMPLE_RATE_HZ
    _, effective = steer(plain, end - QUANTUM_SAMPLES, "bar")
    assert effective == end


def test_a_second_steer_joins_one_that_waits_at_the_next_bar_line(
    plain: Rendition, bank: Bank
) -> None:
    waiting, effective = steer(plain, 480_000, "bar", tension=1)
    assert effective > 480_000 + QUANTUM_SAMPLES
    again = Rendition(waiting, bank)
    for quantise in ("now", "beat", "bar"):
        both, same = steer(again, 480_000 + QUANTUM_SAMPLES, quantise, density=0)
        assert same == effective
        assert both.changes == ((effective, Controls(tension=1.0, density=0.0)),)


@pytest.mark.parametrize("waits_for", ["beat", "bar"])
def test_a_bar_line_too_near_to_be_steered_at_is_not_the_next_one(
    plain: Rendition, bank: Bank, waits_for: str
) -> None:
    """It lies in the first millisecond that can be replaced, where no change can begin."""
    edges = plain.score.grid(0, 3_600 * SAMPLE_RATE_HZ).bar_edges
    near = next(edge for edge in edges if edge and edge % QUANTUM_SAMPLES < FORE_SAMPLES)
    earliest = near // QUANTUM_SAMPLES * QUANTUM_SAMPLES
    waiting, effective = steer(plain, earliest, waits_for, tension=1)
    assert effective > near
    both, same = steer(Rendition(waiting, bank), earliest, "now", density=0)
    assert same == effective
    assert both.changes == ((effective, Controls(tension=1.0, density=0.0)),)


def test_beats_are_counted_from_the_last_change(plain: Rendition, bank: Bank) -> None:
    first, at = steer(plain, 480_000, "now", tempoNorm=1)
    _, effective = steer(Rendition(first, bank), at - FORE_SAMPLES, "bar")
    # The change itself begins a bar.
    assert effective == at or effective > at + SAMPLE_RATE_HZ // 2


def test_who_went_back_before_the_last_change_cannot_steer_there(
    plain: Rendition, bank: Bank
) -> None:
    changed, effective = steer(plain, 60 * SAMPLE_RATE_HZ)
    with pytest.raises(ValidationFailed, match=str(effective)):
        steer(Rendition(changed, bank), 480_000)


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        ({}, "controls"),
        ({"unheard": 1}, "controls"),
        ([], "controls"),
        ({"tension": 2}, "controls.tension"),
        ({"key": "H"}, "controls.key"),
        ({"tension": None}, "controls.tension"),
    ],
)
def test_wrong_controls_are_named(plain: Rendition, raw: object, named: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        steered(PLAIN, plain.score, raw, "now", 480_000)
    assert [detail.field for detail in caught.value.details] == [named]


def test_a_station_and_a_model_without_controls_are_not_steered(plain: Rendition) -> None:
    for programme in (
        replace(PLAIN, station="now"),
        replace(PLAIN, model_versions=ModelVersions(audio="v1.0")),
    ):
        with pytest.raises(ValidationFailed, match="cannot be steered"):
            steered(programme, plain.score, {"tension": 1}, "beat", 480_000)


@pytest.mark.parametrize("quantise", ["now", "beat", "bar"])
def test_beyond_the_end_nothing_is_steered(plain: Rendition, quantise: str) -> None:
    with pytest.raises(ValidationFailed):
        steer(plain, LAST_INDEX, quantise)


# What it sounds like -----------------------------------------------------------------------------

CONTROLS = st.builds(
    Controls,
    tempo_norm=st.sampled_from([None, 0.0, 1.0]),
    density=st.sampled_from([None, 0.0, 1.0]),
    space=st.sampled_from([None, 0.0, 1.0]),
    drums=st.sampled_from([None, 1.0]),
    key=st.sampled_from([None, *KEY_NAMES]),
    genre=st.sampled_from([None, *GENRES]),
)


@given(
    seed=st.integers(0, 3),
    first=CONTROLS,
    then=CONTROLS,
    at=st.integers(SAMPLE_RATE_HZ, 400 * SAMPLE_RATE_HZ),
)
@settings(max_examples=20, deadline=None)
def test_up_to_a_change_the_changed_programme_is_the_one_before(
    bank: Bank, seed: int, first: Controls, then: Controls, at: int
) -> None:
    before = replace(PLAIN, seed=seed, controls=first)
    after = before.with_change(at, then)
    kept = first_replaced(at)
    begin = max(0, kept - 2 * SAMPLE_RATE_HZ)
    old = Rendition(before, bank).pcm(begin, kept - begin)
    new = Rendition(after, bank).pcm(begin, kept - begin)
    assert np.array_equal(old, new)


CHANGES = [
    (10 * SAMPLE_RATE_HZ + 1, Controls(genre="house", tempo_norm=1.0)),
    (77 * SAMPLE_RATE_HZ + 12_345, Controls(tension=1.0, density=1.0)),
    (191 * SAMPLE_RATE_HZ + 4_800, Controls(key="F#", mode="locrian")),
    (250 * SAMPLE_RATE_HZ + 47_999, Controls(genre="ambient", space=1.0)),
]


def loudest_step(pcm: np.ndarray) -> int:
    """Return the largest second difference: what a click is made of."""
    return int(np.abs(np.diff(pcm.astype(np.int64), n=2, axis=0)).max())


@pytest.mark.parametrize(("at", "controls"), CHANGES)
def test_a_decoder_hears_the_changed_programme_across_the_splice_and_no_click(
    plain: Rendition, bank: Bank, at: int, controls: Controls
) -> None:
    changed = Rendition(PLAIN.with_change(at, controls), bank)
    k, within = divmod(first_replaced(at), SEGMENT_SAMPLES)
    n_kept = within // QUANTUM_SAMPLES * PACKETS_PER_QUANTUM
    numbers = (k - 1, k, k + 1)
    old = [packets_of(plain.segment(number)) for number in numbers]
    new = [packets_of(changed.segment(number)) for number in numbers]
    # What the listener keeps of the old epoch are the very bytes of the new programme.
    assert old[0] == new[0]
    assert old[1][:n_kept] == new[1][:n_kept]
    assert [*old[1][n_kept:], *old[2]] != [*new[1][n_kept:], *new[2]]
    heard = Decoder().decode([*old[0], *old[1][:n_kept], *new[1][n_kept:], *new[2]])
    whole = Decoder().decode([packet for packets in new for packet in packets])
    assert np.array_equal(heard, whole)
    # A click is a step that the music around does not have.
    seam = at - (k - 1) * SEGMENT_SAMPLES
    around = loudest_step(heard[:seam]), loudest_step(heard[seam + SAMPLE_RATE_HZ // 4 :])
    assert loudest_step(heard[seam - 240 : seam + 240]) <= 1.5 * max(around)
