"""The token bucket against exact rationals: whatever is asked, whenever, it says the same."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from astradio_stream.wire.bucket import NS_PER_S, Bucket, Rate

DEFAULT = Rate(50, 10)


def taken(bucket: Bucket, now_ns: int, n_times: int) -> int:
    return sum(bucket.take(now_ns) for _ in range(n_times))


def test_a_new_bucket_is_full() -> None:
    assert taken(Bucket(DEFAULT), 123, 60) == 50


def test_it_fills_evenly() -> None:
    bucket = Bucket(DEFAULT)
    taken(bucket, 0, 50)
    fifth = NS_PER_S // 5
    assert not bucket.take(fifth - 1)
    assert bucket.take(fifth)
    assert not bucket.take(2 * fifth - 1)
    assert taken(bucket, 10 * fifth, 60) == 9
    assert taken(bucket, 1_000 * fifth, 60) == 50


def test_a_refusal_costs_nothing() -> None:
    bucket = Bucket(DEFAULT)
    taken(bucket, 0, 10_000)
    assert taken(bucket, 10 * NS_PER_S, 60) == 50


@pytest.mark.parametrize("rate", [Rate(3, 1), Rate(7, 86_400), Rate(1_000_000, 1), Rate(1, 1)])
def test_a_day_of_takes_does_not_drift(rate: Rate) -> None:
    """Where a token does not last a whole number of nanoseconds, none is won or lost."""
    bucket = Bucket(rate)
    taken(bucket, 0, rate.n_tokens)
    for n in range(1, 1_000):
        due_ns = ceil(Fraction(n * rate.window_s * NS_PER_S, rate.n_tokens))
        assert bucket.wait_ns(due_ns - 1) == 1
        assert not bucket.take(due_ns - 1)
        assert bucket.take(due_ns)


def test_a_wider_bucket_keeps_what_was_missing() -> None:
    bucket = Bucket(DEFAULT)
    taken(bucket, 0, 30)
    bucket.change(Rate(100, 10), 0)
    assert taken(bucket, 0, 200) == 70
    bucket.change(Rate(10, 10), 0)
    assert not bucket.take(NS_PER_S - 1)
    assert bucket.take(NS_PER_S)


class AnyBucket(RuleBasedStateMachine):
    """The bucket beside a level kept as a fraction."""

    @initialize(n_tokens=st.integers(1, 1_000), window_s=st.integers(1, 100))
    def begin(self, n_tokens: int, window_s: int) -> None:
        self.rate = Rate(n_tokens, window_s)
        self.bucket = Bucket(self.rate)
        self.now_ns = 0
        self.level = Fraction(n_tokens)

    @rule(duration_ns=st.one_of(st.integers(0, 1_000), st.integers(0, 10 * NS_PER_S)))
    def let_pass(self, duration_ns: int) -> None:
        self.now_ns += duration_ns
        filled = Fraction(duration_ns * self.rate.n_tokens, self.rate.window_s * NS_PER_S)
        self.level = min(self.level + filled, Fraction(self.rate.n_tokens))

    @rule(n_times=st.integers(1, 100))
    def take(self, n_times: int) -> None:
        for _ in range(n_times):
            expected = self.level >= 1
            assert self.bucket.take(self.now_ns) is expected
            self.level -= expected

    @rule()
    def wait(self) -> None:
        """Wait as long as it says: a nanosecond before there is none, then there is one."""
        wait_ns = self.bucket.wait_ns(self.now_ns)
        assert (wait_ns == 0) == (self.level >= 1)
        if wait_ns:
            self.let_pass(wait_ns - 1)
            assert self.level < 1
            self.let_pass(1)
            assert self.level >= 1
            self.take(1)

    @rule(n_tokens=st.integers(1, 1_000), window_s=st.integers(1, 100))
    def change(self, n_tokens: int, window_s: int) -> None:
        missing = self.rate.n_tokens - self.level
        self.rate = Rate(n_tokens, window_s)
        self.bucket.change(self.rate, self.now_ns)
        # A part of a token too small for the new rate to count is missing whole.
        counted = Fraction(ceil(missing * self.rate.step), self.rate.step)
        self.level = n_tokens - min(counted, Fraction(n_tokens))

    @rule()
    def full(self) -> None:
        assert self.bucket.is_full(self.now_ns) == (self.level == self.rate.n_tokens)


AnyBucket.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
TestAnyBucket = AnyBucket.TestCase
