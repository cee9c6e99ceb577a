"""Where the load goes, and whether it may: what is not this machine needs its owner's word."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit


class Refused(ValueError):
    """A run that will not be made; the sentence says what would be right."""


@dataclass(frozen=True, slots=True)
class Target:
    """A server to be loaded."""

    url: str
    """Of its stream."""
    host: str
    """For the Host header: name and port."""
    address: tuple[str, int]
    """Where to connect, resolved once."""
    path: str
    """Of its stream."""

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine."""
        return ipaddress.ip_address(self.address[0]).is_loopback

    @property
    def family(self) -> socket.AddressFamily:
        """How its address is written: IPv4 or IPv6."""
        return socket.AF_INET6 if ":" in self.address[0] else socket.AF_INET

    @property
    def has_sources(self) -> bool:
        """Whether every listener can come from an address of its own, 127.x.y.z."""
        return self.is_loopback and self.family == socket.AF_INET

    @property
    def resolved_url(self) -> str:
        """Of its stream, by the very address that was allowed, with the port."""
        address, port = self.address
        return f"ws://{_bracketed(address)}:{port}{self.path}"

    @property
    def http_url(self) -> str:
        """Of its pages."""
        return f"http://{self.host}"


def target_of(url: str, *, is_owned: bool) -> Target:
    """Return the target that an address means.

    Raises:
        Refused: It is none, or it is not on this machine and nobody said that it is theirs.
    """
    try:
        parts = urlsplit(url)
        port = 80 if parts.port is None else parts.port
    except ValueError as error:
        raise Refused(f"--url: {error}") from None
    if not port:
        raise Refused(f"--url: a port is from 1 to 65535, got {url}")
    if parts.scheme != "ws" or not parts.hostname:
        raise Refused(
            f"--url must be ws://host:port/stream, got {url}; ask behind the proxy that speaks TLS"
        )
    if parts.username is not None or parts.fragment:
        raise Refused(f"--url: a stream has no user and no #, got {url}")
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # the latter of what can be no name
        raise Refused(f"--url: {parts.hostname} is unknown: {error}") from None
    # IPv4 where there is both: only there each listener has an address of its own.
    addresses = sorted((str(one[4][0]) for one in found), key=lambda address: ":" in address)
    host = f"{_bracketed(parts.hostname)}:{port}"
    path = (parts.path or "/stream") + (f"?{parts.query}" if parts.query else "")
    target = Target(url, host, (addresses[0], port), path)
    if not (target.is_loopback or is_owned):
        raise Refused(
            f"{parts.hostname} is not this machine: a load test of a server that is not yours is "
            "an attack; say --i-own-this-server if it is yours"
        )
    return target


def _bracketed(host: str) -> str:
    """Return a name or an address as it stands in a URL."""
    return f"[{host}]" if ":" in host else host
