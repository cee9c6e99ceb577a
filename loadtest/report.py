"""What a run came to, for people: a table that fits in a runbook, and files beside it."""

from __future__ import annotations

import csv
import json
import math
from typing import TYPE_CHECKING, Any, Final

from loadtest.outcome import figure_ms
from loadtest.table import print_table
from loadtest.tally import FAULTS, QUALITY

if TYPE_CHECKING:
    from pathlib import Path

    from loadtest.outcome import Outcome

_SHARES: Final = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("worst", 1.0))
_LATENCY_WORDS: Final = {
    "late": "quantum late", "first_audio": "first audio", "hello": "hello → quantum",
    "fill": "buffer full", "resume": "resumed", "lead": "lead", "underrun": "underrun",
    "steer": "steer → audible", "answer": "HTTP answer", "lag": "generator lag",
}  # fmt: skip
_SECOND_FIELDS: Final = (
    "atS", "open", "quanta", "fps", "late", "lateP99", "lateMax", "underruns", "lag",
    "serverCpu", "serverRssMb", "cpuS",
)  # fmt: skip


def latency_rows(outcome: Outcome) -> list[list[str]]:
    """Return the table of latencies (milliseconds): those that were seen.

    Percentiles go towards what is bad; so those of what is held ahead count downwards.
    """
    rows = [["ms", *(end for end, _ in _SHARES), "count"]]
    for name, histogram in outcome.latencies().items():
        if histogram.n:
            figures = [f"{figure_ms(histogram, name, share):,.1f}" for _, share in _SHARES]
            rows.append([_LATENCY_WORDS[name], *figures, f"{histogram.n:,}"])
    return rows


def verdict_rows(outcome: Outcome) -> list[list[str]]:
    """Return the table of what had to hold."""
    rows = [["what must hold", "measured", "holds"]]
    rows += [
        [one.wanted, one.measured.removeprefix("it is "), "yes" if one.holds else "NO"]
        for one in outcome.verdicts
    ]
    return rows


def summary_rows(outcome: Outcome) -> list[list[str]]:
    """Return the table of counts."""
    figures = outcome.figures()
    shares = ", ".join(f"{share:.0%}" for share in outcome.generator_shares)
    cpu = shown(figures["server_cpu_share"], ".0%")
    memory = shown(figures["server_rss_mb"], ".0f")
    late, lag = (_bound(outcome, name) for name in ("server_late_p99_ms", "loop_lag_p99_ms"))
    rows = [
        ["", ""],
        ["listeners, most at once", f"{figures['listeners']:,.0f}, {figures['most_open']:,.0f}"],
        ["quanta; viz frames a second", f"{figures['quanta']:,.0f}; {figures['viz_fps']:.1f}"],
        ["verified against a local render",
         f"{figures['verified']:,.0f} of {figures['sampled']:,.0f} samples"],
        ["server: CPU of a core, memory", f"{cpu}, {memory} MB"],
        ["server says: late p99, loop lag p99", f"{late}, {lag}"],
        ["generator: CPU of a core", shares],
        ["generator kept up", "yes" if outcome.is_generator_fit else "NO: see its lag"],
    ]  # fmt: skip
    return rows + [[word, shown(figures[word], ",.0f")] for word in QUALITY]


def group_rows(outcome: Outcome) -> list[list[str]]:
    """Return what became of those who are counted apart, empty where there are none."""
    rows = []
    for name, tally in outcome.groups.items():
        told = dict(tally.counts) if name != "well" else {}
        told |= {word: n for word, n in tally.findings.items() if name != "well"}
        closes = {word: n for word, n in tally.counts.items() if word.startswith("close_")}
        told = told or closes
        if told:
            rows.append([name, ", ".join(f"{word} {n:,}" for word, n in sorted(told.items()))])
    return rows


def fault_lines(outcome: Outcome) -> list[str]:
    """Return a line for each kind of fault that was found."""
    lines = []
    for kind, n in outcome.faults().items():
        words = [word for group in outcome.groups.values() for word in group.examples.get(kind, [])]
        lines.append(f"{kind}: {n:,} ({FAULTS[kind]}; {'; '.join(words[:2])})")
    return lines


def shown(value: float, form: str = "g") -> str:
    """Return a figure as people read it: what nobody told or timed is `?`."""
    return format(value, form) if math.isfinite(value) else "?"


def _bound(outcome: Outcome, name: str) -> str:
    """Return a figure that the server counts in buckets: no more than this, or more than all."""
    value_ms = outcome.figures()[name]
    if math.isinf(value_ms):
        return f"> {outcome.bounds_ms[name]:g} ms"
    return "?" if math.isnan(value_ms) else f"≤ {value_ms:g} ms"


def print_report(outcome: Outcome) -> None:
    """Print the tables."""
    plan = outcome.plan
    print(f"\n{plan.scenario}: {plan.row.what}\n  {outcome.command}")
    print_table("Latencies", latency_rows(outcome))
    print_table("Counts", summary_rows(outcome))
    for name, told in group_rows(outcome):
        print(f"  {name}: {told}")
    print_table("What must hold", verdict_rows(outcome))
    faults = fault_lines(outcome)
    print("\nFaults: " + ("none" if not faults else ""))
    for line in faults:
        print(f"  {line}")
    for one in outcome.verdicts:
        if not one.holds:
            print(one.line)


def write_json(outcome: Outcome, folder: Path) -> None:
    """Write `outcome.json`."""
    text = json.dumps(outcome.to_json(), indent=1, ensure_ascii=False, allow_nan=False)
    file = folder.joinpath("outcome.json")
    file.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def write_csv(outcome: Outcome, folder: Path) -> None:
    """Write `seconds.csv`."""
    with folder.joinpath("seconds.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, _SECOND_FIELDS, extrasaction="ignore", restval="")
        writer.writeheader()
        writer.writerows(map(_rounded, outcome.seconds))


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in row.items() if math.isfinite(value)}
    return {name: round(v, 3) if isinstance(v, float) else v for name, v in told.items()}


def progress_line(scenario: str, row: dict[str, Any]) -> str:
    """Return what is shown of a second as it passes."""
    return (
        f"{scenario} {row['atS']:4.0f} s  {row['open']:6,} listeners  {row['quanta']:7,} quanta/s  "
        f"late p99 {row['lateP99']:6.1f} ms  {row['fps']:4.1f} fps  underruns {row['underruns']}  "
        f"server {shown(row['serverCpu'], '4.0%')} {shown(row['serverRssMb'], '5.0f')} MB"
    )
