"""How commands ask: servers of this machine through their sockets, any server over HTTP."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from astradio_stream.errors import AstradioError, NotFound
from astradio_stream.server.control import FOLDER, short_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message
    from pathlib import Path

PATIENCE_S: Final = 10.0
MOST_WAIT_S: Final = 60.0
"""How long in all a command waits because it is refused as asking too much."""
_MOST_BYTES: Final = 64 << 20


class Unreachable(AstradioError):
    """Nobody answers where a server should be."""

    code = "UNREACHABLE"


def ask_servers(data_dir: Path, ask: str, **more: str) -> list[dict[str, Any]]:
    """Return the answers of all processes that serve from a data folder.

    Raises:
        NotFound: there is none.
    """
    answers = [
        answer
        for path in sorted((data_dir / FOLDER).glob("*.sock"))
        if (answer := _ask(path, {"ask": ask, **more})) is not None
    ]
    if not answers:
        raise NotFound(f"no server runs on ASTRADIO_DATA_DIR {data_dir}")
    return answers


def _ask(path: Path, question: dict[str, str]) -> dict[str, Any] | None:
    """Return one answer; a socket that a dead process left is cleared away."""
    try:
        with short_path(path) as short, socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(PATIENCE_S)
            asking.connect(short)
            asking.sendall(json.dumps(question).encode() + b"\n")
            found: dict[str, Any] = json.loads(asking.makefile().readline())
            return found
    except (ConnectionRefusedError, FileNotFoundError):
        with contextlib.suppress(OSError):
            path.unlink()
    except (OSError, ValueError):
        return None
    return None


@dataclass(frozen=True)
class Answer:
    """What came over HTTP."""

    status: int
    headers: Message
    body: bytes

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_args: Any) -> None:
        """Follow nothing: what is asked is what is judged."""
        return


class Server:
    """A server somewhere, over HTTP."""

    def __init__(self, url: str) -> None:
        """Ask a server.

        Raises:
            Unreachable: the text is no address of one.
        """
        parts = urlsplit(url if "//" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise Unreachable(f"URL must be like http://localhost:3000, got {url!r}")
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._left_s = MOST_WAIT_S
        self._opener = build_opener(_NoRedirect)

    @property
    def stream_url(self) -> str:
        """Where its streams are."""
        return f"ws{self.url.removeprefix('http')}/stream"

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return an answer; who is asked to wait waits.

        Raises:
            Unreachable: there is none.
        """
        while True:
            answer = self._answer(path, method, body, headers or {})
            wait_s = float(answer.headers.get("Retry-After", "1"))
            if answer.status not in (429, 503) or wait_s > self._left_s:
                return answer
            self._left_s -= wait_s
            time.sleep(wait_s)

    def _answer(
        self, path: str, method: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        request = Request(self.url + path, body, dict(headers), method=method)  # noqa: S310
        try:
            with self._opener.open(request, timeout=3 * PATIENCE_S) as answer:
                return Answer(answer.status, answer.headers, answer.read(_MOST_BYTES))
        except HTTPError as refused:
            with refused:
                return Answer(refused.code, refused.headers, refused.read(_MOST_BYTES))
        except (URLError, HTTPException, OSError) as error:
            why = getattr(error, "reason", error)
            raise Unreachable(f"{self.url} does not answer: {why}") from error
