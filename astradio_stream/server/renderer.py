"""Render once, serve many: ready-made quanta of any programme, made off the event loop.

The key (programme, k, codec) is made at most once at a time however many ask (single flight), and
kept in a store bounded by bytes, least recently used out first. Everything here only saves work:
forgetting all of it changes nothing that a listener hears.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Final

from astradio_stream.server.outlet import framed, framed_text
from astradio_stream.stream.segment import Rendition, Segment, packets_of
from astradio_stream.strict_json import dump_text
from astradio_stream.units import QUANTA_PER_SEGMENT, QUANTUM_SAMPLES
from astradio_stream.wire import answers
from astradio_stream.wire.quantum import Codec, pack_run, with_epoch, without_viz

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Executor

    from astradio_stream.audio.bank import Bank
    from astradio_stream.music.score import Event
    from astradio_stream.server.metrics import Metrics
    from astradio_stream.stream.programme import Programme

_RENDITIONS: Final = 1024
"""Scores remembered: a few dozen bars each."""

Key = tuple[str, int, Codec]


@dataclass(frozen=True)
class ReadyMade:
    """One segment as listeners receive it, at epoch 0."""

    with_viz: tuple[bytes, ...]
    """Ten quanta with the picture."""
    events: tuple[Event, ...]
    """What happens in the segment, ordered by index."""

    @cached_property
    def without_viz(self) -> tuple[bytes, ...]:
        """Ten quanta without the picture, made when the first listener wants them."""
        return tuple(map(without_viz, self.with_viz))

    @cached_property
    def frames_with_viz(self) -> tuple[bytes, ...]:
        """The quanta with the picture as WebSocket frames."""
        return tuple(map(framed, self.with_viz))

    @cached_property
    def frames_without_viz(self) -> tuple[bytes, ...]:
        """The quanta without the picture as WebSocket frames."""
        return tuple(map(framed, self.without_viz))

    @cached_property
    def told(self) -> tuple[bytes, ...]:
        """Frames of the events that are heard within each quantum; mostly none."""
        told = [b""] * QUANTA_PER_SEGMENT
        for event in self.events:
            message = answers.event(event.index, event.kind, event.text, event.bodies, {})
            told[event.index // QUANTUM_SAMPLES % QUANTA_PER_SEGMENT] += framed_text(
                dump_text(message)
            )
        return tuple(told)

    def frame(self, n: int, epoch: int, *, viz: bool) -> bytes:
        """Return the frame of quantum n (0-9) for a listener in some epoch."""
        if epoch == 0:
            return (self.frames_with_viz if viz else self.frames_without_viz)[n]
        return framed(with_epoch((self.with_viz if viz else self.without_viz)[n], epoch))

    @property
    def n_bytes(self) -> int:
        """Memory that the quanta take at the most (bytes)."""
        return 4 * sum(map(len, self.with_viz))


def sound_of(segment: Segment, codec: Codec, bitrate: int) -> tuple[bytes, ...]:
    """Return a segment's packets: fifty of Opus, or one of PCM for each quantum."""
    if codec is Codec.OPUS:
        return packets_of(segment, bitrate)
    return tuple(map(bytes, segment.quantum_pcm()))


def ready_made(segment: Segment, codec: Codec, packets: tuple[bytes, ...]) -> ReadyMade:
    """Return a segment's quanta at epoch 0."""
    picture, size = segment.viz.tobytes(), segment.viz.shape[1]
    frames = [picture[at : at + size] for at in range(0, len(picture), size)]
    quanta = pack_run(codec, segment.start, segment.quantum_crcs(), packets, frames)
    return ReadyMade(quanta, segment.events)


class Renderer:
    """All programmes of one process, rendered on the threads of an executor.

    Its methods are called on the event loop's thread only.
    """

    def __init__(
        self,
        banks: Mapping[str, Bank],
        executor: Executor,
        *,
        bitrate: int,
        cache_bytes: int,
        metrics: Metrics,
    ) -> None:
        """Render with the banks of the audio models, by version."""
        self._banks = banks
        self._executor = executor
        self._bitrate = bitrate
        self._cache_bytes = cache_bytes
        self._metrics = metrics
        self._renditions: OrderedDict[str, Rendition] = OrderedDict()
        self._cache: OrderedDict[Key, ReadyMade] = OrderedDict()
        self._n_bytes = 0
        self._flights: dict[Key, asyncio.Future[ReadyMade]] = {}

    def rendition(self, programme: Programme) -> Rendition:
        """Return the programme's rendition, the same object for as long as it is in use."""
        key = programme.programme_id
        rendition = self._renditions.get(key)
        if rendition is None:
            rendition = Rendition(programme, self._banks[programme.model_versions.audio])
            self._renditions[key] = rendition
            if len(self._renditions) > _RENDITIONS:
                self._renditions.popitem(last=False)
        self._renditions.move_to_end(key)
        return rendition

    async def run(self, work: Callable[[], object]) -> object:
        """Return the result of some pure work done on a render thread."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def cached(self, programme: Programme, number: int, codec: Codec) -> ReadyMade | None:
        """Return segment k if it is at hand."""
        key = (programme.programme_id, number, codec)
        made = self._cache.get(key)
        if made is not None:
            self._cache.move_to_end(key)
            self._metrics.cache_requests.labels("hit").inc()
        return made

    async def segment(self, programme: Programme, number: int, codec: Codec) -> ReadyMade:
        """Return segment k, made now unless it is at hand or already on its way."""
        made = self.cached(programme, number, codec)
        if made is not None:
            return made
        # Shielded: one listener who leaves must not take the segment from the others.
        return await asyncio.shield(self._flight(programme, number, codec))

    def prefetch(self, programme: Programme, number: int, codec: Codec) -> None:
        """Begin to make segment k if nobody has."""
        if (programme.programme_id, number, codec) not in self._cache:
            self._flight(programme, number, codec)

    def _flight(self, programme: Programme, number: int, codec: Codec) -> asyncio.Future[ReadyMade]:
        key = (programme.programme_id, number, codec)
        flight = self._flights.get(key)
        if flight is not None:
            self._metrics.cache_requests.labels("joined").inc()
            return flight
        self._metrics.cache_requests.labels("miss").inc()
        rendition = self.rendition(programme)
        loop = asyncio.get_running_loop()
        flight = loop.run_in_executor(self._executor, self._make, rendition, number, codec)
        self._flights[key] = flight
        flight.add_done_callback(lambda done: self._land(key, done))
        return flight

    def _make(self, rendition: Rendition, number: int, codec: Codec) -> ReadyMade:
        """Render and encode one segment; runs on a render thread."""
        began = perf_counter()
        segment = rendition.segment(number)
        rendered = perf_counter()
        packets = sound_of(segment, codec, self._bitrate)
        encoded = perf_counter()
        made = ready_made(segment, codec, packets)
        self._metrics.render_seconds.observe(rendered - began)
        self._metrics.encode_seconds.observe(encoded - rendered)
        return made

    def _land(self, key: Key, flight: asyncio.Future[ReadyMade]) -> None:
        del self._flights[key]
        if flight.cancelled() or flight.exception() is not None:
            return  # whoever waits for it is told; the next who asks tries again
        made = flight.result()
        self._cache[key] = made
        self._n_bytes += made.n_bytes
        while self._n_bytes > self._cache_bytes and len(self._cache) > 1:
            self._n_bytes -= self._cache.popitem(last=False)[1].n_bytes
        self._metrics.cache_bytes.set(self._n_bytes)
