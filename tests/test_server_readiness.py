"""Readiness: the legal edges, all others refused, and the body of the probe."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from astradio_stream.server.clock import ManualClock
from astradio_stream.server.readiness import (
    EDGES,
    IllegalEdge,
    Readiness,
    ReadinessState,
    iso_of,
)

PATHS_TO = {
    Readiness.STARTING: [],
    Readiness.READY: [Readiness.READY],
    Readiness.DEGRADED: [Readiness.DEGRADED],
    Readiness.OVERLOADED: [Readiness.READY, Readiness.OVERLOADED],
    Readiness.DRAINING: [Readiness.DRAINING],
    Readiness.FAILED: [Readiness.FAILED],
}


def state_at(readiness: Readiness) -> ReadinessState:
    state = ReadinessState(ManualClock())
    for step in PATHS_TO[readiness]:
        state.become(step)
    return state


@pytest.mark.parametrize(("here", "there"), [*itertools.product(Readiness, Readiness)])
def test_every_edge_is_in_the_table_or_refused(here: Readiness, there: Readiness) -> None:
    state = state_at(here)
    if there in EDGES[here] or there is here:
        state.become(there)
        assert state.state is there
    else:
        with pytest.raises(IllegalEdge, match=f"{here.name} cannot become {there.name}"):
            state.become(there)
        assert state.state is here


@given(st.lists(st.sampled_from(Readiness)))
def test_nothing_leads_out_of_draining_or_back_to_starting(steps: list[Readiness]) -> None:
    state = ReadinessState(ManualClock())
    seen = [state.state]
    for step in steps:
        if step in EDGES[state.state]:
            state.become(step)
            seen.append(step)
    assert Readiness.STARTING not in seen[1:]
    assert Readiness.DRAINING not in seen[:-1]


class AnyHistory(RuleBasedStateMachine):
    """Whatever is asked of it in whatever order, against the drawing at the top of the module."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.readiness = ReadinessState(self.clock)
        self.model = Readiness.STARTING
        self.since_us = 0

    @rule(there=st.sampled_from(Readiness))
    def become(self, there: Readiness) -> None:
        if there is self.model:
            self.readiness.become(there)
        elif (self.model.name, there.name) in DRAWN:
            self.readiness.become(there)
            self.model, self.since_us = there, self.clock.unix_us()
        else:
            with pytest.raises(IllegalEdge):
                self.readiness.become(there)

    @rule(duration_ms=st.integers(0, 100_000))
    def wait(self, duration_ms: int) -> None:
        self.clock.pass_ns(duration_ms * 1_000_000)

    @invariant()
    def tells_where_it_stands_and_since_when(self) -> None:
        body = self.readiness.to_json()
        assert body["state"] == self.model.name
        assert body["ready"] == (self.model in (Readiness.READY, Readiness.DEGRADED))
        assert body["since"] == iso_of(self.since_us) <= body["timestamp"]


DRAWN = {
    (here, there)
    for here, there in itertools.product(("READY", "DEGRADED", "OVERLOADED"), repeat=2)
    if here != there
}
DRAWN |= {("STARTING", "READY"), ("STARTING", "DEGRADED")}
DRAWN |= {(here, "FAILED") for here in ("STARTING", "READY", "DEGRADED", "OVERLOADED")}
DRAWN |= {(here.name, "DRAINING") for here in Readiness if here.name != "DRAINING"}

TestAnyHistory = AnyHistory.TestCase


def test_the_body_has_the_fields_of_the_contract() -> None:
    clock = ManualClock(unix_us=1_700_000_000_123_999)
    state = ReadinessState(clock)
    clock.pass_ns(1_500_000_000)
    state.become(Readiness.READY)
    clock.pass_ns(250_000_000)
    body = state.to_json()
    assert (body["ready"], body["state"]) == (True, "READY")
    assert body["since"] == "2023-11-14T22:13:21.623Z"
    assert body["timestamp"] == "2023-11-14T22:13:21.873Z"
    assert list(body["checks"]) == [
        "model_audio",
        "model_text",
        "viz_engine_loaded",
        "compat_weights_loaded",
        "ephemeris_loaded",
        "codec_loaded",
        "store_writable",
    ]
    assert all(isinstance(check, bool) for check in body["checks"].values())


def test_becoming_what_one_is_keeps_since() -> None:
    clock = ManualClock()
    state = ReadinessState(clock)
    state.become(Readiness.READY)
    clock.pass_ns(10**9)
    state.become(Readiness.READY)
    assert state.to_json()["since"] == iso_of(0)


def test_times_are_rounded_down_to_the_millisecond() -> None:
    assert iso_of(0) == "1970-01-01T00:00:00.000Z"
    assert iso_of(1_999) == "1970-01-01T00:00:00.001Z"
