"""Whether a file of a piece went out as the contract says: for ever, by its digest, as its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from astradio_stream.server.media import KINDS, digest_in

if TYPE_CHECKING:
    from collections.abc import Callable

PREFIX: Final = "/media/"
CACHE_CONTROL: Final = "public, max-age=31536000, immutable"
FOUND: Final = frozenset({200, 206, 304})
"""Statuses of answers that give a file, or part of it, or say that it is known."""


def mismatches_of(path: str, told: Callable[[str], str | None]) -> list[str]:
    """Return the names of headers that are not what the contract wants for a file.

    Args:
        path: As asked for.
        told: Gives a header of the answer by its name, whatever its case.
    """
    kind, _, name = path.removeprefix(PREFIX).partition("/")
    digest = digest_in(kind, name)
    if digest is None:
        return ["path"]
    wanted = {
        "ETag": f'"{digest}"',
        "Cache-Control": CACHE_CONTROL,
        "Content-Type": KINDS[kind].media_type,
        "Accept-Ranges": "bytes",
    }
    return [name for name, value in wanted.items() if told(name) != value]
