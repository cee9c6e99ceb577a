"""What is counted and measured, as one table; every app has a registry of its own.

Label sets are closed: no seed, address, id or path ever becomes a label.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.process_collector import ProcessCollector

from astradio_stream.units import QUANTUM_SAMPLES
from astradio_stream.wire.pacer import samples_to_ns

if TYPE_CHECKING:
    from collections.abc import Sequence

QUANTUM_NS: Final = samples_to_ns(QUANTUM_SAMPLES)
Kind: TypeAlias = type[Counter] | type[Gauge] | type[Histogram]

BUCKETS_S: Final = (
    0.001,
    0.002,
    0.005,
    0.010,
    0.025,
    0.050,
    0.100,
    0.250,
    0.500,
    1.0,
    2.5,
    5.0,
    10.0,
)
"""Seconds: one quantum in the middle, a listener's buffer at the end."""
_BUCKETS_NS: Final = tuple(round(bound * 1e9) for bound in BUCKETS_S)


def observe_many(histogram: Histogram, counts: Sequence[int], total: float) -> None:
    """Observe many values at once, counted by bucket beforehand, with their sum.

    The client library has no such call; its own `observe` adds to the same two attributes, and
    `tests/test_server_metrics.py` compares the two.
    """
    histogram._sum.inc(total)
    for bucket, count in zip(histogram._buckets, counts, strict=True):
        if count:
            bucket.inc(count)


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table."""

    name: str
    """The field of `Metrics`; Prometheus sees it behind `astradio_` (but for those in `_BARE`), a
    counter before `_total`."""
    kind: Kind
    """Counter, gauge or histogram."""
    label: str
    """The name of its label, if it has one."""
    meaning: str
    """One sentence."""


# fmt: off
TABLE: Final = (
    #      name                        kind       label      meaning
    Metric("quantum_lateness_seconds", Histogram, "",        "How late a quantum is sent"),
    Metric("first_quantum_seconds",    Histogram, "",        "From hello to the first quantum"),
    Metric("loop_lag_seconds",         Histogram, "",        "How late the event loop is"),
    Metric("late_segments",            Counter,   "",        "Segments ready after their moment"),
    Metric("busy_ratio",               Gauge,     "",        "Share of the cores in use"),
    Metric("programmes",               Gauge,     "",        "Distinct programmes played now"),
    Metric("render_seconds",           Histogram, "",        "Rendering a segment"),
    Metric("encode_seconds",           Histogram, "",        "Encoding a segment"),
    Metric("cache_requests",           Counter,   "result",  "Segments: hit, miss, joined"),
    Metric("cache_bytes",              Gauge,     "",        "Bytes of segments kept"),
    Metric("listeners",                Gauge,     "",        "Listeners connected now"),
    Metric("sessions",                 Counter,   "closing", "Sessions ended, by how"),
    Metric("sent_bytes",               Counter,   "",        "Bytes of quanta and events sent"),
    Metric("skips",                    Counter,   "",        "Announced gaps for the slow"),
    Metric("underruns",                Counter,   "",        "Underruns as reported"),
    Metric("pieces",                   Counter,   "result",  "Pieces: hit, made, joined, refused"),
    Metric("piece_seconds",            Histogram, "",        "Making a piece"),
    Metric("compat_search_latency_ms", Histogram, "",        "A search, its wait included"),
    Metric("http_responses",           Counter,   "class",   "HTTP responses, 1xx to 5xx"),
)
# fmt: on


_BARE: Final = frozenset({"compat_search_latency_ms"})
"""Names that a contract gives as they are."""


def name_of(row: Metric) -> str:
    """Return what Prometheus calls a metric, but for the ending of a counter."""
    return row.name if row.name in _BARE else f"astradio_{row.name}"


def buckets_of(row: Metric) -> tuple[float, ...]:
    """Return the buckets of a histogram, in its unit."""
    return tuple(1_000.0 * bound for bound in BUCKETS_S) if row.name.endswith("_ms") else BUCKETS_S


MULTIPROC_DIR: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Where the Prometheus client of each process keeps its figures, if this variable is set."""
_GREATEST: Final = frozenset({"busy_ratio"})
"""Gauges of which several processes tell the greatest; others are added."""


def forget_process(pid: int) -> None:
    """Let the gauges of a process that has ended count no more; what it counted stays."""
    mark_process_dead(pid)  # type: ignore[no-untyped-call]


class Metrics:
    """The metrics of one app; where several processes serve, the page adds up those of all."""

    quantum_lateness_seconds: Histogram
    first_quantum_seconds: Histogram
    loop_lag_seconds: Histogram
    late_segments: Counter
    busy_ratio: Gauge
    programmes: Gauge
    render_seconds: Histogram
    encode_seconds: Histogram
    cache_requests: Counter
    cache_bytes: Gauge
    listeners: Gauge
    sessions: Counter
    sent_bytes: Counter
    skips: Counter
    underruns: Counter
    pieces: Counter
    piece_seconds: Histogram
    compat_search_latency_ms: Histogram
    http_responses: Counter

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for row in TABLE:
            name, labels = name_of(row), [row.label] if row.label else []
            made: Counter | Gauge | Histogram
            if row.kind is Histogram:
                made = Histogram(
                    name, row.meaning, labels, buckets=buckets_of(row), registry=self.registry
                )
            elif row.kind is Gauge:
                made = Gauge(
                    name,
                    row.meaning,
                    labels,
                    registry=self.registry,
                    multiprocess_mode="livemax" if row.name in _GREATEST else "livesum",
                )
            else:
                made = Counter(name, row.meaning, labels, registry=self.registry)
            setattr(self, row.name, made)
        ProcessCollector(registry=self.registry)

        self._late = [0] * (len(BUCKETS_S) + 1)
        self._late_ns = 0
        self._n_sent_bytes = 0

    def sent(self, late_ns: int, n_bytes: int, n_quanta: int = 1) -> None:
        """Count quanta that were sent together; thousands come in a moment, so only here at first.

        Args:
            late_ns: How late the first was (nanoseconds); each that follows was due 100 ms later.
            n_bytes: Bytes of all, events included.
            n_quanta: How many.
        """
        self._n_sent_bytes += n_bytes
        while late_ns > 0 and n_quanta:
            self._late[bisect_left(_BUCKETS_NS, late_ns)] += 1
            self._late_ns += late_ns
            late_ns, n_quanta = late_ns - QUANTUM_NS, n_quanta - 1
        self._late[0] += n_quanta

    def flush(self) -> None:
        """Hand on what `sent` has counted."""
        if not any(self._late):
            return
        observe_many(self.quantum_lateness_seconds, self._late, self._late_ns / 1e9)
        self.sent_bytes.inc(self._n_sent_bytes)
        self._late = [0] * len(self._late)
        self._late_ns = self._n_sent_bytes = 0

    def to_text(self) -> tuple[bytes, str]:
        """Return the page that Prometheus reads, and its content type."""
        self.flush()
        registry = self.registry
        if MULTIPROC_DIR in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4
