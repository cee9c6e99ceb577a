"""One process of the generator: its share of the listeners, one loop, no waiting for anyone.

Some listeners are **prompt**: they are read as soon as something comes, and their lateness is
recorded. The others are read four times a second, by turns, as a player's network stack would
hold what came: thousands of them cost little, and what they see is never better than the truth.

The loop measures itself: it should turn every five milliseconds, and how late it was is part of the
result. What was sampled is verified when the listening is over, so that it disturbs nobody.
``python -m loadtest.generator NUMBER`` hears what `child` says, and tells one line of JSON each
second, and the tallies at the end.
"""

from __future__ import annotations

import heapq
import random
import resource
import select
import signal
import sys
import time
from collections import Counter
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from loadtest.arrivals import arrivals
from loadtest.child import alone, asked, begun, tell
from loadtest.sampling import Reservoir
from loadtest.tally import Tally
from loadtest.target import target_of
from loadtest.verify import Verifier
from loadtest.virtual import Virtual, is_chosen, role_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from loadtest.plan import Plan

TICK_S: Final = 0.005
MOST_SLOTS: Final = 50
"""Ticks in which every listener has its turn once: a quarter of a second …"""
_TURNS_PER_BUFFER: Final = 4
"""… or a quarter of what it can hold: read more seldom it would seem to run dry."""
_REPORT_S: Final = 1.0


def n_slots_of(buffer_ms: int) -> int:
    """Return in how many ticks every listener has its turn once, by what it can hold (ms)."""
    return min(MOST_SLOTS, round(buffer_ms / 1e3 / TICK_S) // _TURNS_PER_BUFFER)


class Generator:
    """The listeners of one process."""

    def __init__(self, plan: Plan, number: int) -> None:
        """Prepare the share with this number."""
        self.plan = plan
        self.target = target_of(plan.url, is_owned=plan.is_owned)
        self.tallies: dict[str, Tally] = {}
        self.own = Tally()
        """Of the loop itself."""
        samples = len(range(number, plan.samples, plan.processes))
        self.reservoir = Reservoir(samples, random.Random(f"samples {plan.seed} {number}"))
        self.now_s = plan.start_s
        """The present turn of the loop (seconds)."""
        self.end_s = plan.start_s + plan.duration_s
        self.is_stopped = False
        """Whether it was told to stop before the end."""
        self.delays: list[tuple[float, float]] = []
        """Moment and lateness of each quantum of the first prompt listener (seconds)."""
        self.n_open = 0
        """Listeners inside."""
        self._poll = select.epoll()
        self._of_file: dict[int, Virtual] = {}
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._turn = count()
        self._slots: list[list[Virtual]] = [[] for _ in range(n_slots_of(plan.buffer_ms))]
        self.turn_s = TICK_S * len(self._slots)
        """In which those who are not prompt are read once (seconds)."""
        self._turns_per_report = round(_REPORT_S / self.turn_s)
        n_own = len(range(number, plan.listeners, plan.processes))
        self._prompt_share = min(1.0, plan.prompt / n_own)
        self._has_prompt = False
        self._told = _Told()
        moments = arrivals(plan.row.arrival, plan.listeners, plan.per_s, plan.duration_s, plan.seed)
        for n in range(number, plan.listeners, plan.processes):
            due_s = plan.start_s + moments[n]
            self.at(due_s, lambda n=n, due_s=due_s: self.come(n, due_s))  # type: ignore[misc]

    def stop(self) -> None:
        """Listen no longer: what was seen until now is all there will be."""
        self.end_s = 0.0
        self.is_stopped = True

    # What listeners ask of the loop -------------------------------------------------------------

    def at(self, moment_s: float, do: Callable[[], None]) -> None:
        """Do something at a moment (seconds)."""
        heapq.heappush(self._timers, (moment_s, next(self._turn), do))

    def tally(self, role: str) -> Tally:
        """Return the tally of a group: those who are slow or mean ill are counted apart."""
        return self.tallies.setdefault(role if role in ("slow", "abuse") else "well", Tally())

    def come(self, number: int, due_s: float, turn: int = 0) -> None:
        """Let a listener come that is due at a moment; a later turn of a number is another one."""
        role = role_of(self.plan, number)
        is_spread = is_chosen(self._place(number), self._prompt_share)
        is_prompt = role not in ("slow", "abuse") and is_spread
        virtual = Virtual(self, number, turn, role, due_s, is_prompt=is_prompt)
        if is_prompt and not self._has_prompt:
            self._has_prompt = True
            self.delays = virtual.record_delays()
        self._slot_of(virtual).append(virtual)
        virtual.connect()

    def leave(self, virtual: Virtual) -> None:
        """Forget a listener."""
        slot = self._slot_of(virtual)
        if virtual in slot:
            slot.remove(virtual)

    def _place(self, number: int) -> int:
        """Return which of its own listeners a number is."""
        return number // self.plan.processes

    def _slot_of(self, virtual: Virtual) -> list[Virtual]:
        return self._slots[self._place(virtual.number) % len(self._slots)]

    def watch_connect(self, file: int, virtual: Virtual) -> None:
        """Tell a listener when its connection is there."""
        self._of_file[file] = virtual
        self._poll.register(file, select.EPOLLOUT)

    def watch(self, file: int) -> None:
        """Tell a listener whenever something comes."""
        self._poll.modify(file, select.EPOLLIN)

    def unwatch(self, file: int) -> None:
        """Tell it no more; a closed socket is forgotten by the system."""
        if self._of_file.pop(file, None) is not None:
            try:
                self._poll.unregister(file)
            except (OSError, ValueError):
                return

    # The loop -----------------------------------------------------------------------------------

    def run(self, tell: Callable[[dict[str, Any]], None]) -> None:
        """Listen until the end, telling of each second."""
        time.sleep(max(0.0, self.plan.start_s - time.monotonic()))
        began_cpu_s = time.process_time()
        self._told.begin(began_cpu_s)
        tick = 0
        n_told = 0
        while self.now_s < self.end_s:
            due_s = self.plan.start_s + (tick + 1) * TICK_S
            wait_s = max(0.0, due_s - time.monotonic())
            for file, mask in self._poll.poll(wait_s):
                virtual = self._of_file.get(file)
                if virtual is not None:
                    virtual.ready(mask, time.monotonic())
            self.now_s = time.monotonic()
            while self._timers and self._timers[0][0] <= self.now_s:
                heapq.heappop(self._timers)[2]()
            while self.plan.start_s + (tick + 1) * TICK_S <= self.now_s:
                tick += 1
                self._take_turn(tick)
                self.own.record("lag", time.monotonic() - (self.plan.start_s + tick * TICK_S))
            if self.now_s >= self.plan.start_s + n_told + 1:
                n_told += 1
                tell(self._told.second(self, n_told))
        self.own.counts["cpu_us"] = round((time.process_time() - began_cpu_s) * 1e6)
        self.own.counts["wall_us"] = round((time.monotonic() - self.plan.start_s) * 1e6)
        for slot in self._slots:
            for virtual in slot:
                virtual.end(time.monotonic())

    def _take_turn(self, tick: int) -> None:
        turn, slot = divmod(tick, len(self._slots))
        for virtual in tuple(self._slots[slot]):
            now_s = time.monotonic()
            virtual.take_turn(now_s)
            if (virtual.number + turn) % self._turns_per_report == 0:
                virtual.client.report(now_s)


class _Told:
    """What was told of the seconds before, so that each second tells only of itself."""

    def __init__(self) -> None:
        self._late = Tally().latency("late")
        self._lag = Tally().latency("lag")
        self._counts: Counter[str] = Counter()
        self._cpu_s = 0.0

    def begin(self, cpu_s: float) -> None:
        """Count processor time from here on (seconds)."""
        self._cpu_s = cpu_s

    def second(self, generator: Generator, number: int) -> dict[str, Any]:
        """Return what came until the end of a second; one told late leaves less for the next."""
        well = generator.tally("well")
        counts = well.counts + well.findings
        grown = counts - self._counts
        cpu_s = time.process_time()
        late, lag = well.latency("late"), generator.own.latency("lag")
        told = {
            "atS": number,
            "open": generator.n_open,
            "quanta": grown["quanta"],
            "vizFrames": grown["viz_frames"],
            "underruns": grown["underrun"],
            "cpuS": cpu_s - self._cpu_s,
            "late": late.grown_since(self._late).to_json(),
            "lag": lag.grown_since(self._lag).to_json(),
        }
        self._counts, self._cpu_s = counts, cpu_s
        self._late, self._lag = late.copy(), lag.copy()
        return told


def main() -> None:
    """Listen as the plan on standard input says."""
    number = int(sys.argv[1])
    plan = asked()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    generator = Generator(begun(plan), number)
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda _number, _frame: generator.stop())
    generator.run(tell)
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, signal.default_int_handler)
    well = generator.tally("well")
    tell({"listened": True})
    try:
        if not generator.is_stopped:
            Verifier(Path(plan.folder), well).verify(generator.reservoir, plan.verify_s)
    except KeyboardInterrupt:
        pass  # what was not compared yet is not
    finally:  # whatever breaks in there, what was seen is told
        groups = generator.tallies | {"generator": generator.own}
        start_s = generator.plan.start_s
        tell({"delays": [(at_s - start_s, late_s) for at_s, late_s in generator.delays]})
        tell({"groups": {name: tally.to_json() for name, tally in groups.items()}})


if __name__ == "__main__":
    alone(main)
