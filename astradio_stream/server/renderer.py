"""Render once, serve many: ready-made quanta of any programme, made off the event loop.

The key (programme, k, codec) is made at most once at a time however many ask (single flight), and
kept in a store bounded by bytes, least recently used out first. Everything here only saves work:
forgetting all of it changes nothing that a listener hears.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from time import perf_counter, thread_time_ns
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from astradio_stream.audio.encode import encoded
from astradio_stream.server.outlet import framed, framed_text
from astradio_stream.stream.segment import Rendition, Segment
from astradio_stream.strict_json import dump_text
from astradio_stream.units import (
    QUANTA_PER_SEGMENT,
    QUANTUM_SAMPLES,
    VIZ_FRAMES_PER_QUANTUM,
)
from astradio_stream.wire import answers
from astradio_stream.wire.bucket import NS_PER_S
from astradio_stream.wire.quantum import Codec, pack_run, with_epoch, without_viz

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

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

LAST_PLACE: Final = QUANTA_PER_SEGMENT - 1
"""Of a quantum in its segment: who waits for that waits for all of it."""

Key: TypeAlias = tuple[str, int, Codec]


@dataclass(frozen=True)
class ReadyMade:
    """One segment as listeners receive it, at epoch 0."""

    with_viz: tuple[bytes, ...]
    """Its quanta with the picture, ten; fewer while it is being made."""
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


_T = TypeVar("_T")

Made: TypeAlias = tuple[ReadyMade, int]
"""A segment, and the CPU time it took (nanoseconds)."""


def sound_of(segment: Segment, codec: Codec, bitrate: int) -> Iterator[Sequence[bytes]]:
    """Yield the packets of a segment's quanta as they come: five of Opus each, or one of PCM."""
    if codec is Codec.OPUS:
        return encoded(segment.heard, bitrate)
    return ((bytes(pcm),) for pcm in segment.quantum_pcm())


def ready_made(segment: Segment, codec: Codec, sound: Iterable[Sequence[bytes]]) -> ReadyMade:
    """Return a segment's quanta at epoch 0, as many as there is sound for."""
    quanta = [*sound]
    n_quanta = len(quanta)
    picture = segment.viz[: n_quanta * VIZ_FRAMES_PER_QUANTUM].tobytes()
    packets = [*chain.from_iterable(quanta)]
    crcs = segment.quantum_crcs()[:n_quanta]
    return ReadyMade(pack_run(codec, segment.start, crcs, packets, picture), segment.events)


def _settle(future: asyncio.Future[_T], result: _T) -> None:
    if not future.done():
        future.set_result(result)


class _Flight:
    """A segment on its way: once at a time, however many wait for it."""

    def __init__(self, job: Job[Made], place: int, *, was_foreseen: bool) -> None:
        """Let who wants no more than the quanta up to `place` have them before the others."""
        self.job = job
        self.was_foreseen = was_foreseen
        self._place = place
        loop = asyncio.get_running_loop()
        self.composed: asyncio.Future[None] = loop.create_future()
        self.opening: asyncio.Future[ReadyMade] = loop.create_future()
        self.whole: asyncio.Future[ReadyMade] = loop.create_future()

    def reaching(self, place: int) -> asyncio.Future[ReadyMade]:
        """Return what will hold the quantum at a place (0-9)."""
        return self.opening if place <= self._place else self.whole

    def made_by_now(self) -> ReadyMade | None:
        """Return the whole segment if the render thread has it, whether or not we were told.

        Of hundreds who wait for the opening, most have their turn when the rest is there, too, and
        what tells us of it waits behind them: who got the opening alone would run dry meanwhile.
        """
        future = self.job.future
        if not future.done() or future.cancelled() or future.exception() is not None:
            return None
        return future.result()[0]

    def came_to(self, made: ReadyMade | None) -> None:
        """Heed that it is composed; then, that its first quanta are there."""
        if made is None:
            _settle(self.composed, None)
        else:
            _settle(self.opening, made)

    def landed(self, made: ReadyMade) -> None:
        """Give it to whoever waits."""
        _settle(self.composed, None)
        _settle(self.opening, made)
        _settle(self.whole, made)

    def failed(self, error: BaseException | None) -> None:
        """Tell whoever waits; without an error it was given up."""
        _settle(self.composed, None)
        for future in (self.opening, self.whole):
            if error is None:
                future.cancel()
            elif not future.done():
                future.set_exception(error)
                future.exception()  # nobody need wait for it


def _unheeded(_made: ReadyMade | None) -> None:
    """Tell nobody: what is foreseen is wanted when it is whole."""


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
        self._flights: dict[Key, _Flight] = {}

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
        self,
        programme: Programme,
        number: int,
        codec: Codec,
        due_ns: int | None = None,
        place: int = LAST_PLACE,
    ) -> ReadyMade:
        """Return segment k, made unless it is at hand or already on its way; see `prefetch`.

        Who wants the quantum at `place` and has nothing yet may get less than the whole.
        """
        made = self.cached(programme, number, codec)
        if made is not None:
            return made
        # Shielded: one listener who leaves must not take the segment from the others.
        due_ns = self._clock.now_ns() if due_ns is None else due_ns
        flight = self._flight(programme, number, codec, due_ns, place)
        made = await asyncio.shield(flight.reaching(place))
        return flight.made_by_now() or made

    def prefetch(
        self,
        programme: Programme,
        number: int,
        codec: Codec,
        due_ns: int | None = None,
        place: int = LAST_PLACE,
    ) -> None:
        """Begin to make segment k if nobody has.

        Args:
            programme: Of which.
            number: k.
            codec: How it is written.
            due_ns: When its first quantum is due; at once where none is given.
            place: The quantum (0-9) that somebody waits for.
        """
        if (programme.programme_id, number, codec) not in self._cache:
            due_ns = self._clock.now_ns() if due_ns is None else due_ns
            self._flight(programme, number, codec, due_ns, place)

    async def composed(self, programme: Programme, number: int, codec: Codec) -> None:
        """Wait until segment k is composed, if it is being made because somebody waits for it."""
        flight = self._flights.get((programme.programme_id, number, codec))
        if flight is not None and not flight.was_foreseen:
            await asyncio.shield(flight.composed)

    def _flight(
        self, programme: Programme, number: int, codec: Codec, due_ns: int, place: int
    ) -> _Flight:
        key = (programme.programme_id, number, codec)
        self._load.asked(programme.programme_id, self._clock.now_ns())
        under_way = self._flights.get(key)
        if under_way is not None:
            self._metrics.cache_requests.labels("joined").inc()
            self._pool.hurry(under_way.job, due_ns)
            return under_way
        self._metrics.cache_requests.labels("miss").inc()
        loop = asyncio.get_running_loop()
        tell: Callable[[ReadyMade | None], object]
        tell = partial(loop.call_soon_threadsafe, partial(self._came_to, key))
        was_foreseen = due_ns >= self._clock.now_ns() + GRACE_NS
        if was_foreseen:
            tell, place = _unheeded, LAST_PLACE
        work = partial(self._make, self.rendition(programme), number, codec, tell, place)
        flight = _Flight(self._pool.submit(work, due_ns), place, was_foreseen=was_foreseen)
        self._flights[key] = flight
        asyncio.wrap_future(flight.job.future).add_done_callback(lambda done: self._land(key, done))
        return flight

    def _make(
        self,
        rendition: Rendition,
        number: int,
        codec: Codec,
        tell: Callable[[ReadyMade | None], object],
        place: int,
    ) -> Made:
        """Render and encode one segment, telling how far it is; runs on a render thread.

        Between quanta the core is offered to others: an answer to a listener is a matter of
        microseconds, but Linux may let it wait for a tick, 4 ms, behind a thread that computes.
        """
        began, cpu_ns = perf_counter(), thread_time_ns()
        composed = rendition.composed(number)
        tell(None)
        segment = rendition.played(composed)
        rendered = perf_counter()
        sound: list[Sequence[bytes]] = []
        for packets in sound_of(segment, codec, self._bitrate):
            sound.append(packets)
            if len(sound) == place + 1 < QUANTA_PER_SEGMENT:
                tell(ready_made(segment, codec, sound))
            os.sched_yield()
        done = perf_counter()
        made = ready_made(segment, codec, sound)
        self._metrics.render_seconds.observe(rendered - began)
        self._metrics.encode_seconds.observe(done - rendered)
        return made, thread_time_ns() - cpu_ns

    def _came_to(self, key: Key, made: ReadyMade | None) -> None:
        """Heed how far a segment under way is."""
        flight = self._flights.get(key)
        if flight is not None:
            flight.came_to(made)

    def _land(self, key: Key, done: asyncio.Future[Made]) -> None:
        """Keep what was made and give it to whoever waits."""
        flight = self._flights.pop(key)
        error = None if done.cancelled() else done.exception()
        if done.cancelled() or error is not None:  # the next who asks tries again
            flight.failed(error)
            return
        made, cpu_ns = done.result()
        # What was wanted at once, by a newcomer or after a seek, cannot come late, only soon.
        is_late = flight.was_foreseen and self._clock.now_ns() > flight.job.deadline_ns + GRACE_NS
        self._load.rendered(cpu_ns, is_late=is_late)
        if is_late:
            self._metrics.late_segments.inc()
        self._cache[key] = made
        self._n_bytes += made.n_bytes
        while self._n_bytes > self._cache_bytes and len(self._cache) > 1:
            self._n_bytes -= self._cache.popitem(last=False)[1].n_bytes
        self._metrics.cache_bytes.set(self._n_bytes)
        flight.landed(made)
