"""Passwords: Argon2id, off the loop, one at a time, and no longer queue than makes sense."""

from __future__ import annotations

import asyncio
import time

import pytest
from argon2 import PasswordHasher

from astradio_stream.errors import Overloaded
from astradio_stream.server import passwords
from astradio_stream.server.passwords import Passwords


def test_a_password_fits_its_own_hash_and_no_other() -> None:
    async def run() -> None:
        keeper = Passwords()
        kept = await keeper.hash("correct horse")
        assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert await keeper.hash("correct horse") != kept
        assert await keeper.fits(kept, "correct horse")
        assert not await keeper.fits(kept, "correct horses")
        assert not await keeper.fits(kept, "")
        assert not await keeper.fits("no hash", "correct horse")
        assert not await keeper.fits(None, "correct horse")
        keeper.close()

    asyncio.run(run())


def test_one_password_is_typed_in_many_ways() -> None:
    async def run() -> None:
        keeper = Passwords()
        kept = await keeper.hash("caf\u00e9 \ufb01ve")
        assert await keeper.fits(kept, "cafe\u0301 five")
        keeper.close()

    asyncio.run(run())


def test_weaker_hashes_are_renewed() -> None:
    keeper = Passwords()
    assert keeper.is_outdated(PasswordHasher(1, 8_192, 1).hash("x"))
    assert not keeper.is_outdated(PasswordHasher(2, 19_456, 1).hash("x"))
    keeper.close()


def test_the_loop_goes_on_while_hashes_are_made_and_too_many_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, "MOST_WAITING", 4)

    async def run() -> None:
        keeper = Passwords()

        async def took_s() -> float:
            began_s = time.perf_counter()
            await keeper.hash("x")
            return time.perf_counter() - began_s

        one_s = min([await took_s() for _ in range(3)])  # the first starts a thread, too
        hashing = [asyncio.create_task(keeper.hash("x")) for _ in range(7)]
        n_turns = 0
        while not all(task.done() for task in hashing):
            await asyncio.sleep(one_s / 20)
            n_turns += 1
        assert n_turns > 20  # of the 80 that an idle machine has time for
        results = await asyncio.gather(*hashing, return_exceptions=True)
        assert [isinstance(result, Overloaded) for result in results] == [False] * 4 + [True] * 3
        keeper.close()

    asyncio.run(run())


def test_nobodys_password_takes_as_long_as_somebodys() -> None:
    async def run() -> None:
        keeper = Passwords()
        kept = await keeper.hash("x")
        await keeper.fits(None, "x")

        async def cost_s(of: str | None) -> float:
            began_s = time.perf_counter()
            await keeper.fits(of, "wrong")
            return time.perf_counter() - began_s

        ratios = sorted([await cost_s(None) / await cost_s(kept) for _ in range(9)])
        assert 0.5 < ratios[4] < 2.0
        keeper.close()

    asyncio.run(run())
