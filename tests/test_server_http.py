"""HTTP as promised: ids, headers, one shape of error, probes, and the player's files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from astradio_stream import __version__
from astradio_stream.errors import (
    AstradioError,
    BadJson,
    CodecUnavailable,
    Detail,
    NotFound,
    Overloaded,
    ValidationFailed,
)
from astradio_stream.server.http import STATUS_OF_CODE
from astradio_stream.server.logs import FORMATTERS
from astradio_stream.server.pages import MEDIA_TYPES, load_pages
from astradio_stream.server.readiness import Readiness
from astradio_stream.stream.versions import VERSIONS
from tests.listener import listening
from tests.serving import Served, SilentEngine, serving, settings_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

REQUEST_ID = re.compile(r"req_[0-9a-f]{16}")


class Secret(Exception):
    """An error that nobody expected."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("server")
    settings = settings_in(folder, RATE_LIMIT_MAX="1000000")
    with serving(settings, SilentEngine()) as served:
        yield served


@pytest.fixture
def client(server: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.http_url) as client:
        yield client


def assert_refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status
    body: dict[str, Any] = answer.json()
    assert body["requestId"] == answer.headers["X-Request-Id"]
    assert body["error"]["code"] == code
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/json"
    error: dict[str, Any] = body["error"]
    return error


# Every answer ------------------------------------------------------------------------------------

ANY_PATHS = ["/", "/static/main.js", "/livez", "/metrics", "/api/status", "/nope", "/stream"]


@pytest.mark.parametrize("path", ANY_PATHS)
def test_every_answer_has_an_id_and_security_headers(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert REQUEST_ID.fullmatch(headers["X-Request-Id"])
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "Server" not in headers


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [
        ("my-request_1", True),
        ("a" * 64, True),
        ("short", False),
        ("a" * 65, False),
        ("with blank", False),
        ("abcdefg;", False),
    ],
)
def test_a_clients_own_id_is_kept_if_it_is_harmless(
    client: httpx.Client, given: str, is_kept: bool
) -> None:
    answer = client.get("/livez", headers={"X-Request-Id": given})
    assert (answer.headers["X-Request-Id"] == given) is is_kept
    assert answer.json()["requestId"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize("path", ["/nope", "/static/nope.js", "/livez/", "/api", "/static/"])
def test_an_unknown_page_is_404_in_the_one_shape(client: httpx.Client, path: str) -> None:
    assert_refused(client.get(path), 404, "NOT_FOUND")


@pytest.mark.parametrize("path", ["/", "/static/main.js", "/livez", "/readyz", "/api/status"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_another_method_is_405_with_allow(client: httpx.Client, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert_refused(answer, 405, "METHOD_NOT_ALLOWED")
    assert {m.strip() for m in answer.headers["Allow"].split(",")} == {"GET", "HEAD"}


def test_a_plain_request_for_the_stream_is_426(client: httpx.Client) -> None:
    answer = client.get("/stream")
    assert_refused(answer, 426, "UPGRADE_REQUIRED")
    assert answer.headers["Upgrade"] == "websocket"  # RFC 9110 §15.5.22
    assert answer.headers["Connection"] == "Upgrade"


ERRORS: list[tuple[Exception, int, str]] = [
    (BadJson("x"), 400, "BAD_JSON"),
    (NotFound("x"), 404, "NOT_FOUND"),
    (ValidationFailed([Detail("charts[0].lat", "why")]), 422, "VALIDATION_FAILED"),
    (Overloaded("x", 1.5), 503, "OVERLOADED"),
    (AstradioError("secret"), 500, "INTERNAL"),
    (CodecUnavailable("secret"), 500, "INTERNAL"),
    (Secret("secret"), 500, "INTERNAL"),
]


@pytest.mark.parametrize(("error", "status", "code"), ERRORS)
def test_errors_of_our_own_have_their_status(
    tmp_path: Path, error: Exception, status: int, code: str
) -> None:
    async def fail(_request: Request) -> Any:
        raise error

    with serving(settings_in(tmp_path), SilentEngine()) as served:
        served.app.router.add_route("/fail", fail)
        answer = httpx.get(f"{served.http_url}/fail")
        refused = assert_refused(answer, status, code)
        assert "secret" not in answer.text
        if code == "VALIDATION_FAILED":
            assert refused["details"] == [{"field": "charts[0].lat", "message": "why"}]
        assert answer.headers.get("Retry-After") == ("2" if status == 503 else None)
        assert httpx.get(f"{served.http_url}/livez").status_code == 200


# Probes ------------------------------------------------------------------------------------------


def test_livez_says_that_the_process_turns(client: httpx.Client) -> None:
    assert client.get("/livez").json()["alive"] is True


def test_readyz_has_the_fields_of_the_contract(client: httpx.Client) -> None:
    answer = client.get("/readyz")
    body = answer.json()
    assert answer.status_code == 200
    assert set(body) == {
        "ready", "state", "since", "timestamp", "version", "checks", "requestId",
    }  # fmt: skip
    assert (body["ready"], body["state"], body["version"]) == (True, "READY", __version__)
    assert body["checks"]["store_writable"] is True
    assert answer.headers["Cache-Control"] == "no-store"


def test_with_the_viz_engine_off_the_server_is_ready(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, ENABLE_VIZ_ENGINE="false")
    with serving(settings, SilentEngine()) as served:
        body = httpx.get(f"{served.http_url}/readyz").json()
        assert (body["ready"], body["checks"]["viz_engine_loaded"]) == (True, False)
        assert httpx.get(f"{served.http_url}/api/config").json()["viz"] is False


def test_a_draining_server_is_alive_but_not_ready(tmp_path: Path) -> None:
    with serving(settings_in(tmp_path), SilentEngine()) as served:
        served.shell.readiness.become(Readiness.DRAINING)
        answer = httpx.get(f"{served.http_url}/readyz")
        assert (answer.status_code, answer.json()["state"]) == (503, "DRAINING")
        assert httpx.get(f"{served.http_url}/livez").status_code == 200
        assert httpx.get(f"{served.http_url}/api/status").json()["retryAfterMs"] > 0


def test_status_counts_listeners(server: Served, client: httpx.Client) -> None:
    with listening(server.ws_url):
        body = client.get("/api/status").json()
    assert body["listeners"] >= 1
    assert (body["state"], body["retryAfterMs"], body["capacity"]) == ("READY", 0, 2_000)


def test_config_has_the_flags_for_the_page(client: httpx.Client) -> None:
    body = client.get("/api/config").json()
    assert {"viz", "stations", "modes", "modelVersions", "limits"} <= body.keys()
    assert "now" in body["stations"]
    assert body["modelVersions"]["audio"] == VERSIONS["audio"][-1]


def test_metrics_count_answers_by_class(client: httpx.Client) -> None:
    client.get("/nope")
    answer = client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'astradio_http_responses_total{class="4xx"}' in answer.text
    assert "astradio_quantum_lateness_seconds_bucket" in answer.text


# The player's files ------------------------------------------------------------------------------


def test_the_player_is_served(client: httpx.Client) -> None:
    answer = client.get("/?viz=0")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.text.lower().startswith("<!doctype html>")


def test_every_file_that_the_page_names_is_served(client: httpx.Client) -> None:
    named = re.findall(r'(?:src|href)="(/static/[^"]+)"', client.get("/").text)
    assert named
    for path in named:
        answer = client.get(path)
        assert answer.status_code == 200
        if path.endswith(".js"):
            assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize("path", ["/", "/static/main.js", "/livez", "/metrics"])
def test_head_is_get_without_a_body(client: httpx.Client, path: str) -> None:
    answer = client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Type"] == client.get(path).headers["Content-Type"]


def test_a_page_that_has_not_changed_is_not_sent_again(client: httpx.Client) -> None:
    etag = client.get("/").headers["ETag"]
    for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        answer = client.get("/", headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["ETag"] == etag
    assert client.get("/", headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/static/../pyproject.toml",
        "/static/%2e%2e/pyproject.toml",
        "/static/..%2fpyproject.toml",
        "/static//etc/passwd",
        "/static/%00",
        "/static/index.html/",
    ],
)
def test_nothing_else_is_served(server: Served, path: str) -> None:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", path)
    assert connection.getresponse().status == 404
    connection.close()


def test_hidden_files_and_tests_are_not_served(tmp_path: Path) -> None:
    for name in ("index.html", "a/b.js", ".git/x.js", "tests/t.js", "notes.txt", "a/.hidden.css"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    pages = load_pages(tmp_path)
    assert set(pages) == {"index.html", "a/b.js"}
    assert pages["a/b.js"].media_type == MEDIA_TYPES[".js"]


# The docs ----------------------------------------------------------------------------------------

DOCS = Path(__file__).parent.parent / "docs" / "HTTP.md"


def test_the_docs_list_every_error_code_and_its_status() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (\d{3})", DOCS.read_text(), re.MULTILINE)
    assert {code: int(status) for code, status in rows} == STATUS_OF_CODE


def test_the_docs_list_every_endpoint(server: Served) -> None:
    written = set(re.findall(r"^\| `[A-Z, ]+ (/[a-z./]*)", DOCS.read_text(), re.MULTILINE))
    routes = {getattr(route, "path", "").split("{")[0] for route in server.app.routes}
    assert written == routes


def test_the_line_that_says_ready_tells_all_checks_as_they_are(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"), serving(settings_in(tmp_path), SilentEngine()) as served:
        checks = httpx.get(f"{served.http_url}/readyz").json()["checks"]
    (said,) = (record for record in caplog.records if record.getMessage() == "READY")
    line = FORMATTERS["line"]().format(said)
    assert all(checks.values())
    assert [name for name in checks if f"{name}=True" not in line] == []
