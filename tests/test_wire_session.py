"""The session without I/O: every message in every state, every end, every wait."""

from __future__ import annotations

import json
from typing import Any

import pytest

from astradio_stream import errors
from astradio_stream.wire.actions import Close, Join, Seek, SendText, Steer
from astradio_stream.wire.answers import ReadyParts, SteeredParts
from astradio_stream.wire.bucket import NS_PER_S, Rate
from astradio_stream.wire.closing import Closing
from astradio_stream.wire.lead import TRIES
from astradio_stream.wire.messages import Hello
from astradio_stream.wire.pacer import ns_to_samples
from astradio_stream.wire.session import REACTIONS, Session, State

UNIX_US = 1_700_000_000_000_000
HELLO = {"type": "hello", "protocol": 1, "programme": {"seed": 7}, "codecs": ["opus"]}
LIVE_STATES = [State.CONNECTED, State.JOINING, State.STREAMING, State.PAUSED]

MESSAGES: dict[str, dict[str, Any]] = {
    "hello": HELLO,
    "report": {"type": "report", "played": 0, "received": 0, "underruns": 0},
    "steer": {"type": "steer", "controls": {"tension": 1}},
    "seek": {"type": "seek", "to": 9_700},
    "play": {"type": "play"},
    "pause": {"type": "pause"},
    "viz": {"type": "viz", "on": False},
    "ping": {"type": "ping", "t": 42},
    "bye": {"type": "bye"},
    "unknown": {"type": "dance"},
}

# What each message leads to: CONNECTED, JOINING, STREAMING, PAUSED -> (what we do, next state).
# J, S, P, C stand for the next state; words for what is done.
TABLE = """
hello    join:J    order:C   order:C   order:C
report   order:C   -:J       -:S       -:P
steer    order:C   steer:J   steer:S   steer:P
seek     order:C   seek:J    seek:J    seek:J
play     order:C   -:J       -:S       -:S
pause    order:C   -:J       -:P       -:P
viz      order:C   -:J       -:S       -:P
ping     order:C   pong:J    pong:S    pong:P
bye      order:C   bye:C     bye:C     bye:C
unknown  order:C   unknown:J unknown:S unknown:P
"""
STATE_OF_LETTER = {"J": State.JOINING, "S": State.STREAMING, "P": State.PAUSED, "C": State.CLOSED}
CELLS = [
    (line.split()[0], state, *cell.split(":"))
    for line in TABLE.strip().splitlines()
    for state, cell in zip(LIVE_STATES, line.split()[1:], strict=True)
]


def parts(from_index: int = 0, **changes: Any) -> ReadyParts:
    empty: dict[str, Any] = {
        name: {}
        for name in ("programme", "codec", "viz", "chart", "palette", "provenance", "limits")
    }
    return ReadyParts(programme_id="0" * 64, from_index=from_index, **(empty | changes))


def say(session: Session, message: object, now_ns: int = 0) -> list[Any]:
    session.receive_text(json.dumps(message), now_ns, UNIX_US)
    return session.take_actions()


def session_in(state: State, now_ns: int = 0) -> Session:
    session = Session("ses_1", now_ns, request_id="req_1")
    if state is not State.CONNECTED:
        say(session, HELLO, now_ns)
    if state in (State.STREAMING, State.PAUSED):
        session.joined(parts(), now_ns, UNIX_US)
    if state is State.PAUSED:
        say(session, MESSAGES["pause"], now_ns)
    if state is State.CLOSED:
        session.disconnected()
    session.take_actions()
    assert session.state is state
    return session


def assert_ended(actions: list[Any], code: str, closing: Closing) -> dict[str, Any]:
    said, closed = actions
    assert said.message["fatal"] is True
    assert said.message["error"]["code"] == code
    assert said.message["requestId"] == "req_1"
    assert closed == Close(closing)
    error: dict[str, Any] = said.message["error"]
    return error


def assert_refused(actions: list[Any], code: str) -> dict[str, Any]:
    (said,) = actions
    assert said.message["fatal"] is False
    assert said.message["error"]["code"] == code
    error: dict[str, Any] = said.message["error"]
    return error


def assert_did(actions: list[Any], deed: str) -> None:
    if deed == "order":
        assert_ended(actions, "OUT_OF_ORDER", Closing.OUT_OF_ORDER)
    elif deed == "steer":
        assert actions == [Steer({"tension": 1}, "beat")]
    elif deed == "unknown":
        assert_refused(actions, "UNKNOWN_TYPE")
    elif deed == "bye":
        assert actions == [Close(Closing.DONE)]
    elif deed == "seek":
        assert actions == [Seek(9_600)]
    elif deed == "pong":
        assert actions == [SendText({"type": "pong", "t": 42, "serverTimeUs": UNIX_US})]
    elif deed == "join":
        assert [type(action) for action in actions] == [Join]
    else:
        assert actions == []


@pytest.mark.parametrize(("kind", "state", "deed", "letter"), CELLS)
def test_every_message_in_every_state(kind: str, state: State, deed: str, letter: str) -> None:
    session = session_in(state)
    assert_did(say(session, MESSAGES[kind]), deed)
    assert session.state is STATE_OF_LETTER[letter]


@pytest.mark.parametrize("kind", sorted(MESSAGES))
def test_a_closed_session_neither_hears_nor_speaks(kind: str) -> None:
    session = session_in(State.CLOSED)
    assert say(session, MESSAGES[kind]) == []
    session.receive_binary(1)
    session.joined(parts(), 0, UNIX_US)
    session.refused(errors.NotFound("x"))
    session.failed(ValueError())
    session.close(Closing.RESTART)
    session.not_steered(errors.NotFound("x"))
    session.receive_control(0)
    assert session.steered(change_at(0), 0)
    session.tell({"type": "drain"})
    session.advance(10**15)
    assert session.take_actions() == []
    assert session.next_wake_ns() is None
    assert session.due(0) is None
    assert session.state is State.CLOSED


def test_the_table_of_tests_knows_every_message() -> None:
    assert set(MESSAGES) - {"unknown"} == set(REACTIONS)
    assert len(CELLS) == len(MESSAGES) * len(LIVE_STATES)


# Messages that are none --------------------------------------------------------------------------

NOT_MESSAGES = [
    ("{", "BAD_JSON"),
    ("", "BAD_JSON"),
    ('{"type": "ping", "t": NaN}', "BAD_JSON"),
    ('{"type": "ping", "type": "bye"}', "BAD_JSON"),
    ('{"type": "ping", "t": 1e999}', "BAD_JSON"),
    ('{"type": "\\ud800"}', "BAD_JSON"),
    ("[" * 4_000, "BAD_JSON"),
    ("9" * 4_000, "BAD_JSON"),
    ("[]", "BAD_MESSAGE"),
    ("null", "BAD_MESSAGE"),
    ('"hello"', "BAD_MESSAGE"),
    ("{}", "BAD_MESSAGE"),
    ('{"type": 1}', "BAD_MESSAGE"),
    ('{"type": null}', "BAD_MESSAGE"),
]


@pytest.mark.parametrize("state", LIVE_STATES)
@pytest.mark.parametrize(("text", "code"), NOT_MESSAGES)
def test_what_is_no_message_closes_4000(text: str, code: str, state: State) -> None:
    session = session_in(state)
    session.receive_text(text, 0, UNIX_US)
    assert_ended(session.take_actions(), code, Closing.BAD_MESSAGE)


@pytest.mark.parametrize("state", LIVE_STATES)
def test_binary_closes_1003_and_too_big_closes_1009(state: State) -> None:
    for n_bytes, closing in ((0, 1003), (4_096, 1003), (4_097, 1009)):
        session = session_in(state)
        session.receive_binary(n_bytes)
        (closed,) = session.take_actions()
        assert closed.closing.code == closing


@pytest.mark.parametrize(
    ("text", "is_too_big"),
    [("x" * 4_096, False), ("x" * 4_097, True), ("é" * 2_048, False), ("é" * 2_049, True)],
)
@pytest.mark.parametrize("as_bytes", [False, True])
def test_size_counts_bytes(text: str, is_too_big: bool, as_bytes: bool) -> None:
    session = session_in(State.STREAMING)
    session.receive_text(text.encode() if as_bytes else text, 0, UNIX_US)
    assert (session.closing is Closing.TOO_BIG) is is_too_big


def test_bytes_that_are_not_utf8_close_4000() -> None:
    session = session_in(State.STREAMING)
    session.receive_text(b'{"type": "\xff"}', 0, UNIX_US)
    assert_ended(session.take_actions(), "BAD_JSON", Closing.BAD_MESSAGE)


@pytest.mark.parametrize("kind", ["report", "steer", "seek", "viz", "ping"])
@pytest.mark.parametrize("state", LIVE_STATES[1:])
def test_wrong_fields_of_a_later_message_are_refused_and_the_stream_goes_on(
    kind: str, state: State
) -> None:
    session = session_in(state)
    error = assert_refused(say(session, {"type": kind}), "VALIDATION_FAILED")
    assert error["details"]
    assert session.state is state


# The hello ---------------------------------------------------------------------------------------


def test_hello_asks_the_shell_to_join() -> None:
    session = session_in(State.CONNECTED)
    (join,) = say(session, HELLO | {"from": 5_000, "viz": False, "client": "test"})
    assert join == Join(
        Hello(1, {"seed": 7}, None, 5_000, ("opus",), viz=False, buffer_ms=2_000, client="test")
    )
    assert session.hello == join.hello
    assert session.viz is False


def test_an_invalid_hello_names_every_field_and_closes_4000() -> None:
    session = Session(
        "ses_1", 0, request_id="req_1", check_programme=lambda _: (errors.Detail("seed", "bad"),)
    )
    actions = say(session, HELLO | {"bufferMs": 1, "codecs": []})
    error = assert_ended(actions, "VALIDATION_FAILED", Closing.BAD_MESSAGE)
    assert [d["field"] for d in error["details"]] == ["codecs", "bufferMs", "programme.seed"]


def test_another_protocol_closes_4001() -> None:
    actions = say(session_in(State.CONNECTED), HELLO | {"protocol": 2})
    assert_ended(actions, "BAD_VERSION", Closing.BAD_VERSION)


REFUSALS = [
    (errors.ValidationFailed([errors.Detail("at", "no")]), "VALIDATION_FAILED", 4000),
    (errors.OutsideEphemeris("no"), "VALIDATION_FAILED", 4000),
    (errors.BadJson("no"), "BAD_JSON", 4000),
    (errors.BadVersion("no"), "BAD_VERSION", 4001),
    (errors.NotFound("no"), "NOT_FOUND", 4004),
    (errors.Overloaded("no", 1.0), "OVERLOADED", 4100),
    (errors.StoreUnavailable("no", 1.0, "secret"), "STORE_UNAVAILABLE", 4100),
    (errors.CodecUnavailable("secret"), "INTERNAL", 1011),
    (errors.AstradioError("secret"), "INTERNAL", 1011),
    (ValueError("secret"), "INTERNAL", 1011),
    (RuntimeError(), "INTERNAL", 1011),
]


@pytest.mark.parametrize(("error", "code", "closing"), REFUSALS)
def test_a_refused_hello_ends_with_its_code(error: Exception, code: str, closing: int) -> None:
    session = session_in(State.JOINING)
    session.refused(error)
    said, closed = session.take_actions()
    assert said.message["error"]["code"] == code
    assert said.message["fatal"] is True
    assert closed.closing.code == closing
    assert "secret" not in json.dumps(said.message)


def test_a_programme_refused_later_is_named_as_the_client_wrote_it() -> None:
    session = session_in(State.JOINING)
    session.refused(errors.OutsideEphemeris("too early"))
    error = assert_ended(session.take_actions(), "VALIDATION_FAILED", Closing.BAD_MESSAGE)
    assert error["details"] == [{"field": "programme.at", "message": "too early"}]


@pytest.mark.parametrize(("error", "code", "closing"), REFUSALS)
def test_a_refused_seek_leaves_the_stream_as_it_was(
    error: Exception, code: str, closing: int
) -> None:
    session = session_in(State.STREAMING)
    say(session, MESSAGES["seek"])
    session.refused(error)
    said, *closed = session.take_actions()
    assert said.message["error"]["code"] == code
    if code == "INTERNAL":
        assert [action.closing.code for action in closed] == [1011]
    else:
        assert (said.message["fatal"], session.state, session.epoch) == (False, State.STREAMING, 0)
        assert session.due(0) == 0


def test_ready_has_the_fields_of_the_contract() -> None:
    session = session_in(State.JOINING)
    session.joined(parts(9_700, live={"index": 1, "utcMs": 2}, viz=None, resumed=True), 0, UNIX_US)
    (said,) = session.take_actions()
    ready = said.message
    assert ready["type"] == "ready"
    fixed = {
        "protocol": 1, "sessionId": "ses_1", "epoch": 0, "programmeId": "0" * 64, "from": 9_600,
        "sampleRate": 48_000, "channels": 2, "packetSamples": 960, "vizSamples": 800,
        "quantumSamples": 4_800, "live": {"index": 1, "utcMs": 2}, "serverTimeUs": UNIX_US,
        "viz": None, "resumed": True,
    }  # fmt: skip
    assert fixed.items() <= ready.items()
    assert {"programme", "codec", "chart", "palette", "provenance", "limits"} <= ready.keys()


# Seeking, pausing --------------------------------------------------------------------------------


def test_every_seek_is_answered_by_ready_with_the_next_epoch() -> None:
    session = session_in(State.STREAMING)
    say(session, {"type": "seek", "to": 48_000})
    say(session, {"type": "seek", "to": 96_000})
    assert session.due(0) is None
    for epoch, index in ((1, 48_000), (2, 96_000)):
        session.joined(parts(index), 0, UNIX_US)
        (said,) = session.take_actions()
        assert (said.message["epoch"], said.message["from"]) == (epoch, index)
    assert (session.state, session.due(0)) == (State.STREAMING, 96_000)


def test_epochs_wrap_at_65_536() -> None:
    session = session_in(State.STREAMING)
    session.epoch = 65_535
    say(session, MESSAGES["seek"])
    session.joined(parts(), 0, UNIX_US)
    assert session.epoch == 0


def test_an_answer_that_nobody_asked_for_is_ignored() -> None:
    session = session_in(State.STREAMING)
    session.joined(parts(), 0, UNIX_US)
    assert session.take_actions() == []
    assert session.epoch == 0


def test_a_pause_while_joining_holds_after_ready() -> None:
    session = session_in(State.JOINING)
    say(session, MESSAGES["pause"])
    session.joined(parts(), 0, UNIX_US)
    assert (session.state, session.due(0)) == (State.PAUSED, None)
    say(session, MESSAGES["play"], 5)
    assert (session.state, session.due(5)) == (State.STREAMING, 0)


def test_viz_switches_the_picture() -> None:
    session = session_in(State.STREAMING)
    assert session.viz is True
    say(session, {"type": "viz", "on": False})
    assert session.viz is False


def test_a_quantum_before_ready_is_a_mistake_of_ours() -> None:
    with pytest.raises(RuntimeError, match="before ready"):
        session_in(State.CONNECTED).quantum_sent(1, 0)


# Steering ----------------------------------------------------------------------------------------


def change_at(effective: int) -> SteeredParts:
    first_index = max(0, effective - 48) // 4_800 * 4_800
    return SteeredParts({"seed": 8}, "1" * 64, first_index, effective)


def send_all(session: Session, now_ns: int) -> list[int]:
    """Send what is due and return the indices."""
    indices = []
    while (index := session.due(now_ns)) is not None:
        indices.append(index)
        session.quantum_sent(1, now_ns)
    return indices


def report_at(session: Session, now_ns: int, latency_ms: float = 0.0) -> None:
    """Report that all of the time since the first quantum was heard."""
    heard = ns_to_samples(now_ns)
    report = {"played": heard, "received": heard + 96_000, "outputLatencyMs": latency_ms}
    assert say(session, MESSAGES["report"] | report, now_ns) == []


def test_a_change_comes_150_ms_after_what_is_heard_not_after_what_was_sent() -> None:
    session = session_in(State.STREAMING)
    send_all(session, 0)
    assert session.first_open(0) == 9_600
    report_at(session, NS_PER_S)
    assert session.first_open(NS_PER_S) == 48_000 + 9_600
    assert session.first_open(NS_PER_S + 50_000_000) == 48_000 + 9_600
    assert session.first_open(NS_PER_S + 51_000_000) == 48_000 + 14_400


def test_a_player_far_from_the_ear_is_left_more_time() -> None:
    session = session_in(State.STREAMING)
    send_all(session, 0)
    report_at(session, 0, latency_ms=200.0)
    assert session.first_open(0) == 19_200
    report_at(session, 0, latency_ms=1e6)
    assert session.first_open(0) == 57_600  # more than a second is not believed


def test_a_steer_begins_an_epoch_that_replaces_what_was_sent() -> None:
    session = session_in(State.STREAMING)
    assert send_all(session, 0)[-1] == 91_200
    effective = session.first_open(0) + 1_000
    assert session.steered(change_at(effective), 1_000)
    (said,) = session.take_actions()
    assert said.message == {
        "type": "steered", "epoch": 1, "effective": effective,
        "programme": {"seed": 8}, "programmeId": "1" * 64,
    }  # fmt: skip
    assert session.epoch == 1
    assert send_all(session, 1_000) == list(range(9_600, 96_000, 4_800))
    assert session.state is State.STREAMING


def test_what_is_sent_again_is_not_late() -> None:
    session = session_in(State.STREAMING)
    send_all(session, 0)
    now_ns = NS_PER_S
    send_all(session, now_ns)
    session.steered(change_at(session.first_open(now_ns) + 48), now_ns)
    while session.due(now_ns) is not None:
        assert session.quantum_sent(1, now_ns) == 0


def test_a_change_beyond_what_was_sent_leaves_no_gap() -> None:
    session = session_in(State.STREAMING)
    send_all(session, 0)
    assert session.steered(change_at(10 * 48_000), 0)
    assert send_all(session, NS_PER_S)[0] == 96_000


def test_a_change_that_comes_too_late_is_asked_for_again_with_more_time() -> None:
    session = session_in(State.STREAMING)
    send_all(session, 0)
    change = change_at(session.first_open(0) + 48)
    late_ns = 170_000_000  # 30 ms before it would be heard
    assert not session.steered(change, late_ns)
    assert session.take_actions() == []
    assert session.epoch == 0
    assert session.first_open(late_ns) == 28_800  # 340 and 90 ms on
    assert session.steered(change_at(28_848), late_ns)
    assert session.first_open(late_ns) == 19_200  # 150 ms again


def test_a_change_that_is_always_late_is_refused_and_the_stream_goes_on() -> None:
    session = session_in(State.STREAMING)
    send_all(session, 0)
    late_ns = 2 * NS_PER_S
    for _ in range(TRIES - 1):
        assert not session.steered(change_at(4_848), late_ns)
    with pytest.raises(errors.Overloaded) as told:
        session.steered(change_at(4_848), late_ns)
    session.not_steered(told.value)
    assert_refused(session.take_actions(), "OVERLOADED")
    assert (session.state, session.epoch) == (State.STREAMING, 0)
    assert session.first_open(0) == 9_600, "the next begins with the usual lead"


def test_whatever_an_answer_takes_it_is_told_while_there_is_time() -> None:
    """The quanta are at hand at least 90 ms before the first of them is heard."""
    session = session_in(State.STREAMING)
    now_ns = 0
    for took_ms in (5, 5, 5, 5, 80, 20, 400, 20, 20, 1_500, 20):
        send_all(session, now_ns)
        while True:
            asked = session.first_open(now_ns)
            now_ns += took_ms * 1_000_000
            send_all(session, now_ns)
            if session.steered(change_at(asked + 48), now_ns):
                break
        playhead = session.playhead(now_ns)
        assert playhead is not None
        assert asked - playhead >= 90 * 48


def test_who_is_answered_quickly_hears_changes_sooner() -> None:
    session = session_in(State.STREAMING)
    leads, now_ns = [], 0
    for _ in range(20):
        send_all(session, now_ns)
        playhead = session.playhead(now_ns)
        asked = session.first_open(now_ns)
        assert playhead is not None
        leads.append(asked - playhead)
        now_ns += 10_000_000
        assert session.steered(change_at(asked + 48), now_ns)
        now_ns += 97_000_000
    assert leads[0] >= 150 * 48
    assert all(120 * 48 <= lead <= 220 * 48 for lead in leads[10:])


@pytest.mark.parametrize("state", LIVE_STATES[1:])
@pytest.mark.parametrize(("error", "code", "closing"), REFUSALS)
def test_a_refused_steer_leaves_the_stream_as_it_was(
    error: Exception, code: str, closing: int, state: State
) -> None:
    session = session_in(state)
    say(session, MESSAGES["steer"])
    session.not_steered(error)
    said, *closed = session.take_actions()
    assert said.message["error"]["code"] == code
    if code == "INTERNAL":
        assert [action.closing.code for action in closed] == [1011]
    else:
        assert (said.message["fatal"], session.state, session.epoch) == (False, state, 0)


def test_a_steer_in_a_pause_is_heard_after_it() -> None:
    session = session_in(State.STREAMING)
    send_all(session, 0)
    say(session, MESSAGES["pause"], NS_PER_S)
    first_open = session.first_open(9 * NS_PER_S)
    assert first_open == 48_000 + 9_600
    assert session.steered(change_at(first_open + 48), 9 * NS_PER_S)
    assert session.due(9 * NS_PER_S) is None
    say(session, MESSAGES["play"], 10 * NS_PER_S)
    assert send_all(session, 10 * NS_PER_S)[0] == first_open


def test_a_steer_before_ready_is_a_mistake_of_ours() -> None:
    with pytest.raises(RuntimeError, match="before ready"):
        session_in(State.CONNECTED).first_open(0)


# How much may be said ----------------------------------------------------------------------------


def spoken_to_the_last_token(state: State) -> Session:
    """Return a session whose peer has said all that it may and was warned, at time 0."""
    session = session_in(state)
    while not session.take_actions():
        session.receive_control(0)
    return session


@pytest.mark.parametrize("state", LIVE_STATES[1:])
def test_51_messages_in_10_s_are_warned_of_and_the_next_too_many_closes_4101(state: State) -> None:
    session = session_in(state)
    n_said = {State.JOINING: 1, State.STREAMING: 1, State.PAUSED: 2}[state]
    for _ in range(50 - n_said):
        assert len(say(session, MESSAGES["ping"])) == 1
    assert_refused(say(session, MESSAGES["ping"]), "RATE_LIMITED")
    assert session.state is state
    assert_ended(say(session, MESSAGES["ping"]), "RATE_LIMITED", Closing.RATE_LIMITED)


def test_a_token_comes_back_each_200_ms() -> None:
    session = spoken_to_the_last_token(State.STREAMING)
    for n in range(1, 100):
        (said,) = say(session, MESSAGES["ping"], n * 200_000_000)
        assert said.message["type"] == "pong"
    say(session, MESSAGES["ping"], 99 * 200_000_000 + 1)
    assert session.closing is Closing.RATE_LIMITED


@pytest.mark.parametrize("kind", sorted(MESSAGES))
def test_every_message_costs_a_token_and_one_too_many_is_not_heeded(kind: str) -> None:
    session = session_in(State.CONNECTED if kind == "hello" else State.STREAMING)
    session.limit(Rate(2, 10), 0)
    session.receive_control(0)
    if kind == "hello":
        session.receive_control(0)
    session.take_actions()
    state = session.state
    assert_refused(say(session, MESSAGES[kind]), "RATE_LIMITED")
    assert session.state is state


def test_a_control_frame_costs_a_token_too() -> None:
    session = session_in(State.STREAMING)
    for _ in range(49):
        session.receive_control(0)
    assert session.take_actions() == []
    session.receive_control(0)
    assert_refused(session.take_actions(), "RATE_LIMITED")
    session.receive_control(0)
    assert_ended(session.take_actions(), "RATE_LIMITED", Closing.RATE_LIMITED)


def test_a_wider_limit_holds_at_once() -> None:
    session = spoken_to_the_last_token(State.STREAMING)
    session.limit(Rate(200, 10), 0)
    for _ in range(100):
        say(session, MESSAGES["ping"])
    assert session.state is State.STREAMING


# Waits -------------------------------------------------------------------------------------------


def test_no_hello_in_10_s_closes_4104() -> None:
    session = Session("ses_1", 100)
    assert session.next_wake_ns() == 10 * NS_PER_S + 100
    session.advance(10 * NS_PER_S + 99)
    assert session.take_actions() == []
    session.advance(10 * NS_PER_S + 100)
    assert session.take_actions() == [Close(Closing.HELLO_TIMEOUT)]


@pytest.mark.parametrize("state", LIVE_STATES[1:])
def test_no_report_or_ping_for_30_s_closes_4103(state: State) -> None:
    session = session_in(state)
    for kind in ("seek", "viz", "unknown"):
        say(session, MESSAGES[kind], 29 * NS_PER_S)
    session.take_actions()
    session.advance(30 * NS_PER_S - 1)
    assert session.take_actions() == []
    session.advance(30 * NS_PER_S)
    assert session.take_actions() == [Close(Closing.HEARTBEAT_TIMEOUT)]


@pytest.mark.parametrize("kind", ["report", "ping"])
@pytest.mark.parametrize("state", LIVE_STATES[1:])
def test_report_and_ping_keep_a_session_alive(kind: str, state: State) -> None:
    session = session_in(state)
    for second in range(0, 300, 29):
        session.advance(second * NS_PER_S)
        say(session, MESSAGES[kind], second * NS_PER_S)
    assert session.state is state


def test_the_last_report_is_kept() -> None:
    session = session_in(State.STREAMING)
    say(session, MESSAGES["report"] | {"underruns": 3})
    assert session.last_report is not None
    assert session.last_report.underruns == 3


# Skipping ----------------------------------------------------------------------------------------


def test_a_skip_is_announced_and_the_buffer_fills_anew_from_there() -> None:
    session = session_in(State.STREAMING)
    for _ in range(20):
        session.quantum_sent(1, 0)
    now_ns = 9 * NS_PER_S
    session.skip(480_000, "slow", now_ns)
    (said,) = session.take_actions()
    assert said.message == {
        "type": "discontinuity", "from": 96_000, "to": 480_000, "reason": "slow",
    }  # fmt: skip
    sent = []
    while (index := session.due(now_ns)) is not None:
        sent.append(index)
        session.quantum_sent(1, now_ns)
    assert sent == list(range(480_000, 480_000 + 96_000, 4_800))
    assert session.epoch == 0


def test_a_report_from_before_the_gap_does_not_hold_the_stream_up() -> None:
    session = session_in(State.STREAMING)
    session.quantum_sent(1, 0)
    session.skip(480_000, "slow", 0)
    while session.due(0) is not None:
        session.quantum_sent(1, 0)
    report = {"type": "report", "played": 4_800, "received": 4_800, "underruns": 1}
    say(session, report, NS_PER_S // 10)
    assert session.due(NS_PER_S // 10) is None
    assert session.due(NS_PER_S // 10 * 2) == 480_000 + 96_000


@pytest.mark.parametrize("to_index", [0, 4_800])
def test_nothing_is_skipped_backwards(to_index: int) -> None:
    session = session_in(State.STREAMING)
    session.quantum_sent(1, 0)
    session.skip(to_index, "slow", 0)
    assert not session.has_actions
    assert session.due(0) == 4_800


@pytest.mark.parametrize("state", [State.CONNECTED, State.JOINING, State.PAUSED, State.CLOSED])
def test_nothing_is_skipped_while_nothing_is_sent(state: State) -> None:
    session = session_in(state)
    session.skip(480_000, "slow", 0)
    assert not session.has_actions
