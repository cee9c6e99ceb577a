"""How long the note banks take to make and to load, what they hold, and which rows are dearest.

CPU time is that of one thread, whatever else the machine does; wall time is what a server waits
for at its start, with a process per core. The banks of both models are made in turn, so that their
ratio holds on a busy machine, too.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, thread_time
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.audio.bank import render_pitches, rendering_of
from astradio_stream.server.banks import load_bank
from astradio_stream.stream.models import AUDIO_MODELS
from loadtest.table import print_table

if TYPE_CHECKING:
    from astradio_stream.audio.instrument import Instrument
    from astradio_stream.stream.models import AudioModel

_ROUNDS: Final = 5
_DEAREST: Final = 8


def _cost(instrument: Instrument) -> tuple[float, int]:
    """Return the CPU seconds and the bytes of all notes of an instrument."""
    began, n_bytes = thread_time(), 0
    for pitches in instrument.batches():
        for pcm in render_pitches(instrument, pitches):
            n_bytes += rendering_of(instrument, pcm).pcm.nbytes
    return thread_time() - began, n_bytes


def _waits_s(model: AudioModel) -> tuple[float, float]:
    """Return wall seconds of a load that makes the bank and of one that finds its file."""
    with TemporaryDirectory() as folder:
        began = perf_counter()
        load_bank(model, Path(folder))
        made = perf_counter()
        load_bank(model, Path(folder))
        return made - began, perf_counter() - made


def run() -> None:
    """Measure and print."""
    costs: dict[str, list[list[float]]] = {version: [] for version in AUDIO_MODELS}
    waits: dict[str, list[tuple[float, float]]] = {version: [] for version in AUDIO_MODELS}
    sizes: dict[str, list[int]] = {}
    for _ in range(_ROUNDS):
        for version, model in AUDIO_MODELS.items():
            found = [_cost(instrument) for instrument in model.instruments]
            costs[version].append([cpu_s for cpu_s, _ in found])
            sizes[version] = [n_bytes for _, n_bytes in found]
            waits[version].append(_waits_s(model))

    first = np.median(np.sum(costs["v1.0"], axis=1))
    rows = [["model", "notes", "MB", "CPU s", "/ v1.0", "cold s", "from file s"]]
    for version, model in AUDIO_MODELS.items():
        cpu_s = np.median(np.sum(costs[version], axis=1))
        cold_s, warm_s = np.median(waits[version], axis=0)
        n_notes = sum(len(instrument.pitches) for instrument in model.instruments)
        megabytes = sum(sizes[version]) / 1e6
        figures = (
            f"{n_notes} {megabytes:.1f} {cpu_s:.2f} {cpu_s / first:.2f} {cold_s:.2f} {warm_s:.3f}"
        )
        rows.append([version, *figures.split()])
    title = f"Note banks (median of {_ROUNDS}), budget 150 MB, 5 s cold, 1 s from file"
    print_table(title, rows)

    for version, model in AUDIO_MODELS.items():
        each = np.median(costs[version], axis=0)
        order = np.argsort(each)[::-1][:_DEAREST]
        rows = [["instrument", "CPU ms", "share", "MB"]]
        for place in order.tolist():
            name, megabytes = model.instruments[place].name, sizes[version][place] / 1e6
            share = each[place] / each.sum()
            rows.append([name, f"{each[place] * 1e3:.0f}", f"{share:.0%}", f"{megabytes:.1f}"])
        print_table(f"The dearest of {version}", rows)
