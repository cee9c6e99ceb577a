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
    def http_url(self) -> str:
        """Of its pages."""
        return f"http://{self.host}"


def target_of(url: str, *, is_owned: bool) -> Target:
    """Return the target that an address means.

    Raises:
        Refused: It is none, or it is not on this machine and nobody said that it is theirs.
    """
    parts = urlsplit(url)
    try:
        port = 80 if parts.port is None else parts.port
    except ValueError as error:
        raise Refused(f"--url: {error}") from None
    if parts.scheme != "ws" or not parts.hostname:
        raise Refused(
            f"--url must be ws://host:port/stream, got {url}; ask behind the proxy that speaks TLS"
        )
    try:
        found = socket.getaddrinfo(parts.hostname, port, socket.AF_INET, socket.SOCK_STREAM)
    except OSError as error:
        raise Refused(f"--url: {parts.hostname} has no IPv4 address: {error.strerror}") from None
    address = str(found[0][4][0])
    target = Target(url, f"{parts.hostname}:{port}", (address, port), parts.path or "/stream")
    if not (target.is_loopback or is_owned):
        raise Refused(
            f"{parts.hostname} is not this machine: a load test of a server that is not yours is "
            "an attack; say --i-own-this-server if it is yours"
        )
    return target
