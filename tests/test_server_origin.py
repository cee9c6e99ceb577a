"""Origins are compared as scheme, host and port; nothing else counts."""

from __future__ import annotations

import ipaddress

import pytest
from starlette.requests import HTTPConnection

from astradio_stream.server.origin import is_origin_allowed

FRIENDS = (("https", "friend.example", 443),)
PROXIES = (ipaddress.ip_network("10.0.0.0/8"),)


def connection(scheme: str = "ws", peer: str = "192.0.2.1", **headers: str) -> HTTPConnection:
    raw = [
        (name.replace("_", "-").encode(), value.encode("latin-1"))
        for name, value in ({"host": "radio.example:3000"} | headers).items()
    ]
    return HTTPConnection({
        "type": "websocket", "scheme": scheme, "path": "/stream", "query_string": b"",
        "headers": raw, "client": (peer, 1), "server": ("127.0.0.1", 3000),
    })  # fmt: skip


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("http://radio.example:3000", True),
        ("HTTP://RADIO.example:3000", True),
        ("http://radio.example", False),
        ("http://radio.example:3001", False),
        ("https://radio.example:3000", False),
        ("http://radio.example:3000.evil.example", False),
        ("http://evil.example/radio.example:3000", False),
        ("http://radio.example:3000@evil.example", False),
        ("https://friend.example", True),
        ("https://friend.example:443", True),
        ("http://friend.example", False),
        ("https://friend.example.evil.example", False),
        ("https://sub.friend.example", False),
        ("null", False),
        ("", False),
        ("*", False),
        ("file://", False),
    ],
)
def test_origin_is_compared_by_value(origin: str, is_allowed: bool) -> None:
    assert is_origin_allowed(connection(origin=origin), FRIENDS, ()) is is_allowed


def test_a_request_of_no_page_may_listen() -> None:
    assert is_origin_allowed(connection(), (), ())


def test_only_a_trusted_proxy_may_say_https() -> None:
    behind = {"host": "radio.example", "x_forwarded_proto": "https"}
    asked = {"origin": "https://radio.example"} | behind
    assert is_origin_allowed(connection(peer="10.1.2.3", **asked), (), PROXIES)
    assert not is_origin_allowed(connection(peer="192.0.2.1", **asked), (), PROXIES)
    assert not is_origin_allowed(connection(peer="10.1.2.3", **asked), (), ())


def test_a_host_that_is_none_is_refused() -> None:
    assert not is_origin_allowed(connection(host="a b", origin="http://a"), (), ())
