"""`Idempotency-Key`: a request that may have been heard is asked again, and done once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import orjson

from astradio_stream.errors import Detail, ValidationFailed
from astradio_stream.server.http import answer
from astradio_stream.store.answers import Asked

if TYPE_CHECKING:
    from starlette.requests import Request

    from astradio_stream.server.bodies import Body
    from astradio_stream.server.http import JsonAnswer
    from astradio_stream.store.answers import KeptAnswer

HEADER: Final = "Idempotency-Key"
_KEY: Final = re.compile(r'"?([A-Za-z0-9._:+/=-]{1,128})"?', re.ASCII)


def asked_under_key(
    request: Request, body: Body, owner: str, user_id: str | None = None
) -> Asked | None:
    """Return under which key something is asked, or None for a request without one.

    Args:
        request: The request.
        body: Its body.
        owner: Whose keys they are: the account, or where there is none the address.
        user_id: The account with which the answer is deleted.

    Raises:
        ValidationFailed: the key is too long, or no key.
    """
    given = request.headers.getlist(HEADER)
    if not given:
        return None
    key = _KEY.fullmatch(given[0]) if len(given) == 1 else None
    if key is None:
        right = "must be one key of 1 to 128 letters, digits and . _ : + / = -"
        raise ValidationFailed([Detail(HEADER, right)])
    scope = f"{request.method} {request.url.path} {owner}"
    return Asked(scope, key[1], body.digest, user_id)


def answer_again(request: Request, kept: KeptAnswer) -> JsonAnswer:
    """Return an answer as it was given, under the id of this request."""
    fields: dict[str, Any] = orjson.loads(kept.body)
    return answer(request, fields, kept.status)
