"""What the shell asks of sky, music and sound: load them, resolve a hello, hand out segments."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from astradio_stream.audio import opus
from astradio_stream.errors import RETRY_AFTER_S, Overloaded
from astradio_stream.server.banks import load_bank
from astradio_stream.server.known import KnownProgrammes
from astradio_stream.server.logs import log
from astradio_stream.server.pool import RenderPool
from astradio_stream.server.renderer import LAST_PLACE, ReadyMade, Renderer
from astradio_stream.server.selftest import check_second
from astradio_stream.sky.features import FEATURES_VERSION
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.segment import Rendition
from astradio_stream.stream.skies import chart_seen
from astradio_stream.stream.station import joined_at, stations_of
from astradio_stream.stream.steering import steered
from astradio_stream.stream.veil import shown_chart
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.units import (
    N_CHANNELS,
    QUANTA_PER_SEGMENT,
    QUANTUM_SAMPLES,
    SAMPLE_RATE_HZ,
    SEGMENT_SAMPLES,
    floor_to_quantum,
    unix_us_to_index,
)
from astradio_stream.viz.fields import fields_json
from astradio_stream.wire.answers import ReadyParts
from astradio_stream.wire.bucket import NS_PER_S
from astradio_stream.wire.quantum import CODEC_OF_WORD, Codec, unpack_quantum

if TYPE_CHECKING:
    from collections.abc import Callable

    from astradio_stream.audio.bank import Bank
    from astradio_stream.server.clock import Clock
    from astradio_stream.server.load import Load
    from astradio_stream.server.metrics import Metrics
    from astradio_stream.settings import Settings
    from astradio_stream.stream.programme import Programme
    from astradio_stream.wire.actions import Steer
    from astradio_stream.wire.messages import Hello

KNOWN_LOOKS: Final = 300
"""Charts and palettes kept, 30 KB each, by where somebody began: who shares that shares these."""

Look: TypeAlias = tuple[dict[str, Any], dict[str, Any]]
"""Chart and palette as JSON."""

SELF_TEST_STATION: Final = "now"

PCM_VERSION: Final = "1"
_LAST: Final = 1 << 62
"""Deadline of what may wait for ever (nanoseconds)."""
PCM_BITRATE: Final = SAMPLE_RATE_HZ * N_CHANNELS * 16


class Engine:
    """Everything that makes a stream, behind five calls.

    Its methods are called on the event loop's thread only; the work is done on its own threads.
    """

    def __init__(self, settings: Settings, metrics: Metrics, clock: Clock, load: Load) -> None:
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._load = load
        self._pool = RenderPool(settings.render_threads)
        self._looks = ThreadPoolExecutor(1, "look")  # a newcomer waits behind nobody's rendering
        self._renderer: Renderer | None = None
        self._banks: dict[str, Bank] = {}
        self._loading: dict[str, asyncio.Future[Bank]] = {}
        self._known = KnownProgrammes()
        self._seen: OrderedDict[tuple[str, int], asyncio.Future[Look]] = OrderedDict()
        self._defaults = ModelVersions(audio=settings.default_audio_model)

    @property
    def renderer(self) -> Renderer:
        """The renderer, once started."""
        if self._renderer is None:
            raise RuntimeError("the engine has not been started")
        return self._renderer

    async def start(self) -> None:
        """Load codec, ephemeris and banks, then make the second that is live and listen to it.

        Raises:
            CodecUnavailable: libopus is missing or too old.
            SelfTestFailed: what a listener would hear is not what was made.
        """
        opus.library()
        await self._load_bank(self._settings.default_audio_model)
        self._renderer = Renderer(
            self._banks,
            self._pool,
            bitrate=self._settings.opus_bitrate,
            cache_bytes=self._settings.cache_mb * 1_000_000,
            metrics=self._metrics,
            load=self._load,
            clock=self._clock,
        )
        now = Moment(self._clock.unix_us())
        for name in stations_of(self._defaults.audio):
            self._known.remember(resolve({"station": name}, now, self._defaults))
        station = resolve({"station": SELF_TEST_STATION}, now, self._defaults)
        index = joined_at(self._live_index())
        made = await self.segment(station, index // SEGMENT_SAMPLES, Codec.OPUS)
        rendition = self._renderer.rendition(station)
        again = await asyncio.to_thread(rendition.segment, index // SEGMENT_SAMPLES)
        await asyncio.to_thread(check_second, again, made)
        await self._parts(station, index, Codec.OPUS, wants_viz=True)

    async def join(self, hello: Hello) -> tuple[Programme, ReadyParts]:
        """Return the programme of a hello, and what `ready` tells of it.

        Raises:
            ValidationFailed: fields of the programme are wrong; paths are relative to it.
            NotFound: there is no such station, or no programme of this id was played here lately.
        """
        if hello.programme_id is None:
            now = Moment(self._clock.unix_us())
            programme = resolve(hello.programme, now, self._defaults)
            self._known.remember(programme)
        else:
            programme = self._known.recall(hello.programme_id)
        if not self._load.has_room_for(programme.programme_id, self._clock.now_ns()):
            raise Overloaded("this server plays all the programmes it can", RETRY_AFTER_S)
        index = hello.from_index
        if index is None:
            index = 0 if programme.station is None else joined_at(self._live_index())
        await self.bank(programme.model_versions.audio)
        codec = CODEC_OF_WORD[hello.codecs[0]]
        self._begin(programme, index, codec)
        is_resumed = bool(hello.from_index)
        return programme, await self._parts(
            programme, index, codec, wants_viz=hello.viz, resumed=is_resumed
        )

    def remember(self, programme: Programme) -> None:
        """Know a programme from now on by its id, as if it had been asked for here."""
        self._known.remember(programme)

    async def seek(self, programme: Programme, hello: Hello, to_index: int) -> ReadyParts:
        """Return what `ready` tells of a programme from an index on."""
        codec = CODEC_OF_WORD[hello.codecs[0]]
        self._begin(programme, to_index, codec)
        return await self._parts(programme, to_index, codec, wants_viz=hello.viz)

    async def steer(
        self, programme: Programme, steer: Steer, first_open: int
    ) -> tuple[Programme, int]:
        """Return the programme steered once more, and from which index on.

        Args:
            programme: What is played.
            steer: What is to change.
            first_open: First sample of the first quantum that can still be replaced.

        Raises:
            ValidationFailed: controls are wrong, or it cannot be steered, or not there.
        """
        score = self.renderer.rendition(programme).score
        work = partial(steered, programme, score, steer.controls, steer.quantise, first_open)
        changed, effective = await asyncio.get_running_loop().run_in_executor(self._looks, work)
        self._known.remember(changed)
        return changed, effective

    async def segment(
        self,
        programme: Programme,
        k: int,
        codec: Codec,
        due_ns: int | None = None,
        place: int = LAST_PLACE,
    ) -> ReadyMade:
        """Return segment k as listeners receive it, at epoch 0; wanted at `due_ns`, or now.

        With a `place` less than the last it may end after the quantum there (0-9).
        """
        return await self.renderer.segment(programme, k, codec, due_ns, place)

    def at_hand(self, programme: Programme, k: int, codec: Codec) -> ReadyMade | None:
        """Return segment k if it is made already."""
        return self.renderer.cached(programme, k, codec)

    def prefetch(
        self, programme: Programme, k: int, codec: Codec, due_ns: int | None = None
    ) -> None:
        """Begin to make segment k if nobody has; it is wanted at `due_ns`, or at once."""
        self.renderer.prefetch(programme, k, codec, due_ns)

    def _begin(self, programme: Programme, index: int, codec: Codec) -> None:
        """Begin to make the segment of an index, its quantum before those behind it."""
        k, place = divmod(index // QUANTUM_SAMPLES, QUANTA_PER_SEGMENT)
        self.renderer.prefetch(programme, k, codec, place=place)

    async def reload(self, settings: Settings) -> None:
        """Heed settings that may change while the server runs."""
        await self._load_bank(settings.default_audio_model)
        self._settings = settings
        self._defaults = ModelVersions(audio=settings.default_audio_model)

    async def bank(self, audio_version: str) -> Bank:
        """Return the bank of an audio model, loaded now unless it is."""
        if audio_version not in self._banks:
            await self._load_bank(audio_version)
        return self._banks[audio_version]

    async def made_again(self) -> bool | None:
        """Make a served segment once more, after what listeners wait for.

        Returns:
            Whether its sound is the one that was served; None where nothing was served lately.
        """
        served = self.renderer.served()
        if served is None:
            return None
        programme, k, made = served
        bank = await self.bank(programme.model_versions.audio)
        crcs = await self.later(partial(_crcs_of, programme, k, bank))
        return crcs == [unpack_quantum(quantum).crc32 for quantum in made.with_viz]

    def later(self, work: Callable[[], object]) -> asyncio.Future[object]:
        """Do some work on a render thread, after what listeners wait for."""
        return asyncio.wrap_future(self._pool.submit(work, _LAST).future)

    async def _load_bank(self, version: str) -> None:
        """Load the bank of an audio model unless it is loaded or on its way."""
        loading = self._loading.get(version)
        if loading is None:
            work = partial(load_bank, AUDIO_MODELS[version], self._settings.data_dir)
            loading = asyncio.ensure_future(asyncio.to_thread(self._timed, version, work))
            self._loading[version] = loading
        try:
            self._banks[version] = await asyncio.shield(loading)
        except Exception:
            self._loading.pop(version, None)  # whoever asks next tries again
            raise

    def _timed(self, version: str, load: Callable[[], Bank]) -> Bank:
        """Load a bank; tell how long it took."""
        began_ns = self._clock.now_ns()
        bank = load()
        seconds = (self._clock.now_ns() - began_ns) / NS_PER_S
        self._metrics.model_load_seconds.labels(version).set(seconds)
        log("MODEL_LOADED", model=version, seconds=round(seconds, 3))
        return bank

    def close(self) -> None:
        """Let go of the threads; what is under way is finished, what waits is dropped."""
        self._looks.shutdown(wait=True, cancel_futures=True)
        self._pool.close()

    def _live_index(self) -> int:
        """Return the index that stations play now."""
        return floor_to_quantum(unix_us_to_index(self._clock.unix_us()))

    async def _look(self, programme: Programme, index: int, codec: Codec) -> Look:
        """Return chart and palette at an index: found out once for all who begin there."""
        key = (programme.programme_id, index)
        look = self._seen.get(key)
        if look is None or (look.done() and (look.cancelled() or look.exception() is not None)):
            look = asyncio.ensure_future(self._look_at(programme, index, codec))
            self._seen[key] = look
            if len(self._seen) > KNOWN_LOOKS:
                self._seen.popitem(last=False)
        return await asyncio.shield(look)

    async def _look_at(self, programme: Programme, index: int, codec: Codec) -> Look:
        """Return chart and palette on a thread.

        That begins when a newcomer's first second is composed: then the planets' places are known
        that both need, and it does not take the interpreter from the composer.
        """
        await self.renderer.composed(programme, index // SEGMENT_SAMPLES, codec)
        work = partial(_look_at, self.renderer.rendition(programme), index)
        return await asyncio.get_running_loop().run_in_executor(self._looks, work)

    async def _parts(
        self,
        programme: Programme,
        index: int,
        codec: Codec,
        *,
        wants_viz: bool,
        resumed: bool = False,
    ) -> ReadyParts:
        """Return what `ready` tells; chart and palette are found out on a thread."""
        chart, palette = await self._look(programme, floor_to_quantum(index), codec)
        has_viz = wants_viz and self._settings.enable_viz_engine
        is_station = programme.station is not None
        return ReadyParts(
            programme=programme.to_json(),
            programme_id=programme.programme_id,
            from_index=index,
            codec=codec_json(codec, self._settings.opus_bitrate),
            viz={"version": programme.model_versions.viz, "fields": fields_json()}
            if has_viz
            else None,
            chart=chart,
            palette=palette,
            provenance=provenance_json(programme, chart),
            limits={},
            live={"index": self._live_index(), "utcMs": self._clock.unix_us() // 1_000}
            if is_station
            else None,
            resumed=resumed,
        )


def codec_json(codec: Codec, bitrate: int) -> dict[str, Any]:
    """Return `ready.codec`."""
    if codec is Codec.OPUS:
        version, pre_skip = opus.library().version, opus.look_ahead()
    else:
        version, bitrate, pre_skip = PCM_VERSION, PCM_BITRATE, 0
    return {"name": codec.word, "version": version, "bitrate": bitrate, "preSkip": pre_skip}


def provenance_json(programme: Programme, chart: dict[str, Any]) -> dict[str, Any]:
    """Return which sky, seed and builds made the sound."""
    return {
        "chartHash": chart["chartHash"],
        "seed": programme.seed,
        "featuresVersion": FEATURES_VERSION,
        "houseSystem": chart["houseSystemUsed"],
        "tzDiscipline": "utc",
        "codec": opus.library().version,
        "modelVersions": programme.model_versions.to_json(),
    }


def _crcs_of(programme: Programme, k: int, bank: Bank) -> list[int]:
    """Return the checksums of segment k, composed and rendered from nothing."""
    return list(Rendition(programme, bank).segment(k).quantum_crcs())


def _look_at(rendition: Rendition, index: int) -> Look:
    """Return chart and palette at an index."""
    programme = rendition.programme
    chart = chart_seen(programme.moment_at(index), programme.place)
    return shown_chart(programme, chart), rendition.score.palette_json(index)
