"""Render once, serve many: ready-made quanta of any programme, made off the event loop.

The key (programme, k, codec) is made at most once at a time however many ask (single flight), and
kept in a store bounded by bytes, least recently used out first. Everything here only saves work:
forgetting all of it changes nothing that a listener hears.
"""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter, thread_time_ns
from typing import TYPE_CHECKING, Final, TypeAlias

from astradio_stream.server.outlet import framed, framed_text
from astradio_stream.stream.segment import Rendition, Segment, packets_of
from astradio_stream.strict_json import dump_text
from astradio_stream.units import QUANTA_PER_SEGMENT, QUANTUM_SAMPLES
from astradio_stream.wire import answers
from astradio_stream.wire.bucket import NS_PER_S
from astradio_stream.wire.quantum import Codec, pack_run, with_epoch, without_viz

if TYPE_CHECKING:
    from collections.abc import Mapping

    from astradio_stream.audio.bank import Bank
    from astradio_stream.music.score import Event
    from astradio_stream.server.clock import Clock
    from astradio_stream.server.load import Load
    from astradio_stream.server.metrics import Metrics
    from astradio_stream.server.pool import Job, RenderPool
    from astradio_stream.stream.programme import Programme

_RENDITIONS: Final = 512
"""Scores remembered at the most: a few dozen bars each."""
IDLE_NS: Final = 20 * NS_PER_S
"""How long a score is remembered that nobody asks for: composing those bars anew costs 20 ms, but
all that is remembered (some thousand notes each) is what the garbage collector walks through."""

GRACE_NS: Final = 100_000_000
"""One quantum: what is later than that is late, and what is wanted later than that is foreseen."""

Key: TypeAlias = tuple[str, int, Codec]


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
        """The quanta with the picture as WebSocket frames, each behind its events."""
        return tuple(map(bytes.__add__, self.told, map(framed, self.with_viz)))

    @cached_property
    def frames_without_viz(self) -> tuple[bytes, ...]:
        """The quanta without the picture as WebSocket frames, each behind its events."""
        return tuple(map(bytes.__add__, self.told, map(framed, self.without_viz)))

    @cached_property
    def told(self) -> tuple[bytes, ...]:
        """Frames of the events that are heard within each quantum; mostly none."""
        told = [b""] * QUANTA_PER_SEGMENT
        for event in self.events:
            more = dict(event.more)
            message = answers.event(event.index, event.kind, event.text, event.bodies, more)
            told[event.index // QUANTUM_SAMPLES % QUANTA_PER_SEGMENT] += framed_text(
                dump_text(message)
            )
        return tuple(told)

    def frames(self, first: int, n_quanta: int, epoch: int, *, viz: bool) -> bytes:
        """Return the frames of some quanta (0-9) and their events, for a listener in some epoch."""
        span = slice(first, first + n_quanta)
        if epoch == 0:
            return b"".join((self.frames_with_viz if viz else self.frames_without_viz)[span])
        quanta = (self.with_viz if viz else self.without_viz)[span]
        own = (framed(with_epoch(quantum, epoch)) for quantum in quanta)
        return b"".join(map(bytes.__add__, self.told[span], own))

    @property
    def n_bytes(self) -> int:
        """Memory that the quanta take at the most (bytes)."""
        return 4 * sum(map(len, self.with_viz))


Made: TypeAlias = tuple[ReadyMade, int]
"""A segment, and the CPU time it took (nanoseconds)."""


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
    """All programmes of one process, rendered on the threads of a pool.

    Its methods are called on the event loop's thread only.
    """

    def __init__(
        self,
        banks: Mapping[str, Bank],
        pool: RenderPool,
        *,
        bitrate: int,
        cache_bytes: int,
        metrics: Metrics,
        load: Load,
        clock: Clock,
    ) -> None:
        """Render with the banks of the audio models, by version."""
        self._banks = banks
        self._pool = pool
        self._bitrate = bitrate
        self._cache_bytes = cache_bytes
        self._metrics = metrics
        self._load = load
        self._clock = clock
        self._hits = metrics.cache_requests.labels("hit")
        self._renditions: OrderedDict[str, tuple[Rendition, int]] = OrderedDict()
        self._cache: OrderedDict[Key, ReadyMade] = OrderedDict()
        self._n_bytes = 0
        self._flights: dict[Key, tuple[Job[Made], asyncio.Future[ReadyMade], bool]] = {}

    def rendition(self, programme: Programme) -> Rendition:
        """Return the programme's rendition, the same object for as long as it is in use."""
        key, now_ns = programme.programme_id, self._clock.now_ns()
        known = self._renditions.get(key)
        if known is None:
            self._forget_idle(now_ns)
            rendition = Rendition(programme, self._banks[programme.model_versions.audio])
        else:
            rendition = known[0]
        self._renditions[key] = (rendition, now_ns)
        self._renditions.move_to_end(key)
        return rendition

    def _forget_idle(self, now_ns: int) -> None:
        """Forget the scores that nobody has asked for lately, and the oldest of too many."""
        while self._renditions:
            _, asked_ns = next(iter(self._renditions.values()))
            if asked_ns > now_ns - IDLE_NS and len(self._renditions) < _RENDITIONS:
                return
            self._renditions.popitem(last=False)

    def cached(self, programme: Programme, number: int, codec: Codec) -> ReadyMade | None:
        """Return segment k if it is at hand."""
        key = (programme.programme_id, number, codec)
        made = self._cache.get(key)
        if made is not None:
            self._cache.move_to_end(key)
            self._hits.inc()
        return made

    def served(self) -> tuple[Programme, int, ReadyMade] | None:
        """Return a segment at hand that listeners got, any of those whose programme still plays."""
        keys = [key for key in self._cache if key[0] in self._renditions]
        if not keys:
            return None
        key = random.choice(keys)
        return self._renditions[key[0]][0].programme, key[1], self._cache[key]

    async def segment(
        self, programme: Programme, number: int, codec: Codec, due_ns: int | None = None
    ) -> ReadyMade:
        """Return segment k, made unless it is at hand or already on its way; see `prefetch`."""
        made = self.cached(programme, number, codec)
        if made is not None:
            return made
        # Shielded: one listener who leaves must not take the segment from the others.
        due_ns = self._clock.now_ns() if due_ns is None else due_ns
        return await asyncio.shield(self._flight(programme, number, codec, due_ns))

    def prefetch(
        self, programme: Programme, number: int, codec: Codec, due_ns: int | None = None
    ) -> None:
        """Begin to make segment k if nobody has.

        Args:
            programme: Of which.
            number: k.
            codec: How it is written.
            due_ns: When its first quantum is due; at once where none is given.
        """
        if (programme.programme_id, number, codec) not in self._cache:
            due_ns = self._clock.now_ns() if due_ns is None else due_ns
            self._flight(programme, number, codec, due_ns)

    def _flight(
        self, programme: Programme, number: int, codec: Codec, due_ns: int
    ) -> asyncio.Future[ReadyMade]:
        key = (programme.programme_id, number, codec)
        self._load.asked(programme.programme_id, self._clock.now_ns())
        under_way = self._flights.get(key)
        if under_way is not None:
            self._metrics.cache_requests.labels("joined").inc()
            self._pool.hurry(under_way[0], due_ns)
            return under_way[1]
        self._metrics.cache_requests.labels("miss").inc()
        rendition = self.rendition(programme)
        job = self._pool.submit(lambda: self._make(rendition, number, codec), due_ns)
        flight: asyncio.Future[ReadyMade] = asyncio.get_running_loop().create_future()
        was_foreseen = due_ns >= self._clock.now_ns() + GRACE_NS
        self._flights[key] = (job, flight, was_foreseen)
        asyncio.wrap_future(job.future).add_done_callback(lambda done: self._land(key, done))
        return flight

    def _make(self, rendition: Rendition, number: int, codec: Codec) -> Made:
        """Render and encode one segment; runs on a render thread."""
        began, cpu_ns = perf_counter(), thread_time_ns()
        segment = rendition.segment(number)
        rendered = perf_counter()
        packets = sound_of(segment, codec, self._bitrate)
        encoded = perf_counter()
        made = ready_made(segment, codec, packets)
        self._metrics.render_seconds.observe(rendered - began)
        self._metrics.encode_seconds.observe(encoded - rendered)
        return made, thread_time_ns() - cpu_ns

    def _land(self, key: Key, done: asyncio.Future[Made]) -> None:
        """Keep what was made and give it to whoever waits."""
        job, flight, was_foreseen = self._flights.pop(key)
        if done.cancelled():
            flight.cancel()
            return
        error = done.exception()
        if error is not None:  # whoever waits for it is told; the next who asks tries again
            flight.set_exception(error)
            flight.exception()  # nobody need wait for it
            return
        made, cpu_ns = done.result()
        # What was wanted at once, by a newcomer or after a seek, cannot come late, only soon.
        is_late = was_foreseen and self._clock.now_ns() > job.deadline_ns + GRACE_NS
        self._load.rendered(cpu_ns, is_late=is_late)
        if is_late:
            self._metrics.late_segments.inc()
        self._cache[key] = made
        self._n_bytes += made.n_bytes
        while self._n_bytes > self._cache_bytes and len(self._cache) > 1:
            self._n_bytes -= self._cache.popitem(last=False)[1].n_bytes
        self._metrics.cache_bytes.set(self._n_bytes)
        if not flight.done():
            flight.set_result(made)
