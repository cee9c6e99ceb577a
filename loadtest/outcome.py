"""What came of a run: tallies, seconds, the server and the generator; and every figure by a name.

The names of figures are what `--assert` speaks of, what a comparison compares and what the table
prints.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from loadtest.histogram import Histogram
from loadtest.tally import FAULTS, LATENCIES, QUALITY, Tally

if TYPE_CHECKING:
    from loadtest.plan import Plan

# fmt: off
QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}

PLAIN_FIGURES: Final = {
    "faults":             "all faults together, of all groups",
    "listeners":          "listeners that came (the well ones)",
    "most_open":          "listeners inside at once, at the most",
    "quanta":             "quanta that came to them",
    "viz_fps":            "viz frames that came for each second of sound",
    "skipped_s":          "seconds of sound that announced gaps left out",
    "sampled":            "quanta that were kept to be compared with a local render",
    "verified":           "those of them that were compared; for the others time was too short",
    "decoded":            "Opus packets that were decoded",
    "steered":            "changes of wishes that were answered by `steered`",
    "asked":              "HTTP requests sent",
    "unasked":            "HTTP requests whose turn did not come, as so many were under way",
    "matches":            "people that the searches found, all pages together",
    "server_cpu_share":   "processor time of the server, as a share of one core",
    "server_rss_mb":      "memory of the server at its most (MB)",
    "loop_lag_p99_ms":    "how late the server's event loop was, as it says",
    "server_late_p99_ms": "how late the server sent, as it says, beyond its gathering when busy",
    "late_segments":      "segments that the server made too late, as it says",
    "generator_cpu_share": "processor time of the busiest generator process, as a share of a core",
}
# fmt: on

SERVER_FIGURES: Final = (
    "server_cpu_share", "server_rss_mb", "loop_lag_p99_ms", "server_late_p99_ms", "late_segments",
)  # fmt: skip
"""Those that are not known where the server does not tell."""
TAIL_BELOW: Final = frozenset({"lead"})
"""Latencies of which little is bad: their percentiles count from the greatest down."""
FIT_LAG_MS: Final = 25.0
FIT_CPU_SHARE: Final = 0.9


def figure_names() -> list[str]:
    """Return every name a figure may have."""
    ends = (*QUANTILES, "max")
    latencies = [f"{name}_{end}_ms" for name in LATENCIES for end in ends]
    return [*PLAIN_FIGURES, *FAULTS, *QUALITY, *latencies]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing that had to hold."""

    wanted: str
    """As `--assert` says it, or in words."""
    measured: str
    """What it was."""
    holds: bool
    """Whether it held."""

    @property
    def line(self) -> str:
        """The line that tells that it did not hold."""
        return f"FAILED {self.wanted}: {self.measured}"


@dataclass
class Outcome:
    """A run that is over."""

    plan: Plan
    """What was asked for."""
    machine: str
    """Processor and versions."""
    groups: dict[str, Tally] = field(default_factory=dict)
    """By name: `well`, `slow`, `abuse`, `asks`."""
    generators: list[Tally] = field(default_factory=list)
    """The loop of each process."""
    between: Histogram = field(default_factory=Histogram)
    """How late the loop of a network between was, which is ours too."""
    seconds: list[dict[str, Any]] = field(default_factory=list)
    """Each second: listeners, lateness, processor time."""
    delays: list[tuple[float, float]] = field(default_factory=list)
    """Moment and lateness of each quantum of the first listener (seconds)."""
    server: dict[str, float] = field(default_factory=dict)
    """What the server told of itself."""
    bounds_ms: dict[str, float] = field(default_factory=dict)
    """Of figures that the server counts in buckets, the most that it measures."""
    mishaps: list[str] = field(default_factory=list)
    """What broke on the way: a process of the generator, or the server."""
    command: str = ""
    """That makes this run again."""
    verdicts: list[Verdict] = field(default_factory=list)
    """What had to hold."""

    @property
    def generator_shares(self) -> list[float]:
        """Share of a core that each process of the generator took."""
        return [one.counts["cpu_us"] / max(one.counts["wall_us"], 1) for one in self.generators]

    @property
    def is_generator_fit(self) -> bool:
        """Whether the generator was no bottleneck: its loops were in time and had time left.

        One that told nothing of its loops proves nothing.
        """
        if not self.generators:
            return False
        return self.worst_lag_ms <= FIT_LAG_MS and max(self.generator_shares) <= FIT_CPU_SHARE

    @property
    def worst_lag_ms(self) -> float:
        """The lag (p99, ms) of the loop that kept up the least: none is averaged out."""
        loops = [self.between, *(one.latency("lag") for one in self.generators)]
        return max(loop.quantile_ms(0.99) for loop in loops)

    def faults(self) -> dict[str, int]:
        """Return all faults by kind."""
        found: dict[str, int] = defaultdict(int)
        for group in self.groups.values():
            for kind, n in group.faults.items():
                found[kind] += n
        return dict(found)

    def figures(self) -> dict[str, float]:
        """Return all figures by name; latencies are those of the well, in milliseconds.

        What the server did not tell is not a number (NaN), nor is a latency of what never came;
        what lies beyond what the server measures is infinite.
        """
        well, asks = self.groups.get("well", Tally()), self.groups.get("asks", Tally())
        figures: dict[str, float] = dict.fromkeys(PLAIN_FIGURES, 0.0)
        figures |= dict.fromkeys(SERVER_FIGURES, math.nan)
        figures |= {kind: float(well.findings[kind] + asks.findings[kind]) for kind in QUALITY}
        faults = self.faults()
        figures |= {kind: float(faults.get(kind, 0)) for kind in FAULTS}
        counts, sound_s = well.counts, well.counts["quanta"] / 10
        figures |= self.server | {
            "faults": float(sum(faults.values())),
            "viz_fps": counts["viz_frames"] / sound_s if sound_s else 0.0,
            "skipped_s": counts["skipped_samples"] / 48_000,
            "asked": float(asks.counts["asked"]),
            "unasked": float(asks.counts["unasked"]),
            "matches": float(asks.counts["matches"]),
            "most_open": max((row["open"] for row in self.seconds), default=0.0),
            "server_rss_mb": max(
                (mb for row in self.seconds if not math.isnan(mb := row["serverRssMb"])),
                default=math.nan,
            ),
            "generator_cpu_share": max(self.generator_shares, default=0.0),
        }
        figures |= {
            name: float(counts[name])
            for name in ("listeners", "quanta", "sampled", "verified", "decoded", "steered")
        }
        if not well.latency("late").n:  # nobody was timed: then nothing is known to be in time
            figures["late"] = math.nan
        for name, histogram in self.latencies().items():
            for end, share in QUANTILES.items():
                figures[f"{name}_{end}_ms"] = figure_ms(histogram, name, share)
            figures[f"{name}_max_ms"] = figure_ms(histogram, name, 1.0)
        return figures

    def latencies(self) -> dict[str, Histogram]:
        """Return all latencies by name: of the well, of the requests, of the generators."""
        well, asks = self.groups.get("well", Tally()), self.groups.get("asks", Tally())
        lag = self.between.copy()
        for one in self.generators:
            lag.add(one.latency("lag"))
        found = {name: well.latency(name) for name in LATENCIES}
        return found | {"answer": asks.latency("answer"), "lag": lag}

    def to_json(self) -> dict[str, Any]:
        """Return all of it for a file; what is no finite number is null."""
        return {
            "machine": self.machine,
            "command": self.command,
            "plan": asdict(self.plan),
            "verdicts": [asdict(verdict) for verdict in self.verdicts],
            "mishaps": self.mishaps,
            "isGeneratorFit": self.is_generator_fit,
            "generatorShares": self.generator_shares,
            "figures": {name: _told(value) for name, value in self.figures().items()},
            "groups": {name: tally.to_json() for name, tally in self.groups.items()},
            "seconds": [
                {name: _told(value) for name, value in row.items()} for row in self.seconds
            ],
        }


def figure_ms(histogram: Histogram, name: str, share: float) -> float:
    """Return a percentile of a latency (milliseconds), counted towards what is bad; NaN of none."""
    if not histogram.n:
        return math.nan
    if name not in TAIL_BELOW:
        return histogram.quantile_ms(share)
    least = share == 1.0
    return histogram.min_us / 1e3 if least else histogram.quantile_ms(round(1.0 - share, 9))


def _told(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
