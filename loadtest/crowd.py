"""A crowd of listeners in one process: cheap enough to load a server, strict enough to believe.

Every listener joins a programme, checks that indices follow each other, and reports once a second
what it must be hearing. One that holds enough is read twice a second, by turns, as a player's
network stack would hold what came for it; one that holds less, as soon as something comes::

    held  2 s ......... read by turns: the next finds it playing, whatever came between
          1.5 s  ^
          1 s    v
          0 s ......... read at once: when it ran dry, and when no more, is seen

So who ran dry is known of each, and costs a look at those only who might. Run as a process of its
own, so that its work is not the server's: ``python -m loadtest.crowd PORT N SECONDS`` prints one
line of JSON once all have joined and one at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import time
from collections import deque
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from loadtest.client import source_of
from loadtest.member import Member, Tally
from loadtest.table import percentile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TURN_S: Final = 0.5
"""From one reading of a listener to the next."""
SETTLING_S: Final = 2.0
"""Once all have joined, before anything is measured (seconds)."""
_SLOTS: Final = 50
_TICK_S: Final = TURN_S / _SLOTS
_MOST_JOINING: Final = 500
"""Connections that wait for their first quantum at once; who comes later waits, and that counts."""
_PATIENCE_S: Final = 30.0
_ENOUGH_S: Final = 1.5
"""Who holds as much is read by turns (seconds) ..."""
_LITTLE_S: Final = 1.0
"""... until it holds less than this: beyond it a turn may be late by half a second."""


class NeverAnswered(RuntimeError):
    """A server that let listeners come, and sent them nothing."""


class Crowd:
    """All of them, on one loop."""

    def __init__(
        self,
        address: tuple[str, int],
        member: type[Member] = Member,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        """Prepare to join a server; who hears nothing from it for `patience_s` gives up."""
        self.tally = Tally()
        self.lag_s = 0.0
        """How late a turn was at the most (seconds)."""
        self._address = address
        self._member = member
        self._patience_s = patience_s
        self._poll = select.epoll()
        self._of_file: dict[int, Member] = {}
        self._slots: list[list[Member]] = [[] for _ in range(_SLOTS)]
        self._numbers = count()
        self._next_tick_s = time.monotonic()
        self._tick = 0

    def join(
        self, hellos: Sequence[dict[str, Any]], per_s: float
    ) -> tuple[list[Member], list[float]]:
        """Let newcomers join at some rate, one for each hello; the others go on listening.

        Returns:
            The newcomers, and how long each waited for its first quantum, or for its refusal, from
            when it was due to come (seconds).

        Raises:
            NeverAnswered: One of them heard nothing for too long.
        """
        began_s = time.monotonic()
        todo = deque(enumerate(hellos))
        joining: deque[tuple[Member, float, float]] = deque()
        newcomers: list[Member] = []
        waits: list[float] = []
        while todo or joining:
            now_s = time.monotonic()
            while todo and began_s + todo[0][0] / per_s <= now_s and len(joining) < _MOST_JOINING:
                n, hello = todo.popleft()
                newcomers.append(self._come(hello))
                joining.append((newcomers[-1], began_s + n / per_s, now_s))
            self._attend()
            now_s = time.monotonic()
            for _ in range(len(joining)):
                member, due_s, came_s = joining.popleft()
                if member.is_playing or not member.is_open:
                    waits.append(now_s - due_s)
                elif now_s - came_s > self._patience_s:
                    raise NeverAnswered(self._complaint(len(joining) + 1, len(newcomers)))
                else:
                    joining.append((member, due_s, came_s))
        return newcomers, waits

    def listen(self, duration_s: float) -> None:
        """Listen for a while."""
        until_s = time.monotonic() + duration_s
        while time.monotonic() < until_s:
            self._attend()

    def leave(self, members: Iterable[Member]) -> None:
        """Let some go, without a word."""
        gone = set(members)
        for member in gone:
            self._of_file.pop(member.fileno(), None)  # the system forgets a closed socket by itself
            member.close()
        self._slots = [[one for one in slot if one not in gone] for slot in self._slots]

    def close(self) -> None:
        """Leave, all of them."""
        self.leave([one for slot in self._slots for one in slot])
        self._poll.close()

    def _complaint(self, n_waiting: int, n_come: int) -> str:
        host, port = self._address
        return (
            f"the server at {host}:{port} sent nothing to {n_waiting} of {n_come} listeners, "
            f"to one of them for {self._patience_s:g} s"
        )

    def _come(self, hello: dict[str, Any]) -> Member:
        number = next(self._numbers)
        said = json.dumps(hello).encode()
        member = self._member(self._address, source_of(number), said, self.tally)
        self._of_file[member.fileno()] = member
        self._poll.register(member.fileno(), select.EPOLLOUT)
        self._slots[number % _SLOTS].append(member)
        return member

    def _attend(self) -> None:
        """Heed what comes until the next turn is due, then take the turns that are."""
        wait_s = max(0.0, self._next_tick_s - time.monotonic())
        for file, mask in self._poll.poll(min(wait_s, _TICK_S)):
            member = self._of_file.get(file)
            if member is not None:
                self._heed(file, member, mask)
        now_s = time.monotonic()
        self.lag_s = max(self.lag_s, now_s - self._next_tick_s)
        if now_s - self._next_tick_s > TURN_S:  # nobody attended: all have their turn once
            self._next_tick_s = now_s - TURN_S
        while self._next_tick_s <= now_s:
            self._next_tick_s += _TICK_S
            self._tick += 1
            self._take_turn(self._slots[self._tick % _SLOTS], self._tick // _SLOTS % 2)

    def _heed(self, file: int, member: Member, mask: int) -> None:
        """Go on with a socket that can be read or written."""
        now_s = time.monotonic()
        if mask & select.EPOLLOUT:
            member.connected()
            if member.is_open:
                self._poll.modify(file, select.EPOLLIN)
        else:
            member.read(now_s)
        if not member.is_open:
            del self._of_file[file]
        elif member.held_s(now_s) >= _ENOUGH_S:
            self._poll.unregister(file)
            del self._of_file[file]

    def _take_turn(self, slot: list[Member], turn: int) -> None:
        for n, member in enumerate(slot):
            file = member.fileno()
            now_s = time.monotonic()
            if file not in self._of_file and member.is_open:
                member.read(now_s)
                if member.is_open and member.held_s(now_s) < _LITTLE_S:
                    self._of_file[file] = member
                    self._poll.register(file, select.EPOLLIN)
            if n % 2 == turn:
                member.report(now_s)


def hello_of(programme: dict[str, Any], buffer_ms: int) -> dict[str, Any]:
    """Return a hello."""
    return {
        "type": "hello", "protocol": 1, "programme": programme, "codecs": ["opus"],
        "bufferMs": buffer_ms, "client": "crowd",
    }  # fmt: skip


def main() -> None:
    """Join, listen, tell."""
    parser = argparse.ArgumentParser("python -m loadtest.crowd", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("n", type=int, help="how many listeners")
    parser.add_argument("seconds", type=float, help="how long they listen once all have joined")
    parser.add_argument("--distinct", action="store_true", help="each its own programme")
    parser.add_argument("--buffer-ms", type=int, default=2_000)
    parser.add_argument("--per-s", type=float, default=400.0, help="newcomers per second")
    parser.add_argument("--core", type=int, default=None, help="the core to stay on")
    args = parser.parse_args()
    if args.core is not None:
        os.sched_setaffinity(0, {args.core})
    programmes: list[dict[str, Any]] = [{"station": "now"}] * args.n
    if args.distinct:
        programmes = [{"seed": n, "at": "2026-03-20T12:00:00Z"} for n in range(args.n)]
    crowd = Crowd(("127.0.0.1", args.port))
    _, waits = crowd.join([hello_of(one, args.buffer_ms) for one in programmes], args.per_s)
    print(json.dumps({"joined": len(waits), "joinP95S": percentile(waits, 0.95)}), flush=True)
    crowd.listen(SETTLING_S)
    before = crowd.tally.n_quanta
    crowd.listen(args.seconds)
    tally = crowd.tally
    told = {
        "quanta": tally.n_quanta - before,
        "gaps": tally.n_gaps,
        "skips": tally.n_skips,
        "dry": tally.n_dry,
        "closes": dict(tally.closes),
        "lagMs": crowd.lag_s * 1e3,
    }
    print(json.dumps(told), flush=True)
    crowd.close()


if __name__ == "__main__":
    main()
