"""Who asks for a WebSocket and gets none: the status, and a body of the contract's shape."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from email.message import Message
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from astradio_stream.server.readiness import Readiness
from tests.listener import TRANSIT, connected, hello_of, listening
from tests.serving import Served, SilentEngine, serving, settings_in, wait_until_empty


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("server")
    settings = settings_in(folder, ALLOWED_ORIGINS="https://friend.example")
    with serving(settings, SilentEngine()) as served:
        yield served


def refused_before_upgrade(url: str, **headers: str) -> tuple[int, Any, Any]:
    with (
        pytest.raises(InvalidStatus) as caught,
        connected(url, additional_headers=headers or None),
    ):
        pass
    response = caught.value.response
    assert response.body is not None
    body = json.loads(response.body)
    assert body["requestId"] == response.headers["X-Request-Id"]
    return response.status_code, body["error"]["code"], response.headers


def test_an_unknown_path_is_404_with_a_body(server: Served) -> None:
    status, code, _ = refused_before_upgrade(server.ws_url.replace("/stream", "/nope"))
    assert (status, code) == (404, "NOT_FOUND")


def assert_names_the_upgrade(headers: Message) -> None:
    """RFC 9110 §15.5.22: a 426 says which protocol is spoken, and §7.8 for which connection."""
    assert headers["Upgrade"] == "websocket"
    assert "upgrade" in re.split(r",\s*", headers["Connection"].lower())


def test_a_handshake_for_another_protocol_too_is_426_with_a_body(server: Served) -> None:
    connection = HTTPConnection("127.0.0.1", server.port)
    connection.putrequest("GET", "/stream")
    for upgrade in ("h2c", "websocket"):
        connection.putheader("Upgrade", upgrade)
    connection.putheader("Connection", "Upgrade")
    connection.putheader("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    connection.putheader("Sec-WebSocket-Version", "13")
    connection.endheaders()
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    assert (answer.status, body["error"]["code"]) == (426, "UPGRADE_REQUIRED")
    assert_names_the_upgrade(answer.headers)


@pytest.mark.parametrize("version", ["12", "14", "x", ""])
def test_another_websocket_version_is_426_with_a_body(server: Served, version: str) -> None:
    connection = HTTPConnection("127.0.0.1", server.port)
    connection.request(
        "GET",
        "/stream",
        headers={
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version": version,
        },
    )
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    assert (answer.status, body["error"]["code"]) == (426, "UPGRADE_REQUIRED")
    assert answer.headers["Sec-WebSocket-Version"] == "13"
    assert_names_the_upgrade(answer.headers)
    assert answer.headers["X-Request-Id"] == body["requestId"]
    assert answer.headers.get_all("Content-Type") == ["application/json"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://friend.example", "x"])
def test_a_foreign_page_is_403(server: Served, origin: str) -> None:
    status, code, _ = refused_before_upgrade(server.ws_url, Origin=origin)
    assert (status, code) == (403, "ORIGIN_REFUSED")


def test_our_own_page_and_a_friend_may_listen(server: Served) -> None:
    for origin in (server.http_url, "https://friend.example", "https://FRIEND.example:443"):
        with connected(server.ws_url, additional_headers={"Origin": origin}) as listener:
            listener.say(hello_of())
            listener.take_text("ready")


def test_a_full_server_refuses_with_503_and_serves_those_inside(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, ASTRADIO_MAX_LISTENERS="2")
    with serving(settings, SilentEngine()) as server:
        with listening(server.ws_url), listening(server.ws_url, TRANSIT, bufferMs=200) as inside:
            assert server.shell.readiness.state is Readiness.OVERLOADED
            status, code, headers = refused_before_upgrade(server.ws_url)
            assert (status, code, headers["Retry-After"]) == (503, "OVERLOADED", "2")
            inside.take_quanta(4)
        wait_until_empty(server)
        assert server.shell.readiness.state is Readiness.READY
        with listening(server.ws_url) as welcome:
            welcome.take_quanta(1)


def test_a_draining_server_refuses_with_503(tmp_path: Path) -> None:
    with serving(settings_in(tmp_path), SilentEngine()) as served:
        served.shell.readiness.become(Readiness.DRAINING)
        status, code, headers = refused_before_upgrade(served.ws_url)
        assert (status, code, headers["Retry-After"]) == (503, "DRAINING", "2")
