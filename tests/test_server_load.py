"""Who is refused and when: by what segments cost, how late they come, and how late the loop is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astradio_stream.server.load import (
    BUSY_FREE,
    BUSY_FULL,
    CALM_JUDGEMENTS,
    LAG_FREE_NS,
    LAG_FULL_NS,
    LIVE_NS,
    TROUBLED_JUDGEMENTS,
    Load,
)
from astradio_stream.wire.bucket import NS_PER_S


def judged(load: Load, second: int, busy: float = 0.0, lag_ns: int = 0, late: int = 0) -> bool:
    """Let a second pass in which cores were busy, and return whether newcomers are refused."""
    for n in range(20):
        load.rendered(round(busy * 2 * NS_PER_S / 20), is_late=n < late)
    load.judge(second * NS_PER_S, lag_ns, 0)
    return load.is_full


TROUBLE = [{"busy": BUSY_FULL + 0.01}, {"lag_ns": LAG_FULL_NS}, {"late": 2}]


@pytest.mark.parametrize("trouble", TROUBLE)
def test_trouble_that_lasts_refuses_and_calm_that_lasts_welcomes(trouble: dict[str, int]) -> None:
    load = Load(2)
    load.judge(0, 0, 0)
    refused = [judged(load, second, **trouble) for second in range(1, 4)]
    assert refused == [second >= TROUBLED_JUDGEMENTS for second in range(1, 4)]
    refused = [judged(load, second, busy=0.3) for second in range(4, 8)]
    assert refused == [n < CALM_JUDGEMENTS for n in range(1, 5)]


@pytest.mark.parametrize("trouble", TROUBLE)
def test_a_hiccup_refuses_nobody(trouble: dict[str, int]) -> None:
    load = Load(2)
    load.judge(0, 0, 0)
    for second in range(1, 40):
        assert not judged(load, second, **(trouble if second % 2 else {}))


def test_between_full_and_free_it_stays_as_it_is() -> None:
    between = {"busy": (BUSY_FULL + BUSY_FREE) / 2, "lag_ns": 2 * LAG_FREE_NS}
    load = Load(2)
    load.judge(0, 0, 0)
    assert not any(judged(load, second, **between) for second in range(1, 10))  # type: ignore[arg-type]
    for second in range(10, 14):
        judged(load, second, busy=1.0)
    assert all(judged(load, second, **between) for second in range(14, 30))  # type: ignore[arg-type]


def test_sending_counts_as_work() -> None:
    load = Load(1)
    for second in range(4):
        load.judge(second * NS_PER_S, 0, NS_PER_S)
    assert load.busy == pytest.approx(1.0)
    assert load.is_full


@settings(deadline=None)
@given(cost_ms=st.floats(2, 50), n_cores=st.integers(1, 16))
def test_as_many_programmes_have_room_as_the_cores_can_render(cost_ms: float, n_cores: int) -> None:
    load = Load(n_cores)
    assert load.has_room_for("first", 0)
    for _ in range(300):
        load.rendered(round(cost_ms * 1e6), is_late=False)
    n = 0
    while load.has_room_for(f"programme {n}", 0):
        load.asked(f"programme {n}", 0)
        n += 1
    assert n == pytest.approx(BUSY_FULL * n_cores * 1_000 / cost_ms, abs=1)
    assert load.has_room_for("programme 0", 0)  # one that is played costs nothing more
    assert load.has_room_for("another", LIVE_NS)  # those that nobody plays any more make room


def test_the_cost_follows_what_segments_cost_now() -> None:
    load = Load(1)
    for _ in range(100):
        load.rendered(10_000_000, is_late=False)
    for _ in range(100):
        load.rendered(20_000_000, is_late=False)
    assert load.cost_ns == pytest.approx(20_000_000, rel=0.01)
