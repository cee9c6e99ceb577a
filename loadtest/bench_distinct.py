"""How many distinct live streams a core carries without one late quantum."""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import Final

from loadtest.bench_fanout import heard_by, print_doubts
from loadtest.cores import server_core
from loadtest.process import quantile_s, server
from loadtest.table import print_table

_STEPS: Final = (50, 100, 130)
_SECONDS: Final = 15.0
_PER_S: Final = 15.0


def run(steps: tuple[int, ...] = _STEPS, seconds: float = _SECONDS) -> None:
    """Measure and print."""
    rows = [
        ["distinct streams", "CPU of a core", "ms / second of stream", "late segments",
         "quanta late by 0.1 s", "late p99, ms", "ran dry", "refused"],
    ]  # fmt: skip
    doubts = []
    with TemporaryDirectory() as folder:
        for n in steps:
            with server(folder, core=server_core()) as running:
                heard = heard_by(running, n, seconds, _PER_S, "--distinct")
            lateness = "astradio_quantum_lateness_seconds"
            n_late = heard.grown[f"{lateness}_count", ""] - heard.grown[f"{lateness}_bucket", "0.1"]
            rows.append(
                [
                    str(n),
                    f"{heard.share:.0%}",
                    f"{heard.share * 1_000 / max(n - heard.n_refused, 1):.2f}",
                    f"{heard.grown['astradio_late_segments_total', '']:.0f}",
                    f"{n_late:.0f}",
                    quantile_s(heard.grown, lateness, 0.99),
                    str(heard.told["dry"]),
                    str(heard.n_refused),
                ]
            )
            doubts.append(heard.late_words())
    print_table("Distinct live streams on one core, budget 100 without a late quantum", rows)
    print_doubts(steps, doubts)


if __name__ == "__main__":
    run()
