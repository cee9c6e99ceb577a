"""One clock for all listeners: a wheel of short ticks, each holding those who are due in it.

A task and a timer for each listener would cost more than the sending. Here a listener that waits
lies in the tick of its next moment; the tick comes round, and what it is owed is sent at once, from
frames that are ready. Only who needs more than that is woken: a segment that must be made, a
socket that is full, a conversation that goes on.

::

    ticks   | 5 ms | 5 ms | 5 ms | …       listeners are spread over them by when they joined
              A, F            B, C         a tick of many listeners pauses for the others' input

When the loop has little time left, moments are *gathered*: a listener gets two, four or eight
quanta in one write, at the moment of the last of them. Its buffer is then never fuller than it
said, and emptier by less than half.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from astradio_stream.units import QUANTUM_SAMPLES
from astradio_stream.wire.pacer import samples_to_ns

if TYPE_CHECKING:
    from astradio_stream.server.clock import Clock

TICK_NS: Final = 5_000_000
TURN_NS: Final = 5_000_000
"""How long the pump sends before it lets the loop look at what arrived."""
QUANTUM_NS: Final = samples_to_ns(QUANTUM_SAMPLES)
GATHERINGS: Final = (0, 1, 3, 7)
"""Quanta that are waited for so that one write takes them along, by how busy the pump is."""
BUSY_UP: Final = 0.5
"""Share of the time spent sending above which more are gathered …"""
BUSY_DOWN: Final = 0.2
"""… and below which fewer are; less than half of the other, so that one step does not call for
the next."""
JUDGED_NS: Final = 1_000_000_000
"""How often that is judged."""
_NEVER: Final = -1


class Waits(Protocol):
    """What the pump asks of a listener."""

    slot: int
    """The tick it waits for; kept by the pump alone."""

    @property
    def most_gathered(self) -> int:
        """The most quanta that may wait for a later one."""

    def on_tick(self, now_ns: int) -> int | None:
        """Send what is due; return the next moment (ns), or None if its task goes on."""


class Pump:
    """The wheel of one event loop; its methods are called on the loop's thread only."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wheel: dict[int, set[Waits]] = {}
        self._next_slot = _NEVER
        self._is_turning = False
        self._gathering = 0
        self._judged_ns = clock.now_ns()
        self._spent_ns = 0
        self.sending_ns = 0
        """Time spent sending in all."""

    def gather_ns(self, most_gathered: int) -> int:
        """Return how much later than a quantum's own moment it may be sent with others."""
        return min(GATHERINGS[self._gathering], most_gathered) * QUANTUM_NS

    def watch(self, listener: Waits, at_ns: int) -> None:
        """Wait for a listener's moment; a former one is forgotten."""
        if self._gathering:
            at_ns += self.gather_ns(listener.most_gathered)
        if not self._is_turning:
            self._is_turning = True
            self._next_slot = self._clock.now_ns() // TICK_NS
            self._sleep()
        slot = max(-(-at_ns // TICK_NS), self._next_slot)
        if slot == listener.slot:
            return
        self.forget(listener)
        listener.slot = slot
        waiting = self._wheel.get(slot)
        if waiting is None:
            self._wheel[slot] = {listener}
        else:
            waiting.add(listener)

    def forget(self, listener: Waits) -> None:
        """Wait for a listener no more: the wheel keeps nobody who has gone."""
        if listener.slot != _NEVER:
            self._wheel[listener.slot].discard(listener)
            listener.slot = _NEVER

    def _sleep(self) -> None:
        """Sleep until the next tick; one that has passed already comes round at once."""
        delay_ns = self._next_slot * TICK_NS - self._clock.now_ns()
        loop = asyncio.get_running_loop()
        if delay_ns <= 0:
            loop.call_soon(self._turn)
        else:
            loop.call_later(delay_ns / 1e9, self._turn)

    def _turn(self) -> None:
        """Send to those whose tick has come, for as long as a turn may take."""
        wheel, clock = self._wheel, self._clock
        now_ns = began_ns = clock.now_ns()
        last = now_ns // TICK_NS
        until_ns = began_ns + TURN_NS
        while self._next_slot <= last and now_ns < until_ns:
            waiting = wheel.get(self._next_slot)
            while waiting and now_ns < until_ns:
                listener = waiting.pop()
                listener.slot = _NEVER
                at_ns = listener.on_tick(now_ns)
                if at_ns is not None:
                    self.watch(listener, max(at_ns, now_ns + 1))
                now_ns = clock.now_ns()
            if not waiting:
                wheel.pop(self._next_slot, None)
                self._next_slot += 1
        self._judge(began_ns, now_ns)
        if wheel:
            self._sleep()
        else:
            self._is_turning = False

    def _judge(self, began_ns: int, now_ns: int) -> None:
        """Count the time that sending took; once a second, gather more or less."""
        self._spent_ns += now_ns - began_ns
        self.sending_ns += now_ns - began_ns
        passed_ns = now_ns - self._judged_ns
        if passed_ns < JUDGED_NS:
            return
        busy = self._spent_ns / passed_ns
        self._spent_ns, self._judged_ns = 0, now_ns
        if busy > BUSY_UP and self._gathering < len(GATHERINGS) - 1:
            self._gathering += 1
        elif busy < BUSY_DOWN and self._gathering > 0:
            self._gathering -= 1
