"""The pulse of the loop: what stands still is late for all the time that it stands."""

from __future__ import annotations

import asyncio
import time

from astradio_stream.server.clock import SystemClock
from astradio_stream.server.metrics import Metrics
from astradio_stream.server.pulse import BEAT_NS, Pulse
from loadtest.process import samples_in

STILL_S = 0.5


async def beaten(metrics: Metrics) -> None:
    """Let a loop beat for a while, and stand still in the middle of it."""
    pulse = Pulse(SystemClock(), metrics, lambda _now_ns, _lag_ns: None)
    pulse.start()
    await asyncio.sleep(0.2)
    time.sleep(STILL_S)
    await asyncio.sleep(0.2)
    pulse.stop()


def test_every_beat_that_was_missed_is_late() -> None:
    metrics = Metrics()
    asyncio.run(beaten(metrics))
    found = samples_in(metrics.to_text()[0].decode())
    name = "astradio_loop_lag_seconds"
    n_beats = found[f"{name}_count", ""]
    assert n_beats >= 0.8 * (0.4 + STILL_S) * 1e9 / BEAT_NS
    n_late = n_beats - found[f"{name}_bucket", "0.1"]
    assert n_late >= (STILL_S - 0.1) * 1e9 / BEAT_NS - 2
    assert found[f"{name}_sum", ""] >= 0.8 * STILL_S**2 / 2 * 1e9 / BEAT_NS
