"""What is no HTTP, too long or too slow: refused in the one shape, or cut off."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from astradio_stream.server.http import SECURITY_HEADERS
from astradio_stream.server.malformed import PageProtocol
from tests.listener import listening
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
    settings = settings_in(tmp_path_factory.mktemp("server"), RATE_LIMIT_MAX="1000000")
    with serving(settings, SilentEngine()) as served:
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


def test_a_slow_body_is_cut_off_and_the_page_hears_of_it(
    server: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(PageProtocol, "request_s", 0.1)
    with (
        caplog.at_level(logging.ERROR),
        socket.create_connection(("127.0.0.1", server.port), 10) as peer,
    ):
        peer.sendall(
            b"POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            b"Content-Length: 9\r\n\r\n{"
        )
        assert peer.recv(65_536) == b""
    assert not caplog.records


def test_who_pipes_too_much_behind_a_request_is_cut_off(server: Served) -> None:
    request = b"GET /api/places?q=rome HTTP/1.1\r\nHost: a\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), 10) as peer:
        peer.sendall(request + b"GET /livez HTTP/1.1\r\n" + b"a:\r\n" * 30_000 + b"\r\n")
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while data := peer.recv(65_536):
                answer += data
    assert b"200 OK" not in answer.partition(b"livez")[2]


def reluctant(port: int) -> socket.socket:
    """Connect with hardly any room for answers."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    peer.settimeout(10)
    peer.connect(("127.0.0.1", port))
    return peer


def test_who_takes_no_answer_is_cut_off_and_who_is_slow_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PageProtocol, "sending_s", 0.3)

    async def big(_request: Request) -> Response:
        return Response(b"x" * 60_000_000)

    request = b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n"
    with (
        serving(settings_in(tmp_path), SilentEngine()) as server,
        reluctant(server.port) as deaf,
        socket.create_connection(("127.0.0.1", server.port), 10) as slow,
    ):
        server.app.router.add_route("/big", big)
        deaf.sendall(request)
        slow.sendall(request)
        n_taken, end = 0, time.monotonic() + 1.0
        while time.monotonic() < end:
            n_taken += len(slow.recv(65_536))
            time.sleep(0.002)
        assert 0 < n_taken < 60_000_000
        n_connections = len(server.server.server_state.connections)
        assert n_connections == 1  # the slow one
        with contextlib.suppress(ConnectionResetError):
            while deaf.recv(65_536):  # what the kernel held, then the end
                pass


@pytest.mark.parametrize("kind", ["head", "body", "read"])
def test_two_hundred_slow_ones_harm_nobody(server: Served, kind: str) -> None:
    """Slow headers, slow bodies, slow readers: a listener hears on, a page is answered."""
    part = {
        "head": b"GET / HTTP/1.1\r\nHost: a\r\nX-",
        "body": b"POST /api/auth/login HTTP/1.1\r\nHost: a\r\n"
                b"Content-Type: application/json\r\nContent-Length: 900\r\n\r\n{",
        "read": b"GET /static/main.js HTTP/1.1\r\nHost: a\r\n\r\n" * 20,
    }[kind]  # fmt: skip
    url = f"http://127.0.0.1:{server.port}/livez"
    with contextlib.ExitStack() as attackers, listening(server.ws_url) as inside:
        with httpx.Client() as client:
            alone_s = sorted(time_of(client, url) for _ in range(30))[15]
            for _ in range(200):
                peer = attackers.enter_context(reluctant(server.port))
                peer.sendall(part)
            beside_s = sorted(time_of(client, url) for _ in range(30))[15]
        inside.take_quanta(10)
    assert beside_s < 5 * alone_s + 0.02


def time_of(client: httpx.Client, url: str) -> float:
    """Return how long an answer takes (seconds)."""
    began_s = time.perf_counter()
    assert client.get(url).status_code == 200
    return time.perf_counter() - began_s
