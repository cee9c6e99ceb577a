"""Printing: the machine on top, then one aligned table per question."""

from __future__ import annotations

import math
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream import __version__
from astradio_stream.audio import opus
from loadtest.cores import cores_in_words

if TYPE_CHECKING:
    from collections.abc import Sequence


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def machine() -> str:
    """Return one line: processor, cores, and the versions that decide the figures."""
    return (
        f"{_processor()}, {cores_in_words()}; Python {platform.python_version()}, "
        f"numpy {np.__version__}, {opus.library().version}, astradio-stream {__version__}"
    )


@dataclass(frozen=True, slots=True)
class Table:
    """A table that was printed."""

    title: str
    """Above it."""
    rows: tuple[tuple[str, ...], ...]
    """Its cells, the heading first."""


PRINTED: Final[list[Table]] = []
"""All tables of this process, in order: what `bench --json` keeps."""


def print_table(title: str, rows: Sequence[Sequence[str]]) -> None:
    """Print rows under a title; the first column to the left, the others to the right."""
    PRINTED.append(Table(title, tuple(map(tuple, rows))))
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    print(f"\n{title}")
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        print("  " + "  ".join(cells))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` (0-1) of the values do not exceed."""
    ordered = sorted(values)
    n_within = math.ceil(round(share * len(ordered), 9))  # 0.95 of 20 are 19, whatever floats say
    return ordered[max(1, n_within) - 1]
