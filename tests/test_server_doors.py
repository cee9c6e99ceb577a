"""Handshakes are counted by address, in a table that nobody can fill or flush."""

from __future__ import annotations

import ipaddress
import json
from http.client import HTTPConnection as HttpConnection
from pathlib import Path

import pytest
from starlette.requests import HTTPConnection
from websockets.exceptions import InvalidStatus

from astradio_stream.server.doors import Doors, Familiar, address_of, neighbourhood
from astradio_stream.server.readiness import Readiness
from astradio_stream.wire.bucket import NS_PER_S, Rate
from tests.listener import TRANSIT, connected, listening
from tests.serving import Served, SilentEngine, serving, settings_in

RATE = Rate(50, 10)
PROXIES = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))


def admitted(doors: Doors, address: str, n_times: int, now_ns: int = 0) -> int:
    return sum(doors.knock(address, RATE, now_ns) == 0 for _ in range(n_times))


def test_an_address_may_knock_50_times_in_10_s() -> None:
    doors = Doors()
    assert admitted(doors, "192.0.2.1", 60) == 50
    assert doors.knock("192.0.2.1", RATE, 0) == NS_PER_S // 5
    assert admitted(doors, "192.0.2.1", 60, NS_PER_S) == 5
    assert admitted(doors, "192.0.2.1", 60, 60 * NS_PER_S) == 50


def test_others_do_not_pay_for_it() -> None:
    doors = Doors()
    admitted(doors, "192.0.2.1", 60)
    others = [f"198.51.100.{n}" for n in range(200)]
    # In a table of 16 384 cells, two of 200 share one with the offender in one run of 10 000.
    assert sum(admitted(doors, other, 1) for other in others) >= 199


def test_an_offender_cannot_flush_the_table_to_find_its_bucket_full() -> None:
    doors = Doors(n_cells=64)
    admitted(doors, "192.0.2.1", 60)
    for n in range(10_000):
        doors.knock(f"2001:db8:{n:x}::1", RATE, 0)
    assert len(doors) <= 64
    assert admitted(doors, "192.0.2.1", 60) == 0


def test_what_is_familiar_is_known_again_in_a_table_of_bounded_size() -> None:
    familiar = Familiar(n_cells=64)
    familiar.add("a")
    assert "a" in familiar
    assert "b" not in familiar
    for n in range(1_000):
        familiar.add(f"other {n}")
    assert sum(f"other {n}" in familiar for n in range(1_000)) <= 64


def test_who_shares_a_cell_cannot_be_known_from_outside() -> None:
    addresses = [f"192.0.2.{n}" for n in range(100)]
    seen = set()
    for _ in range(3):
        doors = Doors(n_cells=2)
        admitted(doors, addresses[0], 60)
        seen.add(tuple(doors.knock(address, RATE, 0) > 0 for address in addresses[1:]))
    assert len(seen) == 3


def test_other_limits_hold_at_once() -> None:
    doors = Doors()
    admitted(doors, "192.0.2.1", 60)
    assert doors.knock("192.0.2.1", Rate(100, 10), 0) == 0


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1:2:3", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("", "192.0.2.1", False),
    ],
)
def test_ipv6_is_counted_by_household(one: str, other: str, is_same: bool) -> None:
    assert (neighbourhood(one) == neighbourhood(other)) is is_same


def asking(peer: str | None, *forwarded: str) -> HTTPConnection:
    return HTTPConnection({
        "type": "websocket", "scheme": "ws", "path": "/stream", "query_string": b"",
        "headers": [(b"x-forwarded-for", entry.encode()) for entry in forwarded],
        "client": None if peer is None else (peer, 1), "server": ("127.0.0.1", 3000),
    })  # fmt: skip


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.1"], "192.0.2.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["203.0.113.9", "198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["203.0.113.9, nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9, nonsense, 10.9.9.9"], "10.9.9.9"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        (None, ["198.51.100.1"], ""),
    ],
)
def test_forwarded_addresses_are_read_from_the_right(
    peer: str | None, forwarded: list[str], address: str
) -> None:
    assert address_of(asking(peer, *forwarded), PROXIES) == address


# At a real server --------------------------------------------------------------------------------


def refused(server: Served, **headers: str) -> tuple[int, str, str | None]:
    with (
        pytest.raises(InvalidStatus) as caught,
        connected(server.ws_url, additional_headers=headers),
    ):
        pass
    response = caught.value.response
    assert response.body is not None
    body = json.loads(response.body)
    assert body["requestId"] == response.headers["X-Request-Id"]
    return response.status_code, body["error"]["code"], response.headers.get("Retry-After")


def test_the_51st_handshake_is_429_and_those_inside_play_on(tmp_path: Path) -> None:
    limits = {"RATE_LIMIT_MAX": "3", "RATE_LIMIT_WINDOW_S": "60"}
    with serving(settings_in(tmp_path, **limits), SilentEngine()) as server:
        with listening(server.ws_url, TRANSIT, bufferMs=200) as inside:
            for _ in range(2):
                with connected(server.ws_url):
                    pass
            status, code, retry = refused(server)
            assert (status, code) == (429, "RATE_LIMITED")
            assert retry is not None
            assert 15 <= int(retry) <= 20
            inside.take_quanta(4)
        server.change_settings(rate_limit_max=100)
        with connected(server.ws_url):
            pass


def knock(server: Served, version: str, origin: str) -> int:
    """Knock by hand; return the status."""
    connection = HttpConnection("127.0.0.1", server.port)
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": version,
        "Origin": origin,
    }
    connection.request("GET", "/stream", headers=headers)
    answer = connection.getresponse()
    body = json.loads(answer.read())
    assert body["error"]["message"]
    connection.close()
    return answer.status


def test_handshakes_are_refused_in_the_order_of_the_protocol(tmp_path: Path) -> None:
    """Whatever else is wrong: origin, then draining or full, then too many, then the version."""
    limits = {"RATE_LIMIT_MAX": "2", "RATE_LIMIT_WINDOW_S": "3600"}
    with serving(settings_in(tmp_path, **limits), SilentEngine()) as server:
        own, foreign = server.http_url, "https://evil.example"
        assert [knock(server, "12", own) for _ in range(3)] == [426, 426, 429]
        assert knock(server, "13", own) == 429
        server.shell.readiness.become(Readiness.DRAINING)
        assert knock(server, "12", own) == 503
        assert knock(server, "13", own) == 503
        assert knock(server, "12", foreign) == 403
        assert knock(server, "13", foreign) == 403


def test_who_is_refused_for_another_reason_has_not_knocked(tmp_path: Path) -> None:
    limits = {"RATE_LIMIT_MAX": "2", "RATE_LIMIT_WINDOW_S": "3600"}
    with serving(settings_in(tmp_path, **limits), SilentEngine()) as server:
        assert [knock(server, "13", "null") for _ in range(5)] == [403] * 5
        assert len(server.shell.doors) == 0
