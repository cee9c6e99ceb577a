"""The nginx that we ship, in front of a real server: TLS, the stream, liars and the slow."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from websockets.sync.client import connect

from tests.listener import hello_of
from tests.serving import Served, SilentEngine, serving, settings_in

CONF = Path(__file__).parent.parent / "ops" / "nginx.conf"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")

pytestmark = pytest.mark.skipif(
    not (NGINX and shutil.which("openssl")) and "CI" not in os.environ,
    reason="nginx and openssl are not installed",
)


@dataclass
class Front:
    """An nginx that runs."""

    served: Served
    plain_port: int
    tls_port: int

    def ask(self, path: str, *headers: str, host: str = "radio.example") -> tuple[int, str, str]:
        """Ask over TLS; return status, head and body."""
        head = [f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close", *headers, "", ""]
        with self.connected(host) as peer:
            peer.sendall("\r\n".join(head).encode())
            return answer_on(peer)

    def say(self, request: str) -> tuple[int, str, str]:
        """Say anything over TLS, an empty line after it; return status, head and body."""
        with self.connected() as peer:
            peer.sendall(f"{request}\r\n".encode())
            return answer_on(peer)

    def connected(self, host: str = "radio.example") -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", self.tls_port), 20)
        return trusting().wrap_socket(plain, server_hostname=host)


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def answer_on(peer: socket.socket) -> tuple[int, str, str]:
    """Return status, head and body of an answer, as soon as it is whole."""
    raw, length = b"", None
    while length is None or len(raw) < length:
        raw += (data := peer.recv(65_536))
        head, _, body = raw.decode().partition("\r\n\r\n")
        if body and (told := re.search(r"content-length: (\d+)", head.lower())):
            length = len(head) + 4 + int(told[1])
        if not data:
            break
    return int(head.split()[1]), head, body


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("nginx")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
         "-subj", "/CN=radio.example", "-keyout", "privkey.pem", "-out", "fullchain.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    environ = {
        "ALLOWED_HOSTS": "radio.example", "TRUSTED_PROXIES": "127.0.0.1",
        "RATE_LIMIT_MAX": "30", "RATE_LIMIT_WINDOW_S": "3600",
    }  # fmt: skip
    plain_port, tls_port = free_port(), free_port()
    with serving(settings_in(folder, **environ), SilentEngine()) as served:
        # The file as it is, but for what its head says to change, ports, and shorter waiting.
        text = CONF.read_text()
        for before, after in (
            ("/etc/ssl/radio.example", str(folder)),
            ("127.0.0.1:3000", f"127.0.0.1:{served.port}"),
            ("listen 80", f"listen 127.0.0.1:{plain_port}"),
            ("listen 443", f"listen 127.0.0.1:{tls_port}"),
            ("/var/cache/nginx/astradio", str(folder / "cache")),
            ("client_header_timeout 10s", "client_header_timeout 1s"),
            ("client_body_timeout   10s", "client_body_timeout   1s"),
        ):
            assert before in text
            text = text.replace(before, after)
        written = folder / "nginx.conf"
        written.write_text(f"pid {folder}/nginx.pid;\n{text}")
        command = [
            str(NGINX),
            "-p",
            str(folder),
            "-e",
            str(folder / "error.log"),
            "-c",
            str(written),
        ]
        subprocess.run([*command, "-t"], check=True, capture_output=True)
        with subprocess.Popen([*command, "-g", "daemon off;"]) as process:
            try:
                wait_for(tls_port)
                yield Front(served, plain_port, tls_port)
            finally:
                process.terminate()


def wait_for(port: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise AssertionError("nginx did not start")


def wait_for_silence(port: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return
        time.sleep(0.02)
    raise AssertionError("the server did not stop")


def test_pages_come_over_tls_and_are_remembered_as_such(front: Front) -> None:
    status, head, body = front.ask("/api/auth/session")
    assert status == 200
    assert json.loads(body)["user"] is None
    assert head.lower().count("x-request-id") == head.lower().count("cache-control") == 1
    assert "strict-transport-security: max-age=31536000" in head.lower()
    assert "; HttpOnly; Secure; SameSite=Lax; Path=/" in head


def test_plain_http_leads_to_tls(front: Front) -> None:
    with socket.create_connection(("127.0.0.1", front.plain_port), 10) as peer:
        peer.sendall(b"GET /x?y HTTP/1.1\r\nHost: radio.example\r\nConnection: close\r\n\r\n")
        status, head, _ = answer_on(peer)
    assert (status, "Location: https://radio.example/x?y" in head) == (308, True)


def test_another_name_gets_no_answer(front: Front) -> None:
    with pytest.raises(ssl.SSLError):
        front.connected("evil.example").close()
    asked = b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    nameless = b"GET / HTTP/1.1\r\n\r\n"
    for request in (
        asked,
        nameless,
        b"\x16\x03\r\n\r\n",
        b"GET /" + b"x" * 9_000 + b" HTTP/1.1\r\n",
    ):
        with socket.create_connection(("127.0.0.1", front.plain_port), 10) as peer:
            assert_silent(peer, request)
    with socket.create_connection(("127.0.0.1", front.tls_port), 10) as peer:
        assert_silent(peer, asked)  # without TLS
    for request in (asked, nameless):
        with front.connected() as peer:  # the right name to TLS, another one to HTTP
            assert_silent(peer, request)


def assert_silent(peer: socket.socket, request: bytes) -> None:
    peer.sendall(request)
    with contextlib.suppress(ConnectionResetError):
        assert peer.recv(100) == b""


def assert_refused(answer: tuple[int, str, str], status: int, code: str) -> None:
    got, head, text = answer
    body = json.loads(text)
    assert (got, body["error"]["code"]) == (status, code)
    assert f"X-Request-Id: {body['requestId']}" in head
    assert "Content-Type: application/json" in head
    assert "Cache-Control: no-store" in head


HEAD = "Host: radio.example\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    "request_text",
    [
        "no words of HTTP\r\n",
        "GET / HTTP/3.7\r\n" + HEAD,
        "GET /%zz HTTP/1.1\r\n" + HEAD,
        "GET /../../etc HTTP/1.1\r\n" + HEAD,
        "GET / HTTP/1.1\r\nHost: radio.example\r\n" + HEAD,
        "GET / HTTP/1.1\r\nX\x01: 1\r\n" + HEAD,
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n" + HEAD,
        "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n" + HEAD,
    ],
)
def test_what_is_no_request_is_refused_in_the_shape_of_all_errors(
    front: Front, request_text: str
) -> None:
    assert_refused(front.say(request_text), 400, "BAD_REQUEST")


def test_a_method_that_nginx_does_not_take_is_refused_as_the_server_does(front: Front) -> None:
    answer = front.say("TRACE / HTTP/1.1\r\n" + HEAD)
    assert_refused(answer, 405, "METHOD_NOT_ALLOWED")
    assert "Allow: GET, HEAD, POST, PATCH, DELETE, OPTIONS" in answer[1]
    assert front.ask("/refused/no_method")[0] == 404  # only nginx itself goes there


def test_metrics_stay_inside(front: Front) -> None:
    assert front.ask("/metrics")[0] == 404
    assert front.ask("/readyz")[0] == 200


def test_a_listener_hears_through_it(front: Front) -> None:
    with connect(
        "ws://radio.example/stream", sock=front.connected(),
        origin="https://radio.example", subprotocols=["astradio.v1"], close_timeout=0.2,  # type: ignore[list-item]
    ) as peer:  # fmt: skip
        peer.send(json.dumps(hello_of()))
        quanta = 0
        while quanta < 3:
            quanta += isinstance(peer.recv(10), bytes)


def test_nobody_lies_about_an_address(front: Front) -> None:
    def left(*headers: str) -> int:
        _, head, _ = front.ask("/api/config", *headers)
        found = re.search(r'"address";r=(\d+)', head)
        assert found is not None
        return int(found[1])

    first = left()
    assert [left(f"X-Forwarded-For: 203.0.113.{n}") for n in (1, 2)] == [first - 1, first - 2]
    assert left("X-Forwarded-For: 203.0.113.3, 127.0.0.1") == first - 3


def test_the_slow_are_cut_off_before_they_reach_the_server(front: Front) -> None:
    n_before = len(front.served.server.server_state.connections)
    with front.connected() as slow_head, front.connected() as slow_body:
        slow_head.sendall(b"GET / HTTP/1.1\r\nHost: radio.example\r\nX-")
        slow_body.sendall(
            b"POST /api/auth/login HTTP/1.1\r\nHost: radio.example\r\n"
            b"Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
        )
        time.sleep(0.3)
        assert len(front.served.server.server_state.connections) <= n_before
        for peer in (slow_head, slow_body):
            with contextlib.suppress(OSError):
                while peer.recv(65_536):
                    pass


def test_what_is_too_large_does_not_reach_the_server(front: Front) -> None:
    assert_refused(front.ask("/", "X-Long: " + "x" * 9_000), 431, "HEADERS_TOO_LARGE")
    assert_refused(front.ask("/?q=" + "x" * 9_000), 431, "HEADERS_TOO_LARGE")
    with front.connected() as peer:
        peer.sendall(
            b"POST /api/charts HTTP/1.1\r\nHost: radio.example\r\nConnection: close\r\n"
            b"Content-Length: 3000000\r\n\r\n"
        )
        assert_refused(answer_on(peer), 413, "PAYLOAD_TOO_LARGE")


def test_a_server_that_is_away_is_our_fault(front: Front) -> None:
    """The same file, with nobody behind it."""
    assert_refused(front.ask("/metrics"), 404, "NOT_FOUND")
    front.served.stop()
    wait_for_silence(front.served.port)
    refused = front.ask("/api/config")
    assert_refused(refused, 503, "OVERLOADED")
    assert "Retry-After: 2" in refused[1]
