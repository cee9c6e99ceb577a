"""The report of a run as one page that stands alone: figures, faults, and how it went over time."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl

from loadtest.report import fault_lines, group_rows, latency_rows, summary_rows, verdict_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from loadtest.outcome import Outcome

mpl.use("Agg")
from matplotlib import pyplot as plt

_INK, _PAPER, _PALE = "#1d2433", "#ffffff", "#8a93a6"
_BLUE, _RED, _GREEN, _VIOLET = "#2f6fde", "#d5473f", "#2a9d6f", "#7a4fc9"

_STYLE: Final = """
:root { color-scheme: light }
body { font: 16px/1.5 system-ui, sans-serif; color: #1d2433; max-width: 62rem;
       margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.7rem; margin: 0 } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem }
p { margin: .3rem 0 } .pale { color: #5c6478 }
pre { background: #f3f5f9; padding: .7rem 1rem; border-radius: .4rem; overflow-x: auto;
      font-size: .85rem; white-space: pre-wrap }
.verdict { display: inline-block; padding: .15rem .7rem; border-radius: 1rem; color: #fff;
           font-weight: 600; margin: .6rem .4rem .2rem 0; font-size: .9rem }
.good { background: #23805b } .bad { background: #c23b34 }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100% }
.two { display: grid; grid-template-columns: 3fr 2fr; gap: 2.5rem; align-items: start }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #e3e7ef }
th:first-child, td:first-child { text-align: left; padding-left: 0; white-space: nowrap }
th { color: #5c6478 }
img { width: 100%; height: auto } ul { padding-left: 1.2rem }
@media (max-width: 50rem) { .two { grid-template-columns: 1fr; gap: 0 } }
"""


def write_html(outcome: Outcome, path: Path) -> None:
    """Write the report."""
    path.write_text(page_of(outcome), encoding="utf-8", errors="backslashreplace")


def page_of(outcome: Outcome) -> str:
    """Return the report as one page; it needs no other file."""
    plan = outcome.plan
    faults = fault_lines(outcome)
    holds = all(one.holds for one in outcome.verdicts)
    others = "".join(
        f"<li>{escape(name)}: {escape(told)}</li>" for name, told in group_rows(outcome)
    )
    listed = "".join(f"<li>{escape(line)}</li>" for line in faults)
    plot = base64.b64encode(_plot(outcome)).decode()
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(plan.scenario)}: load test</title><style>{_STYLE}</style>
<h1>{escape(plan.scenario)}</h1>
<p>{escape(plan.row.what)}</p>
<p class="pale">{escape(outcome.machine)}</p>
{_verdict(not faults, "no fault", "faults were found")}
{_verdict(holds, "all holds that must", "not all holds that must")}
{_verdict(outcome.is_generator_fit, "the generator kept up", "the generator did not keep up")}
<pre>{escape(outcome.command)}</pre>
<h2>What must hold</h2>{_table(verdict_rows(outcome))}
{f"<h2>Faults</h2><ul>{listed}</ul>" if faults else ""}
<h2>Over time</h2>
<img alt="listeners, lateness, picture, processor and memory of the server, by the second"
 src="data:image/png;base64,{plot}">
<div class="two"><div><h2>Latencies</h2>{_table(latency_rows(outcome))}</div>
<div><h2>Counts</h2>{_table(summary_rows(outcome)[1:], has_head=False)}</div></div>
{f"<h2>Counted apart</h2><ul>{others}</ul>" if others else ""}
</html>
"""


def _verdict(is_good: bool, good: str, bad: str) -> str:
    return f'<span class="verdict {"good" if is_good else "bad"}">{good if is_good else bad}</span>'


def _table(rows: Sequence[Sequence[str]], *, has_head: bool = True) -> str:
    lines = []
    for number, row in enumerate(rows):
        cell = "th" if has_head and not number else "td"
        lines.append("<tr>" + "".join(f"<{cell}>{escape(text)}</{cell}>" for text in row) + "</tr>")
    return "<table>" + "".join(lines) + "</table>"


def _plot(outcome: Outcome) -> bytes:
    """Return the seconds as a picture (PNG)."""
    rows = outcome.seconds[:-1] if len(outcome.seconds) > 4 else outcome.seconds
    figure, axes = plt.subplots(5, 1, sharex=True, figsize=(10, 10.5), dpi=110)
    _draw(axes[0], rows, "listeners", [("open", "inside", _BLUE)], fill=True)
    lateness = [("lateMax", "max", _PALE), ("lateP99", "p99", _RED), ("late", "p50", _BLUE)]
    _draw(axes[1], rows, "late, ms", lateness)
    _draw(axes[2], rows, "picture, fps", [("fps", "viz frames a second of sound", _GREEN)])
    axes[2].set_ylim(0, 66)
    busy = [("serverCpu", "server", _VIOLET), ("generatorCpu", "generator", _PALE)]
    _draw(axes[3], [row | {"generatorCpu": row["cpuS"]} for row in rows], "CPU, cores", busy)
    _draw(axes[4], rows, "memory, MB", [("serverRssMb", "server", _VIOLET)])
    axes[4].set_xlabel("seconds since the first arrival", color=_INK)
    _mark_underruns(axes[1], rows)
    figure.align_ylabels()
    figure.tight_layout(h_pad=0.8)
    file = io.BytesIO()
    figure.savefig(file, format="png", facecolor=_PAPER)
    plt.close(figure)
    return file.getvalue()


def _draw(
    axes: Axes,
    rows: Sequence[dict[str, Any]],
    label: str,
    lines: Sequence[tuple[str, str, str]],
    *,
    fill: bool = False,
) -> None:
    """Draw some figures of the seconds into one frame."""
    at_s = [row["atS"] for row in rows]
    for name, words, colour in lines:
        values = [row.get(name, 0.0) for row in rows]
        axes.plot(at_s, values, color=colour, label=words, linewidth=1.6)
        if fill:
            axes.fill_between(at_s, values, color=colour, alpha=0.12, linewidth=0)
    axes.set_ylabel(label, color=_INK)
    axes.set_ylim(bottom=0)
    axes.margins(x=0.01)
    axes.grid(color="#e3e7ef")
    axes.tick_params(colors=_INK)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if len(lines) > 1:
        axes.legend(loc="upper right", frameon=False, ncols=len(lines))


def _mark_underruns(axes: Axes, rows: Sequence[dict[str, Any]]) -> None:
    """Shade the seconds in which a listener had nothing to play."""
    dry = [row["atS"] for row in rows if row["underruns"]]
    for at_s in dry:
        axes.axvspan(at_s - 0.5, at_s + 0.5, color=_RED, alpha=0.12, linewidth=0)
    if dry:
        axes.set_title("shaded: someone had nothing to play", loc="left", fontsize=9, color=_RED)
