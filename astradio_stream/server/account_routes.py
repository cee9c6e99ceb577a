"""Accounts over HTTP: register, log in and out, who am I, all my data, and its end."""

from __future__ import annotations

import re
import secrets
import unicodedata
from typing import TYPE_CHECKING, Any, Final

import orjson
from starlette.responses import Response
from starlette.routing import Route

from astradio_stream.errors import AuthRequired, Detail, ValidationFailed
from astradio_stream.fields import Field, boolean, read_fields
from astradio_stream.server import passwords
from astradio_stream.server.block_routes import block_to_json
from astradio_stream.server.bodies import read_object
from astradio_stream.server.chart_routes import saved_chart_to_json
from astradio_stream.server.cookies import SESSION_COOKIE, values_of_cookie
from astradio_stream.server.desk import SESSION_S
from astradio_stream.server.http import JsonAnswer, answer
from astradio_stream.server.logs import log
from astradio_stream.server.readiness import iso_of
from astradio_stream.store import users

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from starlette.requests import Request

    from astradio_stream.fields import Details
    from astradio_stream.server.compose import ComposePage
    from astradio_stream.server.desk import Desk
    from astradio_stream.store.users import User

_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")
_TOKEN_BYTES: Final = 32


class AccountPages:
    """What is answered about accounts."""

    def __init__(self, desk: Desk, pieces: ComposePage) -> None:
        self._desk = desk
        self._pieces = pieces

    async def register(self, request: Request) -> Response:
        """Make an account, and log in."""
        email, password = await _read_credentials(request, is_new=True)
        self._desk.limits.charge_registration(request)
        hashed = await self._desk.passwords.hash(password)
        now_us = self._desk.shell.clock.unix_us()

        def begin(store: sqlite3.Connection) -> User:
            return users.add_user(store, email, hashed, now_us)

        told = await _logged_in(self._desk, request, begin, 201)
        self._desk.limits.remember_login(request, email)
        return told

    async def login(self, request: Request) -> Response:
        """Begin a session."""
        email, password = await _read_credentials(request, is_new=False)
        limits = self._desk.limits
        limits.charge_login(request, email)
        user = await self._desk.store.read(lambda store: users.user_of_email(store, email))
        fits = await self._desk.passwords.fits(None if user is None else user.password, password)
        if user is None or not fits:
            log("LOGIN_REFUSED", user="-" if user is None else user.id)
            raise AuthRequired("there is no account with this address and password")
        limits.remember_login(request, email)
        known, hashed = user, ""
        if self._desk.passwords.is_outdated(user.password):
            hashed = await self._desk.passwords.hash(password)

        def begin(store: sqlite3.Connection) -> User:
            if hashed:
                users.set_password(store, known.id, hashed)
            return known

        return await _logged_in(self._desk, request, begin, 200)

    async def logout(self, request: Request) -> Response:
        """End this session, or all of the account."""
        details: Details = []
        body = await read_object(request, or_nothing=True)
        wishes = read_fields(_LOGOUT_FIELDS, body.fields, details)
        if details:
            raise ValidationFailed(details)
        session = await self._desk.counted_session_of(request)
        if session is not None:
            ended = session

            def end(store: sqlite3.Connection) -> None:
                if wishes["everywhere"]:
                    users.end_sessions_of(store, ended.user.id)
                else:
                    users.end_session(store, ended.digest)

            await self._desk.store.write(end)
            log("LOGGED_OUT", user=session.user.id, everywhere=wishes["everywhere"])
        return _nobody(self._desk, request)

    async def session(self, request: Request) -> Response:
        """Tell who is logged in, and the token of this browser."""
        found = await self._desk.counted_session_of(request)
        if found is None:
            return _nobody(self._desk, request)
        token, is_kept = self._desk.token_for(request, found.digest)
        told = answer(request, {"user": user_to_json(found.user), "csrfToken": token})
        if not is_kept:
            self._desk.set_token(told, request, token)
        return told

    async def export(self, request: Request) -> Response:
        """Tell all that is stored about the account."""
        found = await self._desk.require_session(request)
        everything = await self._desk.store.read(
            lambda store: users.everything_of(store, found.user)
        )
        told = answer(request, everything_to_json(everything))
        told.headers["Content-Disposition"] = 'attachment; filename="astradio-account.json"'
        return told

    async def delete(self, request: Request) -> Response:
        """Delete the account and all that belongs to it."""
        found = await self._desk.require_session(request)
        files = await self._desk.store.write(lambda store: users.delete_user(store, found.user.id))
        await self._desk.store.forget()
        await self._pieces.forget(files)
        log("ACCOUNT_DELETED", user=found.user.id)
        gone = Response(None, 204, {"Cache-Control": "no-store"})
        self._desk.set_session(gone, request, "")
        self._desk.set_token(gone, request, self._desk.token_for(request, b"")[0])
        return gone


def account_routes(desk: Desk, pieces: ComposePage) -> list[Route]:
    """Return the routes of accounts."""
    pages = AccountPages(desk, pieces)
    return [
        Route("/api/auth/register", pages.register, methods=["POST"]),
        Route("/api/auth/login", pages.login, methods=["POST"]),
        Route("/api/auth/logout", pages.logout, methods=["POST"]),
        Route("/api/auth/session", pages.session),
        Route("/api/account/export", pages.export),
        Route("/api/account", pages.delete, methods=["DELETE"]),
    ]


def user_to_json(user: User) -> dict[str, Any]:
    """Return what an account is told of itself."""
    return {"id": user.id, "email": user.email, "createdAt": iso_of(user.created_us)}


def everything_to_json(everything: dict[str, Any]) -> dict[str, Any]:
    """Return the export: all that is stored about an account.

    What is JSON already is passed on as it is: a thousand pieces are twenty megabytes, and nobody
    who listens may wait until they are read and written again.
    """
    return {
        "user": user_to_json(everything["user"]),
        "sessions": [
            {"createdAt": iso_of(created_us), "expiresAt": iso_of(expires_us)}
            for created_us, expires_us in everything["sessions"]
        ],
        "charts": [saved_chart_to_json(chart) for chart in everything["charts"]],
        "blocks": [block_to_json(block) for block in everything["blocks"]],
        "compositions": [
            {
                "createdAt": iso_of(piece.created_us),
                "programme": orjson.Fragment(piece.programme),
                "answer": orjson.Fragment(piece.answer),
            }
            for piece in everything["compositions"]
        ],
        "answers": [
            {
                "page": " ".join(scope.split(" ")[:2]),
                "key": key,
                "status": kept.status,
                "body": orjson.Fragment(kept.body),
                "expiresAt": iso_of(expires_us),
            }
            for scope, key, kept, expires_us in everything["answers"]
        ],
    }


async def _logged_in(
    desk: Desk, request: Request, begin: Callable[[sqlite3.Connection], User], status: int
) -> JsonAnswer:
    """Begin a session, which ends the one that the browser had; tell both cookies.

    Args:
        desk: What all pages share.
        request: That asked for it.
        begin: Finds or makes the account, in the transaction that begins the session.
        status: Of the answer.
    """
    now_us = desk.shell.clock.unix_us()
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    digest = users.digest_of(token)
    before = await desk.session_of(request)

    def log_in(store: sqlite3.Connection) -> User:
        user = begin(store)
        if before is not None:
            users.end_session(store, before.digest)
        users.add_session(store, digest, user.id, now_us, now_us + SESSION_S * 1_000_000)
        return user

    user = await desk.store.write(log_in)
    log("REGISTERED" if status == 201 else "LOGGED_IN", user=user.id)
    csrf_token = desk.token_for(request, digest)[0]
    told = answer(request, {"user": user_to_json(user), "csrfToken": csrf_token}, status)
    desk.set_session(told, request, token)
    desk.set_token(told, request, csrf_token)
    return told


def _nobody(desk: Desk, request: Request) -> JsonAnswer:
    """Tell a browser in which nobody is logged in, or is no more."""
    token, is_kept = desk.token_for(request, b"")
    told = answer(request, {"user": None, "csrfToken": token})
    if values_of_cookie(request, SESSION_COOKIE):
        desk.set_session(told, request, "")
    if not is_kept:
        desk.set_token(told, request, token)
    return told


async def _read_credentials(request: Request, *, is_new: bool) -> tuple[str, str]:
    """Return address and password out of a body; only a new password must be a good one."""
    details: Details = []
    body = await read_object(request)
    values = read_fields(_NEW if is_new else _KNOWN, body.fields, details)
    if is_new and not details and values["password"].casefold() == values["email"]:
        details.append(Detail("password", "password must be another than the address"))
    if details:
        raise ValidationFailed(details)
    return values["email"], values["password"]


def _email(value: object, path: str, details: Details) -> str:
    """Read an address; whether it is one only a letter to it could tell."""
    if isinstance(value, str) and value.isprintable():
        email = unicodedata.normalize("NFC", value.strip()).lower()
        if _EMAIL.fullmatch(email):
            return email
    details.append(Detail(path, f"{path} must be an e-mail address such as a@radio.example"))
    return ""


def _password(value: object, path: str, details: Details) -> str:
    """Read a password of any length that we would hash."""
    if isinstance(value, str) and len(value) <= passwords.LONGEST:
        return value
    right = f"a text of at most {passwords.LONGEST} characters"
    details.append(Detail(path, f"{path} must be {right}"))  # never shown, not even in part
    return ""


def _new_password(value: object, path: str, details: Details) -> str:
    """Read a password that is to be kept."""
    if isinstance(value, str) and passwords.SHORTEST <= len(value) <= passwords.LONGEST:
        return value
    right = f"a text of {passwords.SHORTEST} to {passwords.LONGEST} characters"
    details.append(Detail(path, f"{path} must be {right}"))
    return ""


_KNOWN: Final = (Field("email", "email", _email), Field("password", "password", _password))
_NEW: Final = (Field("email", "email", _email), Field("password", "password", _new_password))
_LOGOUT_FIELDS: Final = (Field("everywhere", "everywhere", boolean, required=False, default=False),)
