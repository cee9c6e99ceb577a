"""The body of a request: bounded, plain JSON, an object."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from astradio_stream.errors import (
    BadJson,
    Detail,
    PayloadTooLarge,
    UnsupportedMediaType,
    ValidationFailed,
)
from astradio_stream.fields import shown
from astradio_stream.strict_json import parse_json

if TYPE_CHECKING:
    from starlette.requests import Request

MAX_BODY_BYTES: Final = 65_536
"""Ours are a kilobyte; ten seconds for so much is also the least rate at which one must arrive."""

_JSON: Final = re.compile(
    r'application/(?:[a-z0-9.+-]+\+)?json[ \t]*(?:;[ \t]*charset="?utf-?8"?[ \t]*)?',
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Body:
    """A body that was read."""

    fields: dict[str, Any]
    """The object."""
    digest: bytes
    """SHA-256 of its bytes: two requests with the same ask the same."""


async def read_object(
    request: Request,
    *,
    max_bytes: int = MAX_BODY_BYTES,
    is_any_type: bool = False,
    or_nothing: bool = False,
) -> Body:
    """Return the JSON object that is the body of a request.

    Args:
        request: Whose body was not read yet.
        max_bytes: How long it may be.
        is_any_type: Read it as JSON whatever its Content-Type says.
        or_nothing: Take no body at all for an empty object.

    Raises:
        UnsupportedMediaType: it is said to be something else, or compressed.
        PayloadTooLarge: it is longer than that.
        BadJson: it is not the JSON that we read.
        ValidationFailed: it is not an object.
    """
    raw = await _read_bytes(request, max_bytes)
    if or_nothing and not raw:
        return Body({}, sha256(raw).digest())
    if not is_any_type and not _JSON.fullmatch(request.headers.get("content-type", "").strip()):
        raise UnsupportedMediaType("the Content-Type must be application/json, in UTF-8")
    if not raw:
        raise BadJson("the body must be a JSON object, got nothing")
    value = parse_json(raw, max_bytes)
    if not isinstance(value, dict):
        raise ValidationFailed([Detail("", f"the body must be an object, got {shown(value)}")])
    return Body(value, sha256(raw).digest())


async def read_as_json(request: Request) -> Body:
    """Return the JSON object that is the body of a request, which curl may have sent.

    Without cookies and Origin no browser's form is behind it, so it is read whatever its
    Content-Type says; else as `read_object` reads it.
    """
    is_plain = not {"cookie", "origin"} & set(request.headers)
    return await read_object(request, is_any_type=is_plain)


async def _read_bytes(request: Request, max_bytes: int) -> bytes:
    """Return the bytes of a body as they are; not one more than may be is kept."""
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaType("the body must not be compressed: no Content-Encoding")
    too_long = PayloadTooLarge(f"the body may have {max_bytes} bytes at most")
    length = request.headers.get("content-length", "0")
    if len(length) > 18 or int(length) > max_bytes:  # digits only: h11 refused all else
        raise too_long
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > max_bytes:
            raise too_long
    return bytes(raw)
