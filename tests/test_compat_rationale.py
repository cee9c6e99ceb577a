"""What is said about a pair adds up to its score, and is said in sentences."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from astradio_stream.compat.contacts import score_micro
from astradio_stream.compat.curves import MICRO
from astradio_stream.compat.distribution import PERCENTS, load_distribution
from astradio_stream.compat.points import ABSENT, N_POINTS, TENTHS, Tenths, tenths_of
from astradio_stream.compat.rationale import breakdown_of, pair_to_json, shared_out, why
from astradio_stream.compat.search import scores_micro
from astradio_stream.compat.weights import FACETS, load_weights
from astradio_stream.sky.chart import Place, chart_at
from astradio_stream.sky.moment import parse_moment
from loadtest.calibrate_compat import random_charts

WEIGHTS = load_weights()
charts = st.tuples(*[st.integers(0, TENTHS)] * N_POINTS)
A = tenths_of(chart_at(parse_moment("1990-01-01T17:00:00Z"), Place(40.7128, -74.006)))
B = tenths_of(chart_at(parse_moment("1988-06-01T07:00:00Z"), Place(48.7, 9.0)))


@given(charts, charts)
@settings(max_examples=60, deadline=None)
def test_the_breakdown_adds_up_to_the_score(a: Tenths, b: Tenths) -> None:
    for facet in FACETS:
        breakdown = breakdown_of(a, b, facet, WEIGHTS)
        values = [each.value_micro for each in breakdown.contributions]
        assert breakdown.base_micro + sum(values) == breakdown.score_micro
        assert breakdown.score_micro == score_micro(a, b, facet, WEIGHTS)
        assert [abs(value) for value in values] == sorted(map(abs, values), reverse=True)


@given(st.integers(0, MICRO), st.lists(st.integers(0, 10**7), min_size=1, max_size=40))
def test_shares_are_whole_fair_and_complete(total: int, parts: list[int]) -> None:
    shares = shared_out(total, parts)
    if sum(parts) == 0:
        assert shares == [0] * len(parts)
        return
    assert sum(shares) == total
    for share, part in zip(shares, parts, strict=True):
        assert abs(share - total * part / sum(parts)) < 1.0 + 1e-6


def test_a_pair_in_full_is_what_the_contract_says() -> None:
    pair = pair_to_json(A, B, WEIGHTS)
    assert pair["modelVersion"] == pair["weightsVersion"] == "v1.0"
    assert tuple(pair["facets"]) == FACETS
    for facet, entry in pair["facets"].items():
        assert set(entry) == {"score", "percentile", "base", "contributions"}
        total = round(entry["base"] * MICRO) + sum(
            round(each["value"] * MICRO) for each in entry["contributions"]
        )
        assert total == round(entry["score"] * MICRO) == score_micro(A, B, facet, WEIGHTS)
        for each in entry["contributions"]:
            keys = {"rule", "value", "a", "b", "kind", "orbDeg", "strength", "sentence"}
            assert set(each) == keys


def test_sentences_name_bodies_aspect_and_orb() -> None:
    sentences = [
        each.sentence
        for facet in FACETS
        for each in breakdown_of(A, B, facet, WEIGHTS).contributions
    ]
    aspect = re.compile(
        r"Your (\w+) (meets|stands opposite|squares|is \w+) their (\w+) \(orb \d\.\d°\): .+\."
    )
    house = re.compile(
        r"(Your \w+ stands in their|Their \w+ stands in your) (1st|2nd|3rd|\d+th) house: .+\."
    )
    balance = re.compile(r"Your and their (elements|modalities) are \d+ % alike: .+\.")
    for form in (aspect, house, balance):
        assert any(form.fullmatch(sentence) for sentence in sentences)
    for sentence in sentences:
        assert any(form.fullmatch(sentence) for form in (aspect, house, balance)), sentence
    assert "Your Jupiter is trine their Mars (orb 1.1°): courage meets confidence." in sentences
    other = breakdown_of(A, B, "lovers", WEIGHTS, ("Ann's", "Bob's")).contributions
    assert all(each.sentence.startswith(("Ann's", "Bob's")) for each in other)


def test_why_tells_the_strongest_reasons_once() -> None:
    for facet in FACETS:
        breakdown = breakdown_of(A, B, facet, WEIGHTS)
        told = why(breakdown)
        assert len({sentence.partition(":")[0] for sentence in told}) == len(told) == 3
        first = next(each for each in breakdown.contributions if each.value_micro > 0)
        assert told[0] == first.sentence
    nobody = (ABSENT,) * N_POINTS
    assert why(breakdown_of(A, nobody, "lovers", WEIGHTS)) == []


def test_random_pairs_spread_as_the_shipped_distribution_says() -> None:
    """Other people than those it was measured on: each decile holds a tenth of their pairs."""
    charts = random_charts(21, 800)
    distribution = load_distribution()
    for facet in FACETS:
        scores = np.concatenate(
            [
                scores_micro(charts[:, 100:], tuple(a.tolist()), facet, WEIGHTS)
                for a in charts[:, :100].T
            ]
        )
        percentiles = np.array([distribution.percentile_of(facet, int(s)) for s in scores[::7]])
        shares = np.histogram(percentiles, bins=10, range=(0.0, 100.0))[0] / percentiles.size
        assert np.abs(shares - 0.1).max() < 0.035, facet
        low, high = np.percentile(scores, (5, 95)) / MICRO
        assert low < 0.25
        assert high > 0.75


def test_percentiles_rise_with_the_score_from_0_to_100() -> None:
    distribution = load_distribution()
    for facet in FACETS:
        row = distribution.scores_micro[facet]
        assert distribution.percentile_of(facet, 0) == 0.0
        assert distribution.percentile_of(facet, MICRO) == 100.0
        middle = PERCENTS.index(50.0)
        assert distribution.percentile_of(facet, row[middle]) == 50.0
        found = [distribution.percentile_of(facet, s) for s in range(0, MICRO, 9_973)]
        assert found == sorted(found)
