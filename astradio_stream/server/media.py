"""Files of pieces, each named by the SHA-256 of its bytes, in a folder that stays within bounds.

A file is written beside its place and moved there when it is whole and on the disk: whoever finds
it finds all of it. What was not asked for longest goes first, and nothing is lost with it: a piece
is made again from its programme. Several processes may share the folder; nothing is remembered
that the folder does not say, so they need not agree.

Only kinds of the table and digests of 64 hexadecimal digits become paths.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Final

from astradio_stream.errors import RETRY_AFTER_S, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

_TOUCHED_S: Final = 60.0
"""A file that was asked for is marked so at most this often (seconds)."""
_ABANDONED_S: Final = 600.0
"""A part that nobody finished is deleted (seconds)."""
_LOOKS: Final = 16
"""The folder is looked through whenever this share of its bound was written."""
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table of what a piece is made of."""

    name: str
    """In the address, and of the folder."""
    ending: str
    """Of its files."""
    media_type: str
    """As HTTP tells it."""


# fmt: off
KINDS: Final = {
    kind.name: kind
    for kind in (
        #    name     ending  media type
        Kind("audio", "opus", "audio/ogg; codecs=opus"),
        Kind("viz",   "json", "application/json"),
        Kind("midi",  "mid",  "audio/midi"),
    )
}
# fmt: on


def digest_in(kind: str, name: str) -> str | None:
    """Return the digest in the name of a file of some kind; None for any other name."""
    if kind not in KINDS:
        return None
    digest, _, ending = name.partition(".")
    is_right = _DIGEST.fullmatch(digest) is not None and ending == KINDS[kind].ending
    return digest if is_right else None


def url_of(kind: str, digest: str) -> str:
    """Return the address of a file."""
    return f"/media/{kind}/{digest}.{KINDS[kind].ending}"


class MediaFolder:
    """The folder. Its methods wait for the disk: none is called on the event loop."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._n_unseen = most_bytes  # so that the first file leads to a look
        """Bytes written since the folder was looked through."""

    def keep(self, kind: str, data: bytes) -> str:
        """Keep a file; return its digest.

        Raises:
            StoreUnavailable: the disk does not take it.
        """
        digest = sha256(data).hexdigest()
        path = self._path(kind, digest)
        try:
            if not self._touch(path):
                self._write(path, data)
        except OSError as error:
            raise StoreUnavailable(
                "what was composed cannot be kept now; try again shortly",
                RETRY_AFTER_S,
                f"{path} cannot be written: {error.strerror}",
            ) from error
        return digest

    def open(self, kind: str, digest: str) -> BinaryIO | None:
        """Return a file, open; None if it is not there. Deleting it meanwhile does no harm."""
        path = self._path(kind, digest)
        try:
            file = path.open("rb")
        except OSError:
            return None
        self._touch(path)
        return file

    def discard(self, files: Iterable[tuple[str, str]]) -> None:
        """Delete files, by kind and digest; those that are not there are gone already."""
        for kind, digest in files:
            with suppress(OSError):
                self._path(kind, digest).unlink()

    def tidy(self) -> None:
        """Delete what was asked for least lately until the rest is within the bound."""
        self._n_unseen = 0
        now_s = time.time()
        found = []
        for kind in KINDS:
            for path in (self._folder / kind).glob("*"):
                with suppress(OSError):  # another process may have deleted it
                    facts = path.stat()
                    age_s = now_s - facts.st_mtime
                    if path.suffix == ".part":
                        if age_s > _ABANDONED_S:
                            path.unlink()
                    else:
                        found.append((age_s, facts.st_size, path))
        n_bytes = sum(size for _, size, _ in found)
        for _, size, path in sorted(found, reverse=True)[:-1]:  # the newest stays in any case
            if n_bytes <= self._most_bytes:
                break
            with suppress(OSError):
                path.unlink()
            n_bytes -= size

    def _path(self, kind: str, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise ValueError("a digest has 64 hexadecimal digits")
        return self._folder / kind / f"{digest}.{KINDS[kind].ending}"

    @staticmethod
    def _touch(path: Path) -> bool:
        """Mark a file as asked for now; return whether it is there."""
        try:
            age_s = time.time() - path.stat().st_mtime
        except FileNotFoundError:
            return False
        if age_s > _TOUCHED_S:
            with suppress(OSError):  # a folder that takes nothing still gives
                os.utime(path)
        return True

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            part = Path(file.name)
            try:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                part.replace(path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
        self._n_unseen += len(data)
        if self._n_unseen * _LOOKS > self._most_bytes:
            self.tidy()
