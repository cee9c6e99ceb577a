"""Where pieces are made: once for all who ask at the same time, in time that listeners leave over.

    order  ->  seconds (render, picture, encode)  ->  tape  ->  files in the media folder
           ->  palette, gates, text, notes        ->  the answer of compose

A piece follows from its order and the build alone. So whatever is remembered here only saves work:
a file that was thrown away is made again, and is the same bytes.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from importlib import resources
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, Protocol

import orjson

import astradio_stream
from astradio_stream.audio import opus
from astradio_stream.errors import Overloaded
from astradio_stream.server.banks import sources_of
from astradio_stream.server.logs import log_failure
from astradio_stream.server.media import KINDS, url_of
from astradio_stream.server.spare import SpareTime
from astradio_stream.server.tape import Tape
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.piece import Span, piece_midi, piece_of, piece_segments, piece_tags
from astradio_stream.stream.piece_json import compose_parts
from astradio_stream.stream.segment import Rendition, packets_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from astradio_stream.audio.bank import Bank
    from astradio_stream.server.clock import Clock
    from astradio_stream.server.media import MediaFolder
    from astradio_stream.server.metrics import Metrics
    from astradio_stream.server.orders import Order
    from astradio_stream.settings import Settings

MOST_WAIT_S: Final = 2.0
"""Where a piece would wait longer for its turn, it is refused."""
DUE_PER_SECOND_NS: Final = 20_000_000
"""When a second of a piece should be done, counted from the order (nanoseconds): two to four times
what it takes alone."""
NOTES_OF_SECOND: Final = 0.5
"""What finding the notes of a second takes, where making the second takes 1."""
REMEMBERED: Final = 512
"""Answers kept at hand, some twenty kilobytes each."""
REMEMBERED_FILES: Final = 16_384
"""Files of which the order is kept at hand, so that they can be made again."""


class LendsThreads(Protocol):
    """What the studio asks of the engine."""

    async def bank(self, audio_version: str) -> Bank:
        """Return the bank of an audio model, loaded now unless it is."""

    def later(self, work: Callable[[], object]) -> asyncio.Future[object]:
        """Do some work on a render thread, after what listeners wait for."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A finished piece."""

    answer: bytes
    """The answer of compose, but for what the single request adds, as JSON."""
    digests: dict[str, str]
    """Of its files, by kind."""


class Studio:
    """The pieces of one process. Its methods are called on the event loop's thread only."""

    def __init__(
        self,
        engine: LendsThreads,
        folder: MediaFolder,
        settings: Settings,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._bitrate = settings.opus_bitrate
        self._clock = clock
        self._metrics = metrics
        self._spare = SpareTime(engine.later, settings.render_threads, clock)
        self._flights: dict[str, asyncio.Task[Composed]] = {}
        self._composed: OrderedDict[str, Composed] = OrderedDict()
        self._orders: OrderedDict[tuple[str, str], Order] = OrderedDict()

    async def open(self, order: Order) -> bool:
        """Get ready; return whether a piece can be told in words, tried on one."""
        try:
            await asyncio.to_thread(_rehearse, order)
        except Exception as error:
            log_failure("TEXT_FAILED", error)
            return False
        return True

    def key_of(self, order: Order, *, viz: bool) -> str:
        """Return the identity of a piece as this build makes it, with or without the picture."""
        made_by = f"{build_id()} {self._bitrate} {viz}"
        return sha256(f"{order.id} {made_by}".encode()).hexdigest()

    def at_hand(self, order: Order, *, viz: bool) -> Composed | None:
        """Return a piece that was made here lately."""
        found = self._composed.get(self.key_of(order, viz=viz))
        if found is not None:
            self._composed.move_to_end(self.key_of(order, viz=viz))
            self._metrics.pieces.labels("hit").inc()
        return found

    def recall(self, order: Order, composed: Composed, *, viz: bool) -> None:
        """Have a piece at hand that was made earlier, by this build."""
        self._remember(order, self.key_of(order, viz=viz), composed)
        self._metrics.pieces.labels("hit").inc()

    def order_of(self, kind: str, digest: str) -> Order | None:
        """Return the order to which a file belongs, if it was made here lately."""
        return self._orders.get((kind, digest))

    async def forget(self, files: Sequence[tuple[str, str]]) -> None:
        """Delete files, by kind and digest, and what is remembered of their pieces."""
        for file in files:
            self._orders.pop(file, None)
        gone = set(files)
        for key, composed in tuple(self._composed.items()):
            if not gone.isdisjoint(composed.digests.items()):
                del self._composed[key]
        await asyncio.to_thread(self._folder.discard, files)

    async def make(self, order: Order, *, viz: bool) -> Composed:
        """Return a piece, made now; who asks for the same meanwhile gets the same.

        Raises:
            Overloaded: it would wait too long for its turn.
            StoreUnavailable: its files cannot be kept.
        """
        key = self.key_of(order, viz=viz)
        flight = self._flights.get(key)
        if flight is None:
            due_ns = self._due_ns(len(piece_segments(0, order.n_samples)))
            try:
                self._require_room(due_ns)
            except Overloaded:
                self._metrics.pieces.labels("refused").inc()
                raise
            flight = asyncio.create_task(self._make(order, key, due_ns, viz=viz))
            self._flights[key] = flight
            flight.add_done_callback(lambda done: self._land(key, done))
            self._metrics.pieces.labels("made").inc()
        else:
            self._metrics.pieces.labels("joined").inc()
        # Shielded: one who goes away must not take the piece from the others.
        return await asyncio.shield(flight)

    async def notes(self, order: Order, start: int) -> bytes:
        """Return the notes of an order as a MIDI file, from an index on; nothing is kept.

        Raises:
            Overloaded: they would wait too long for their turn.
        """
        weight = 1 + NOTES_OF_SECOND * len(piece_segments(0, order.n_samples))
        due_ns = self._due_ns(weight)
        self._require_room(due_ns)
        found: list[bytes] = []

        def find() -> None:
            programme = order.programme
            score = AUDIO_MODELS[programme.model_versions.audio].score_of(programme)
            found.append(piece_midi(score, Span(start, start + order.n_samples)))

        await self._spare.do([find], due_ns, weight)
        return found[0]

    async def close(self) -> None:
        """Drop what is not finished."""
        self._spare.close()
        flights = tuple(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    # Taking turns ------------------------------------------------------------------------------

    def _due_ns(self, n_seconds: float) -> int:
        """Return when what takes as long as `n_seconds` of a piece should be done."""
        return self._clock.now_ns() + round(n_seconds * DUE_PER_SECOND_NS)

    def _require_room(self, due_ns: int) -> None:
        wait_s = self._spare.wait_ns(due_ns) / 1e9
        if wait_s > MOST_WAIT_S:
            raise Overloaded("others wait for pieces already; try again shortly", wait_s)

    def _land(self, key: str, flight: asyncio.Task[Composed]) -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # whoever waits for it is told

    def _remember(self, order: Order, key: str, composed: Composed) -> None:
        self._composed[key] = composed
        if len(self._composed) > REMEMBERED:
            self._composed.popitem(last=False)
        for kind, digest in composed.digests.items():
            self._orders[kind, digest] = order
            self._orders.move_to_end((kind, digest))
            if len(self._orders) > REMEMBERED_FILES:
                self._orders.popitem(last=False)

    # Making ------------------------------------------------------------------------------------

    async def _make(self, order: Order, key: str, due_ns: int, *, viz: bool) -> Composed:
        began_ns = self._clock.now_ns()
        bank = await self._engine.bank(order.programme.model_versions.audio)
        work = _Work(order, Rendition(order.programme, bank), self._bitrate)
        numbers = piece_segments(0, order.n_samples)
        first, *others = [partial(work.record, number) for number in numbers]
        # What the first second finds out about the whole piece, no two threads need find out.
        await self._spare.do([first], due_ns)
        await self._spare.do([*others, work.tell, work.write_notes], due_ns)
        await self._spare.do([partial(work.finish, viz=viz)], due_ns)
        composed = await asyncio.to_thread(self._keep, work)
        self._remember(order, key, composed)
        self._metrics.piece_seconds.observe((self._clock.now_ns() - began_ns) / 1e9)
        return composed

    def _keep(self, work: _Work) -> Composed:
        """Write the files, and the answer about them; runs on a thread."""
        digests = {kind: self._folder.keep(kind, data) for kind, data in work.files.items()}
        return Composed(orjson.dumps(work.answer(digests)), digests)


class _Work:
    """One piece in the making; its parts may be worked on by several threads."""

    def __init__(self, order: Order, rendition: Rendition, bitrate: int) -> None:
        self._order = order
        self._rendition = rendition
        self._bitrate = bitrate
        self._tape = Tape(order.n_samples)
        self._parts: dict[str, Any] = {}
        self.files: dict[str, bytes] = {}
        """Its files, by kind."""

    def record(self, number: int) -> None:
        """Lay down a second."""
        segment = self._rendition.segment(number)
        self._tape.lay(segment, packets_of(segment, self._bitrate))

    def tell(self) -> None:
        """Find out palette, gates and text."""
        order = self._order
        piece = piece_of(order.programme, self._rendition.score, order.span)
        self._parts = compose_parts(piece, opus.library().version)

    def write_notes(self) -> None:
        """Write the notes as a MIDI file."""
        self.files["midi"] = piece_midi(self._rendition.score, self._order.span)

    def finish(self, *, viz: bool) -> None:
        """Put sound and picture into files."""
        self.files["audio"] = self._tape.to_ogg(piece_tags(self._order.programme))
        if viz:
            self.files["viz"] = self._tape.to_viz(self._order.programme)

    def answer(self, digests: dict[str, str]) -> dict[str, Any]:
        """Return what is answered about the piece."""
        links: dict[str, dict[str, Any]] = {
            kind: {"url": url_of(kind, digest), "digest": f"sha256:{digest}"}
            for kind, digest in digests.items()
        }
        audio = {
            "pcmDigest": f"sha256:{self._tape.pcm_digest()}",
            "durationS": self._order.duration_s,
            "bytes": len(self.files["audio"]),
        }
        return {
            **self._parts,
            **{kind: links.get(kind) for kind in KINDS},
            "audio": links["audio"] | audio,
        }


def _rehearse(order: Order) -> None:
    """Find out all that is told of a piece, and which build this is."""
    build_id()
    programme = order.programme
    score = AUDIO_MODELS[programme.model_versions.audio].score_of(programme)
    compose_parts(piece_of(programme, score, order.span), opus.library().version)


@cache
def build_id() -> str:
    """Return what changes with whatever could change a byte of a piece."""
    libraries = [f"{name} {version(name)}" for name in ("av", "mido", "numpy", "orjson")]
    digest = sha256(" ".join([*libraries, opus.library().version]).encode())
    for name, source in sources_of(resources.files(astradio_stream)):
        digest.update(name.encode() + source)
    return digest.hexdigest()
