"""How often one address may knock: a bucket for each, in a table of bounded size.

The table has a fixed number of cells, and a secret decides which cell an address belongs to. So it
cannot be filled: whoever comes from a million addresses drives nobody's bucket out, least of all
its own, to find it full again. Two addresses rarely share a cell, and nobody can choose with whom.
"""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Standing:
    """How a bucket stands after it was asked."""

    rate: Rate
    """What it holds, and how fast it fills."""
    wait_ns: int
    """How long until what was asked may be (nanoseconds); 0 where it may be now."""
    n_left: int
    """Tokens that are left."""
    fill_ns: int
    """How long until it is full again (nanoseconds)."""


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
        return self.charge(neighbourhood(address), rate, 1, now_ns).wait_ns

    def charge(self, name: str, rate: Rate, cost: int, now_ns: int) -> Standing:
        """Take tokens from a bucket if there are so many; return how it stands.

        Args:
            name: Whose bucket.
            rate: What it holds, and how fast it fills.
            cost: Tokens; what costs more than a bucket holds takes all of them.
            now_ns: Monotonic time (nanoseconds).
        """
        cell = self._cell(name)
        bucket = self._buckets.get(cell)
        if bucket is None:
            bucket = self._buckets[cell] = Bucket(rate)
        bucket.change(rate, now_ns)
        cost = min(cost, rate.n_tokens)
        wait_ns = bucket.wait_ns(now_ns, cost)
        if wait_ns == 0:
            bucket.take(now_ns, cost)
        return Standing(rate, wait_ns, bucket.n_left(now_ns), bucket.fill_ns(now_ns))

    def reset(self, address: str = "") -> int:
        """Forget how often an address knocked, or with none given all; return how many buckets."""
        if not address:
            n_buckets = len(self._buckets)
            self._buckets.clear()
            return n_buckets
        return self.forget(neighbourhood(address))

    def forget(self, name: str) -> int:
        """Give a name a full bucket; return whether it had one."""
        return self._buckets.pop(self._cell(name), None) is not None

    def _cell(self, name: str) -> int:
        return _keyed_hash(name, self._secret) % self._n_cells


class Familiar:
    """Names that were seen, in a table of bounded size: one of two in the same cell is forgotten.

    Only hashes are held, under a secret that ends with the process.
    """

    def __init__(self, n_cells: int) -> None:
        self._n_cells = n_cells
        self._secret = secrets.token_bytes(16)
        self._hashes: dict[int, int] = {}

    def add(self, name: str) -> None:
        """Remember a name."""
        found = _keyed_hash(name, self._secret)
        self._hashes[found % self._n_cells] = found

    def __contains__(self, name: str) -> bool:
        """Return whether a name is remembered."""
        found = _keyed_hash(name, self._secret)
        return self._hashes.get(found % self._n_cells) == found


def _keyed_hash(name: str, secret: bytes) -> int:
    digest = blake2b(name.encode("utf-8", "replace"), digest_size=8, key=secret).digest()
    return int.from_bytes(digest)


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
