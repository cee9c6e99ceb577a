"""What a server tells of itself while it is loaded: processor time, memory, its own figures.

A figure that cannot be had is not a number (NaN): nothing that must hold of it does. One beyond
what a histogram of the server measures is infinite.
"""

from __future__ import annotations

import math
import time
import urllib.error
import urllib.request
from typing import Final

from loadtest.process import Samples, Server, difference, samples_in

TIMEOUT_S: Final = 5.0
"""How long its metrics are waited for."""


class Watch:
    """Looks at a server once a second: a process of ours by the system, another by its metrics."""

    def __init__(self, http_url: str, running: Server | None = None) -> None:
        self._http_url = http_url
        self._running = running
        self._before: Samples = self._samples()
        self._first_cpu_s = self._cpu_s = self._cpu(self._before)
        self._first_at_s = self._at_s = time.monotonic()

    def look(self) -> dict[str, float]:
        """Return its share of a core since it was last seen, and its memory (MB)."""
        if self._running is not None:
            samples: Samples = {}
            rss_mb = math.nan if self._running.end() else self._running.rss_kb() / 1024
        else:
            samples = self._samples()
            rss_mb = samples.get(("process_resident_memory_bytes", ""), math.nan) / 2**20
        now_s, cpu_s = time.monotonic(), self._cpu(samples)
        share = (cpu_s - self._cpu_s) / max(now_s - self._at_s, 1e-3)
        if not math.isnan(cpu_s):
            self._at_s, self._cpu_s = now_s, cpu_s
        return {"serverCpu": share, "serverRssMb": rss_mb}

    def told(self) -> dict[str, float]:
        """Return what its own metrics say of the whole run: milliseconds and counts."""
        after = self._samples()
        if not (after and self._before):
            return {}
        grown = difference(after, self._before)
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
        """Return its metrics, none where it tells none."""
        try:
            url = f"{self._http_url}/metrics"
            with urllib.request.urlopen(url, timeout=TIMEOUT_S) as page:  # noqa: S310 - always http
                return samples_in(page.read().decode())
        except (OSError, urllib.error.URLError, ValueError):
            return {}

    def _cpu(self, samples: Samples) -> float:
        if self._running is None:
            return samples.get(("process_cpu_seconds_total", ""), math.nan)
        return math.nan if self._running.end() else self._running.cpu_s()


def quantile_ms(grown: Samples, histogram: str, share: float) -> float:
    """Return the upper bound of the bucket that holds a quantile (ms); NaN where it holds none."""
    name = f"{histogram}_bucket"
    bounds = sorted((float(le), n) for (found, le), n in grown.items() if found == name)
    if not bounds or not bounds[-1][1]:
        return math.nan
    return next(bound for bound, n in bounds if n >= share * bounds[-1][1]) * 1e3
