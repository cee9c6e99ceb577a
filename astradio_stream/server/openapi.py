"""The description of our HTTP interface, OpenAPI 3.1, and a page of it for people.

Both are made once, at the start, from the tables that answer the requests.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import orjson
from starlette.routing import Route

from astradio_stream import __version__
from astradio_stream.server.cookies import SESSION_COOKIE
from astradio_stream.server.csrf import CSRF_HEADER
from astradio_stream.server.http import STATUS_OF_CODE
from astradio_stream.server.limits import cost_of
from astradio_stream.server.openapi_asked import asked_schemas
from astradio_stream.server.openapi_html import page_of
from astradio_stream.server.openapi_pages import ACCOUNT, ANYBODY, JSON, PAGES
from astradio_stream.server.openapi_told import told_schemas
from astradio_stream.server.openapi_words import ref, text
from astradio_stream.server.pages import Page as File
from astradio_stream.server.pages import served

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from astradio_stream.server.openapi_pages import Page
    from astradio_stream.settings import Settings

_ANY_PAGE = ("BAD_REQUEST", "HEADERS_TOO_LARGE", "INTERNAL")
_LATER = frozenset({429, 503})
_BEFORE_LIMITS = frozenset({400, 431, 500})
"""What may be answered before any bucket was asked, or after what knew of them had failed."""


def document(settings: Settings) -> dict[str, Any]:
    """Return the whole description."""
    paths: dict[str, Any] = {}
    for page in PAGES:
        paths.setdefault(page.path, {})[page.method] = _operation(page)
    schemas = told_schemas() | asked_schemas(settings.default_audio_model)
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "Astradio Stream",
            "version": __version__,
            "description": "Endless music from the sky. JSON is camelCase; every answer has its "
            "requestId; errors have one shape. HEAD is answered like GET, without the body. The "
            "stream itself is a WebSocket at /stream: docs/PROTOCOL.md. Whatever these schemas "
            "allow is read. Where a rule between values is beyond them, they allow what is right "
            "in any case, and the words beside them tell the rest.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(page.tag for page in PAGES)],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE},
                "csrfToken": {
                    "type": "apiKey",
                    "in": "header",
                    "name": CSRF_HEADER.title().replace("Csrf", "CSRF"),
                    "description": "csrfToken of GET /api/auth/session, with its cookie",
                },
            },
        },
    }


def description_routes(settings: Settings) -> list[Route]:
    """Return the routes of the description."""
    described = document(settings)
    files = {
        "/openapi.json": _file(orjson.dumps(described), JSON),
        "/docs": _file(page_of(described).encode(), "text/html; charset=utf-8"),
    }

    async def description(request: Request) -> Response:
        return served(request, files[request.url.path])

    return [Route(path, description) for path in files]


def _file(body: bytes, media_type: str) -> File:
    return File(body, media_type, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def _operation(page: Page) -> dict[str, Any]:
    codes = {*_ANY_PAGE, *page.refusals}
    if cost_of(page.method.upper(), page.path):
        codes.add("RATE_LIMITED")
    by_status: dict[int, list[str]] = {}
    for code in sorted(codes):
        by_status.setdefault(STATUS_OF_CODE[code], []).append(code)
    answers = {status: _answer(page, status) for status in page.answers}
    for status, named in by_status.items():
        refused = _refusal(status, named)
        answers[status] = _either(answers[status], refused) if status in answers else refused
    if "RATE_LIMITED" in codes:
        for status, told in answers.items():
            told["headers"] |= _limit_headers(is_sure=status not in _BEFORE_LIMITS)
    made: dict[str, Any] = {
        "operationId": _name_of(page),
        "summary": page.summary,
        "tags": [page.tag],
        "parameters": list(page.parameters),
        "responses": {str(status): answers[status] for status in sorted(answers)},
    }
    if page.body:
        content = {JSON: {"schema": ref(page.body)}}
        made["requestBody"] = {"required": page.needs_body, "content": content}
    if page.who in (ANYBODY, ACCOUNT):
        is_safe = page.method == "get"
        needed = ("session",) if is_safe else ("session", "csrfToken")
        account: dict[str, list[str]] = {name: [] for name in needed}
        made["security"] = [account] if page.who == ACCOUNT else [{}, account]
    return made


def _name_of(page: Page) -> str:
    """Return a name for programs: ``getApiCharts``."""
    words = page.path.replace("{", "by-").replace("}", "").replace(".", "/").replace("-", "/")
    return page.method + "".join(word.capitalize() for word in words.split("/") if word)


def _answer(page: Page, status: int) -> dict[str, Any]:
    content = {kind: {"schema": schema} for kind, schema in page.answers[status].items()}
    named = page.headers.get(status, {})
    headers = {name: {"schema": text(), "description": about} for name, about in named.items()}
    return {
        "description": page.summary if status < 300 else "nothing changed",
        "headers": _common_headers() | headers,
        **({"content": content} if content else {}),
    }


def _refusal(status: int, codes: list[str]) -> dict[str, Any]:
    later = {"Retry-After": {"schema": text(), "description": "seconds"}}
    return {
        "description": " or ".join(codes),
        "headers": _common_headers() | (later if status in _LATER else {}),
        "content": {JSON: {"schema": ref("Error")}},
    }


def _either(answer: dict[str, Any], refused: dict[str, Any]) -> dict[str, Any]:
    """Return an answer of a status that also stands for a refusal."""
    schemas = [one["content"][JSON]["schema"] for one in (answer, refused)]
    return answer | {"content": {JSON: {"schema": {"anyOf": schemas}}}}


def _limit_headers(*, is_sure: bool) -> dict[str, Any]:
    """Return the headers that tell of the buckets a request was charged to."""
    about = {
        "RateLimit-Policy": "of each bucket q, the tokens it holds, and w, the seconds it fills in",
        "RateLimit": "of each bucket r, the tokens left, and t, the seconds until it is full",
    }
    return {
        name: {"schema": ref(name.replace("-", "")), "description": words, "required": is_sure}
        for name, words in about.items()
    }


def _common_headers() -> dict[str, Any]:
    return {"X-Request-Id": {"schema": ref("RequestId"), "required": True}}
