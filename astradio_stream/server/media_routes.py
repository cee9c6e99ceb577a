"""`GET /media/…`: files of pieces, for ever the same under their address.

The name of a file is its digest, so the address is the strong ETag, any cache may keep it for good,
and what was thrown away here is made again. Parts of a file are answered one range at a time
(RFC 9110 §14); several at once, or none that we read, are answered with the whole.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response
from starlette.routing import Route

from astradio_stream.errors import NotFound
from astradio_stream.server.http import refusal
from astradio_stream.server.media import KINDS, digest_in
from astradio_stream.server.media_head import CACHE_CONTROL

if TYPE_CHECKING:
    from typing import BinaryIO

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from astradio_stream.server.compose import ComposePage
    from astradio_stream.server.media import MediaFolder

PATH: Final = "/media/{kind}/{name}"
_PART_BYTES: Final = 1 << 18
"""What is read from the disk at once (bytes): a quarter of a megabyte."""
_RANGE: Final = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII)


class FilePart(Response):
    """Some bytes of an open file, read as they are taken."""

    def __init__(self, file: BinaryIO, span: range, status: int, headers: dict[str, str]) -> None:
        """Answer with the bytes of `span`; the file is closed when all is over."""
        super().__init__(None, status, headers)
        self.headers["Content-Length"] = str(len(span))
        self._file = file
        self._span = span

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send the head and, unless only that was asked for, the bytes."""
        try:
            head: dict[str, Any] = {"type": "http.response.start", "status": self.status_code}
            await send(head | {"headers": self.raw_headers})
            if scope["method"] != "HEAD":
                for start in range(self._span.start, self._span.stop, _PART_BYTES):
                    n_bytes = min(_PART_BYTES, self._span.stop - start)
                    part = await asyncio.to_thread(self._read, start, n_bytes)
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._file.close()

    def _read(self, start: int, n_bytes: int) -> bytes:
        self._file.seek(start)
        return self._file.read(n_bytes)


def span_of(told: str, n_bytes: int) -> range | None:
    """Return the bytes that a `Range` header asks for.

    Args:
        told: The header; empty where there is none.
        n_bytes: Length of the file.

    Returns:
        The range, empty where the file has none of these bytes; None where the header is none that
        we read, so that the whole file is the answer.
    """
    match = _RANGE.fullmatch(told.strip())
    if match is None or match[0] == "bytes=-":
        return None
    first, last = match[1], match[2]
    if not first:  # the last so many
        return range(max(0, n_bytes - int(last)), n_bytes)
    if last and int(last) < int(first):
        return None
    return range(n_bytes)[int(first) : int(last) + 1 if last else None]


def media_routes(page: ComposePage, folder: MediaFolder) -> list[Route]:
    """Return the route of the files."""

    async def media(request: Request) -> Response:
        kind = request.path_params["kind"]
        digest = digest_in(kind, request.path_params["name"])
        if digest is None:
            raise NotFound("a file is named by 64 hexadecimal digits and the ending of its kind")
        headers = {
            "ETag": f'"{digest}"',
            "Cache-Control": CACHE_CONTROL,
            "Accept-Ranges": "bytes",
            "Content-Type": KINDS[kind].media_type,
        }
        is_known = _is_known(request, headers["ETag"])
        file = await asyncio.to_thread(folder.open, kind, digest)
        if file is None and is_known and await page.knows(kind, digest):
            return Response(None, 304, headers)  # its name says that; nothing need be made
        if file is None and await page.make_again(request, kind, digest):
            file = await asyncio.to_thread(folder.open, kind, digest)
        if file is None:
            raise NotFound("there is no such file, and nobody knows of which piece it was")
        if is_known:
            file.close()
            return Response(None, 304, headers)
        return _part(request, file, headers)

    return [Route(PATH, media)]


def _is_known(request: Request, etag: str) -> bool:
    """Return whether the client has the file already."""
    told = ",".join(request.headers.getlist("if-none-match"))
    return not {etag, "*"}.isdisjoint(tag.strip().removeprefix("W/") for tag in told.split(","))


def _part(request: Request, file: BinaryIO, headers: dict[str, str]) -> Response:
    """Return what is asked for of an open file."""
    n_bytes = file.seek(0, 2)
    told = request.headers.get("range", "") if request.method == "GET" else ""
    if request.headers.get("if-range", headers["ETag"]) != headers["ETag"]:
        told = ""  # asked for the part of another file
    span = span_of(told, n_bytes)
    if span is None:
        return FilePart(file, range(n_bytes), 200, headers)
    if not span:
        file.close()
        return refusal(
            request,
            "RANGE_NOT_SATISFIABLE",
            f"the file has {n_bytes} bytes",
            headers={"Content-Range": f"bytes */{n_bytes}", "Accept-Ranges": "bytes"},
        )
    headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{n_bytes}"
    return FilePart(file, span, 206, headers)
