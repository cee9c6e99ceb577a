"""How often one address may knock: a bucket of handshakes for each, in a table of bounded size.

The table has a fixed number of cells, and a secret decides which cell an address belongs to. So it
cannot be filled: whoever comes from a million addresses drives nobody's bucket out, least of all
its own, to find it full again. Two addresses rarely share a cell, and nobody can choose with whom.
"""

from __future__ import annotations

import ipaddress
import secrets
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from astradio_stream.server.origin import is_trusted
from astradio_stream.wire.bucket import Bucket

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import HTTPConnection

    from astradio_stream.settings import IpNetwork
    from astradio_stream.wire.bucket import Rate

N_CELLS: Final = 16_384
"""About three megabytes when all are in use."""
_IPV6_PREFIX: Final = 64
"""What one household has: the rest of an IPv6 address is the guest's own choice."""


class Doors:
    """Who knocked how often."""

    def __init__(self, n_cells: int = N_CELLS) -> None:
        self._n_cells = n_cells
        self._secret = secrets.token_bytes(16)
        self._buckets: dict[int, Bucket] = {}

    def __len__(self) -> int:
        """Return how many cells are in use."""
        return len(self._buckets)

    def knock(self, address: str, rate: Rate, now_ns: int) -> int:
        """Count a handshake; return how long it must wait (nanoseconds), 0 if it may come in."""
        cell = self._cell(neighbourhood(address))
        bucket = self._buckets.get(cell)
        if bucket is None:
            bucket = self._buckets[cell] = Bucket(rate)
        bucket.change(rate, now_ns)
        wait_ns = bucket.wait_ns(now_ns)
        if wait_ns == 0:
            bucket.take(now_ns)
        return wait_ns

    def _cell(self, name: str) -> int:
        digest = blake2b(name.encode("utf-8", "replace"), digest_size=8, key=self._secret).digest()
        return int.from_bytes(digest) % self._n_cells


def neighbourhood(address: str) -> str:
    """Return what stands for an address: itself, or for IPv6 its /64; no address is one too."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, _IPV6_PREFIX), strict=False))


def address_of(connection: HTTPConnection, proxies: Sequence[IpNetwork]) -> str:
    """Return the address that a request came from.

    Of `X-Forwarded-For` each entry was added by the one after it, the last one by our peer. So it
    is read from the right, for as long as who added an entry is a proxy of ours.
    """
    address = connection.client.host if connection.client is not None else ""
    told = ",".join(connection.headers.getlist("x-forwarded-for"))
    for entry in reversed(told.split(",")):
        before = entry.strip()
        if not is_trusted(address, proxies) or not _is_address(before):
            break
        address = before
    return address


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
