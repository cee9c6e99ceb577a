"""Run the server: bind, answer until told to stop, say goodbye, leave."""

from __future__ import annotations

import contextlib
import errno
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING

import uvicorn

from astradio_stream.errors import AstradioError
from astradio_stream.server.app import build_app
from astradio_stream.server.handshake import StreamProtocol
from astradio_stream.server.logs import close_logs, log, open_logs
from astradio_stream.server.malformed import PageProtocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.applications import Starlette

    from astradio_stream.server.shell import Shell
    from astradio_stream.settings import Settings

SWITCH_INTERVAL_S = 0.0005
"""How long a thread that computes may keep the interpreter from one that wants it. A segment asks
for it back after each packet: with Python's own 5 ms, work beside it makes a first quantum half a
second late."""

MAX_FRAME_BYTES = 16_384
"""Four times what a message may have, so that a close code reaches who sends a little too much."""


class StreamServer(uvicorn.Server):
    """uvicorn's server, but the goodbye is ours and a stop by signal is a success."""

    def __init__(self, config: uvicorn.Config, shell: Shell, announcement: str) -> None:
        super().__init__(config)
        self._shell = shell
        self._announcement = announcement

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say where once connections are answered."""
        await super().startup(sockets)
        if self.started:
            print(self._announcement, flush=True)  # noqa: T201

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let listeners go with a word before the connections are cut."""
        await self._shell.stop()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Turn SIGINT and SIGTERM into a stop; do not raise them again afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        kept = {number: signal.signal(number, self.handle_exit) for number in STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in kept.items():
                signal.signal(number, handler)


STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def serve(settings: Settings) -> int:
    """Serve until a signal; return the exit status.

    What keeps the server from starting is told in one line on standard error.
    """
    try:
        handlers = open_logs(settings.log_file, settings.log_level)
    except OSError as error:
        return _complain(f"cannot write ASTRADIO_LOG_FILE {settings.log_file}: {error.strerror}")
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        with bind(settings.host, settings.port) as bound:
            return _serve_on(bound, settings)
    except OSError as error:
        return _complain(why_not_bound(settings, error))
    finally:
        close_logs(handlers)


def uvicorn_config(app: Starlette, settings: Settings) -> uvicorn.Config:
    """Return how uvicorn runs the application."""
    return uvicorn.Config(
        app,
        http=PageProtocol,
        ws=StreamProtocol,  # on websockets-sansio, the one with back-pressure
        ws_per_message_deflate=False,  # doubles the CPU for sound that is compressed already
        ws_max_size=MAX_FRAME_BYTES,
        ws_ping_interval=None,  # reports and pings of the protocol are the heartbeat
        lifespan="on",
        access_log=False,
        log_config=None,
        proxy_headers=False,  # believed only from TRUSTED_PROXIES, by our own code
        server_header=False,
        timeout_graceful_shutdown=settings.drain_s,
    )


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to an address.

    Raises:
        OSError: the name is unknown, or the port is taken or forbidden.
    """
    family, kind, proto, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, proto)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def url_of(host: str, port: int) -> str:
    """Return where a browser on this machine finds the server."""
    shown = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "::1", "localhost") else host  # noqa: S104
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"


def why_not_bound(settings: Settings, error: OSError) -> str:
    """Return the sentence for an address that we cannot have."""
    where = f"port {settings.port} on {settings.host}"
    if error.errno == errno.EADDRINUSE:
        return f"{where} is taken; stop the other program or set ASTRADIO_PORT to another port"
    if error.errno == errno.EACCES:
        return f"{where} needs more rights; set ASTRADIO_PORT to 1024 or above"
    return f"cannot listen on {where}: {error.strerror or error}"


def _serve_on(bound: socket.socket, settings: Settings) -> int:
    """Serve on a bound socket; return the exit status."""
    app = build_app(settings)
    shell: Shell = app.state.shell
    url = url_of(settings.host, bound.getsockname()[1])
    log("STARTING", url=url)
    server = StreamServer(uvicorn_config(app, settings), shell, f"Astradio Stream answers on {url}")
    with contextlib.suppress(SystemExit):  # uvicorn's way to say that the start failed
        server.run(sockets=[bound])
    if shell.failure is not None:
        error = shell.failure
        told = error.message if isinstance(error, AstradioError) else f"internal error: {error!r}"
        return _complain(told)
    log("STOPPED")
    return 0


def _complain(sentence: str) -> int:
    """Print the one line that says why there is no server."""
    print(f"astradio-stream: {sentence}", file=sys.stderr, flush=True)  # noqa: T201
    return 1
