"""Every page with every answer that it may give, recorded and held against the description.

The schemas are closed for this: a field that the description does not know is a mistake, too.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest

from astradio_stream.errors import AuthRequired, Overloaded, StoreUnavailable
from astradio_stream.server.readiness import Readiness
from astradio_stream.store import blocks
from tests.serving import Served
from tests.studios import TRANSIT, composing
from tests.visitor import BIRTH, CHART, PASSWORD, Visitor, visiting

SHORT = TRANSIT | {"durationS": 1}
NATAL = {"mode": "natal", "charts": [BIRTH], "durationS": 1}
LONG_HEADER = {"X-Long": "x" * 20_000}
JSON_TYPE = {"Content-Type": "application/json"}
ASKED: dict[str, Any] = {
    "/api/compat/search": {"chart": {"chartId": "none"}},
    "/api/compat/pair": {"charts": [{"chartId": "none"}, BIRTH]},
    "/api/blocks": {"chartId": "none"},
}
"""What pages are asked that would not find an empty body worth a look into the database."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data_dir: Any) -> Iterator[Served]:
    with composing(tmp_path_factory.mktemp("recorded"), data_dir) as served:
        yield served


@pytest.fixture(scope="module")
def described(server: Served) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{server.http_url}/openapi.json").json()
    return found


def closed(schema: Any) -> Any:
    """Return a schema whose objects have no field but those that it names."""
    if isinstance(schema, list):
        return [closed(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: closed(inner) for name, inner in schema.items()}
    is_object = made.get("type") == "object" and made.get("properties")
    if is_object and "additionalProperties" not in made:
        made["additionalProperties"] = False
    return made


class Record:
    """What was answered, each answer checked as it comes."""

    def __init__(self, described: dict[str, Any]) -> None:
        self._paths = described["paths"]
        self._components = closed(described["components"])
        self.statuses: Counter[tuple[str, str, int]] = Counter()
        """(method, path as described, status) -> how often."""
        self.codes: Counter[tuple[str, str, str]] = Counter()
        """(method, path as described, code of an error) -> how often."""
        self.wrong: set[str] = set()
        """What is not as described."""

    def take(self, answer: httpx.Response) -> None:
        """Check an answer, and note it."""
        answer.read()
        method, path = answer.request.method.lower(), self._described(answer.request.url.path)
        told = self._paths[path][method]["responses"].get(str(answer.status_code))
        assert told is not None, f"{method} {path} does not tell of {answer.status_code}"
        self.statuses[method, path, answer.status_code] += 1
        for name, header in told["headers"].items():
            assert name in answer.headers or not header.get("required"), (method, path, name)
        if answer.status_code >= 400 and "Retry-After" in told["headers"]:
            is_probe = path == "/readyz"
            assert is_probe or int(answer.headers["Retry-After"]) >= 1
        if "content" not in told:
            assert answer.content == b""
            return
        kind = answer.headers["Content-Type"].split(";")[0]
        schemas = {known.split(";")[0]: media for known, media in told["content"].items()}
        assert kind in schemas, f"{method} {path} does not tell of {kind}"
        if kind != "application/json" or answer.status_code == 206:
            return
        body = answer.json()
        schema = closed(schemas[kind].get("schema", {})) | {"components": self._components}
        where = f"{method} {path} {answer.status_code}"
        for error in jsonschema_rs.validator_for(schema).iter_errors(body):
            self.wrong.add(f"{where} {error.instance_path}: {error.message[:300]}")
        if "error" in body:
            assert answer.headers["Cache-Control"] == "no-store"
            self.codes[method, path, body["error"]["code"]] += 1

    def _described(self, path: str) -> str:
        """Return the path of the description that stands for a path."""
        if path in self._paths:
            return path
        for known in self._paths:
            pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(known))
            if re.fullmatch(pattern, path):
                return str(known)
        raise AssertionError(f"{path} is not described")


def told_codes(described: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Return every (method, path, code of an error) of the description."""
    found = set()
    for path, methods in described["paths"].items():
        for method, page in methods.items():
            for status, told in page["responses"].items():
                if int(status) >= 400 and re.fullmatch(
                    "[A-Z_]+( or [A-Z_]+)*", told["description"]
                ):
                    found |= {(method, path, code) for code in told["description"].split(" or ")}
    return found


@contextlib.contextmanager
def failing_store(server: Served, error: Exception, *kinds: str) -> Iterator[None]:
    """Let every question to the database fail, or every change."""

    async def fail(_question: Any) -> Any:
        raise error

    store = server.app.state.desk.store
    with pytest.MonkeyPatch.context() as patch:
        for kind in kinds or ("read", "write"):
            patch.setattr(store, kind, fail)
        yield


def test_every_answer_is_as_described(server: Served, described: dict[str, Any]) -> None:
    record = Record(described)
    hooks = {"response": [record.take]}
    with visiting(server) as ada, httpx.Client(base_url=server.http_url, timeout=60) as curl:
        ada.client.timeout = httpx.Timeout(60)
        ada.client.event_hooks = curl.event_hooks = hooks
        what_goes_well(server, ada, curl)
        for method, path in operations(described):
            what_every_page_refuses(ada, described, method, path)
        what_some_pages_refuse(server, ada, curl)
        what_the_world_refuses(server, ada, curl, described)
        ada.client.event_hooks = {}
    assert sorted(record.wrong) == []
    untold = {
        (method, path, int(status))
        for path, methods in described["paths"].items()
        for method, page in methods.items()
        for status in page["responses"]
    } - set(record.statuses)
    # What is our mistake has the shape of all errors: tests/test_server_http.py.
    assert {row for row in untold if row[2] != 500} == set()
    missing = told_codes(described) - set(record.codes)
    assert {row for row in missing if row[2] != "INTERNAL"} == set()


def operations(described: dict[str, Any]) -> list[tuple[str, str]]:
    return [(m.upper(), path) for path, methods in described["paths"].items() for m in methods]


def what_goes_well(server: Served, ada: Visitor, curl: httpx.Client) -> None:
    for path in (
        "/", "/static/main.js", "/livez", "/readyz", "/metrics", "/api/status", "/api/config",
        "/api/places?q=berlin", "/api/sky?from=2024-01-01T00:00Z&hours=200", "/openapi.json",
        "/docs", "/api/chart?datetime=1990-06-15T14:30&tz=Europe/Berlin&lat=52.5&lon=13.4",
        "/api/chart?datetime=1990-06-15&tz=Europe/Berlin&lat=52.5&lon=13.4",
        "/api/chart?datetime=1990-06-15T12:00Z&lat=78&lon=13&houses=koch",
    ):  # fmt: skip
        curl.get(path)
    for path in ("/", "/static/main.js", "/openapi.json", "/docs"):
        assert curl.get(path, headers={"If-None-Match": "*"}).status_code == 304
    assert ada.register().status_code == 201
    assert ada.login().status_code == 200
    chart_id = ada.save(fold=0)
    assert ada.get("/api/auth/session").status_code == 200
    ada.get("/api/charts")
    ada.get(f"/api/charts/{chart_id}")
    ada.send("PATCH", f"/api/charts/{chart_id}", {"visibility": "public"})
    for answer in (
        curl.get("/api/compat/health"),
        curl.post("/api/compat/search", json={"chart": BIRTH}),
        ada.get(f"/api/compat/search?chartId={chart_id}"),
        curl.post("/api/compat/pair", json={"charts": [BIRTH, {"chartId": chart_id}]}),
    ):
        assert answer.status_code == 200, answer.text
    orders: list[dict[str, Any]] = [SHORT, NATAL, {"mode": "sandbox"}, {"station": "now"}]
    for n, body in enumerate(orders):
        told = ada.post("/api/compose", body | {"durationS": 1}, **{"Idempotency-Key": f"well-{n}"})
        assert told.status_code == 200, told.text
    for kind in ("audio", "viz", "midi"):
        url = told.json()[kind]["url"]
        assert curl.get(url).status_code == 200
        assert curl.get(url, headers={"Range": "bytes=0-1"}).status_code == 206
        assert curl.get(url, headers={"If-None-Match": "*"}).status_code == 304
        assert curl.get(url, headers={"Range": "bytes=99999999-"}).status_code == 416
    assert ada.post("/api/midi", SHORT).status_code == 200
    ada.get("/api/account/export")
    other = Visitor(server.http_url)
    with contextlib.closing(other.client):
        other.client.event_hooks = ada.client.event_hooks
        other.register()
        assert other.get(f"/api/charts/{chart_id}").json()["signs"]["sun"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(blocks, "MOST_BLOCKS", 0)
            assert other.post("/api/blocks", {"chartId": chart_id}).status_code == 409
        blocked = other.post("/api/blocks", {"chartId": chart_id})
        assert blocked.status_code == 201
        assert other.get("/api/blocks").json()["blocks"][0]["id"] == blocked.json()["id"]
        assert other.get("/api/account/export").json()["blocks"][0]["chartId"] == chart_id
        assert other.send("DELETE", f"/api/blocks/{blocked.json()['id']}").status_code == 204
        assert ada.send("DELETE", f"/api/charts/{chart_id}").status_code == 204
        assert other.post("/api/auth/logout").status_code == 200
        other.login()
        assert other.send("DELETE", "/api/account").status_code == 204


def what_every_page_refuses(
    ada: Visitor, described: dict[str, Any], method: str, path: str
) -> None:
    page = described["paths"][path][method.lower()]
    path = at(path)
    assert ada.send(method, path, Host="a b").status_code == 400
    assert ada.send(method, path, **LONG_HEADER).status_code == 431
    if method != "GET":
        assert ada.send(method, path, Origin="http://evil.example").status_code == 403
        assert ada.send(method, path, **{"X-CSRF-Token": "x"}).status_code == 403
    if "requestBody" in page:
        headers = ada.headers | JSON_TYPE
        for content, status in ((b"{", 400), (b"[]", 422), (b" " * 70_000, 413)):
            answer = ada.client.request(method, path, content=content, headers=headers)
            assert answer.status_code == status
        answer = ada.client.request(method, path, content=b"{}", headers=ada.headers)
        assert answer.status_code == 415


def at(path: str) -> str:
    """Return a path that may be asked."""
    named = {"{kind}/{name}": f"midi/{'0' * 64}.mid", "{path}": "none.js", "{id}": "none"}
    for name, value in named.items():
        path = path.replace(name, value)
    return path


def what_some_pages_refuse(server: Served, ada: Visitor, curl: httpx.Client) -> None:
    for path in ("/api/chart", "/api/sky?hours=x", "/api/places"):
        assert curl.get(path).status_code == 422
    for path in ("/static/none.js", f"/media/midi/{'0' * 64}.mid", "/api/charts/none"):
        assert curl.get(path).status_code == 404
    for method, path in (
        ("GET", "/api/charts"), ("POST", "/api/charts"), ("PATCH", "/api/charts/none"),
        ("DELETE", "/api/charts/none"), ("GET", "/api/account/export"), ("DELETE", "/api/account"),
        ("GET", "/api/blocks"), ("POST", "/api/blocks"), ("DELETE", "/api/blocks/none"),
    ):  # fmt: skip
        assert curl.request(method, path, json={}).status_code == 401
    for method in ("PATCH", "DELETE"):
        assert ada.send(method, "/api/charts/none", {}).status_code == 404
    for path in ("/api/compose", "/api/midi"):
        assert ada.post(path, {"station": "none"}).status_code == 404
    assert ada.get("/api/compat/search?chartId=none").status_code == 404
    assert ada.get("/api/compat/search").status_code == 422
    assert ada.send("DELETE", "/api/blocks/none").status_code == 404
    for path, body in ASKED.items():
        assert ada.post(path, body).status_code == 404
    assert ada.register().status_code == 409
    wrong = ada.credentials(password=PASSWORD[::-1])
    assert curl.post("/api/auth/login", json=wrong).status_code == 401
    key = {"Idempotency-Key": "recorded"}
    assert ada.post("/api/charts", CHART, **key).status_code == 201
    assert ada.post("/api/charts", CHART | {"name": "Bob"}, **key).status_code == 409
    assert ada.post("/api/compose", SHORT, **key).status_code == 200
    assert ada.post("/api/compose", SHORT | {"seed": 5}, **key).status_code == 409


def what_the_world_refuses(
    server: Served, ada: Visitor, curl: httpx.Client, described: dict[str, Any]
) -> None:
    def try_all(code: str) -> None:
        for method, path, told in sorted(told_codes(described)):
            if told == code:
                body = ada.credentials() if "/auth/" in path else ASKED.get(path, {})
                asked = at(path) + ("?chartId=none" if path == "/api/compat/search" else "")
                answer = ada.send(method.upper(), asked, body if method != "get" else None)
                assert answer.json()["error"]["code"] == code, (method, path, answer.text)

    with failing_store(server, StoreUnavailable("later", 2.0, "it was broken by a test")):
        try_all("STORE_UNAVAILABLE")
    with failing_store(server, Overloaded("later", 2.0)):
        try_all("OVERLOADED")
    with failing_store(server, AuthRequired("the account is gone"), "write"):
        assert ada.post("/api/compose", SHORT).status_code == 401
    limits = server.shell.settings.rate_limit_max, server.shell.settings.rate_limit_window_s
    server.change_settings(rate_limit_max=1, rate_limit_window_s=86_400)
    curl.get("/api/config")
    try_all("RATE_LIMITED")
    server.change_settings(rate_limit_max=limits[0], rate_limit_window_s=limits[1])
    state = server.shell.readiness.state
    server.shell.readiness.become(Readiness.DRAINING)
    assert curl.get("/readyz").status_code == 503
    try_all("DRAINING")
    assert state is Readiness.READY
