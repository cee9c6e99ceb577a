"""The sky while it plays: what becomes exact is rung at its sample and told."""

from __future__ import annotations

from itertools import chain, pairwise

import pytest

from astradio_stream.music.controls import Controls
from astradio_stream.music.theory import MODES
from astradio_stream.music.v1_1.bells import Happening, bells_of, figure_of
from astradio_stream.music.v1_1.reading import NEUTRAL, Skies
from astradio_stream.music.v1_1.score import ScoreV11
from astradio_stream.sky.chart import chart_at
from astradio_stream.sky.moment import Moment, parse_moment
from astradio_stream.sky.rising import rising_between
from astradio_stream.sky.values import Place
from astradio_stream.sky.zodiac import sign_index_of
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.skies import score_v1_1
from astradio_stream.units import SAMPLE_RATE_HZ
from tests.composing import V1_1, movement_in, score_of

BERLIN = Place(52.5, 13.4)


def transit(**fields: object) -> ScoreV11:
    raw = {"mode": "transit", "at": "2024-05-05T12:00:00Z", "seed": 1, **fields}
    return score_v1_1(resolve(raw, Moment(0), V1_1))


@pytest.mark.parametrize(
    "happening",
    [
        Happening(50 * SAMPLE_RATE_HZ, "ingress", "Moon enters Taurus", ("moon",), "taurus"),
        Happening(50 * SAMPLE_RATE_HZ, "aspect", "Venus trine Mars", ("venus", "mars"), "trine"),
        Happening(50 * SAMPLE_RATE_HZ, "aspect", "Sun square Mars", ("sun", "mars"), "square"),
        Happening(50 * SAMPLE_RATE_HZ, "lunation", "Full Moon", ("sun", "moon"), "full_moon"),
        Happening(50 * SAMPLE_RATE_HZ, "station", "Mercury turns", ("mercury",), "retrograde"),
        Happening(50 * SAMPLE_RATE_HZ, "rising", "Leo rises", (), "4"),
    ],
    ids=lambda happening: happening.text,
)
def test_what_becomes_exact_is_rung_and_told(happening: Happening) -> None:
    at = happening.index

    def happenings(start: int, stop: int) -> tuple[Happening, ...]:
        return (happening,) if start <= at < stop else ()

    skies = Skies(NEUTRAL, None, NEUTRAL)
    with_bell = ScoreV11(1, lambda _i: skies, lambda _i: Controls(), (), happenings)
    span = (at, at + SAMPLE_RATE_HZ)
    rung = set(with_bell.notes(*span)) - set(score_of(NEUTRAL).notes(*span))
    assert {note.instrument for note in rung} == {"bell"}
    assert min(note.onset for note in rung) == at
    assert len(rung) == len(figure_of(happening))
    told = [(e.index, e.text) for e in with_bell.events(at - 48_000, at + 48_000)]
    assert (at, happening.text) in told
    # A bell reaches into the seconds after it, wherever they are asked for.
    assert any(n.instrument == "bell" for n in with_bell.notes(at + 96_000, at + 97_000))


@pytest.mark.parametrize("mode", MODES)
def test_bells_ring_in_the_key_of_the_moment(mode: str) -> None:
    movement = movement_in(score_of(NEUTRAL, 1, Controls(mode=mode, key="F#")))
    scale = {(movement.tonic + step) % 12 for step in MODES[mode]}
    for kind, name in (
        ("aspect", "trine"),
        ("aspect", "square"),
        ("ingress", ""),
        ("lunation", ""),
        ("station", "direct"),
        *(("rising", str(sign)) for sign in range(12)),
    ):
        for note in bells_of(Happening(0, kind, "", ("venus", "mars"), name), movement, 1.0):
            assert note.pitch % 12 in scale
            assert 64 <= note.pitch <= 96


def test_each_kind_of_happening_has_its_figure() -> None:
    def figure(kind: str, name: str = "") -> tuple[int, ...]:
        return figure_of(Happening(0, kind, "", (), name))

    assert figure("aspect", "trine") != figure("aspect", "square")
    retrograde, direct = figure("station", "retrograde"), figure("station", "direct")
    assert retrograde[0] > retrograde[-1]
    assert direct[0] < direct[-1]
    assert len({figure("rising", str(sign)) for sign in range(4)}) == 4
    assert figure("rising", "0") == figure("rising", "4") == figure("rising", "8")


def test_two_bodies_of_an_aspect_ring_in_turn_from_their_places() -> None:
    movement = movement_in(score_of(NEUTRAL))
    aspect = Happening(0, "aspect", "Venus trine Mars", ("venus", "mars"), "trine")
    assert [note.voice for note in bells_of(aspect, movement, 1.0)] == [3, 4, 3]


# The rising sign


def test_signs_rise_when_the_ascendant_enters_them() -> None:
    start, end = parse_moment("2024-05-05T00:00Z"), parse_moment("2024-05-06T00:00Z")
    found = rising_between(start, end, BERLIN)
    assert 12 <= len(found) <= 13
    for moment, sign in found:
        for microseconds, wanted in ((0, sign), (-1_000_000, (sign - 1) % 12)):
            chart = chart_at(Moment(moment.utc_us + microseconds), BERLIN)
            assert chart.angles is not None
            # The chart rounds; a second before, the sign before rises.
            assert sign_index_of(chart.angles.ascendant_deg) == wanted
    halves = [
        *rising_between(start, parse_moment("2024-05-05T07:31Z"), BERLIN),
        *rising_between(parse_moment("2024-05-05T07:31Z"), end, BERLIN),
    ]
    assert halves == found


@pytest.mark.parametrize("lat_deg", [0.0, 52.5, 67.0, -78.0])
def test_a_minute_at_a_time_the_same_signs_rise(lat_deg: float) -> None:
    """Streams ask for a few; inside the polar circles, where several may rise at once, too."""
    start, place = parse_moment("2024-05-05T00:00:30Z"), Place(lat_deg, 13.4)
    minutes = [start.plus_seconds(60.0 * n) for n in range(6 * 60 + 1)]
    pieces = [rising_between(a, b, place) for a, b in pairwise(minutes)]
    assert [*chain.from_iterable(pieces)] == rising_between(start, minutes[-1], place)


def test_a_sign_that_rises_is_an_event_of_the_stream() -> None:
    """At rate 60 a sign rises every two minutes; where it does follows from the place."""
    by_place = []
    for place in ({"lat": 52.5, "lon": 13.4}, {"lat": -33.9, "lon": 151.2}, None):
        fields = {"rate": 60.0} | ({"place": place} if place else {})
        score = transit(**fields)
        events = [e for e in score.events(0, 600 * SAMPLE_RATE_HZ) if e.kind == "rising"]
        assert 3 <= len(events) <= 7
        assert all(event.text.endswith(" rises") for event in events)
        by_place.append(tuple((event.index, event.text) for event in events))
        at = events[0].index
        bells = [n for n in score.notes(at, at + 4_800) if n.instrument == "bell" and n.onset == at]
        assert bells
    assert len(set(by_place)) == 3
    greenwich = transit(rate=60.0, place={"lat": 51.4779, "lon": 0.0})
    told = [e for e in greenwich.events(0, 600 * SAMPLE_RATE_HZ) if e.kind == "rising"]
    assert tuple((event.index, event.text) for event in told) == by_place[2]


def test_the_index_of_an_event_is_its_moment_in_the_sky() -> None:
    score = transit(at="2024-05-05T00:00:00Z", rate=3_600.0)
    found = [e for e in score.events(0, 24 * SAMPLE_RATE_HZ) if e.kind in ("ingress", "aspect")]
    assert found
    assert not [e for e in score.events(0, 24 * SAMPLE_RATE_HZ) if e.kind == "rising"]
    for event in found:
        moment = Moment(
            parse_moment("2024-05-05T00:00Z").utc_us
            + round(event.index * 3_600.0 * 1_000_000 / SAMPLE_RATE_HZ)
        )
        chart = chart_at(moment)
        if event.kind == "ingress":
            degree = chart.body(event.bodies[0]).sign_degree
            assert min(degree, 30.0 - degree) < 0.01


def test_a_birth_has_no_events_of_the_sky() -> None:
    birth = {"datetime": "1984-06-13T05:00", "tz": "UTC", "lat": 51.5, "lon": 0.0}
    natal = score_v1_1(resolve({"mode": "natal", "charts": [birth]}, Moment(0), V1_1))
    kinds = {event.kind for event in natal.events(0, 600 * SAMPLE_RATE_HZ)}
    assert kinds == {"key", "section"}
