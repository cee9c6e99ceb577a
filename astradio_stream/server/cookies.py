"""The two cookies: one says who is logged in, one carries the token against forged requests.

Scripts read neither: the page learns its token from `GET /api/auth/session`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from astradio_stream.server.origin import scheme_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import HTTPConnection
    from starlette.responses import Response

    from astradio_stream.settings import IpNetwork

SESSION_COOKIE: Final = "astradio_session"
CSRF_COOKIE: Final = "astradio_csrf"

_LOCAL: Final = re.compile(
    r"(localhost|([a-z0-9-]+\.)+localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?",
    re.ASCII | re.IGNORECASE,
)


def cookie_of(connection: HTTPConnection, name: str) -> str | None:
    """Return the value of a cookie, or None where it is missing or comes with two values.

    Another host of the same site can add a cookie of this name to ours; which of the two would be
    ours nobody can tell.
    """
    values = values_of_cookie(connection, name)
    return values.pop() if len(values) == 1 else None


def values_of_cookie(connection: HTTPConnection, name: str) -> set[str]:
    """Return all values that a request gives a cookie."""
    values = set()
    for header in connection.headers.getlist("cookie"):
        for pair in header.split(";"):
            key, is_pair, value = pair.strip().partition("=")
            if is_pair and key == name:
                values.add(value)
    return values


def is_local(connection: HTTPConnection) -> bool:
    """Return whether a browser that asks so is on this machine."""
    return _LOCAL.fullmatch(connection.headers.get("host", "")) is not None


def set_cookie(  # noqa: PLR0917 - as in HTTP: name, value, age
    response: Response,
    connection: HTTPConnection,
    proxies: Sequence[IpNetwork],
    name: str,
    value: str,
    max_age_s: int | None = None,
) -> None:
    """Give a cookie to the browser, that sends it back over https only, or to this very machine.

    Args:
        response: That carries it.
        connection: The request that it answers.
        proxies: Who may tell that the browser used https.
        name: One of the two.
        value: Letters, digits and `._-` only.
        max_age_s: How long it is kept (seconds); None until the browser closes, 0 not at all.
    """
    parts = [f"{name}={value}", "HttpOnly", "SameSite=Lax", "Path=/"]
    if scheme_of(connection, proxies) == "https" or not is_local(connection):
        parts.insert(2, "Secure")
    if max_age_s is not None:
        parts.append(f"Max-Age={max_age_s}")
    response.headers.append("Set-Cookie", "; ".join(parts))
