"""How many distinct live streams a core carries without one late quantum."""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import Final

from loadtest.bench_fanout import crowd
from loadtest.process import quantile_s, server
from loadtest.table import print_table

_STEPS: Final = (50, 100, 130)
_SECONDS: Final = 15.0


def run(steps: tuple[int, ...] = _STEPS, seconds: float = _SECONDS) -> None:
    """Measure and print."""
    rows = [
        ["distinct streams", "CPU of a core", "ms / second of stream", "late segments",
         "quanta late by 0.1 s", "late p99, ms", "ran dry", "refused"],
    ]  # fmt: skip
    with TemporaryDirectory() as folder:
        for n in steps:
            with server(folder, core=0) as running:
                args = ("--distinct", "--per-s", "15")
                told, grown, share, _, _ = crowd(running, n, seconds, *args)
            lateness = "astradio_quantum_lateness_seconds"
            n_late = grown[f"{lateness}_count", ""] - grown[f"{lateness}_bucket", "0.1"]
            n_refused = sum(told["closes"].values())
            rows.append(
                [
                    str(n),
                    f"{share:.0%}",
                    f"{share * 1_000 / max(n - n_refused, 1):.2f}",
                    f"{grown['astradio_late_segments_total', '']:.0f}",
                    f"{n_late:.0f}",
                    quantile_s(grown, lateness, 0.99),
                    str(told["dry"]),
                    str(n_refused),
                ]
            )
    print_table("Distinct live streams on one core, budget 100 without a late quantum", rows)


if __name__ == "__main__":
    run()
