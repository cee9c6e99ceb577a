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
    given = connection.headers.get("origin")
    if given is None:
        return True
    try:
        origin = origin_of(given)
        own = origin_of(f"{scheme_of(connection, proxies)}://{connection.headers.get('host', '')}")
    except ValueError:
        return False
    return origin == own or origin in allowed


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
