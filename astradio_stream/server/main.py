"""Run the server: bind, answer until told to stop, say goodbye, leave."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING, Final

import uvicorn

from astradio_stream.errors import AstradioError
from astradio_stream.server.app import build_app
from astradio_stream.server.drain import drain
from astradio_stream.server.handshake import StreamProtocol
from astradio_stream.server.logs import close_logs, log, log_failure, open_logs
from astradio_stream.server.malformed import PageProtocol
from astradio_stream.server.workers import supervise

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator
    from types import FrameType

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

    def __init__(
        self,
        config: uvicorn.Config,
        shell: Shell,
        on_start: Callable[[], None],
        reread: Callable[[], Settings] | None = None,
    ) -> None:
        """Serve.

        Args:
            config: Of uvicorn.
            shell: What is served.
            on_start: Called once connections are answered.
            reread: Reads the settings again, for SIGHUP.
        """
        super().__init__(config)
        self._shell = shell
        self._on_start = on_start
        self._reread = reread
        self._reloading: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so once connections are answered."""
        await super().startup(sockets)
        if self.started:
            if threading.current_thread() is threading.main_thread():
                loop = asyncio.get_running_loop()
                loop.add_signal_handler(signal.SIGHUP, self.reload)
                self._shell.collecting.begin()
                self._looking = asyncio.create_task(self._shell.collecting.keep_looking())
            self._on_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let listeners go by turns before the connections are cut; all of it within DRAIN_S."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._shell.settings.drain_s
        await drain(self._shell)
        self.config.timeout_graceful_shutdown = max(0, int(until_s - loop.time()))
        await super().shutdown(sockets)
        if self._looking is not None:
            self._looking.cancel()

    def reload(self) -> None:
        """Read the settings again; what is wrong with them is logged, and nothing changes."""
        if self._reread is not None:
            self._reloading = asyncio.ensure_future(self._reload(self._reread))

    async def _reload(self, reread: Callable[[], Settings]) -> None:
        try:
            await self._shell.reload(reread())
        except Exception as error:
            log_failure("RELOAD_FAILED", error)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to leave; at the second signal leave at once."""
        if self.should_exit:
            log("KILLED", signal=sig)
            os._exit(EXIT_BY_SIGNAL + sig)
        super().handle_exit(sig, frame)

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


STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
EXIT_BY_SIGNAL: Final = 128
"""A shell's way to tell that a signal ended a process: this and its number."""


def serve(settings: Settings, reread: Callable[[], Settings] | None = None) -> int:
    """Serve until a signal; return the exit status.

    What keeps the server from starting is told in one line on standard error.

    Args:
        settings: As of this start.
        reread: Reads the settings again, for SIGHUP; a function of a module, so that workers find
            it too.
    """
    try:
        handlers = open_logs_of(settings)
    except OSError as error:
        return complain(f"cannot write ASTRADIO_LOG_FILE {settings.log_file}: {error.strerror}")
    try:
        with bind(settings.host, settings.port, shared=settings.workers > 1) as bound:
            url = url_of(settings.host, bound.getsockname()[1])
            if settings.workers > 1:
                return supervise(settings, bound.getsockname()[1], url, reread)
            return serve_on(bound, settings, lambda: announce(url), reread)
    except OSError as error:
        return complain(why_not_bound(settings, error))
    finally:
        close_logs(handlers)


def open_logs_of(settings: Settings) -> list[logging.Handler]:
    """Open the logs as the settings want them; see `open_logs`."""
    return open_logs(
        settings.log_file,
        settings.log_level,
        form=settings.log_format,
        max_bytes=settings.log_max_mb * 1_000_000,
        n_kept=settings.log_kept,
    )


def announce(url: str) -> None:
    """Say where the server answers, if anybody reads it.

    In one write: `print` makes two of a line where Python does not buffer (PYTHONUNBUFFERED), and
    the log's thread may come between them.
    """
    try:
        sys.stdout.write(f"Astradio Stream answers on {url}\n")
        sys.stdout.flush()
    except OSError:
        # What is stuck in the buffer would fail again at the end, and make of it a failure.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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


def bind(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """Return a socket bound to an address, which other processes of ours may share.

    Raises:
        OSError: the name is unknown, or the port is taken or forbidden.
    """
    family, kind, proto, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, proto)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
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


def serve_on(
    bound: socket.socket,
    settings: Settings,
    on_start: Callable[[], None],
    reread: Callable[[], Settings] | None,
) -> int:
    """Serve on a bound socket; return the exit status."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    app = build_app(settings)
    shell: Shell = app.state.shell
    log("STARTING", url=url_of(settings.host, bound.getsockname()[1]))
    server = StreamServer(uvicorn_config(app, settings), shell, on_start, reread)
    with contextlib.suppress(SystemExit):  # uvicorn's way to say that the start failed
        server.run(sockets=[bound])
    if shell.failure is not None:
        error = shell.failure
        told = error.message if isinstance(error, AstradioError) else f"internal error: {error!r}"
        return complain(told)
    log("STOPPED")
    return 0


def complain(sentence: str) -> int:
    """Print the one line that says why there is no server."""
    print(f"astradio-stream: {sentence}", file=sys.stderr, flush=True)  # noqa: T201
    return 1
