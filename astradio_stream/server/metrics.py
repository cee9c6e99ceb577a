"""What is counted and measured, as one table; every app has a registry of its own.

Label sets are closed: no seed, address, id or path ever becomes a label. Where a set is known
beforehand all of it is told from the start, so that a rate sees the first of its kind. Prometheus
wants base units: what is named and observed in milliseconds is told in seconds.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.process_collector import ProcessCollector

from astradio_stream.server.http import STATUS_OF_CODE
from astradio_stream.server.logfiles import tally
from astradio_stream.stream.versions import VERSIONS
from astradio_stream.units import QUANTUM_SAMPLES
from astradio_stream.wire.closing import Closing
from astradio_stream.wire.pacer import samples_to_ns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astradio_stream.wire.messages import Report

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


class Milliseconds(Histogram):
    """A histogram that is told in seconds of what is observed in milliseconds."""

    def observe(self, amount: float, exemplar: dict[str, str] | None = None) -> None:
        """Observe a time (milliseconds)."""
        super().observe(amount / 1_000, exemplar)


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table."""

    name: str
    """The field of `Metrics`; Prometheus sees it behind `astradio_`, a counter before `_total`, and
    `_seconds` for `_ms`."""
    kind: Kind
    """Counter, gauge or histogram."""
    label: str
    """The name of its label, if it has one."""
    meaning: str
    """One sentence."""
    values: Sequence[str] = ()
    """All values of the label, where they are known."""
    buckets: Sequence[float] = BUCKETS_S
    """Of a histogram."""

    @property
    def exposed(self) -> str:
        """The name that Prometheus sees, but for the `_total` of a counter."""
        return f"astradio_{self.name.removesuffix('_ms')}{'_seconds' * self.name.endswith('_ms')}"


CLOSINGS: Final = (*(closing.label for closing in Closing), "lost")
CLASSES: Final = ("1xx", "2xx", "3xx", "4xx", "5xx")
CHECKED: Final = ("same", "different", "skipped")
_COMPOSE_S: Final = tuple(sorted({*BUCKETS_S, 0.4, 1.5}))
_SEEK_S: Final = tuple(sorted({*BUCKETS_S, 0.015, 0.02, 0.03, 0.035, 0.04}))
_PICTURE_S: Final = tuple(sorted({*BUCKETS_S, 0.015}))
_FPS: Final = (5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 55.0, 58.0, 60.0, 75.0, 100.0, 120.0, 144.0)

# fmt: off
TABLE: Final = (
    #      name                        kind       label      meaning
    Metric("quantum_lateness_seconds", Histogram, "",        "How late a quantum is sent"),
    Metric("first_quantum_seconds",    Histogram, "",        "From hello to the first quantum"),
    Metric("seek_seconds",             Histogram, "",        "From seek to its first quantum",
           buckets=_SEEK_S),
    Metric("loop_lag_seconds",         Histogram, "",        "How late the event loop is"),
    Metric("late_segments",            Counter,   "",        "Segments ready after their moment"),
    Metric("busy_ratio",               Gauge,     "",        "Share of the cores in use"),
    Metric("programmes",               Gauge,     "",        "Distinct programmes played now"),
    Metric("render_seconds",           Histogram, "",        "Rendering a segment"),
    Metric("encode_seconds",           Histogram, "",        "Encoding a segment"),
    Metric("cache_requests",           Counter,   "result",  "Segments: hit, miss, joined"),
    Metric("cache_bytes",              Gauge,     "",        "Bytes of segments kept"),
    Metric("listeners",                Gauge,     "",        "Listeners connected now"),
    Metric("tasks",                    Gauge,     "",        "Tasks of the loop, as last asked"),
    Metric("sessions",                 Counter,   "closing", "Sessions ended, by how", CLOSINGS),
    Metric("sent_bytes",               Counter,   "",        "Bytes of quanta and events sent"),
    Metric("skips",                    Counter,   "",        "Announced gaps for the slow"),
    Metric("underruns",                Counter,   "",        "Underruns as reported"),
    Metric("pieces",                   Counter,   "result",  "Pieces: hit, made, joined, refused"),
    Metric("piece_seconds",            Histogram, "",        "Making a piece"),
    Metric("http_responses",           Counter,   "class",   "HTTP responses, by class", CLASSES),
    Metric("errors",                   Counter,   "code",    "Refusals by error.code",
           tuple(STATUS_OF_CODE)),
    Metric("compose_latency_ms",       Histogram, "",        "compose_latency_ms, POST to piece",
           buckets=_COMPOSE_S),
    Metric("compat_search_latency_ms", Histogram, "",        "compat_search_latency_ms, of one"),
    Metric("viz_init_ms",              Histogram, "",        "viz_init_ms, as listeners report it",
           buckets=_PICTURE_S),
    Metric("viz_fps_avg",              Histogram, "",        "viz_fps_avg, as listeners report it",
           buckets=_FPS),
    Metric("model_load_seconds",       Gauge,     "model",   "Loading an audio model",
           VERSIONS["audio"]),
    Metric("determinism_checks",       Counter,   "result",  "Served segments made once more",
           CHECKED),
    Metric("media_mismatches",         Counter,   "",        "Files sent with other headers"),
    Metric("store_errors",             Counter,   "",        "Writes that the database refused"),
    Metric("log_lines_lost",           Counter,   "",        "Log lines that nobody took"),
    Metric("log_lines_nameless",       Counter,   "",        "Log lines without a requestId"),
    Metric("ready",                    Gauge,     "",        "1 where newcomers are welcome"),
)
# fmt: on


MULTIPROC_DIR: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Where the Prometheus client of each process keeps its figures, if this variable is set."""
_MODES: Final[dict[str, Any]] = {
    "busy_ratio": "livemax",
    "model_load_seconds": "livemax",
    "ready": "livemin",
}
"""How the gauges of several processes become one, where they are not added."""


def forget_process(pid: int) -> None:
    """Let the gauges of a process that has ended count no more; what it counted stays."""
    mark_process_dead(pid)  # type: ignore[no-untyped-call]


class Metrics:
    """The metrics of one app; where several processes serve, the page adds up those of all."""

    quantum_lateness_seconds: Histogram
    first_quantum_seconds: Histogram
    seek_seconds: Histogram
    loop_lag_seconds: Histogram
    late_segments: Counter
    busy_ratio: Gauge
    programmes: Gauge
    render_seconds: Histogram
    encode_seconds: Histogram
    cache_requests: Counter
    cache_bytes: Gauge
    listeners: Gauge
    tasks: Gauge
    sessions: Counter
    sent_bytes: Counter
    skips: Counter
    underruns: Counter
    pieces: Counter
    piece_seconds: Histogram
    compat_search_latency_ms: Histogram
    http_responses: Counter
    errors: Counter
    compose_latency_ms: Histogram
    viz_init_ms: Histogram
    viz_fps_avg: Histogram
    model_load_seconds: Gauge
    determinism_checks: Counter
    media_mismatches: Counter
    store_errors: Counter
    log_lines_lost: Counter
    log_lines_nameless: Counter
    ready: Gauge

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for row in TABLE:
            setattr(self, row.name, self._made(row))
        ProcessCollector(registry=self.registry)

        self.n_answered = dict.fromkeys(CLASSES, 0)
        """Answers of this process by class."""

        self._late = [0] * (len(BUCKETS_S) + 1)
        self._late_ns = 0
        self._n_sent_bytes = 0
        self._n_fps = [0] * (len(_FPS) + 1)
        self._fps = 0.0

    def _made(self, row: Metric) -> Counter | Gauge | Histogram:
        """Return the metric of a row."""
        name, labels = row.exposed, [row.label] if row.label else []
        made: Counter | Gauge | Histogram
        if row.kind is Histogram:
            kind = Milliseconds if row.name.endswith("_ms") else Histogram
            made = kind(name, row.meaning, labels, buckets=row.buckets, registry=self.registry)
        elif row.kind is Gauge:
            mode = _MODES.get(row.name, "livesum")
            made = Gauge(name, row.meaning, labels, registry=self.registry, multiprocess_mode=mode)
        else:
            made = Counter(name, row.meaning, labels, registry=self.registry)
        for value in row.values:
            made.labels(value)
        return made

    def answered(self, status: int, code: str | None) -> None:
        """Count an answer over HTTP, and its error.code if it has one."""
        status_class = f"{status // 100}xx"
        self.http_responses.labels(status_class).inc()
        self.n_answered[status_class] += 1
        if code is not None:
            self.errors.labels(code).inc()

    def reported(self, report: Report) -> None:
        """Count what a listener says of its picture; thousands do in a second, as with `sent`."""
        if report.viz_fps is not None:
            self._n_fps[bisect_left(_FPS, report.viz_fps)] += 1
            self._fps += report.viz_fps
        if report.viz_init_ms is not None:
            self.viz_init_ms.observe(report.viz_init_ms)

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
        """Hand on what `sent` and `reported` have counted, and what became of log lines."""
        n_lost, n_nameless = tally.take()
        self.log_lines_lost.inc(n_lost)
        self.log_lines_nameless.inc(n_nameless)
        if any(self._n_fps):
            observe_many(self.viz_fps_avg, self._n_fps, self._fps)
            self._n_fps = [0] * len(self._n_fps)
            self._fps = 0.0
        if any(self._late):
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
