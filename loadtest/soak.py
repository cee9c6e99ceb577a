"""Hours of the same: does memory grow, do tasks or files, is a quantum ever late?

Half the listeners play the station, half a programme of their own, and each minute a tenth of them
leaves and others come.
"""

from __future__ import annotations

import time
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from loadtest.crowd import Crowd, hello_of
from loadtest.process import difference, server
from loadtest.table import print_table

_LISTENERS: Final = 100
_WARM_UP_SHARE: Final = 0.25
_MB_PER_H: Final = 1.0


def run(hours: float) -> None:
    """Listen, then print what grew."""
    began = time.monotonic()
    until = began + 3_600 * hours
    taken: list[tuple[float, int, int]] = []
    n_quanta = n_gaps = n_dry = 0
    with TemporaryDirectory() as folder, server(folder) as running:
        address = ("127.0.0.1", running.port)
        before = running.samples()
        groups: list[Crowd] = []
        turn = 0
        while time.monotonic() < until:
            fresh = [] if len(groups) < 10 else [groups.pop(0)]
            for left in fresh:
                left.close()
            programmes = [
                {"station": "now"}
                if n % 2
                else {"seed": turn * 1_000 + n, "at": "2026-03-20T12:00Z"}
                for n in range(_LISTENERS // 10)
            ]
            group = Crowd(address, [hello_of(one, 2_000) for one in programmes])
            group.join(50.0)
            groups.append(group)
            turn += 1
            minute = time.monotonic() + min(6.0, until - time.monotonic())
            while time.monotonic() < minute:
                for crowd in groups:
                    crowd.listen(0.1)
            taken.append((time.monotonic() - began, running.rss_kb(), running.n_files()))
        n_quanta = sum(crowd.tally.n_quanta for crowd in groups)
        n_gaps = sum(crowd.tally.n_gaps for crowd in groups)
        n_dry = sum(crowd.tally.n_dry for crowd in groups)
        grown = difference(running.samples(), before)
        for crowd in groups:
            crowd.close()
    kept = np.array([row for row in taken if row[0] >= _WARM_UP_SHARE * 3_600 * hours])
    slope_mb_per_h = np.polyfit(kept[:, 0], kept[:, 1], 1)[0] * 3_600 / 1_024
    lateness = "astradio_quantum_lateness_seconds"
    n_late = grown[f"{lateness}_count", ""] - grown[f"{lateness}_bucket", "0.1"]
    rows = [
        ["", "measured", "budget"],
        ["hours", f"{hours:g}", "2"],
        ["listeners / joined in all", f"{_LISTENERS} / {turn * _LISTENERS // 10}", ""],
        ["memory after warm-up, MB / h", f"{slope_mb_per_h:+.2f}", f"{_MB_PER_H:g}"],
        ["files, after warm-up and at the end", f"{kept[0, 2]:.0f} / {kept[-1, 2]:.0f}", ""],
        ["quanta late by 0.1 s", f"{n_late:.0f} of {grown[f'{lateness}_count', '']:.0f}", "0"],
        ["late segments", f"{grown['astradio_late_segments_total', '']:.0f}", "0"],
        ["gaps / times a listener ran dry", f"{n_gaps} / {n_dry} in {n_quanta}", "0 / 0"],
    ]  # fmt: skip
    print_table("Soak", rows)
