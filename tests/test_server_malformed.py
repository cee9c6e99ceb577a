"""What is no HTTP, too long or too slow: refused in the one shape, or cut off."""

from __future__ import annotations

import json
import logging
import socket
from typing import TYPE_CHECKING, Any

import pytest

from astradio_stream.server.http import SECURITY_HEADERS
from astradio_stream.server.malformed import PageProtocol
from tests.serving import Served, SilentEngine, serving, settings_in

if TYPE_CHECKING:
    from collections.abc import Iterator

UPGRADE = (
    b"GET /stream HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\n"
)
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(settings_in(tmp_path_factory.mktemp("server")), SilentEngine()) as served:
        yield served


def answer_to(server: Served, request: bytes) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Send bytes; return status, headers and body of what comes until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as peer:
        peer.sendall(request)
        answer = b""
        try:
            while data := peer.recv(65_536):
                answer += data
        except ConnectionResetError:  # it closed on bytes of ours that it had not read
            pass
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(first.split()[1]), headers, json.loads(body)


def assert_early_refusal(server: Served, request: bytes, status: int, code: str) -> dict[str, str]:
    before = server.shell.metrics.http_responses.labels("4xx")._value.get()
    got, headers, body = answer_to(server, request)
    assert (got, body["error"]["code"]) == (status, code)
    assert headers["x-request-id"] == body["requestId"].lower()
    assert headers["content-type"] == "application/json"
    assert headers["cache-control"] == "no-store"
    assert all(name.lower() in headers for name in SECURITY_HEADERS)
    assert server.shell.metrics.http_responses.labels("4xx")._value.get() == before + 1
    return headers


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    ],
    ids=["tls", "no-host", "two-hosts", "blank-in-path", "negative-length"],
)
def test_what_is_no_http_is_400(server: Served, request_bytes: bytes) -> None:
    assert_early_refusal(server, request_bytes, 400, "BAD_REQUEST")


def test_a_header_without_end_is_431(server: Served) -> None:
    request = b"GET /livez HTTP/1.1\r\nHost: a\r\nX-Long: " + b"a" * 300_000
    assert_early_refusal(server, request, 431, "HEADERS_TOO_LARGE")


@pytest.mark.parametrize("name", ["key", "twice", "garbage", "protocol", "origins"])
def test_a_bad_handshake_is_400(server: Served, name: str) -> None:
    lines = {
        "key": b"",
        "twice": KEY + KEY,
        "garbage": b"Sec-WebSocket-Key: zz\r\n",
        "protocol": KEY + b"Sec-WebSocket-Protocol: ,;\r\n",
        "origins": KEY + b"Origin: http://a\r\nOrigin: http://b\r\n",
    }[name]
    request = UPGRADE + b"X-Request-Id: my-own-id\r\n" + lines + b"\r\n"
    headers = assert_early_refusal(server, request, 400, "BAD_REQUEST")
    assert headers["x-request-id"] == "my-own-id"


def test_a_handshake_by_post_is_405(server: Served) -> None:
    request = UPGRADE.replace(b"GET", b"POST") + KEY + b"\r\n"
    assert assert_early_refusal(server, request, 405, "METHOD_NOT_ALLOWED")["allow"] == "get"


def test_a_handshake_with_a_body_is_refused_and_not_left_hanging(server: Served) -> None:
    request = UPGRADE + KEY + b"Content-Length: 5\r\n\r\nhello"
    assert_early_refusal(server, request, 400, "BAD_REQUEST")


def test_a_handshake_with_long_headers_is_refused_and_not_left_hanging(server: Served) -> None:
    request = UPGRADE + KEY + b"X-Long: " + b"a" * 20_000 + b"\r\n\r\n"
    assert_early_refusal(server, request, 431, "HEADERS_TOO_LARGE")
    request = UPGRADE.replace(b"/stream", b"/stream?" + b"a" * 20_000) + KEY + b"\r\n"
    assert_early_refusal(server, request, 431, "HEADERS_TOO_LARGE")


def test_a_refused_handshake_is_no_error_of_the_server(
    server: Served, caplog: pytest.LogCaptureFixture
) -> None:
    request = UPGRADE + KEY + b"Origin: http://evil.example\r\n\r\n"
    with caplog.at_level(logging.WARNING, "uvicorn.error"):
        assert answer_to(server, request)[0] == 403
        assert answer_to(server, UPGRADE.replace(b"/stream", b"/x") + KEY + b"\r\n")[0] == 404
    assert not caplog.records


def test_a_broken_body_is_no_error_of_the_server(
    server: Served, caplog: pytest.LogCaptureFixture
) -> None:
    request = b"POST /livez HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    with caplog.at_level(logging.ERROR):
        assert answer_to(server, request)[0] == 400
        assert (
            answer_to(server, b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")[0]
            == 200
        )
    assert not caplog.records


@pytest.mark.parametrize(
    "part",
    [
        b"",
        b"GET /livez HTTP/1.1\r\n",
        b"POST /nope HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx",
        b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\nGET /livez HTTP/1.1\r\n",
    ],
    ids=["nothing", "half-a-head", "half-a-body", "half-of-the-second"],
)
def test_a_request_that_does_not_arrive_is_cut_off(
    server: Served, monkeypatch: pytest.MonkeyPatch, part: bytes
) -> None:
    monkeypatch.setattr(PageProtocol, "request_s", 0.1)
    with socket.create_connection(("127.0.0.1", server.port), 10) as peer:
        peer.sendall(part)
        while peer.recv(65_536):
            pass


def test_a_stream_outlives_the_limit_for_requests(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PageProtocol, "request_s", 0.05)
    with socket.create_connection(("127.0.0.1", server.port), 10) as peer:
        peer.sendall(UPGRADE + KEY + b"\r\n")
        assert peer.recv(65_536).startswith(b"HTTP/1.1 101")
        peer.settimeout(0.3)
        with pytest.raises(TimeoutError):
            peer.recv(65_536)
