"""Latency records: close to the truth at every size, and the same however they were gathered."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.histogram import MAX_US, Histogram, bucket_of, highest_in

VALUES_US = st.lists(st.integers(0, MAX_US), min_size=1, max_size=200)


def histogram_of(values_us: list[int]) -> Histogram:
    made = Histogram()
    for value in values_us:
        made.record_s(value / 1e6)
    return made


@given(st.integers(0, MAX_US))
def test_a_bucket_holds_its_value_and_is_narrow(value_us: int) -> None:
    bucket = bucket_of(value_us)
    lowest = highest_in(bucket - 1) + 1 if bucket else 0
    assert lowest <= value_us <= highest_in(bucket)
    assert highest_in(bucket) - lowest <= value_us / 32


@given(VALUES_US, st.sampled_from([0.5, 0.9, 0.99, 0.999, 1.0]))
def test_a_quantile_is_never_below_the_true_one_nor_far_above(
    values_us: list[int], share: float
) -> None:
    true_us = sorted(values_us)[math.ceil(share * len(values_us)) - 1]
    told_us = histogram_of(values_us).quantile_ms(share) * 1e3
    assert true_us - 1e-6 <= told_us <= true_us * (1 + 1 / 32) + 1


@given(VALUES_US, VALUES_US)
def test_two_halves_add_up_to_the_whole(first: list[int], second: list[int]) -> None:
    halves = histogram_of(first)
    halves.add(histogram_of(second))
    assert halves.to_json() == histogram_of(first + second).to_json()


@given(VALUES_US)
def test_json_brings_back_what_it_told(values_us: list[int]) -> None:
    told = histogram_of(values_us).to_json()
    assert Histogram.from_json(told).to_json() == told


@given(VALUES_US, VALUES_US)
def test_what_grew_is_what_came_since(before: list[int], since: list[int]) -> None:
    whole = histogram_of(before)
    copy = whole.copy()
    for value in since:
        whole.record_s(value / 1e6)
    grown, wanted = whole.grown_since(copy), histogram_of(since)
    assert (grown.n, grown.sum_us) == (wanted.n, wanted.sum_us)
    assert grown.to_json()["buckets"] == wanted.to_json()["buckets"]
    assert grown.max_us >= wanted.max_us


def test_the_maximum_is_exact_and_below_zero_is_in_time() -> None:
    seen = histogram_of([5, 123_457])
    seen.record_s(-1.0)
    assert (seen.n, seen.max_us, seen.quantile_ms(0.1)) == (3, 123_457, 0.0)
    assert seen.quantile_ms(1.0) == 123.457
    assert Histogram().quantile_ms(0.5) == 0.0
    assert histogram_of([1_000, 3_000]).mean_ms == pytest.approx(2.0)
