"""What a server tells of itself while it is loaded: processor time, memory, its own figures.

A figure that cannot be had is not a number (NaN): nothing that must hold of it does. One beyond
what a histogram of the server measures is infinite.
"""

from __future__ import annotations

import math
import time
from http.client import HTTPException
from typing import Final

from loadtest.process import Samples, Server, difference, opened, samples_in

TIMEOUT_S: Final = 5.0
"""How long its metrics are waited for, however slowly they come."""
_READ_BYTES: Final = 1 << 16


class Watch:
    """Looks at a server once a second: a process of ours by the system, another by its metrics."""

    def __init__(self, http_url: str, running: Server | None = None) -> None:
        self._http_url = http_url
        self._running = running
        self.bounds_ms: dict[str, float] = {}
        """By figure, the most that the server's histogram of it measures (milliseconds)."""
        self.last_look: dict[str, float] = {}
        """What a look saw when the whole run was told of: of a last second nobody looked at."""
        self._before: Samples = self._samples()
        self._first_cpu_s = self._cpu_s = self._cpu(self._before)
        self._first_at_s = self._at_s = time.monotonic()

    def look(self) -> dict[str, float]:
        """Return its share of a core since it was last seen, and its memory (MB)."""
        return self._seen(self._samples() if self._running is None else {})

    def _seen(self, samples: Samples) -> dict[str, float]:
        if self._running is not None:
            rss_mb = self._own_rss_mb(self._running)
        else:
            rss_mb = samples.get(("process_resident_memory_bytes", ""), math.nan) / 2**20
        now_s, cpu_s = time.monotonic(), self._cpu(samples)
        share = (cpu_s - self._cpu_s) / max(now_s - self._at_s, 1e-3)
        if not math.isnan(cpu_s):
            self._at_s, self._cpu_s = now_s, cpu_s
        return {"serverCpu": share, "serverRssMb": rss_mb}

    def told(self) -> dict[str, float]:
        """Return what its own metrics say of the whole run: milliseconds and counts."""
        after = self._samples()
        self.last_look = self._seen(after)
        if not (after and self._before):
            return {}
        grown = difference(after, self._before)
        self.bounds_ms = {
            "loop_lag_p99_ms": most_ms(grown, "astradio_loop_lag_seconds"),
            "server_late_p99_ms": most_ms(grown, "astradio_quantum_lateness_seconds"),
        }
        return {
            "loop_lag_p99_ms": quantile_ms(grown, "astradio_loop_lag_seconds", 0.99),
            "server_late_p99_ms": quantile_ms(grown, "astradio_quantum_lateness_seconds", 0.99),
            "late_segments": grown.get(("astradio_late_segments_total", ""), math.nan),
            "server_cpu_share": (self._cpu(after) - self._first_cpu_s)
            / max(time.monotonic() - self._first_at_s, 1e-3),
        }

    def end(self) -> str:
        """Return how a server of ours ended, in words; nothing while it runs, or is another's."""
        return "" if self._running is None else self._running.end()

    def _samples(self) -> Samples:
        """Return its metrics, none where it tells none in time."""
        limit_s = time.monotonic() + TIMEOUT_S
        text = b""
        try:
            url = f"{self._http_url}/metrics"
            with opened(url, TIMEOUT_S) as page:
                while part := page.read1(_READ_BYTES):
                    text += part
                    if time.monotonic() > limit_s:
                        return {}
                if page.length:  # it broke off: half of its figures are worse than none
                    return {}
            return samples_in(text.decode())
        except (OSError, HTTPException, ValueError):
            return {}

    def _cpu(self, samples: Samples) -> float:
        if self._running is None:
            return samples.get(("process_cpu_seconds_total", ""), math.nan)
        try:
            return self._running.cpu_s()
        except OSError:  # it is gone
            return math.nan

    def _own_rss_mb(self, running: Server) -> float:
        try:
            return running.rss_kb() / 1024
        except OSError:
            return math.nan


def quantile_ms(grown: Samples, histogram: str, share: float) -> float:
    """Return the upper bound of the bucket that holds a quantile (ms); NaN where it holds none."""
    name = f"{histogram}_bucket"
    bounds = sorted((float(le), n) for (found, le), n in grown.items() if found == name)
    if not bounds or not bounds[-1][1]:
        return math.nan
    return next(bound for bound, n in bounds if n >= share * bounds[-1][1]) * 1e3


def most_ms(samples: Samples, histogram: str) -> float:
    """Return the last bound of a histogram that is finite (ms): beyond it nothing is told apart."""
    name = f"{histogram}_bucket"
    bounds = [float(le) for found, le in samples if found == name]
    return max((bound for bound in bounds if math.isfinite(bound)), default=0.0) * 1e3
