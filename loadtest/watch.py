"""What a server tells of itself while it is loaded: processor time, memory, its own figures."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from typing import Final

from loadtest.process import Samples, Server, difference, samples_in

_TIMEOUT_S: Final = 5.0


class Watch:
    """Looks at a server once a second: a process of ours by the system, another by its metrics."""

    def __init__(self, http_url: str, running: Server | None = None) -> None:
        self._http_url = http_url
        self._running = running
        self._before: Samples = self._samples()
        self._cpu_s = self._cpu(self._before)
        self._first_cpu_s = self._cpu_s
        self._first_at_s = self._at_s = time.monotonic()

    def look(self) -> dict[str, float]:
        """Return its share of a core since the last look, and its memory (MB); 0 if unknown."""
        samples = {} if self._running is not None else self._samples()
        now_s, cpu_s = time.monotonic(), self._cpu(samples)
        share = (cpu_s - self._cpu_s) / max(now_s - self._at_s, 1e-3)
        self._at_s, self._cpu_s = now_s, cpu_s
        if self._running is not None:
            rss_mb = self._running.rss_kb() / 1024
        else:
            rss_mb = samples.get(("process_resident_memory_bytes", ""), 0.0) / 2**20
        return {"serverCpu": max(0.0, share), "serverRssMb": rss_mb}

    def told(self) -> dict[str, float]:
        """Return what its own metrics say of the whole run: milliseconds and counts."""
        after = self._samples()
        if not after:
            return {}
        grown = difference(after, self._before)
        told = {
            "loop_lag_p99_ms": _quantile_ms(grown, "astradio_loop_lag_seconds", 0.99),
            "server_late_p99_ms": _quantile_ms(grown, "astradio_quantum_lateness_seconds", 0.99),
            "late_segments": grown.get(("astradio_late_segments_total", ""), 0.0),
        }
        spent_s = self._cpu(after) - self._first_cpu_s
        told["server_cpu_share"] = spent_s / max(time.monotonic() - self._first_at_s, 1e-3)
        return told

    def _samples(self) -> Samples:
        """Return its metrics, none where it tells none."""
        try:
            url = f"{self._http_url}/metrics"
            with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as page:  # noqa: S310 - always http
                return samples_in(page.read().decode())
        except (OSError, urllib.error.URLError, ValueError):
            return {}

    def _cpu(self, samples: Samples) -> float:
        if self._running is not None:
            return self._running.cpu_s()
        return samples.get(("process_cpu_seconds_total", ""), 0.0)


def _quantile_ms(grown: Samples, histogram: str, share: float) -> float:
    """Return the upper bound of the bucket that holds a quantile (milliseconds); 0 if none does."""
    name = f"{histogram}_bucket"
    bounds = sorted((float(le), n) for (found, le), n in grown.items() if found == name)
    if not bounds or not bounds[-1][1]:
        return 0.0
    return next(bound for bound, n in bounds if n >= share * bounds[-1][1]) * 1e3
