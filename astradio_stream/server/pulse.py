"""The server's own pulse: how late its loop is, and once a second how it stands."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from astradio_stream.server.clock import Clock
    from astradio_stream.server.metrics import Metrics

BEAT_NS: Final = 20_000_000
JUDGED_NS: Final = 1_000_000_000
TELLING: Final = 0.8
"""Where among the beats of a second, the least late first, the lag lies that is judged (0-1): a
hiccup makes one beat late, too much work makes most of them."""


class Pulse:
    """Something the loop should do every 20 ms; what it is late by, everybody is late by."""

    def __init__(self, clock: Clock, metrics: Metrics, judge: Callable[[int, int], None]) -> None:
        """Call `judge` with the time and the telling lag (ns) once a second."""
        self._clock = clock
        self._metrics = metrics
        self._judge = judge
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to beat."""
        self._task = asyncio.create_task(self._beat())

    def stop(self) -> None:
        """Beat no more."""
        if self._task is not None:
            self._task.cancel()

    async def _beat(self) -> None:
        next_ns = judged_ns = self._clock.now_ns()
        lags_ns: list[int] = []
        while True:
            next_ns += BEAT_NS
            await asyncio.sleep(max(0.0, (next_ns - self._clock.now_ns()) / 1e9))
            now_ns = self._clock.now_ns()
            lags_ns.append(max(0, now_ns - next_ns))
            # A beat that was missed was late, too: a figure without it would be the better the
            # longer the loop stands still.
            for late_ns in range(lags_ns[-1], -1, -BEAT_NS):
                self._metrics.loop_lag_seconds.observe(late_ns / 1e9)
            if lags_ns[-1] >= BEAT_NS:
                next_ns = now_ns
            if now_ns - judged_ns >= JUDGED_NS:
                lags_ns.sort()
                self._metrics.flush()
                self._judge(now_ns, lags_ns[int(TELLING * (len(lags_ns) - 1))])
                judged_ns, lags_ns = now_ns, []
