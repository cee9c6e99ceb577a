"""The gate: hosts, other origins, headers; and a catalogue of bad input with stated answers."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from starlette.routing import Route
from websockets.exceptions import InvalidStatus

from astradio_stream.server.bodies import MAX_BODY_BYTES
from astradio_stream.server.http import SECURITY_HEADERS
from tests.listener import connected
from tests.serving import Served, SilentEngine, serving, settings_in
from tests.visitor import CHART, PASSWORD, Visitor, member, visiting

FRIEND = "https://friend.example"
T = TypeVar("T")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("server")
    environ = {"ALLOWED_ORIGINS": FRIEND, "RATE_LIMIT_MAX": "1000000"}
    with serving(settings_in(folder, **environ), SilentEngine()) as served:
        yield served


# Headers -----------------------------------------------------------------------------------------


def test_the_player_may_run_and_nothing_else(server: Served) -> None:
    headers = httpx.get(server.http_url).headers
    assert {name: headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
    policy = headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "object-src" not in policy  # default-src 'none' covers it
    for feature in ("camera", "microphone", "geolocation", "midi"):
        assert f"{feature}=()" in headers["Permissions-Policy"]
    assert "Strict-Transport-Security" not in headers


def test_https_is_remembered_only_when_it_is_https(tmp_path: Path) -> None:
    asked = {"X-Forwarded-Proto": "https", "Host": "radio.example"}
    with serving(
        settings_in(tmp_path / "a", TRUSTED_PROXIES="127.0.0.1"), SilentEngine()
    ) as behind:
        answer = httpx.get(f"{behind.http_url}/livez", headers=asked)
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        answer = httpx.get(f"{behind.http_url}/livez", headers={"Host": "radio.example"})
        assert "Strict-Transport-Security" not in answer.headers
    with serving(settings_in(tmp_path / "b"), SilentEngine()) as alone:
        answer = httpx.get(f"{alone.http_url}/livez", headers=asked)
        assert "Strict-Transport-Security" not in answer.headers


# Hosts -------------------------------------------------------------------------------------------


def test_a_server_with_a_name_answers_to_no_other(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, ALLOWED_HOSTS="Radio.example, 127.0.0.1")
    with serving(settings, SilentEngine()) as server:

        def ask(host: str, path: str = "/api/config") -> int:
            return httpx.get(server.http_url + path, headers={"Host": host}).status_code

        assert [ask(host) for host in ("radio.example", "RADIO.example:443", "127.0.0.1:3000")] == (
            [200] * 3
        )
        for host in ("evil.example", "radio.example.evil.example", "xradio.example", "localhost"):
            assert ask(host) == 400
            assert ask(host, "/livez") == ask(host, "/readyz") == ask(host, "/metrics") == 200
        with connected(server.ws_url):
            pass
        with (
            pytest.raises(InvalidStatus) as caught,
            connected(server.ws_url, additional_headers={"Host": "evil.example"}),
        ):
            pass
        assert caught.value.response.status_code == 400


@pytest.mark.parametrize("host", ["a b", "a/b", "a@b", "a:b", "[::1", "a:123456", "ä.example"])
def test_a_host_that_is_none_is_refused(server: Served, host: str) -> None:
    status, body = raw_answer(
        server, f"GET /livez HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    )
    assert (status, body["error"]["code"]) == (400, "BAD_REQUEST")


# Other origins -----------------------------------------------------------------------------------


def preflight(server: Served, origin: str) -> httpx.Response:
    headers = {
        "Origin": origin, "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type, x-csrf-token",
    }  # fmt: skip
    return httpx.options(f"{server.http_url}/api/charts", headers=headers)


def test_a_page_of_an_allowed_origin_may_ask_and_read(server: Served) -> None:
    answer = preflight(server, FRIEND)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == FRIEND
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    assert "X-CSRF-Token" in answer.headers["Access-Control-Allow-Headers"]
    answer = httpx.get(f"{server.http_url}/api/config", headers={"Origin": FRIEND})
    assert answer.headers["Access-Control-Allow-Origin"] == FRIEND
    exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert {"RateLimit", "Retry-After", "ETag", "Content-Range", "X-Request-Id"} <= exposed
    assert answer.headers["Vary"] == "Origin"
    refused = httpx.post(f"{server.http_url}/api/charts", headers={"Origin": FRIEND}, json={})
    assert refused.status_code == 401
    assert refused.headers["Access-Control-Allow-Origin"] == FRIEND


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"{FRIEND}.evil.example", "*"])
def test_no_other_page_may_read(server: Served, origin: str) -> None:
    refused = preflight(server, origin)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "ORIGIN_REFUSED")
    answer = httpx.get(f"{server.http_url}/api/config", headers={"Origin": origin})
    assert answer.status_code == 200
    for headers in (refused.headers, answer.headers):
        assert not [name for name in headers if name.lower().startswith("access-control")]
        assert headers["Vary"] == "Origin"  # a cache must not give a friend's answer to others


def test_options_alone_is_no_method_of_ours(server: Served) -> None:
    answer = httpx.options(f"{server.http_url}/api/charts")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


# A catalogue of bad input ------------------------------------------------------------------------

CPU_S = 0.050
"""What any of it may cost (seconds of CPU, of this process: the server, and who asks)."""

JSON = {"Content-Type": "application/json"}
LOGIN = json.dumps({"email": "a@b.c", "password": "x"}).encode()

TOO_LARGE = "PAYLOAD_TOO_LARGE"
NO_JSON = "UNSUPPORTED_MEDIA_TYPE"
INVALID = "VALIDATION_FAILED"
HEAD_TOO_LARGE = "HEADERS_TOO_LARGE"

# name: (body, headers, status, code)
# fmt: off
BODIES: dict[str, tuple[bytes, dict[str, str], int, str]] = {
    "empty":                  (b"", JSON, 400, "BAD_JSON"),
    "blank":                  (b"  \n", JSON, 400, "BAD_JSON"),
    "null":                   (b"null", JSON, 422, INVALID),
    "a list":                 (b"[]", JSON, 422, INVALID),
    "a list of lists":        (b"[[{}]]", JSON, 422, INVALID),
    "a string":               (b'"x"', JSON, 422, INVALID),
    "a number":               (b"1", JSON, 422, INVALID),
    "true":                   (b"true", JSON, 422, INVALID),
    "10 000 levels":          (b"[" * 10_000 + b"]" * 10_000, JSON, 400, "BAD_JSON"),
    "10 000 objects":         (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, JSON, 400, "BAD_JSON"),
    "levels without an end":  (b"[" * 65_000, JSON, 400, "BAD_JSON"),
    "33 levels":              (b'{"a":' * 33 + b"1" + b"}" * 33, JSON, 400, "BAD_JSON"),
    "NaN":                    (b'{"lat": NaN}', JSON, 400, "BAD_JSON"),
    "Infinity":               (b'{"lat": -Infinity}', JSON, 400, "BAD_JSON"),
    "1e400":                  (b'{"lat": 1e400}', JSON, 400, "BAD_JSON"),
    "100 000 digits":         (b'{"lat": ' + b"9" * 100_000 + b"}", JSON, 413, TOO_LARGE),
    "60 000 digits":          (b'{"lat": ' + b"9" * 60_000 + b"}", JSON, 400, "BAD_JSON"),
    "60 000 decimals":        (b'{"lat": 0.' + b"9" * 60_000 + b"}", JSON, 422, INVALID),
    "a lone surrogate":       (b'{"name": "\\ud800"}', JSON, 400, "BAD_JSON"),
    "raw surrogate bytes":    (b'{"name": "\xed\xa0\x80"}', JSON, 400, "BAD_JSON"),
    "doubled keys":           (b'{"lat": 1, "lat": 2}', JSON, 400, "BAD_JSON"),
    "two values":             (b"{}{}", JSON, 400, "BAD_JSON"),
    "single quotes":          (b"{'lat': 1}", JSON, 400, "BAD_JSON"),
    "UTF-16":                 ('{"lat": 1}'.encode("utf-16"), JSON, 400, "BAD_JSON"),
    "a byte order mark":      (b"\xef\xbb\xbf{}", JSON, 400, "BAD_JSON"),
    "no UTF-8":               (b'{"name": "\xff"}', JSON, 400, "BAD_JSON"),
    "NUL in a name":          (b'{"name": "a\\u0000b"}', JSON, 422, INVALID),
    "8 000 keys":             (json.dumps({f"k{n}": n for n in range(4_000)}).encode(), JSON,
                               422, INVALID),
    "gzip":                   (gzip.compress(b"{}"), JSON | {"Content-Encoding": "gzip"},
                               415, NO_JSON),
    "identity twice":         (b"{}", JSON | {"Content-Encoding": "identity, identity"},
                               415, NO_JSON),
    "no type":                (b"{}", {}, 415, NO_JSON),
    "a form":                 (b"lat=1", {"Content-Type": "application/x-www-form-urlencoded"},
                               415, NO_JSON),
    "text that is JSON":      (b"{}", {"Content-Type": "text/plain"}, 415, NO_JSON),
    "another charset":        (b"{}", {"Content-Type": "application/json; charset=utf-16"},
                               415, NO_JSON),
    "a charset that is none": (b"{}", {"Content-Type": "application/json; charset="},
                               415, NO_JSON),
    "too long":               (b" " * (MAX_BODY_BYTES + 1), JSON, 413, TOO_LARGE),
    "far too long":           (b" " * 3_000_000, JSON, 413, TOO_LARGE),
}
# fmt: on


def cheaply(ask: Callable[[], T]) -> T:
    """Return an answer that cost little; a machine that was busy may try again."""
    costs_s = []
    for _ in range(3):
        before_s = time.process_time()
        answer = ask()
        costs_s.append(time.process_time() - before_s)
        if costs_s[-1] < CPU_S:
            return answer
    raise AssertionError(f"it cost {costs_s} s")


@pytest.fixture(scope="module")
def ada(server: Served) -> Iterator[Visitor]:
    with member(server) as visitor:
        yield visitor


def assert_one_shape(status: int, text: str, headers: Any, expected: int, code: str) -> None:
    body = json.loads(text)
    assert (status, body["error"]["code"]) == (expected, code)
    assert set(body) == {"error", "requestId"}
    assert set(body["error"]) <= {"code", "message", "details"}
    assert body["error"]["message"]
    assert len(text) < 2_000
    assert headers["X-Request-Id"] == body["requestId"]


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/charts"), ("PATCH", "/api/charts/none"), ("POST", "/api/auth/login"),
     ("POST", "/api/auth/register")],
)  # fmt: skip
def test_a_bad_body_has_its_stated_answer(ada: Visitor, name: str, method: str, path: str) -> None:
    body, headers, status, code = BODIES[name]
    if method == "PATCH" and (status, code) == (422, INVALID) and body[:1] == b"{":
        status, code = 404, "NOT_FOUND"  # there is no such chart to change
    headers = ada.headers | headers
    answer = cheaply(lambda: ada.client.request(method, path, content=body, headers=headers))
    assert_one_shape(answer.status_code, answer.text, answer.headers, status, code)


def is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("path", ["/api/auth/logout", "/api/compose"])
def test_pages_that_need_no_field_refuse_the_same(server: Served, name: str, path: str) -> None:
    """Here any object is right; there is no account that a logout could end."""
    body, headers, status, code = BODIES[name]
    with visiting(server) as visitor:
        headers = visitor.headers | headers
        answer = cheaply(lambda: visitor.client.post(path, content=body, headers=headers))
    if path == "/api/auth/logout" and (not body or (status == 422 and is_object(body))):
        assert (answer.status_code, answer.json()["user"]) == (200, None)
        return
    if status == 422 and is_object(body):
        status, code = 404, "NOT_FOUND"  # the engine of these tests has no instruments
    assert_one_shape(answer.status_code, answer.text, answer.headers, status, code)


@pytest.mark.parametrize("name", BODIES)
def test_an_order_without_cookies_is_json_whatever_its_type(server: Served, name: str) -> None:
    body, headers, status, code = BODIES[name]
    url = f"{server.http_url}/api/compose"
    with httpx.Client() as stranger:  # made beforehand: it is no cost of the server's
        answer = cheaply(lambda: stranger.post(url, content=body, headers=headers))
    if is_object(body) and status in (415, 422) and "Content-Encoding" not in headers:
        status, code = 404, "NOT_FOUND"  # the engine of these tests has no instruments
    elif status == 415 and "Content-Encoding" not in headers:
        status, code = 400, "BAD_JSON"
    assert_one_shape(answer.status_code, answer.text, answer.headers, status, code)


def test_no_page_that_reads_json_is_left_out(server: Served, ada: Visitor) -> None:
    """Whatever pages there are: what is no object at all is refused by each in the same way."""
    described = httpx.get(f"{server.http_url}/openapi.json").json()
    pages = [
        (method.upper(), path.replace("{id}", "none"), page["requestBody"]["required"])
        for path, methods in described["paths"].items()
        for method, page in methods.items()
        if "requestBody" in page
    ]
    assert len(pages) >= 6
    for method, path, needs_body in pages:
        for body, headers, status, code in BODIES.values():
            if is_object(body) or not (body or needs_body):
                continue
            sent = ada.headers | headers
            answer = ada.client.request(method, path, content=body, headers=sent)
            assert_one_shape(answer.status_code, answer.text, answer.headers, status, code)


@pytest.mark.parametrize("content_type", [
    "application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"',
    "application/problem+json",
])  # fmt: skip
def test_json_has_several_spellings(ada: Visitor, content_type: str) -> None:
    answer = ada.client.post(
        "/api/charts", content=json.dumps(CHART),
        headers=ada.headers | {"Content-Type": content_type},
    )  # fmt: skip
    assert answer.status_code == 201


def raw_answer(server: Served, request: bytes) -> tuple[int, dict[str, Any]]:
    """Send bytes; return status and body of what comes until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as peer:
        with contextlib.suppress(OSError):  # it closed while we were still talking
            peer.sendall(request)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while data := peer.recv(65_536):
                answer += data
    head, _, text = answer.partition(b"\r\n\r\n")
    body, _ = json.JSONDecoder().raw_decode(text.decode())  # of the first answer
    return int(head.split()[1]), body


HEAD = b"POST /api/auth/login HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
REST = b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"

# name: (bytes, status, code)
# fmt: off
RAW: dict[str, tuple[bytes, int, str]] = {
    "two hosts":           (HEAD + b"Host: b\r\n\r\n", 400, "BAD_REQUEST"),
    "two origins":         (HEAD + b"Origin: http://a\r\nOrigin: http://b\r\n\r\n",
                            400, "BAD_REQUEST"),
    "both lengths":        (HEAD + b"Content-Length: 4\r\n" + CHUNKED + b"\r\n0\r\n\r\n",
                            400, "BAD_REQUEST"),
    "two lengths":         (HEAD + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\n",
                            400, "BAD_REQUEST"),
    "a length of letters": (HEAD + b"Content-Length: 0x4\r\n\r\n", 400, "BAD_REQUEST"),
    "a huge length":       (HEAD + b"Content-Length: 99999999999999999999\r\n\r\n", 413, TOO_LARGE),
    "a strange encoding":  (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 400, "BAD_REQUEST"),
    "200 headers":         (HEAD + b"".join(b"X-%d: x\r\n" % n for n in range(200)) + b"\r\n",
                            431, HEAD_TOO_LARGE),
    "20 000 in headers":   (HEAD + b"X: " + b"x" * 20_000 + b"\r\n\r\n", 431, HEAD_TOO_LARGE),
    "60 000 headers":      (HEAD + b"a:\r\n" * 60_000 + b"\r\n", 431, HEAD_TOO_LARGE),
    "headers for ever":    (HEAD + b"X-Long: " + b"x" * 1_000_000, 431, HEAD_TOO_LARGE),
    "a long address":      (b"GET /" + b"a" * 9_000 + REST,
                            431, HEAD_TOO_LARGE),
    "a long query":        (b"GET /api/chart?lat=" + b"9" * 9_000
                            + REST, 431, HEAD_TOO_LARGE),
    "a NUL in a header":   (HEAD + b"X: a\0b\r\n\r\n", 400, "BAD_REQUEST"),
    "a folded header":     (HEAD + b"Content-Type: application/json\r\n ; charset=utf-16\r\n"
                            b"Content-Length: 2\r\n\r\n{}", 415, NO_JSON),
    "a blank before colon": (HEAD + b"X : a\r\n\r\n", 400, "BAD_REQUEST"),
    "HTTP/2 in the clear": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "BAD_REQUEST"),
}
# fmt: on


@pytest.mark.parametrize("name", RAW)
def test_a_bad_head_has_its_stated_answer(server: Served, name: str) -> None:
    request, status, code = RAW[name]
    got, body = cheaply(lambda: raw_answer(server, request))
    assert (got, body["error"]["code"]) == (status, code)
    assert body["requestId"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/chart?datetime=1990-01-01T12:00&tz=../../etc/passwd&lat=1&lon=1",
        "/api/chart?datetime=%00&tz=%ff&lat=nan&lon=1e400",
        "/api/chart?lat=1&lat=2",
        "/api/chart?" + "&".join(f"a{n}=1" for n in range(1_000)),
        "/api/chart?" + "lat=1&" * 1_000,
        "/api/sky?from=" + "9" * 5_000,
        "/api/sky?hours=-1",
        "/api/places?q=%ED%A0%80&limit=1e400",
        "/api/places",
        "/api/places?q=",
        "/api/places?q=a&limit=0",
        "/api/sky?from=%00",
        "/api/sky?from=2024-02-30T00:00Z",
        "/api/sky?from=9999-12-31T23:59Z&hours=1e9",
        "/api/sky?hours=nan",
        "/api/sky?hours=" + "9" * 5_000,
        "/api/chart",
        "/api/chart?datetime=2024-03-31T02:30&tz=Europe/Berlin&lat=1&lon=1&fold=2",
        "/api/chart?datetime=1990-01-01&tz=posixrules&lat=1&lon=1",
        "/api/chart?datetime=1990-01-01T12:00Z&lat=1&lon=1&houses=__class__",
        "/api/chart?datetime=-0001-01-01T12:00Z&lat=1&lon=1",
        "/api/chart?datetime=1990-01-01T12:00Z&lat=%D9%A1&lon=1_0",
        "/api/places?q=" + "%F0%9F%98%80" * 600,
    ],
)
def test_a_bad_query_is_422(server: Served, path: str) -> None:
    httpx.get(f"{server.http_url}/api/places?q=berlin")  # the towns are read by then
    with httpx.Client(base_url=server.http_url) as client:
        answer = cheaply(lambda: client.get(path))
    assert_one_shape(answer.status_code, answer.text, answer.headers, 422, INVALID)


@pytest.mark.parametrize(
    "query",
    [
        "%00=%ff", "=", "&&&", "a=1&a=2", "%", "%zz", "viz=%ED%A0%80", ";", "__proto__=x",
        "&".join(f"a{n}=1" for n in range(1_000)), "x=" + "%F0%9F%98%80" * 600,
    ],
)  # fmt: skip
def test_no_query_breaks_a_page_that_reads_none(ada: Visitor, server: Served, query: str) -> None:
    reads = {"/api/chart", "/api/sky", "/api/places"}
    pages = [
        route.path
        for route in server.app.routes
        if isinstance(route, Route) and route.path not in reads and "{" not in route.path
        if "GET" in (route.methods or ())
    ]
    assert len(pages) >= 10
    for path in [*pages, "/media/audio/x", "/static/main.js", "/api/charts/x", "/nowhere"]:
        plain = ada.get(path)
        answer = cheaply(lambda path=path: ada.get(f"{path}?{query}"))
        assert answer.status_code == plain.status_code, path
        assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "chart_id",
    ["..", "%2e%2e%2f", "%00", "' OR 1=1 --", "x" * 5_000, "%F0%9F%98%80", "%ff", "{id}"],
)
def test_no_id_leads_elsewhere(ada: Visitor, chart_id: str) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        content = b"{}" if method == "PATCH" else None
        answer = ada.client.request(
            method, f"/api/charts/{chart_id}", content=content, headers=ada.headers | JSON
        )
        assert answer.status_code in (404, 405)
        assert answer.json()["error"]["code"] in ("NOT_FOUND", "METHOD_NOT_ALLOWED")


def test_a_body_that_never_ends_is_cut_and_is_no_error_of_ours(
    server: Served, caplog: pytest.LogCaptureFixture
) -> None:
    """Chunk after chunk: refused as soon as it is too long."""
    head = HEAD + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    with caplog.at_level("ERROR"):
        status, body = raw_answer(
            server,
            head
            + b"1000\r\n"
            + b" " * 4_096
            + b"\r\n"
            + (b"1000\r\n" + b" " * 4_096 + b"\r\n") * 40
            + b"0\r\n\r\n",
        )
        assert (status, body["error"]["code"]) == (413, TOO_LARGE)
    assert not caplog.records


def test_who_leaves_in_the_middle_of_a_body_is_no_error_of_ours(
    server: Served, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        head = HEAD + b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        with socket.create_connection(("127.0.0.1", server.port), 10) as peer:
            peer.sendall(head)
            peer.shutdown(socket.SHUT_WR)
            peer.recv(65_536)
        httpx.get(f"{server.http_url}/livez")
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_what_was_refused_changed_nothing(server: Served, ada: Visitor) -> None:
    """After all of the above the server is as it was."""
    assert ada.get("/readyz").json()["state"] == "READY"
    assert ada.login(password=PASSWORD).status_code == 200
