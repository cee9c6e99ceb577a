"""What the pages with accounts share: the database, passwords, sessions, limits, and their upkeep.

A database that cannot be reached costs accounts and charts, never the music: whatever needs it
answers 503, the server is DEGRADED, and all is well again as soon as a write succeeds.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import secrets
from typing import TYPE_CHECKING, Final

from astradio_stream.errors import AuthRequired, StoreUnavailable, TryLater
from astradio_stream.server.cookies import CSRF_COOKIE, SESSION_COOKIE, cookie_of, set_cookie
from astradio_stream.server.csrf import is_token_of, new_token
from astradio_stream.server.limits import Limits, cost_of
from astradio_stream.server.logs import log, log_failure
from astradio_stream.server.passwords import Passwords
from astradio_stream.store import answers, compositions, published, users
from astradio_stream.store.database import FILE_NAME, Database

if TYPE_CHECKING:
    import sqlite3

    from starlette.requests import HTTPConnection, Request
    from starlette.responses import Response

    from astradio_stream.server.shell import Shell
    from astradio_stream.store.users import Session

SESSION_S: Final = 30 * 24 * 3_600
"""How long a login lasts (seconds)."""
UPKEEP_S: Final = 60.0
"""How often what is over is deleted (seconds)."""
RETRY_S: Final = 5.0
"""How often a database in trouble is tried (seconds)."""
_UNKNOWN: Final = "unknown"


class Desk:
    """One for each app."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.store = Database(shell.settings.data_dir / FILE_NAME, self._on_health)
        """What survives a restart."""
        self.passwords = Passwords()
        """Who hashes."""
        self.limits = Limits(shell)
        """Who asked how much."""
        self.key = secrets.token_bytes(32)
        """Signs tokens; the one that all processes share once the database could be read."""
        self._has_key = False
        self._trouble = _UNKNOWN
        self._loop: asyncio.AbstractEventLoop | None = None
        self._upkeep: asyncio.Task[None] | None = None

    # From start to end -------------------------------------------------------------------------

    async def open(self) -> None:
        """Open the database; one that cannot be opened is told in one line, and tried again."""
        self._loop = asyncio.get_running_loop()
        with contextlib.suppress(StoreUnavailable):
            await self.store.open()
            await self._read_key()
        self._upkeep = asyncio.create_task(self._keep_up())

    async def close(self) -> None:
        """Finish what was begun."""
        self._loop = None
        if self._upkeep is not None:
            self._upkeep.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._upkeep
        await asyncio.to_thread(self.store.close)
        await asyncio.to_thread(self.passwords.close)

    async def _keep_up(self) -> None:
        """Delete what is over; try again what failed."""
        while True:
            await asyncio.sleep(RETRY_S if self._trouble else UPKEEP_S)
            try:
                await self._tidy()
            except TryLater:
                pass
            except Exception as error:
                log_failure("UPKEEP_FAILED", error)

    async def _tidy(self) -> None:
        now_us = self.shell.clock.unix_us()
        await self.store.write(lambda connection: delete_old(connection, now_us))
        await self.store.forget()
        if not self._has_key:
            await self._read_key()

    async def _read_key(self) -> None:
        self.key = await self.store.read(users.signing_key)
        self._has_key = True

    def _on_health(self, trouble: str) -> None:
        """Hear from the writer's thread how the last write went."""
        if trouble:
            self.shell.metrics.store_errors.inc()
        if trouble != self._trouble and (loop := self._loop) is not None:
            with contextlib.suppress(RuntimeError):  # the loop ended meanwhile
                loop.call_soon_threadsafe(self._heed, trouble)

    def _heed(self, trouble: str) -> None:
        """Say so when the database fails, or does again."""
        if trouble == self._trouble:
            return
        before, self._trouble = self._trouble, trouble
        self.shell.heed_store(is_writable=not trouble)
        if trouble:
            path = self.shell.settings.data_dir / FILE_NAME
            sentence = f"{path} {trouble}; until then accounts and charts answer 503"
            log("STORE_UNAVAILABLE", logging.ERROR, message=sentence)
        elif before is not _UNKNOWN:
            log("STORE_AVAILABLE")

    # Who asks ----------------------------------------------------------------------------------

    async def session_of(self, connection: HTTPConnection) -> Session | None:
        """Return the session of a request, if it has one that lives; found out once a request.

        Raises:
            StoreUnavailable: nobody can tell.
        """
        state = connection.state
        if not hasattr(state, "session"):
            token = cookie_of(connection, SESSION_COOKIE)
            digest = users.digest_of(token) if token else None
            now_us = self.shell.clock.unix_us()
            state.session = digest and await self.store.read(
                lambda store: users.session_of(store, digest, now_us)
            )
        found: Session | None = state.session or None
        return found

    async def require_session(self, request: Request) -> Session:
        """Return the session of a request, which its account is charged for.

        Raises:
            AuthRequired: nobody is logged in.
            RateLimited: the account asks too often.
            StoreUnavailable: nobody can tell.
        """
        session = await self.charged_session_of(request)
        if session is None:
            raise AuthRequired("log in first: POST /api/auth/login")
        return session

    async def charged_session_of(self, request: Request) -> Session | None:
        """Return the session of a request as `session_of` does, and charge its account.

        Raises:
            RateLimited: the account asks too often.
            StoreUnavailable: nobody can tell.
        """
        session = await self.session_of(request)
        if session is not None:
            cost = cost_of(request.method, request.url.path)
            self.limits.charge_account(request, session.user.id, cost)
        return session

    async def counted_session_of(self, request: Request) -> Session | None:
        """Return the session of a request as `session_of` does; its account refuses nothing.

        For who am I and for logging out: an account that somebody else keeps asking could not be
        left else. The address still pays for both, and its bucket refuses.

        Raises:
            StoreUnavailable: nobody can tell.
        """
        session = await self.session_of(request)
        if session is not None:
            cost = cost_of(request.method, request.url.path)
            self.limits.count_account(request, session.user.id, cost)
        return session

    async def user_of(self, request: Request) -> str | None:
        """Return the account that asks, which is charged for it; None for nobody in particular.

        Raises:
            RateLimited: the account asks too often.
            StoreUnavailable: nobody can tell.
        """
        session = await self.charged_session_of(request)
        return None if session is None else session.user.id

    def pseudonym_of(self, address: str) -> str:
        """Return what stands for an address in the database, which keeps none as it is."""
        return f"nobody {hmac.digest(self.key, address.encode(), 'sha256').hex()[:32]}"

    # What they carry ---------------------------------------------------------------------------

    def token_for(self, connection: HTTPConnection, session: bytes) -> tuple[str, bool]:
        """Return the token against forged requests, and whether the browser has it already."""
        kept = cookie_of(connection, CSRF_COOKIE) or ""
        if is_token_of(kept, self.key, session):
            return kept, True
        return new_token(self.key, session), False

    def set_token(self, response: Response, connection: HTTPConnection, token: str) -> None:
        """Give a token to the browser."""
        proxies = self.shell.settings.trusted_proxies
        set_cookie(response, connection, proxies, CSRF_COOKIE, token)

    def set_session(self, response: Response, connection: HTTPConnection, token: str) -> None:
        """Give a session to the browser, or with an empty token take it back."""
        proxies = self.shell.settings.trusted_proxies
        max_age_s = SESSION_S if token else 0
        set_cookie(response, connection, proxies, SESSION_COOKIE, token, max_age_s)


def delete_old(connection: sqlite3.Connection, now_us: int) -> None:
    """Delete what is over."""
    users.end_old_sessions(connection, now_us)
    answers.forget_answers(connection, now_us)
    compositions.forget_compositions(connection, now_us - compositions.KEPT_US)
    compositions.forget_surplus(connection, None)
    published.forget_changes(connection)
