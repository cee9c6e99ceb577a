"""A browser with cookies and the token of its session, talking to a real server."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

import httpx

from tests.serving import Served

PASSWORD = "correct horse battery staple"  # noqa: S105
BIRTH = {"datetime": "1990-06-15T14:30", "tz": "Europe/Berlin", "lat": 52.52, "lon": 13.4}
CHART = {"name": "Ada", **BIRTH}

_numbers = itertools.count()


class Visitor:
    """What a page does: it sends the token with all that may change something."""

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=url)
        self.email = f"visitor{next(_numbers)}@radio.example"
        self.headers: dict[str, str] = {"Origin": url}
        self.take_token(self.client.get("/api/auth/session"))

    def close(self) -> None:
        self.client.close()

    def take_token(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_success and "csrfToken" in answer.text:
            self.headers["X-CSRF-Token"] = answer.json()["csrfToken"]
        return answer

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        headers = self.headers | headers
        return self.take_token(self.client.request(method, path, json=body, headers=headers))

    def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return self.send("POST", path, body, **headers)

    def credentials(self, **changes: Any) -> dict[str, Any]:
        return {"email": self.email, "password": PASSWORD} | changes

    def register(self) -> httpx.Response:
        return self.post("/api/auth/register", self.credentials())

    def login(self, **changes: Any) -> httpx.Response:
        return self.post("/api/auth/login", self.credentials(**changes))

    def save(self, **changes: Any) -> str:
        answer = self.post("/api/charts", CHART | changes)
        assert answer.status_code == 201, answer.text
        chart_id: str = answer.json()["id"]
        return chart_id


@contextlib.contextmanager
def visiting(server: Served) -> Iterator[Visitor]:
    """Come with an empty browser."""
    visitor = Visitor(server.http_url)
    with contextlib.closing(visitor):
        yield visitor


@contextlib.contextmanager
def member(server: Served) -> Iterator[Visitor]:
    """Come with an account."""
    with visiting(server) as visitor:
        answer = visitor.register()
        assert answer.status_code == 201, answer.text
        yield visitor
