"""A real uvicorn on a free port in a thread, and an engine that makes silence at once."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from astradio_stream.errors import NotFound, ValidationFailed
from astradio_stream.fields import Details
from astradio_stream.music.controls import read_controls
from astradio_stream.music.score import Event
from astradio_stream.server.app import build_app
from astradio_stream.server.main import StreamServer, bind, uvicorn_config
from astradio_stream.server.renderer import LAST_PLACE, ReadyMade
from astradio_stream.server.shell import Shell
from astradio_stream.settings import Settings, load_settings
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.programme import Programme, resolve
from astradio_stream.stream.steering import FORE_SAMPLES
from astradio_stream.stream.versions import VERSIONS, ModelVersions
from astradio_stream.units import QUANTA_PER_SEGMENT, QUANTUM_SAMPLES, SEGMENT_SAMPLES
from astradio_stream.wire.actions import Steer
from astradio_stream.wire.answers import ReadyParts
from astradio_stream.wire.messages import Hello
from astradio_stream.wire.quantum import CODEC_OF_WORD, PCM_BYTES, Codec, pack_quantum

SILENCE = bytes(PCM_BYTES)
SILENCE_CRC = zlib.crc32(SILENCE)
VIZ_FRAMES = tuple(bytes([n] * 24) for n in range(6))
LIVE_INDEX = 1_700_000_000 * 48_000


def settings_in(folder: Path, **environ: str) -> Settings:
    """Return settings whose files lie in `folder`; nobody is limited where a test says nothing."""
    files = {
        "RATE_LIMIT_MAX": "1000000",
        "ASTRADIO_DATA_DIR": str(folder / "data"),
        "ASTRADIO_LOG_FILE": str(folder / "logs" / "app.log"),
    }
    return load_settings(files | environ, None, VERSIONS["audio"])


class SilentEngine:
    """Stands where the engine stands: real programmes, silent segments, no waiting."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        """Raised by the next segment, if set."""
        self.join_failure: Exception | None = None
        """Raised by the next join, if set."""
        self.is_closed = False
        self._known: dict[str, Programme] = {}

    async def start(self) -> None:
        pass

    async def join(self, hello: Hello) -> tuple[Programme, ReadyParts]:
        if self.join_failure is not None:
            raise self.join_failure
        if hello.programme_id is None:
            programme = resolve(hello.programme, Moment(0), ModelVersions())
            self._known[programme.programme_id] = programme
        elif hello.programme_id in self._known:
            programme = self._known[hello.programme_id]
        else:
            raise NotFound("no such programme")
        first = LIVE_INDEX if programme.station else 0
        index = first if hello.from_index is None else hello.from_index
        return programme, self._parts(programme, hello, index)

    def remember(self, programme: Programme) -> None:
        self._known[programme.programme_id] = programme

    async def seek(self, programme: Programme, hello: Hello, to_index: int) -> ReadyParts:
        return self._parts(programme, hello, to_index)

    def at_hand(self, _programme: Programme, _k: int, _codec: Codec) -> ReadyMade | None:
        return None

    async def steer(
        self, programme: Programme, steer: Steer, first_open: int
    ) -> tuple[Programme, int]:
        # Through a model that can be steered, whatever plays here.
        steerable = dataclasses.replace(programme, model_versions=ModelVersions(audio="v1.1"))
        details: Details = []
        controls = read_controls(steer.controls, "controls", details)
        if details:
            raise ValidationFailed(details)
        changed = steerable.with_change(first_open + FORE_SAMPLES, controls)
        self._known[changed.programme_id] = changed
        return changed, first_open + FORE_SAMPLES

    async def segment(
        self,
        _programme: Programme,
        k: int,
        codec: Codec,
        _due_ns: int | None = None,
        _place: int = LAST_PLACE,
    ) -> ReadyMade:
        if self.failure is not None:
            raise self.failure
        packets = [SILENCE] if codec is Codec.PCM_S16LE else [b"\xf8\xff\xfe"] * 5
        quanta = tuple(
            pack_quantum(
                codec,
                0,
                SILENCE_CRC,
                k * SEGMENT_SAMPLES + n * QUANTUM_SAMPLES,
                packets,
                VIZ_FRAMES,
            )
            for n in range(QUANTA_PER_SEGMENT)
        )
        index = k * SEGMENT_SAMPLES + QUANTUM_SAMPLES
        return ReadyMade(quanta, (Event(index, "section", "a section", ("sun",)),))

    def prefetch(
        self, programme: Programme, k: int, codec: Codec, due_ns: int | None = None
    ) -> None:
        pass

    async def reload(self, settings: Settings) -> None:
        self.settings = settings

    async def bank(self, audio_version: str) -> Any:
        raise NotFound(f"there is no bank of {audio_version}: this engine is silent")

    async def made_again(self) -> bool | None:
        return None

    def later(self, work: Any) -> Any:
        return asyncio.get_running_loop().run_in_executor(None, work)

    def close(self) -> None:
        self.is_closed = True

    @staticmethod
    def _parts(programme: Programme, hello: Hello, index: int) -> ReadyParts:
        codec = CODEC_OF_WORD[hello.codecs[0]]
        return ReadyParts(
            programme=programme.to_json(),
            programme_id=programme.programme_id,
            from_index=index,
            codec={"name": codec.word, "version": "silent", "bitrate": 0, "preSkip": 0},
            viz={"version": "v1.0", "fields": []} if hello.viz else None,
            chart={},
            palette={},
            provenance={},
            limits={},
        )


@dataclass
class Served:
    """A server that runs."""

    app: Starlette
    engine: Any
    port: int
    server: StreamServer

    def stop(self) -> None:
        """Do what a signal does."""
        self.server.should_exit = True

    @property
    def shell(self) -> Shell:
        shell: Shell = self.app.state.shell
        return shell

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/stream"

    def change_settings(self, **changes: Any) -> None:
        self.shell.settings = dataclasses.replace(self.shell.settings, **changes)


@contextlib.contextmanager
def serving(settings: Settings, engine: Any = None) -> Iterator[Served]:
    """Run a server in a thread; with no engine given, the real one."""
    app = build_app(settings, engine)
    bound = bind("127.0.0.1", 0)
    started = threading.Event()

    class AnnouncedServer(StreamServer):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            started.set()

    server = AnnouncedServer(uvicorn_config(app, settings), app.state.shell, lambda: None)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    with bound:
        thread.start()
        try:
            assert started.wait(60), "the server did not start"
            yield Served(app, app.state.shell.engine, bound.getsockname()[1], server)
        finally:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive()


def wait_until_empty(server: Served) -> None:
    """Wait until the server has heard that everybody has gone."""
    deadline = time.monotonic() + 5
    while server.shell.listeners and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not server.shell.listeners
