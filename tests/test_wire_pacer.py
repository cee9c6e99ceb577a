"""Pacing: never further than the buffer, never a burst beyond it, never drifting."""

from __future__ import annotations

import copy
import json
import time

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from astradio_stream import units
from astradio_stream.server.clock import ManualClock
from astradio_stream.units import END_INDEX
from astradio_stream.wire.answers import ReadyParts
from astradio_stream.wire.bucket import NS_PER_S
from astradio_stream.wire.pacer import Pacer, ns_to_samples, samples_to_ns
from astradio_stream.wire.session import Session, State

QUANTUM = units.QUANTUM_SAMPLES
QUANTUM_NS = NS_PER_S // 10


def pacer_at(first_index: int = 0, buffer_ms: int = 2_000, *, may_hold: bool = False) -> Pacer:
    return Pacer(first_index, buffer_ms, 0, may_hold=may_hold)


def send_all(pacer: Pacer, now_ns: int) -> list[int]:
    """Send what is due and return the indices."""
    indices = []
    while (index := pacer.due(now_ns)) is not None:
        indices.append(index)
        pacer.quantum_sent(now_ns)
    return indices


@given(st.integers(0, 2**60))
def test_samples_and_nanoseconds_convert_exactly(n_samples: int) -> None:
    assert ns_to_samples(samples_to_ns(n_samples)) == n_samples
    assert ns_to_samples(samples_to_ns(n_samples) - 1) < max(1, n_samples)


def test_the_first_burst_fills_the_buffer_and_no_more() -> None:
    for buffer_ms, n_quanta in ((200, 2), (250, 2), (2_000, 20), (20_000, 200)):
        pacer = pacer_at(48_000, buffer_ms)
        assert send_all(pacer, 0) == [48_000 + QUANTUM * n for n in range(n_quanta)]


def test_then_one_quantum_each_100_ms_at_absolute_moments() -> None:
    pacer = pacer_at()
    send_all(pacer, 7)
    for n in range(1, 1_000):
        due_ns = pacer.due_ns()
        assert due_ns == 7 + n * QUANTUM_NS
        assert send_all(pacer, due_ns - 1) == []
        assert len(send_all(pacer, due_ns)) == 1


def test_waking_late_each_time_does_not_add_up() -> None:
    pacer = pacer_at()
    send_all(pacer, 0)
    for n in range(1, 1_000):
        assert len(send_all(pacer, n * QUANTUM_NS + 30_000_000)) == 1


def test_lateness_is_the_time_since_the_moment_it_was_due() -> None:
    pacer = pacer_at()
    send_all(pacer, 0)
    assert pacer.due(QUANTUM_NS + 5) is not None
    assert pacer.quantum_sent(QUANTUM_NS + 5) == 5


def test_a_report_does_not_excuse_a_quantum_that_is_late_already() -> None:
    pacer = pacer_at()
    send_all(pacer, 0)
    now_ns = QUANTUM_NS + 50
    pacer.report(ns_to_samples(now_ns), 96_000, now_ns)
    assert pacer.due(now_ns) is not None
    assert pacer.quantum_sent(now_ns) == 50


def test_after_a_stall_one_buffer_is_sent_not_all_that_was_missed() -> None:
    for stall_s in (1, 3, 30, 3_600):
        pacer = pacer_at()
        send_all(pacer, 0)
        assert len(send_all(pacer, stall_s * NS_PER_S)) == min(10 * stall_s, 20)


def test_a_listener_that_does_not_play_is_sent_no_more() -> None:
    pacer = pacer_at()
    n_quanta = len(send_all(pacer, 0))
    for second in range(1, 60):
        pacer.report(0, 96_000, second * NS_PER_S)
        n_quanta += len(send_all(pacer, second * NS_PER_S))
    assert n_quanta == 20


def test_lies_buy_nothing() -> None:
    for played, received in (
        (units.LAST_INDEX, units.LAST_INDEX),
        (96_000, units.LAST_INDEX),
        (96_000, 96_000),
        (units.LAST_INDEX, 0),
    ):
        pacer = pacer_at()
        send_all(pacer, 0)
        for _ in range(50):
            pacer.report(played, received, 1_000_000)
            send_all(pacer, 1_000_000)
        assert pacer.next_index <= 96_000 + QUANTUM


def test_a_report_that_goes_backwards_is_read_as_standing_still() -> None:
    pacer = pacer_at()
    send_all(pacer, 0)
    pacer.report(48_000, 96_000, NS_PER_S)
    pacer.report(0, 96_000, NS_PER_S)
    assert pacer.playhead(NS_PER_S) == 48_000


def test_a_report_left_over_from_before_a_seek_is_harmless() -> None:
    for stale in (0, 99 * 48_000, 101 * 48_000, 10_000 * 48_000):
        pacer = pacer_at(100 * 48_000)
        send_all(pacer, 0)
        pacer.report(stale, stale + 96_000, 50_000_000)
        assert 100 * 48_000 <= pacer.playhead(50_000_000) <= 100 * 48_000 + 2_403
        assert len(send_all(pacer, 50_000_000)) <= 1


def test_a_listener_that_resumes_is_not_sent_more_than_it_can_hold() -> None:
    pacer = pacer_at(96_000, may_hold=True)
    assert pacer.due(0) == 96_000
    pacer.quantum_sent(0)
    pacer.report(24_000, 96_000, 0)  # it still holds 1.5 s of its 2 s
    assert send_all(pacer, 0) == [100_800 + QUANTUM * n for n in range(4)]


def test_a_sound_card_that_runs_fast_is_followed() -> None:
    pacer = pacer_at()
    send_all(pacer, 0)
    for second in range(1, 3_601):
        now_ns = second * NS_PER_S
        heard = second * 48_000 * 10_002 // 10_000
        pacer.report(heard, pacer.next_index, now_ns)
        send_all(pacer, now_ns)
    assert pacer.next_index - heard > 90_000


def test_pause_freezes_the_playhead_and_play_goes_on_without_a_burst() -> None:
    pacer = pacer_at()
    send_all(pacer, 0)
    send_all(pacer, NS_PER_S)
    pacer.pause(NS_PER_S)
    assert (pacer.due(9 * NS_PER_S), pacer.due_ns()) == (None, None)
    pacer.report(48_000, 144_000, 5 * NS_PER_S)
    assert pacer.playhead(9 * NS_PER_S) == 48_000
    pacer.play(9 * NS_PER_S)
    assert send_all(pacer, 9 * NS_PER_S) == []
    assert len(send_all(pacer, 9 * NS_PER_S + QUANTUM_NS)) == 1


def test_the_stream_ends_where_indices_end() -> None:
    last = END_INDEX - QUANTUM
    pacer = pacer_at(last)
    assert send_all(pacer, 0) == [last]
    assert pacer.due_ns() is None
    assert pacer_at(units.floor_to_quantum(units.LAST_INDEX)).due(0) is None


def test_an_hour_of_streaming_takes_under_a_second() -> None:
    """The whole session by a clock set by hand: wake, send, report, 36 000 quanta."""
    clock = ManualClock()
    session = streaming_session(clock)
    began = time.process_time()
    indices = []
    next_report_ns = NS_PER_S
    while clock.now_ns() < 3_600 * NS_PER_S:
        now_ns = clock.now_ns()
        while (index := session.due(now_ns)) is not None:
            assert session.quantum_sent(1_000, now_ns) == 0
            indices.append(index)
        if now_ns >= next_report_ns:
            report(session, ns_to_samples(now_ns), indices[-1] + QUANTUM, now_ns)
            next_report_ns += NS_PER_S
        session.advance(now_ns)
        wake_ns = session.next_wake_ns()
        assert wake_ns is not None
        clock.pass_ns(min(wake_ns, next_report_ns) - now_ns)
    assert time.process_time() - began < 1
    assert indices == [QUANTUM * n for n in range(20 + 36_000 - 1)]


def streaming_session(clock: ManualClock, buffer_ms: int = 2_000, index: int = 0) -> Session:
    session = Session("ses_1", clock.now_ns())
    hello = {"type": "hello", "protocol": 1, "programme": {}, "codecs": ["opus"]}
    text = json.dumps(hello | {"bufferMs": buffer_ms})
    session.receive_text(text, clock.now_ns(), clock.unix_us())
    session.joined(parts_from(index), clock.now_ns(), clock.unix_us())
    return session


def parts_from(index: int) -> ReadyParts:
    return ReadyParts({}, "0" * 64, index, {}, None, {}, {}, {}, {})


def report(session: Session, played: int, received: int, now_ns: int) -> None:
    message = {"type": "report", "played": played, "received": received, "underruns": 0}
    session.receive_text(json.dumps(message), now_ns, 0)


class AnyListener(RuleBasedStateMachine):
    """A listener that does anything, a server that wakes at any time, and what must always hold."""

    @initialize(buffer_ms=st.integers(200, 20_000), index=st.integers(0, units.LAST_INDEX // 2))
    def join(self, buffer_ms: int, index: int) -> None:
        self.clock = ManualClock()
        self.buffer = units.milliseconds_to_samples(buffer_ms)
        self.session = streaming_session(self.clock, buffer_ms, index)
        self.begin_epoch(index)

    def begin_epoch(self, index: int) -> None:
        self.first = self.next = units.floor_to_quantum(index)
        self.open_ns = 0  # time since the first quantum in which it could have played
        self.n_epochs = self.session.epoch

    def send(self, at_most: int) -> None:
        now_ns = self.clock.now_ns()
        n_due = 0
        if self.session.due(now_ns) is not None:
            n_due = self.session.n_due(now_ns, at_most)
        before = self.next
        self.send_one_by_one(now_ns, at_most)
        assert (self.next - before) // QUANTUM == n_due

    @rule(run=st.integers(1, 10))
    def send_together(self, run: int) -> None:
        """Several in one write lead where they would have led one by one."""
        now_ns = self.clock.now_ns()
        if self.session.due(now_ns) is None:
            return
        n_quanta = self.session.n_due(now_ns, run)
        alone, together = copy.deepcopy(self.session), self.session
        late_ns = [alone.quantum_sent(1, now_ns) for _ in range(n_quanta)]
        assert together.quantum_sent(n_quanta, now_ns, n_quanta) == late_ns[0]
        self.next += n_quanta * QUANTUM
        assert together.due(now_ns) == alone.due(now_ns)
        assert together.next_wake_ns() == alone.next_wake_ns()
        assert together.playhead(now_ns + 1_000_000) == alone.playhead(now_ns + 1_000_000)
        assert together.n_bytes_sent == alone.n_bytes_sent

    def send_one_by_one(self, now_ns: int, at_most: int) -> None:
        for _ in range(at_most):
            index = self.session.due(now_ns)
            if index is None:
                break
            assert index == self.next
            self.next += QUANTUM
            playhead = self.session.playhead(now_ns)
            assert playhead is not None
            assert self.next <= playhead + self.buffer
            assert self.session.quantum_sent(1, now_ns) >= 0

    @rule(late_ns=st.sampled_from([0, 1, 1_000_000, 99_000_000]), at_most=st.integers(0, 300))
    def wake(self, late_ns: int, at_most: int) -> None:
        """Sleep as the session says, perhaps a little longer, and send some of what is due."""
        wake_ns = self.session.next_wake_ns()
        if wake_ns is not None and self.session.state is State.STREAMING:
            self.let_pass(max(0, min(wake_ns - self.clock.now_ns(), NS_PER_S)) + late_ns)
        self.send(at_most)

    @rule(stall_ns=st.integers(0, 20 * NS_PER_S))
    def stall(self, stall_ns: int) -> None:
        """However long the server stood still, what follows at once is one buffer at most."""
        self.let_pass(stall_ns)
        before = self.next
        self.send(1_000)
        assert self.next - before <= self.buffer

    @rule(played=st.integers(0, units.LAST_INDEX), received=st.integers(0, units.LAST_INDEX))
    def lie(self, played: int, received: int) -> None:
        report(self.session, played, received, self.clock.now_ns())

    @rule(ahead=st.integers(-200_000, 1_000_000))
    def report_about(self, ahead: int) -> None:
        played = min(max(0, self.first + ahead), units.LAST_INDEX)
        report(self.session, played, min(self.next, units.LAST_INDEX), self.clock.now_ns())

    @rule()
    def ping(self) -> None:
        self.session.receive_text('{"type": "ping", "t": 1}', self.clock.now_ns(), 0)

    @rule(kind=st.sampled_from(["play", "pause"]))
    def play_or_pause(self, kind: str) -> None:
        self.session.receive_text(json.dumps({"type": kind}), self.clock.now_ns(), 0)

    @rule(to=st.integers(0, units.LAST_PLAYED_INDEX))
    def seek(self, to: int) -> None:
        if self.session.state is State.CLOSED:
            return
        self.session.receive_text(json.dumps({"type": "seek", "to": to}), self.clock.now_ns(), 0)
        assert self.session.due(self.clock.now_ns()) is None
        self.session.joined(parts_from(to), self.clock.now_ns(), 0)
        assert self.session.epoch == self.n_epochs + 1
        self.begin_epoch(to)

    def let_pass(self, duration_ns: int) -> None:
        if self.next > self.first and self.session.state is State.STREAMING:
            self.open_ns += duration_ns
        self.clock.pass_ns(duration_ns)
        self.session.advance(self.clock.now_ns())
        self.session.take_actions()

    @invariant()
    def nobody_is_further_ahead_than_time_and_buffer_allow(self) -> None:
        if hasattr(self, "first"):
            heard_at_most = ns_to_samples(self.open_ns) * 1_001 // 1_000 + 1
            assert self.next <= self.first + heard_at_most + self.buffer

    @invariant()
    def a_streaming_session_has_a_next_moment(self) -> None:
        if hasattr(self, "session") and self.session.state is not State.CLOSED:
            assert self.session.next_wake_ns() is not None


AnyListener.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAnyListener = AnyListener.TestCase
