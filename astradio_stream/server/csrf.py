"""Forged requests: what a page of somebody else can make a browser send must not count.

Two things must be right where a request that may change something carries cookies, because a
browser sends those by itself:

- where it comes from, as the browser says in `Origin` and `Sec-Fetch-Site`, which no page can set;
- a token that only our own page can read. It is signed and bound to the session (OWASP: signed
  double submit cookie), so neither a cookie planted from another host of the same site nor the
  token of another session fits. It is sent in the header `X-CSRF-Token` and must be the cookie's.

Without cookies there is nothing to forge: then the token is not needed, but a page that says where
it is from must still be one that may ask.
"""

from __future__ import annotations

import hmac
import re
import secrets
from typing import TYPE_CHECKING, Final

from astradio_stream.errors import CsrfFailed, OriginRefused
from astradio_stream.server.cookies import CSRF_COOKIE, cookie_of
from astradio_stream.server.origin import is_origin_allowed, is_own_origin

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from astradio_stream.settings import Settings

CSRF_HEADER: Final = "x-csrf-token"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""RFC 9110 §9.2.1; none of ours changes anything."""

_SHAPE: Final = re.compile(r"[0-9a-f]{32}\.[0-9a-f]{64}", re.ASCII)


def new_token(key: bytes, session: bytes) -> str:
    """Return a token.

    Args:
        key: Known to this server alone.
        session: The digest of the session that it is for; empty for nobody's.
    """
    nonce = secrets.token_hex(16)
    return f"{nonce}.{_mac(key, session, nonce)}"


def is_token_of(token: str, key: bytes, session: bytes) -> bool:
    """Return whether a token was made for a session."""
    if not _SHAPE.fullmatch(token):
        return False
    nonce, mac = token.split(".")
    return hmac.compare_digest(mac, _mac(key, session, nonce))


def require_right_place(connection: HTTPConnection, settings: Settings) -> None:
    """Check where a request that may change something comes from.

    ====================  ======  ===========  ====================  ====
    Origin \\ Sec-Fetch    absent  same-origin  same-, cross-site     none
    ====================  ======  ===========  ====================  ====
    our own               right   right        wrong                 wrong
    in ALLOWED_ORIGINS    right   right        right                 wrong
    absent, cookies       wrong   right        wrong                 wrong
    absent, no cookies    right   right        wrong                 right
    any other, null       wrong   wrong        wrong                 wrong
    ====================  ======  ===========  ====================  ====

    Raises:
        OriginRefused: it comes from a page that may not ask, or does not say.
    """
    site = connection.headers.get("sec-fetch-site")
    has_cookies = "cookie" in connection.headers
    if "origin" not in connection.headers:
        right_sites = {"same-origin"} if has_cookies else {None, "none", "same-origin"}
    elif not is_origin_allowed(connection, settings.allowed_origins, settings.trusted_proxies):
        right_sites = set()
    elif is_own_origin(connection, settings.trusted_proxies):
        right_sites = {None, "same-origin"}
    else:
        right_sites = {None, "same-origin", "same-site", "cross-site"}
    if site not in right_sites:
        raise OriginRefused("this page may not ask for this here, or does not say where it is from")


def require_token(connection: HTTPConnection, key: bytes, session: bytes | None) -> None:
    """Check the token of a request with cookies.

    Args:
        connection: The request.
        key: Known to this server alone.
        session: The digest of the session whose cookie came with it, empty where none came, None
            where it lives no more.

    Raises:
        CsrfFailed: header, cookie and session do not belong together.
    """
    told = connection.headers.getlist(CSRF_HEADER)
    cookie = cookie_of(connection, CSRF_COOKIE)
    if len(told) == 1 and cookie is not None and session is not None:
        same = hmac.compare_digest(told[0].encode(), cookie.encode())
        if same and is_token_of(cookie, key, session):
            return
    raise CsrfFailed("the header X-CSRF-Token must hold the csrfToken of GET /api/auth/session")


def _mac(key: bytes, session: bytes, nonce: str) -> str:
    return hmac.digest(key, b"csrf:" + session + b":" + nonce.encode(), "sha256").hex()
