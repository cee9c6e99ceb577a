"""Check the settings and what they name, without serving anything.

Prints every setting with where it comes from, then what was found: the folders take files, the
port is free, libopus is there, and nothing is set in a way that is known to hurt. Exit status 0:
it would start; 1: it would not; 2: a setting is wrong, and the line says which.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from dotenv import dotenv_values

from astradio_stream.audio import opus
from astradio_stream.errors import CodecUnavailable
from astradio_stream.server.shell import is_writable
from astradio_stream.settings import TABLE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from astradio_stream.settings import Settings

Fault: TypeAlias = str | None
"""What is wrong."""


def add(_parser: argparse.ArgumentParser) -> None:
    """Take nothing."""


def run(_args: argparse.Namespace, settings: Settings) -> int:
    """Check and print."""
    written = dotenv_values(".env", interpolate=False) if Path(".env").is_file() else {}
    for row in TABLE:
        source = ".env" if written.get(row.name) else "default"
        source = "environment" if os.environ.get(row.name) else source
        print(f"{row.name:<26}{_shown(getattr(settings, row.attribute)):<30}{source}")
    print()
    faults = 0
    for what, check in CHECKS.items():
        fault = check(settings)
        faults += fault is not None
        print(f"{'FAIL' if fault else 'ok':<6}{what}{f': {fault}' if fault else ''}")
    for sentence in advice(settings):
        print(f"note  {sentence}")
    return 1 if faults else 0


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_entry, value)) or "none"
    return str(value)


def _entry(value: object) -> str:
    return f"{value[0]}://{value[1]}:{value[2]}" if isinstance(value, tuple) else str(value)


def _data(settings: Settings) -> Fault:
    return None if is_writable(settings.data_dir) else f"{settings.data_dir} takes no files"


def _log(settings: Settings) -> Fault:
    folder = settings.log_file.parent
    return None if is_writable(folder) else f"{folder} takes no files"


def _port(settings: Settings) -> Fault:
    from astradio_stream.server.main import bind, why_not_bound  # noqa: PLC0415 - slow to load

    try:
        bind(settings.host, settings.port).close()
    except socket.gaierror:
        return f"{settings.host} is not an address of this machine"
    except OSError as error:
        return why_not_bound(settings, error)
    return None


def _codec(_settings: Settings) -> Fault:
    try:
        opus.library()
    except CodecUnavailable as error:
        return error.message
    return None


CHECKS: Final[dict[str, Callable[[Settings], Fault]]] = {
    "ASTRADIO_DATA_DIR takes files": _data,
    "the folder of ASTRADIO_LOG_FILE takes files": _log,
    "the port is free": _port,
    "libopus is there": _codec,
}


def advice(settings: Settings) -> Iterator[str]:
    """Yield what would start and yet is known to hurt."""
    try:
        is_local = ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        is_local = settings.host == "localhost"
    if not is_local and not settings.allowed_hosts:
        yield "ALLOWED_HOSTS is empty: set it where the server has a name"
    if not is_local and not settings.trusted_proxies:
        yield "browsers play only over https or on localhost: put nginx in front (ops/nginx.conf)"
    if settings.allowed_hosts and is_local and not settings.trusted_proxies:
        yield "TRUSTED_PROXIES is empty: behind a proxy all listeners would share one address"
    if settings.workers > (os.cpu_count() or 1):
        yield f"ASTRADIO_WORKERS is {settings.workers}, more than this machine has cores"
