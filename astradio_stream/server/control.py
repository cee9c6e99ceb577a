"""Where commands on this machine reach a running server: a socket in the data folder.

Each process has its own, `control/PID.sock`, in a folder that only its owner may enter; whoever
asks, asks all that are there and so all workers, and all servers that share the folder. Nothing of
it is reachable over a network. One question is one line of JSON, and so is its answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
from typing import TYPE_CHECKING, Any, Final

from astradio_stream.server.logs import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from astradio_stream.server.limits import Limits
    from astradio_stream.server.shell import Shell

FOLDER: Final = "control"
MOST_BYTES: Final = 4_096
"""Of a question."""
PATIENCE_S: Final = 5.0
"""How long a question may take to arrive."""


@contextlib.contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Give a socket's path that fits into an address (108 bytes) however deep its folder lies."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


class Control:
    """The socket of one process."""

    def __init__(self, shell: Shell, limits: Limits) -> None:
        self._shell = shell
        self._limits = limits
        self._path = shell.settings.data_dir / FOLDER / f"{os.getpid()}.sock"
        self._server: asyncio.Server | None = None
        self._answers: dict[str, Callable[[str], dict[str, Any]]] = {
            "status": self._status,
            "limits": self._limits_of,
            "reset": self._reset,
        }

    async def open(self) -> None:
        """Listen; where that cannot be, say so and do without."""
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            self._path.parent.chmod(0o700)
            self._path.unlink(missing_ok=True)
            with short_path(self._path) as path:
                listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                listening.bind(path)
            self._path.chmod(0o600)
            self._server = await asyncio.start_unix_server(
                self._serve, sock=listening, limit=MOST_BYTES
            )
        except OSError as error:
            log("CONTROL_FAILED", logging.WARNING, message=str(error))

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one question."""
        with contextlib.suppress(OSError, ValueError, TimeoutError):
            question = json.loads(await asyncio.wait_for(reader.readline(), PATIENCE_S))
            answer = self._answer(question)
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    def _answer(self, question: Any) -> dict[str, Any]:
        if not isinstance(question, dict) or question.get("ask") not in self._answers:
            return {"error": f"a question asks for one of {', '.join(self._answers)}"}
        answer = self._answers[question["ask"]](str(question.get("address", "")))
        return {"pid": os.getpid(), **answer}

    def _status(self, _address: str) -> dict[str, Any]:
        shell, settings = self._shell, self._shell.settings
        return {
            **shell.readiness.to_json(),
            "listeners": len(shell.listeners),
            "capacity": settings.max_listeners,
            "programmes": shell.load.n_programmes,
            "busy": round(shell.load.busy, 3),
            "audioModel": settings.default_audio_model,
            "viz": settings.enable_viz_engine,
            # Whom signals go to: with several workers their parent, who hands them on.
            "signalPid": os.getppid() if settings.workers > 1 else os.getpid(),
            "rateLimit": f"{settings.rate_limit_max} in {settings.rate_limit_window_s} s",
        }

    def _limits_of(self, address: str) -> dict[str, Any]:
        settings = self._shell.settings
        told = {
            "max": settings.rate_limit_max,
            "windowS": settings.rate_limit_window_s,
            "buckets": self._limits.n_buckets + len(self._shell.doors),
        }
        if address:
            return told | {"address": address, "left": self._limits.left_of(address)}
        return told | {"refused": self._limits.refused_lately()}

    def _reset(self, address: str) -> dict[str, Any]:
        n_buckets = self._limits.reset(address) + self._shell.doors.reset(address)
        log("LIMITS_RESET", address=address or "all", buckets=n_buckets)
        return {"reset": n_buckets}
