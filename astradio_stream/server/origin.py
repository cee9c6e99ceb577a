"""Which pages may open a stream: origins are compared by value, never by looks."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from astradio_stream.settings import Origin, origin_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import HTTPConnection

    from astradio_stream.settings import IpNetwork

_HTTP_OF_SCHEME: Final = {"http": "http", "ws": "http", "https": "https", "wss": "https"}


def is_origin_allowed(
    connection: HTTPConnection, allowed: Sequence[Origin], proxies: Sequence[IpNetwork]
) -> bool:
    """Return whether the page behind a request may ask; a request of no page may."""
    if "origin" not in connection.headers:
        return True
    origin = _origin_told(connection)
    return origin is not None and (origin in allowed or is_own_origin(connection, proxies))


def is_own_origin(connection: HTTPConnection, proxies: Sequence[IpNetwork]) -> bool:
    """Return whether the page behind a request is one of ours."""
    try:
        own = origin_of(f"{scheme_of(connection, proxies)}://{connection.headers.get('host', '')}")
    except ValueError:
        return False
    return own == _origin_told(connection)


def _origin_told(connection: HTTPConnection) -> Origin | None:
    """Return the origin that a request names, or None where it is none, or not one."""
    try:
        return origin_of(connection.headers.get("origin", ""))
    except ValueError:
        return None


def scheme_of(connection: HTTPConnection, proxies: Sequence[IpNetwork]) -> str:
    """Return http or https as the browser used it: a proxy we trust may say which."""
    scheme = _HTTP_OF_SCHEME[connection.url.scheme]
    told = connection.headers.get("x-forwarded-proto", "")
    peer = connection.client.host if connection.client is not None else ""
    if told in ("http", "https") and is_trusted(peer, proxies):
        return told
    return scheme


def is_trusted(host: str, proxies: Sequence[IpNetwork]) -> bool:
    """Return whether an address is one of our proxies."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in proxies)
