"""Render once, serve many: single flight, a bounded cache, the bytes of the pure function."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from astradio_stream.audio.bank import Bank
from astradio_stream.server import banks as bank_files
from astradio_stream.server import renderer
from astradio_stream.server.clock import Clock, ManualClock, SystemClock
from astradio_stream.server.load import Load
from astradio_stream.server.metrics import Metrics
from astradio_stream.server.pool import RenderPool
from astradio_stream.server.renderer import Renderer, sound_of
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.segment import Composed, Rendition, Segment, segment
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.wire.quantum import Codec, unpack_quantum

PROGRAMME = resolve({"seed": 9, "at": "2010-10-10T10:10:00Z"}, Moment(0), ModelVersions())


@asynccontextmanager
async def renderer_of(
    bank: Bank, cache_bytes: int = 10_000_000, clock: Clock | None = None
) -> AsyncIterator[Renderer]:
    with RenderPool(2) as pool:
        yield Renderer(
            {ModelVersions().audio: bank},
            pool,
            bitrate=96_000,
            cache_bytes=cache_bytes,
            metrics=Metrics(),
            load=Load(2),
            clock=clock or SystemClock(),
        )


@pytest.mark.parametrize("codec", list(Codec))
def test_quanta_are_those_of_the_pure_function(bank: Bank, codec: Codec) -> None:
    async def made() -> renderer.ReadyMade:
        async with renderer_of(bank) as one:
            return await one.segment(PROGRAMME, 31, codec)

    ready = asyncio.run(made())
    expected = segment(PROGRAMME, 31, bank)
    quanta = [unpack_quantum(message) for message in ready.with_viz]
    assert [q.index for q in quanta] == [31 * 48_000 + 4_800 * n for n in range(10)]
    assert [q.crc32 for q in quanta] == expected.quantum_crcs()
    assert b"".join(f for q in quanta for f in q.viz_frames) == expected.viz.tobytes()
    if codec is Codec.PCM_S16LE:
        assert b"".join(q.packets[0] for q in quanta) == expected.pcm.astype("<i2").tobytes()
    bare = [unpack_quantum(message) for message in ready.without_viz]
    assert [(q.packets, q.crc32, q.viz_frames) for q in bare] == [
        (q.packets, q.crc32, ()) for q in quanta
    ]


def test_a_thousand_askers_cause_one_render(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[int] = []
    original = Renderer._make

    def counting(self: Renderer, rendition: Any, number: int, *others: Any) -> object:
        rendered.append(number)
        return original(self, rendition, number, *others)

    monkeypatch.setattr(Renderer, "_make", counting)

    async def ask() -> int:
        async with renderer_of(bank) as one:
            answers = await asyncio.gather(
                *(one.segment(PROGRAMME, 5, Codec.OPUS) for _ in range(1_000))
            )
            return len(set(map(id, answers)))

    assert asyncio.run(ask()) == 1
    assert rendered == [5]


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("place", [0, 4, 8])
def test_who_waits_for_one_quantum_has_it_before_those_behind_it(
    bank: Bank, monkeypatch: pytest.MonkeyPatch, codec: Codec, place: int
) -> None:
    is_taken = threading.Event()

    def held(*args: Any) -> Iterator[Sequence[bytes]]:
        for n, packets in enumerate(sound_of(*args)):
            assert n <= place or is_taken.wait(30)
            yield packets

    monkeypatch.setattr("astradio_stream.server.renderer.sound_of", held)

    async def ask() -> None:
        async with renderer_of(bank) as one:
            one.prefetch(PROGRAMME, 5, codec, place=place)
            whole = asyncio.create_task(one.segment(PROGRAMME, 5, codec))
            early = await one.segment(PROGRAMME, 5, codec, place=place)
            assert not whole.done()
            assert one.cached(PROGRAMME, 5, codec) is None
            is_taken.set()
            all_of_it = await whole
            assert early.with_viz == all_of_it.with_viz[: place + 1]
            n_early = place + 1
            for viz in (True, False):
                mine = early.frames(0, n_early, 3, viz=viz)
                assert mine == all_of_it.frames(0, n_early, 3, viz=viz)
            assert await one.segment(PROGRAMME, 5, codec, place=place) is all_of_it

    asyncio.run(ask())


def test_whose_turn_comes_when_the_rest_is_there_gets_all_of_it(bank: Bank) -> None:
    """As in a herd: the loop is busy with others from before the opening until after the end."""

    async def ask() -> None:
        async with renderer_of(bank) as one:
            asked = asyncio.create_task(one.segment(PROGRAMME, 5, Codec.OPUS, place=0))
            await asyncio.sleep(0)
            [flight] = one._flights.values()
            flight.job.future.result(30)  # the loop stands still
            assert not flight.opening.done()
            assert len((await asked).with_viz) == 10

    asyncio.run(ask())


def test_what_is_foreseen_comes_whole(bank: Bank) -> None:
    async def ask() -> None:
        async with renderer_of(bank) as one:
            due_ns = SystemClock().now_ns() + 10**10
            made = await one.segment(PROGRAMME, 5, Codec.OPUS, due_ns, 0)
            assert len(made.with_viz) == 10
            await one.composed(PROGRAMME, 6, Codec.OPUS)  # nobody waits for it, so neither do we
            one.prefetch(PROGRAMME, 7, Codec.OPUS, due_ns)
            await one.composed(PROGRAMME, 7, Codec.OPUS)
            assert one.cached(PROGRAMME, 7, Codec.OPUS) is None

    asyncio.run(ask())


def test_it_is_composed_before_it_sounds(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    may_play = threading.Event()
    original = Rendition.played

    def played(self: Rendition, composed: Composed) -> Segment:
        assert may_play.wait(30)
        return original(self, composed)

    monkeypatch.setattr(Rendition, "played", played)

    async def ask() -> None:
        async with renderer_of(bank) as one:
            whole = asyncio.create_task(one.segment(PROGRAMME, 5, Codec.OPUS))
            await asyncio.sleep(0)
            await asyncio.wait_for(one.composed(PROGRAMME, 5, Codec.OPUS), 30)
            assert not whole.done()
            may_play.set()
            assert len((await whole).with_viz) == 10

    try:
        asyncio.run(ask())
    finally:
        may_play.set()


def test_one_who_leaves_takes_nothing_from_the_others(bank: Bank) -> None:
    async def ask() -> renderer.ReadyMade:
        async with renderer_of(bank) as one:
            leaver = asyncio.create_task(one.segment(PROGRAMME, 7, Codec.OPUS))
            stayer = asyncio.create_task(one.segment(PROGRAMME, 7, Codec.OPUS))
            await asyncio.sleep(0)
            leaver.cancel()
            return await stayer

    assert len(asyncio.run(ask()).with_viz) == 10


def test_the_cache_is_bounded_and_forgetting_changes_nothing(bank: Bank) -> None:
    async def ask() -> None:
        async with renderer_of(bank, cache_bytes=180_000) as one:
            first = await one.segment(PROGRAMME, 0, Codec.OPUS)
            for k in range(1, 6):
                await one.segment(PROGRAMME, k, Codec.OPUS)
            assert one.cached(PROGRAMME, 5, Codec.OPUS) is not None
            assert one.cached(PROGRAMME, 0, Codec.OPUS) is None
            assert sum(made.n_bytes for made in one._cache.values()) <= 180_000
            assert (await one.segment(PROGRAMME, 0, Codec.OPUS)).with_viz == first.with_viz

    asyncio.run(ask())


def test_scores_that_nobody_asks_for_are_forgotten(bank: Bank) -> None:
    clock = ManualClock()
    others = [
        resolve({"seed": seed, "at": "2010-10-10T10:10:00Z"}, Moment(0), ModelVersions())
        for seed in range(2)
    ]

    async def ask() -> None:
        async with renderer_of(bank, clock=clock) as one:
            kept = one.rendition(PROGRAMME)
            idle = weakref.ref(one.rendition(others[0]))
            clock.pass_ns(renderer.IDLE_NS // 2)
            assert one.rendition(PROGRAMME) is kept
            clock.pass_ns(renderer.IDLE_NS // 2)
            one.rendition(others[1])
            gc.collect()
            assert idle() is None
            assert one.rendition(PROGRAMME) is kept

    asyncio.run(ask())


def test_a_failed_render_is_told_and_tried_again(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Renderer._make
    failures = [RuntimeError("out of luck")]

    def failing(self: Renderer, *args: object) -> object:
        if failures:
            raise failures.pop()
        return original(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Renderer, "_make", failing)

    async def ask() -> None:
        async with renderer_of(bank) as one:
            with pytest.raises(RuntimeError, match="out of luck"):
                await one.segment(PROGRAMME, 3, Codec.OPUS)
            assert len((await one.segment(PROGRAMME, 3, Codec.OPUS)).with_viz) == 10

    asyncio.run(ask())


def test_a_bank_is_kept_and_a_damaged_file_is_made_again(
    tmp_path: Path, banks: dict[str, Bank]
) -> None:
    bank = banks["v1.0"]
    model = AUDIO_MODELS["v1.0"]
    small = type(model)(model.version, (model.instruments[2],), model.score_of)
    made = bank_files.load_bank(small, tmp_path)
    (file,) = (tmp_path / "banks").glob("*.npy")
    assert np.array_equal(made.note("bass", 40).pcm, bank.note("bass", 40).pcm)
    whole = file.read_bytes()
    for damaged in (whole[:1_000], whole[:5_000] + b"\0\xff" + whole[5_002:], b""):
        file.write_bytes(damaged)
        again = bank_files.load_bank(small, tmp_path)
        assert np.array_equal(again.note("bass", 40).pcm, bank.note("bass", 40).pcm)
        assert file.read_bytes() == whole
    (file.parent / "v1.0-0123456789abcdef.npy").write_bytes(b"stale")
    file.unlink()
    bank_files.load_bank(small, tmp_path)
    assert [path.name for path in (tmp_path / "banks").iterdir()] == [file.name]


def test_a_folder_that_takes_no_files_is_done_without(tmp_path: Path) -> None:
    model = AUDIO_MODELS["v1.0"]
    small = type(model)(model.version, (model.instruments[2],), model.score_of)
    (tmp_path / "banks").write_text("a file where the folder should be")
    assert len(bank_files.load_bank(small, tmp_path)) == 23
