"""The description of the interface: whole, true, and readable."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
from starlette.routing import Route

from astradio_stream.server import openapi_asked, orders
from astradio_stream.server.limits import cost_of
from astradio_stream.server.openapi import document
from astradio_stream.sky.civil import zone_names
from tests.pieces import BERLIN, BY_MODE
from tests.serving import Served, settings_in
from tests.studios import TRANSIT, composing
from tests.visitor import member

NOT_PAGES = {"/stream"}
"""The WebSocket, which OpenAPI has no words for; it is told of in the description."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Served]:
    """One whose pieces last three seconds at the most, and that promises three time zones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(orders, "LONGEST_S", 3)
        patch.setattr(orders, "DEFAULT_DURATION_S", 2)
        zones = ("Asia/Kathmandu", "Europe/Berlin", "UTC")
        patch.setattr(openapi_asked, "zone_names", lambda: zones)
        with composing(tmp_path_factory.mktemp("openapi"), data_dir) as served:
            yield served


@pytest.fixture(scope="module")
def described(server: Served) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{server.http_url}/openapi.json").json()
    return found


def schema_of(described: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a schema that stands by itself."""
    return {"$ref": f"#/components/schemas/{name}", "components": described["components"]}


def is_valid(described: dict[str, Any], name: str, value: Any) -> bool:
    return bool(jsonschema_rs.is_valid(schema_of(described, name), value))


# Whole ------------------------------------------------------------------------------------------


def test_every_page_is_described_with_its_methods(
    server: Served, described: dict[str, Any]
) -> None:
    answered: dict[str, set[str]] = {}
    for route in server.app.routes:
        if isinstance(route, Route) and route.path not in NOT_PAGES:
            path = re.sub(r":[a-z]+}", "}", route.path)
            methods = (route.methods or {"POST"}) - {"HEAD"}  # compose answers by itself
            answered.setdefault(path, set()).update(method.lower() for method in methods)
    assert {path: set(methods) for path, methods in described["paths"].items()} == answered


def test_every_schema_is_one_and_every_name_leads_to_one(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1.")
    for name, schema in described["components"]["schemas"].items():
        jsonschema_rs.meta.validate(schema)
        jsonschema_rs.validator_for(schema_of(described, name))
    names = re.findall(r"'#/components/schemas/(\w+)'", str(described))
    assert set(names) <= set(described["components"]["schemas"])
    ids = [
        operation["operationId"]
        for methods in described["paths"].values()
        for operation in methods.values()
    ]
    assert len(set(ids)) == len(ids)


def test_every_answer_that_is_charged_tells_how_the_buckets_stand(
    server: Served, described: dict[str, Any]
) -> None:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            is_charged = cost_of(method.upper(), path) > 0
            for status, answer in operation["responses"].items():
                told = {"RateLimit", "RateLimit-Policy"} & answer["headers"].keys()
                assert bool(told) is is_charged, (method, path, status)
                sure = status not in ("400", "431", "500")
                assert all(answer["headers"][name]["required"] is sure for name in told)
    with member(server) as ada:
        answers = [httpx.get(f"{server.http_url}/api/config"), ada.get("/api/charts")]
    for answer in answers:
        for name in ("RateLimit", "RateLimit-Policy"):
            assert is_valid(described, name.replace("-", ""), answer.headers[name])
    assert "account" in answers[1].headers["RateLimit"]


# True -------------------------------------------------------------------------------------------


def test_orders_are_described_as_they_are_read(
    described: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_valid(described, "ComposeRequest", {"mode": "transit", "seed": 123})
    assert is_valid(described, "ComposeRequest", {"station": "now", "durationS": 3})
    assert not is_valid(described, "ComposeRequest", {"station": "now", "seed": 1})
    assert not is_valid(described, "ComposeRequest", {"durationS": 0.5})
    monkeypatch.setattr(openapi_asked, "zone_names", zone_names)
    offered = document(dataclasses.replace(settings_in(tmp_path), default_audio_model="v1.1"))
    for body in BY_MODE.values():
        assert is_valid(offered, "ComposeRequest", body)
    assert is_valid(offered, "ComposeRequest", {"mode": "natal", "charts": [{"chartId": "x"}]})
    assert not is_valid(offered, "ComposeRequest", {"mode": "natal"})
    assert not is_valid(offered, "ComposeRequest", {"mode": "natal", "charts": [BERLIN] * 2})
    assert not is_valid(offered, "ComposeRequest", BY_MODE["natal"] | {"rate": 1})
    older = document(dataclasses.replace(settings_in(tmp_path), default_audio_model="v1.0"))
    assert not is_valid(older, "ComposeRequest", BY_MODE["natal"])  # v1.0 plays no births
    new = {"modelVersions": {"audio": "v1.1"}}
    assert is_valid(older, "ComposeRequest", BY_MODE["natal"] | new)
    old = {"modelVersions": {"audio": "v1.0"}}
    assert is_valid(offered, "ComposeRequest", TRANSIT | old)
    assert not is_valid(offered, "ComposeRequest", BY_MODE["natal"] | old)


# fmt: off
DATES = [
    ("2026-11-23T22:51:00Z",       True),
    ("2026-11-23T23:51+01:00",     True),
    ("2000-02-29T00:00Z",          True),
    ("1900-02-29T00:00Z",          False),
    ("2026-02-29T00:00Z",          False),
    ("2026-04-31T00:00Z",          False),
    ("2026-11-23T24:00Z",          False),
    ("2026-11-23T22:51:60Z",       False),
    ("2026-11-23T22:51:00",        False),
    ("2026-11-23",                 False),
    ("1700-01-01T00:00Z",          False),
    ("2026-11-23T22:51:00.1234567Z", False),
]
# fmt: on


@pytest.mark.parametrize(("at", "is_right"), DATES)
def test_dates_are_described_as_they_are_read(
    server: Served, described: dict[str, Any], at: str, is_right: bool
) -> None:
    assert is_valid(described, "ComposeRequest", {"at": at}) is is_right
    body = {"at": at, "durationS": 1}
    answer = httpx.post(f"{server.http_url}/api/compose", json=body, timeout=30)
    assert answer.status_code == (200 if is_right else 422)


def ask(server: Served, folder: Path, *options: str) -> None:
    """Let schemathesis ask the server whatever the description allows, and what it does not."""
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{server.http_url}/openapi.json",
        "--no-color", "--continue-on-failure", "--suppress-health-check=all",
        "--generation-deterministic", *options,
    ]  # fmt: skip
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout[-8_000:] + found.stderr[-2_000:]
    counted = re.search(r"^  (\d+) generated", found.stdout, re.MULTILINE)
    assert counted is not None
    assert int(counted[1]) >= 60


def test_schemathesis_finds_nothing(server: Served, tmp_path: Path) -> None:
    ask(
        server, tmp_path, "--checks=all", "--max-examples=4",
        "--exclude-path-regex=^/api/(compose|midi)$",
    )  # fmt: skip


@pytest.mark.parametrize("path", ["/api/compose", "/api/midi"])
def test_schemathesis_finds_nothing_with_orders(server: Served, tmp_path: Path, path: str) -> None:
    # Its phase of coverage has thousands of orders, one for each value of each list.
    ask(
        server, tmp_path, "--checks=all", "--max-examples=60", "--phases=fuzzing",
        f"--include-path={path}",
    )  # fmt: skip


def test_schemathesis_finds_nothing_with_an_account(server: Served, tmp_path: Path) -> None:
    with member(server) as visitor:
        visitor.save()
        cookies = "; ".join(f"{name}={value}" for name, value in visitor.client.cookies.items())
        ask(
            server, tmp_path, "--checks=all", "--max-examples=4",
            "--exclude-checks=negative_data_rejection",  # what it leaves out these headers add
            f"--header=Cookie: {cookies}",
            f"--header=X-CSRF-Token: {visitor.headers['X-CSRF-Token']}",
            f"--header=Origin: {server.http_url}",
            "--include-path-regex=^/api/(charts|account/|auth/session)",
        )  # fmt: skip


# Readable ---------------------------------------------------------------------------------------


class Reader(HTMLParser):
    """Notes what a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_page_for_people_needs_nobody_else(server: Served, described: dict[str, Any]) -> None:
    answer = httpx.get(f"{server.http_url}/docs")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    reader = Reader()
    reader.feed(answer.text)
    assert {"script", "style", "iframe", "img"}.isdisjoint(tag for tag, _ in reader.tags)
    ids = {attributes["id"] for _, attributes in reader.tags if "id" in attributes}
    for _, attributes in reader.tags:
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        target = attributes.get("href")
        if target is None:
            continue
        if target.startswith("#"):
            assert target[1:] in ids
        else:
            assert httpx.get(server.http_url + target).status_code == 200
    for path, methods in described["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in reader.words


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
def test_the_description_is_checked_by_etag(server: Served, path: str) -> None:
    etag = httpx.get(server.http_url + path).headers["ETag"]
    again = httpx.get(server.http_url + path, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert httpx.post(server.http_url + path).status_code == 405
