"""The player's files: read once at the start, served from memory, checked by ETag.

Only what was found at the start is served, so no path can lead elsewhere.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

WEB_DIR: Final = Path(__file__).parents[2] / "web"
INDEX: Final = "index.html"

MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
"""What is served at all; the types do not depend on the machine's tables."""

_UNSERVED_DIRS: Final = frozenset({"tests", "node_modules"})


@dataclass(frozen=True, slots=True)
class Page:
    """One file."""

    body: bytes
    """Its bytes."""
    media_type: str
    """Its MIME type."""
    etag: str
    """Strong: two bodies with one tag are the same bytes."""


def load_pages(web_dir: Path) -> dict[str, Page]:
    """Return path -> page for every file that the player is made of."""
    pages = {}
    for path in sorted(web_dir.rglob("*")):
        inside = path.relative_to(web_dir)
        is_hidden = any(part.startswith(".") or part in _UNSERVED_DIRS for part in inside.parts)
        if path.is_file() and path.suffix in MEDIA_TYPES and not is_hidden:
            body = path.read_bytes()
            etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
            pages[inside.as_posix()] = Page(body, MEDIA_TYPES[path.suffix], etag)
    return pages


def page_routes(pages: Mapping[str, Page]) -> list[Route]:
    """Return the routes of the player."""

    async def index(request: Request) -> Response:
        return served(request, pages.get(INDEX))

    async def static(request: Request) -> Response:
        return served(request, pages.get(request.path_params["path"]))

    return [Route("/", index), Route("/static/{path:path}", static)]


def served(request: Request, page: Page | None) -> Response:
    """Return a page, or that it has not changed.

    Raises:
        HTTPException: there is no such page.
    """
    if page is None:
        raise HTTPException(404)
    headers = {"ETag": page.etag, "Cache-Control": "no-cache"}
    known = request.headers.get("if-none-match", "")
    tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
    if page.etag in tags or "*" in tags:
        return Response(None, 304, headers)
    return Response(page.body, 200, headers, page.media_type)
