"""A real server and a real WebSocket: every way to listen, and every way to be sent away.

Who is refused before there is a WebSocket is in test_server_refusals.py.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from astradio_stream.errors import NotFound
from astradio_stream.units import END_INDEX, QUANTUM_SAMPLES
from astradio_stream.wire.timings import Timings
from tests.listener import TRANSIT, Listener, connected, hello_of, listening
from tests.serving import (
    LIVE_INDEX,
    SILENCE,
    Served,
    SilentEngine,
    serving,
    settings_in,
    wait_until_empty,
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = settings_in(
        tmp_path_factory.mktemp("server"), ALLOWED_ORIGINS="https://friend.example"
    )
    with serving(settings, SilentEngine()) as served:
        yield served


@pytest.fixture
def server(running: Served) -> Iterator[Served]:
    """The server as it was started, whatever the test before did to it."""
    kept = running.shell.settings
    yield running
    running.shell.settings = kept
    running.shell.timings = Timings()
    running.engine.failure = running.engine.join_failure = None


def assert_closed(listener: Listener, code: int, word: str) -> None:
    assert listener.take_close() == (code, word)


def assert_ends(server: Served, message: Any, code: str, closing: tuple[int, str]) -> Any:
    """Say one thing; expect a fatal error and a close, and a server that serves on."""
    with connected(server.ws_url) as listener:
        listener.connection.send(message if isinstance(message, str) else json.dumps(message))
        refused = listener.take_text("error")
        assert refused["fatal"] is True
        assert refused["error"]["code"] == code
        assert refused["requestId"].startswith("req_")
        assert_closed(listener, *closing)
    return refused["error"]


# Listening ---------------------------------------------------------------------------------------


def test_a_burst_fills_the_buffer_then_time_sets_the_pace(server: Served) -> None:
    with listening(server.ws_url, TRANSIT, bufferMs=500) as listener:
        began = time.monotonic()
        listener.take_quanta(5)
        at_once_s = time.monotonic() - began
        listener.take_quanta(5)
        paced_s = time.monotonic() - began
    assert at_once_s < 0.35
    assert 0.45 < paced_s < 0.9


def test_a_listener_that_stands_still_gets_no_more(server: Served) -> None:
    with listening(server.ws_url, TRANSIT, bufferMs=500) as listener:
        listener.take_quanta(5)
        for _ in range(8):
            listener.report(0)
            listener.take_for(0.1)
        assert listener.end <= 10 * QUANTUM_SAMPLES  # 13 if it had played


def test_the_station_begins_live_and_any_other_programme_at_0(server: Served) -> None:
    with listening(server.ws_url) as listener:
        assert listener.take_quanta(1)[0].index == LIVE_INDEX
    with listening(server.ws_url, TRANSIT) as listener:
        assert listener.take_quanta(1)[0].index == 0


@pytest.mark.parametrize("index", [0, 1, 4_799, 4_800, 172_800_000_001, END_INDEX - 48_000])
def test_any_index_may_be_the_first_rounded_down_to_a_quantum(server: Served, index: int) -> None:
    with listening(server.ws_url, TRANSIT, **{"from": index}) as listener:
        assert listener.take_quanta(2)[0].index == index - index % QUANTUM_SAMPLES


def test_the_stream_ends_at_the_last_index(server: Served) -> None:
    with listening(server.ws_url, TRANSIT, **{"from": END_INDEX - 1}) as listener:
        assert listener.take_for(0.3) == 1
        listener.say({"type": "bye"})
        assert_closed(listener, 1000, "done")


def test_pcm_arrives_as_rendered(server: Served) -> None:
    with listening(server.ws_url, TRANSIT, codecs=["pcm_s16le", "opus"]) as listener:
        assert listener.take_quanta(3)[2].packets == (SILENCE,)


def test_without_viz_there_are_no_frames(server: Served) -> None:
    with listening(server.ws_url, TRANSIT, viz=False) as listener:
        assert listener.ready["viz"] is None
        assert listener.take_quanta(1)[0].viz_frames == ()
    with listening(server.ws_url, TRANSIT) as listener:
        assert len(listener.take_quanta(1)[0].viz_frames) == 6


def test_viz_switches_while_streaming(server: Served) -> None:
    with listening(server.ws_url, TRANSIT, bufferMs=200) as listener:
        listener.take_quanta(2)
        listener.say({"type": "viz", "on": False})
        assert listener.take_quanta(3)[-1].viz_frames == ()


def test_with_the_viz_engine_off_sound_goes_on(server: Served) -> None:
    server.change_settings(enable_viz_engine=False)
    with listening(server.ws_url, TRANSIT) as listener:
        assert listener.take_quanta(1)[0].viz_frames == ()


def test_a_programme_that_was_played_is_known_by_its_id(server: Served) -> None:
    with listening(server.ws_url, TRANSIT) as listener:
        programme_id = listener.ready["programmeId"]
        resolved = listener.ready["programme"]
    by_id = hello_of(programmeId=programme_id, **{"from": 9_600})
    with connected(server.ws_url) as listener:
        listener.say(by_id)
        assert listener.take_text("ready")["programme"] == resolved
        assert listener.take_quanta(1)[0].index == 9_600


def test_seek_begins_a_new_epoch_there(server: Served) -> None:
    with listening(server.ws_url, TRANSIT) as listener:
        listener.take_quanta(3)
        for epoch, index in enumerate((48_000 * 3_600_000, 0, 4_801), start=1):
            listener.say({"type": "seek", "to": index})
            ready = listener.take_text("ready")
            assert (ready["epoch"], ready["from"]) == (epoch, index - index % 4_800)
            assert listener.take_quanta(3)[0].epoch == epoch


def test_hello_and_seek_are_timed_to_their_first_quantum_once_each(server: Served) -> None:
    value = server.app.state.shell.metrics.registry.get_sample_value
    names = ("astradio_first_quantum_seconds_count", "astradio_seek_seconds_count")
    before = [value(name) for name in names]
    with listening(server.ws_url, TRANSIT) as listener:
        listener.take_quanta(3)
        for epoch in (1, 2):
            listener.say({"type": "seek", "to": 96_000})
            while listener.take_quanta(1)[0].epoch != epoch:
                pass
            listener.take_quanta(2)
        listener.say({"type": "pause"})
        listener.say({"type": "seek", "to": 0})
        listener.take_text("ready")
        listener.say({"type": "play"})  # how long that takes is the listener's affair
        while listener.take_quanta(1)[0].epoch != 3:
            pass
    assert [value(name) for name in names] == [before[0] + 1, before[1] + 2]


def test_pause_stops_the_quanta_and_play_goes_on_with_the_next(server: Served) -> None:
    with listening(server.ws_url, TRANSIT, bufferMs=300) as listener:
        listener.take_quanta(3)
        listener.say({"type": "pause"})
        listener.take_for(0.2)
        end = listener.end
        assert listener.take_for(0.4) == 0
        listener.say({"type": "play"})
        assert listener.take_quanta(2)[0].index == end


def test_events_come_once_each_and_before_they_are_heard(server: Served) -> None:
    with listening(server.ws_url, TRANSIT, **{"from": 9_600}) as listener:
        listener.take_quanta(24)
        told = [text for text in listener.texts if text["type"] == "event"]
    heard = [k * 48_000 + 4_800 for k in (1, 2)]
    assert [text["index"] for text in told] == heard
    assert told[0] == {
        "type": "event", "index": 52_800, "kind": "section", "text": "a section", "bodies": ["sun"],
    }  # fmt: skip


def test_ping_is_answered_at_once(server: Served) -> None:
    with listening(server.ws_url, TRANSIT) as listener:
        for t in (0, -1.5, 2**53, 1e300):
            began = time.monotonic()
            listener.say({"type": "ping", "t": t})
            pong = listener.take_text("pong")
            assert pong["t"] == t
            assert abs(pong["serverTimeUs"] / 1e6 - time.time()) < 5
            assert time.monotonic() - began < 1


def test_bye_ends_in_order(server: Served) -> None:
    with listening(server.ws_url) as listener:
        listener.say({"type": "bye"})
        assert_closed(listener, 1000, "done")


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ([], None),
        (["astradio.v1"], "astradio.v1"),
        (["chat", "astradio.v1"], "astradio.v1"),
        (["chat"], None),
    ],
)
def test_only_our_subprotocol_is_chosen(server: Served, offered: list[str], chosen: Any) -> None:
    with connected(server.ws_url, subprotocols=offered) as listener:
        assert listener.connection.subprotocol == chosen
        listener.say(hello_of())
        assert listener.take_text("ready")["protocol"] == 1


def test_no_extension_is_negotiated(server: Served) -> None:
    from websockets.sync.client import connect

    with connect(server.ws_url) as connection:
        assert connection.response is not None
        assert "Sec-WebSocket-Extensions" not in connection.response.headers
        assert connection.response.headers["X-Request-Id"].startswith("req_")


# Bad input ---------------------------------------------------------------------------------------

BAD_MESSAGE = (4000, "bad_message")

BAD_HELLO = [
    ("protocol", ["1", True, 1.5, [], {}], "protocol"),
    ("programme", ["now", 1, [], True], "programme"),
    ("programmeId", ["", "f" * 63, "F" * 64, 1, "0" * 64], None),
    ("from", [-1, 2**53, 0.5, "0", True], "from"),
    ("codecs", [[], ["mp3"], "opus", 1, {}], "codecs"),
    ("codecs", [["opus", 1], ["opus", None]], "codecs[1]"),
    ("viz", [0, "true", []], "viz"),
    ("bufferMs", [199, 20_001, "2000", True, 0.5], "bufferMs"),
    ("client", ["x" * 65, 1, []], "client"),
]
BAD_PROGRAMME = [
    ("mode", ["dance", 1, None], "mode"),
    ("seed", [-1, 2**53, 0.5, "0", True, None], "seed"),
    ("at", ["yesterday", "2026-01-01T00:00:00", 1, None, "1800-01-01T00:00:00Z", ""], "at"),
    ("rate", [-1, 1_000_001, "1", True, None], "rate"),
    ("charts", [{}, "x", 1], "charts"),
    ("place", ["Vienna", 1, []], "place"),
    ("place", [{"lat": 91, "lon": 0}, {"lat": "0", "lon": 0}, {"lon": 0}], "place.lat"),
    ("place", [{"lat": 0, "lon": 181}, {"lat": 0}, {"lat": 0, "lon": True}], "place.lon"),
    ("controls", [[], "x", 1], "controls"),
    ("changes", [{}, "x", 1], "changes"),
    ("modelVersions", [[], "v1.0", 1], "modelVersions"),
    ("modelVersions", [{"audio": "v0.0"}, {"audio": 1}], "modelVersions.audio"),
    ("station", [1, [], {}], "station"),
]


def named_in(error: Any) -> list[str]:
    return [detail["field"] for detail in error["details"]]


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [(field, value, named) for field, values, named in BAD_HELLO for value in values],
)
def test_a_wrong_field_of_hello_is_named(
    server: Served, field: str, value: Any, named: str | None
) -> None:
    error = assert_ends(server, hello_of() | {field: value}, "VALIDATION_FAILED", BAD_MESSAGE)
    assert (named or "programme") in named_in(error)


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [(field, value, named) for field, values, named in BAD_PROGRAMME for value in values],
)
def test_a_wrong_field_of_a_programme_is_named(
    server: Served, field: str, value: Any, named: str
) -> None:
    programme = {field: value} if field == "station" else TRANSIT | {field: value}
    error = assert_ends(server, hello_of(programme), "VALIDATION_FAILED", BAD_MESSAGE)
    assert named_in(error) == [f"programme.{named}"]


def test_everything_wrong_is_named_at_once(server: Served) -> None:
    wrong = {field: (values[0], named) for field, values, named in BAD_HELLO}
    inside = {field: (values[0], named) for field, values, named in BAD_PROGRAMME}
    del wrong["programme"], wrong["programmeId"], inside["station"]
    programme = {field: value for field, (value, _) in inside.items()}
    message = hello_of(programme) | {field: value for field, (value, _) in wrong.items()}
    error = assert_ends(server, message, "VALIDATION_FAILED", BAD_MESSAGE)
    expected = [named for _, named in wrong.values()]
    expected += [f"programme.{named}" for _, named in inside.values()]
    assert sorted(named_in(error)) == sorted(expected)


def test_what_a_station_decides_may_not_be_given(server: Served) -> None:
    error = assert_ends(
        server,
        hello_of({"station": "now", "seed": 1, "mode": "transit"}),
        "VALIDATION_FAILED",
        BAD_MESSAGE,
    )
    assert sorted(named_in(error)) == ["programme.mode", "programme.seed"]


@pytest.mark.parametrize(
    "message",
    [hello_of({"station": "then"}), hello_of() | {"programmeId": "0" * 64, "programme": None}],
)
def test_what_is_not_known_closes_4004(server: Served, message: dict[str, Any]) -> None:
    known = {name: value for name, value in message.items() if value is not None}
    assert_ends(server, known, "NOT_FOUND", (4004, "no_such_programme"))


@pytest.mark.parametrize("version", [0, 2, 99])
def test_another_protocol_closes_4001(server: Served, version: int) -> None:
    assert_ends(server, hello_of(protocol=version), "BAD_VERSION", (4001, "bad_version"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "BAD_JSON"),
        ('{"type":"hello","type":"hello"}', "BAD_JSON"),
        ('{"type":"hello","from":NaN}', "BAD_JSON"),
        ('{"type":"hello","from":1e999}', "BAD_JSON"),
        ('{"type":"\\ud800"}', "BAD_JSON"),
        ("[" * 4_096, "BAD_JSON"),
        ("9" * 4_096, "BAD_JSON"),
        ("[]", "BAD_MESSAGE"),
        ("{}", "BAD_MESSAGE"),
    ],
)
def test_what_is_no_message_closes_4000(server: Served, text: str, code: str) -> None:
    assert_ends(server, text, code, BAD_MESSAGE)


def test_a_message_before_hello_or_a_second_hello_closes_4005(server: Served) -> None:
    out_of_order = (4005, "out_of_order")
    assert_ends(server, {"type": "ping", "t": 1}, "OUT_OF_ORDER", out_of_order)
    assert_ends(server, {"type": "dance"}, "OUT_OF_ORDER", out_of_order)
    with listening(server.ws_url) as listener:
        listener.say(hello_of())
        assert listener.take_text("error")["error"]["code"] == "OUT_OF_ORDER"
        assert_closed(listener, *out_of_order)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "dance"}, "UNKNOWN_TYPE"),
        ({"type": "steer"}, "VALIDATION_FAILED"),
        ({"type": "steer", "controls": {"tension": 2}}, "VALIDATION_FAILED"),
        ({"type": "steer", "controls": {}, "quantise": "soon"}, "VALIDATION_FAILED"),
        ({"type": "seek", "to": -1}, "VALIDATION_FAILED"),
        ({"type": "report", "played": "x"}, "VALIDATION_FAILED"),
    ],
)
def test_a_refused_message_leaves_the_stream_alone(
    server: Served, message: dict[str, Any], code: str
) -> None:
    with listening(server.ws_url, TRANSIT, bufferMs=200) as listener:
        listener.say(message)
        refused = listener.take_text("error")
        assert (refused["fatal"], refused["error"]["code"]) == (False, code)
        listener.take_quanta(4)


def test_binary_closes_1003(server: Served) -> None:
    with listening(server.ws_url) as listener:
        listener.connection.send(b"\x01")
        assert_closed(listener, 1003, "")


@pytest.mark.parametrize("n_bytes", [4_097, 10_000, 16_385, 100_000])
def test_too_big_closes_1009(server: Served, n_bytes: int) -> None:
    with listening(server.ws_url) as listener:
        listener.connection.send("x" * n_bytes)
        assert listener.take_close()[0] == 1009


def test_text_that_is_not_utf8_closes_1007(server: Served) -> None:
    with listening(server.ws_url) as listener:
        listener.connection.send(b"\xff\xff", text=True)
        assert listener.take_close()[0] == 1007


def test_what_a_listener_asked_before_it_left_is_not_worked_out(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def slow_seek(_programme: Any, _hello: Any, to_index: int) -> Any:
        asked.append(to_index)
        await asyncio.sleep(0.05)
        raise NotFound("nowhere")

    monkeypatch.setattr(server.engine, "seek", slow_seek)
    with listening(server.ws_url) as listener:
        for n in range(200):
            listener.say({"type": "seek", "to": n * QUANTUM_SAMPLES})
    deadline = time.monotonic() + 5
    while server.shell.listeners and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not server.shell.listeners
    assert len(asked) < 100


def test_all_this_harms_nobody_else(server: Served) -> None:
    """One listens on while others misbehave beside it."""
    with listening(server.ws_url, TRANSIT, bufferMs=200) as healthy:
        for text in ("{", "[]", json.dumps(hello_of(viz=1)), "x" * 5_000):
            with connected(server.ws_url) as bad:
                bad.connection.send(text)
                bad.take_close()
            healthy.take_quanta(1)
        healthy.say({"type": "bye"})
        assert_closed(healthy, 1000, "done")


# Our own faults ----------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["join_failure", "failure"])
def test_our_fault_closes_1011_without_a_word_of_detail(server: Served, where: str) -> None:
    setattr(server.engine, where, RuntimeError("secret"))
    with connected(server.ws_url) as listener:
        listener.say(hello_of())
        error = listener.take_text("error")
        assert error["error"]["code"] == "INTERNAL"
        assert "secret" not in json.dumps(listener.texts)
        assert_closed(listener, 1011, "internal")
    setattr(server.engine, where, None)
    with listening(server.ws_url) as listener:
        listener.take_quanta(3)


# Waits and ends ----------------------------------------------------------------------------------


def test_no_hello_in_time_closes_4104(server: Served) -> None:
    server.shell.timings = Timings(hello_ns=100_000_000)
    with connected(server.ws_url) as listener:
        assert_closed(listener, 4104, "hello_timeout")


def test_no_report_or_ping_in_time_closes_4103(server: Served) -> None:
    server.shell.timings = Timings(heartbeat_ns=800_000_000)
    with listening(server.ws_url) as listener:
        for _ in range(3):
            listener.take_for(0.3)
            listener.report()
        assert_closed(listener, 4103, "heartbeat_timeout")


def test_a_stop_tells_everyone_and_closes_1012(tmp_path: Path) -> None:
    with (
        serving(settings_in(tmp_path), SilentEngine()) as served,
        listening(served.ws_url) as listener,
    ):
        served.stop()
        assert listener.take_text("drain") == {"type": "drain", "reconnectAfterMs": 0}
        assert_closed(listener, 1012, "restart")
    assert served.engine.is_closed


def test_everyone_who_left_is_counted_by_how(server: Served) -> None:
    def ended(how: str) -> float:
        found = server.shell.metrics.registry.get_sample_value(
            "astradio_sessions_total", {"closing": how}
        )
        return found or 0.0

    before = ended("done"), ended("lost")
    with listening(server.ws_url) as listener:
        listener.say({"type": "bye"})
        assert_closed(listener, 1000, "done")
    with listening(server.ws_url):
        pass
    wait_until_empty(server)
    assert (ended("done"), ended("lost")) == (before[0] + 1, before[1] + 1)
    assert server.shell.metrics.registry.get_sample_value("astradio_listeners") == 0
