"""Passwords: hashed with Argon2id on a thread of their own, few at a time.

A hash is made to be slow. One thread makes them, one after the other, so that a flood of logins
takes at most one core, and whoever would wait too long is told to come again.
"""

from __future__ import annotations

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from astradio_stream.errors import RETRY_AFTER_S, Overloaded

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

# The least of the equally strong choices in OWASP's Password Storage Cheat Sheet (2025).
TIME_COST: Final = 2
MEMORY_KIB: Final = 19_456
PARALLELISM: Final = 1

SHORTEST: Final = 8
LONGEST: Final = 256
"""Characters of a password (NIST SP 800-63B: at least 8, at least 64 allowed, no other rules)."""
MOST_WAITING: Final = 32
"""Hashes that may be asked for at once: about a second of work."""


class Passwords:
    """Makes hashes and checks them."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(TIME_COST, MEMORY_KIB, PARALLELISM)
        self._thread = ThreadPoolExecutor(1, "astradio-passwords")
        self._n_waiting = 0
        self._nobodys = ""

    async def hash(self, password: str) -> str:
        """Return the hash to keep.

        Raises:
            Overloaded: too many wait for theirs.
        """
        return await self._run(lambda: self._hasher.hash(normalised(password)))

    async def fits(self, kept: str | None, password: str) -> bool:
        """Return whether a password is the one whose hash was kept.

        Args:
            kept: The hash; None where there is no such account, which takes as long to find out.
            password: As it was given.

        Raises:
            Overloaded: too many wait for theirs.
        """
        return await self._run(lambda: self._fits(kept, normalised(password)))

    def is_outdated(self, kept: str) -> bool:
        """Return whether a hash was made with other parameters than ours of today."""
        return self._hasher.check_needs_rehash(kept)

    def close(self) -> None:
        """Let go of the thread."""
        self._thread.shutdown()

    def _fits(self, kept: str | None, password: str) -> bool:
        if not self._nobodys:
            self._nobodys = self._hasher.hash("nobody's password")
        try:
            self._hasher.verify(kept or self._nobodys, password)
        except (VerificationError, InvalidHashError):
            return False
        return kept is not None

    async def _run(self, work: Callable[[], T]) -> T:
        if self._n_waiting >= MOST_WAITING:
            raise Overloaded("too many log in at once; try again shortly", RETRY_AFTER_S)
        self._n_waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._n_waiting -= 1


def normalised(password: str) -> str:
    """Return a password as every keyboard means it (NIST SP 800-63B §5.1.1.2: NFKC)."""
    return unicodedata.normalize("NFKC", password)
