"""The light event and queue do what those of asyncio do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from astradio_stream.server.light import LightEvent, LightQueue

EVENTS: list[Callable[[], Any]] = [asyncio.Event, LightEvent]
QUEUES: list[Callable[[], Any]] = [asyncio.Queue, LightQueue]


@pytest.mark.parametrize("event_of", EVENTS)
def test_all_who_wait_are_woken_even_if_it_is_taken_back_at_once(
    event_of: Callable[[], Any],
) -> None:
    async def play() -> list[bool]:
        event = event_of()
        assert not event.is_set()
        waiting = [asyncio.create_task(event.wait()) for _ in range(3)]
        await asyncio.sleep(0)
        event.set()
        assert event.is_set()
        event.clear()
        woken = await asyncio.gather(*waiting)
        event.set()
        return [*woken, await event.wait()]

    assert asyncio.run(play()) == [True] * 4


@pytest.mark.parametrize("event_of", EVENTS)
def test_who_gives_up_waiting_is_forgotten(event_of: Callable[[], Any]) -> None:
    async def play() -> None:
        event = event_of()
        for is_set_first in (False, True):
            gives_up = asyncio.create_task(event.wait())
            waits = asyncio.create_task(event.wait())
            await asyncio.sleep(0)
            if is_set_first:
                event.set()
            gives_up.cancel()
            event.set()
            assert await waits
            with pytest.raises(asyncio.CancelledError):
                await gives_up
            assert not event._waiters
            event.clear()

    asyncio.run(play())


@pytest.mark.parametrize("queue_of", QUEUES)
def test_what_came_first_is_taken_first(queue_of: Callable[[], Any]) -> None:
    async def play() -> None:
        queue = queue_of()
        assert queue.empty()
        takes = [asyncio.create_task(queue.get()) for _ in range(2)]
        await asyncio.sleep(0)
        for n in range(4):
            queue.put_nowait(n)
        assert sorted(await asyncio.gather(*takes)) == [0, 1]
        assert not queue.empty()
        assert [await queue.get(), await queue.get()] == [2, 3]
        assert queue.empty()
        gives_up = asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        gives_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gives_up
        queue.put_nowait(5)
        assert await queue.get() == 5

    asyncio.run(play())
