"""The steps of slowness, by the clock: no picture, announced skips, a close."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astradio_stream.server.patience import (
    DARK_AFTER_NS,
    DARK_FOR_NS,
    HOPELESS_NS,
    SKIP_AFTER_NS,
    Patience,
    Step,
)
from astradio_stream.wire.bucket import NS_PER_S


@pytest.mark.parametrize(
    ("wait_ns", "is_dark", "step"),
    [
        (0, False, Step.GO_ON),
        (DARK_AFTER_NS - 1, False, Step.GO_ON),
        (DARK_AFTER_NS, True, Step.GO_ON),
        (SKIP_AFTER_NS - 1, True, Step.GO_ON),
        (SKIP_AFTER_NS, True, Step.SKIP),
        (HOPELESS_NS - 1, True, Step.SKIP),
        (HOPELESS_NS, True, Step.GIVE_UP),
    ],
)
def test_the_length_of_a_wait_decides(wait_ns: int, is_dark: bool, step: Step) -> None:
    patience = Patience()
    assert patience.waited(wait_ns, wait_ns) is step
    assert patience.is_dark(wait_ns) is is_dark


def test_the_picture_comes_back_after_a_while_without_waits() -> None:
    patience = Patience()
    patience.waited(DARK_AFTER_NS, 0)
    assert patience.is_dark(DARK_FOR_NS - 1)
    assert not patience.is_dark(DARK_FOR_NS)


def steps_of(wait_s: int, heard_s: int, duration_s: int) -> list[Step]:
    """Return what a listener meets that waits and hears by turns."""
    patience, now_ns, steps = Patience(), 0, []
    while now_ns < duration_s * NS_PER_S:
        now_ns += (wait_s + heard_s) * NS_PER_S
        steps.append(patience.waited(wait_s * NS_PER_S, now_ns))
    return steps


def test_who_hears_two_thirds_is_served_for_ever_and_who_hears_a_fifth_is_not() -> None:
    assert set(steps_of(3, 6, 3_600)) == {Step.SKIP}
    assert Step.GIVE_UP in steps_of(4, 1, 30)


@given(st.lists(st.tuples(st.integers(0, 5 * NS_PER_S), st.integers(0, 9 * NS_PER_S))))
def test_nobody_is_given_up_who_lost_less_than_ten_seconds_beyond_half(
    turns: list[tuple[int, int]],
) -> None:
    patience, now_ns, was_given_up = Patience(), 0, False
    waits: list[tuple[int, int]] = []
    for wait_ns, heard_ns in turns:
        now_ns += wait_ns + heard_ns
        step = patience.waited(wait_ns, now_ns)
        if wait_ns < SKIP_AFTER_NS:
            assert step is Step.GO_ON
            continue
        waits.append((now_ns, wait_ns))
        was_given_up = step is Step.GIVE_UP
        worst_ns = max(
            sum(wait for at, wait in waits if at >= since) - (now_ns - since) // 2
            for since, _ in waits
        )
        assert was_given_up == (worst_ns >= HOPELESS_NS) or abs(worst_ns - HOPELESS_NS) < 100
