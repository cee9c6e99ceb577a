"""The page in a real Chromium: the wait for its sound and picture, its frames, and an outage.

Headless, with software rendering at 60 Hz and everything on one machine: browser, server and sound.
"""

from __future__ import annotations

import os
import signal
import time
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import numpy as np

from loadtest.browser import VIEWPORT, play, running_browser, visit
from loadtest.page_figures import (
    at_each_visit,
    captured_runs,
    click_to_sound_ms,
    first_picture_ms,
    frames_drawn,
    gap_heard,
    picture_errors_ms,
    wait_until_full,
    watch_silence,
)
from loadtest.process import free_port, server
from loadtest.table import print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from playwright.sync_api import Browser

_VISITS: Final = 20
_SETTLED_S: Final = 2.0
"""The server has read the towns, or the page has told of its sky."""
_WATCHED_S: Final = 20.0
_OUTAGE_S: Final = 9.7
"""From the death of a server to the moment when it is ready again; the budget is ten."""
_AFTERWARDS_S: Final = 9.0
"""Listened to after an outage: what was held before it has been played by then."""


def run() -> None:
    """Measure and print."""
    with running_browser() as browser, TemporaryDirectory() as folder:
        with server(folder):
            pass  # the bank is made
        with server(folder) as running:
            time.sleep(_SETTLED_S)
            _measure_a_visit(browser, _page_at(running.port))
        _measure_an_outage(browser, folder, running.ready_s)


def _page_at(port: int) -> str:
    return f"http://127.0.0.1:{port}/?test=1"


def _measure_a_visit(browser: Browser, url: str) -> None:
    """Print how long one waits for sound and picture, and how the picture is then."""
    clicks_ms = at_each_visit(browser, _VISITS, lambda guest: click_to_sound_ms(guest, url))
    pictures_ms = at_each_visit(browser, _VISITS, lambda guest: first_picture_ms(guest, url))
    with visit(browser) as guest:
        guest.open(url)
        play(guest, _SETTLED_S)
        frames = frames_drawn(guest, _WATCHED_S)
        errors_ms = np.abs(picture_errors_ms(guest))
    print_table(
        f"In the page, ms ({_VISITS} visits)",
        [
            ["", "p50", "p95", "max", "budget p95"],
            ["click to first sample", *_spread(clicks_ms), "120"],
            ["first picture", *_spread(pictures_ms), "15"],
            ["picture against sound", *_spread(errors_ms), "8.3"],
        ],
    )
    p50, p99 = np.percentile(frames.times_ms, (50, 99))
    shown = [f"{value:.2f}" for value in (frames.fps, p50, p99, frames.times_ms.max())]
    print_table(
        f"Picture while sound plays, {_WATCHED_S:g} s",
        [
            ["", "fps", "frame p50, ms", "frame p99, ms", "longest, ms"],
            [f"{VIEWPORT['width']} x {VIEWPORT['height']}", *shown],
        ],
    )
    print(f"  Chromium {browser.version}; {len(errors_ms)} frames against sound")


def _spread(values: Sequence[float] | NDArray[np.float64]) -> list[str]:
    p50, p95 = np.percentile(values, (50, 95))
    return [f"{value:.2f}" for value in (p50, p95, max(values))]


def _measure_an_outage(browser: Browser, folder: str, ready_s: float) -> None:
    """Print what is missed of the sound while a server, whose start takes so long, is away."""
    port = free_port()
    with visit(browser) as guest:
        with server(folder, ASTRADIO_PORT=str(port)) as first:
            guest.open(_page_at(port))
            watch_silence(guest)
            play(guest, 0)
            wait_until_full(guest)
            died_s = time.perf_counter()
            os.kill(first.pid, signal.SIGKILL)
        guest.wait_until("t.situation.link === 'lost'")
        alone_s = time.perf_counter() - died_s
        guest.page.wait_for_timeout(1000 * max(0.0, _OUTAGE_S - ready_s - alone_s))
        with server(folder, ASTRADIO_PORT=str(port)):
            outage_s = time.perf_counter() - died_s
            guest.wait_until("t.situation.link === 'open'", timeout_s=30)
            lost_s = time.perf_counter() - died_s
            guest.page.wait_for_timeout(1000 * _AFTERWARDS_S)
            gap = gap_heard(guest, captured_runs(guest))
    missed = [str(one) for one in (gap.underruns, gap.silent_samples, gap.skipped_samples)]
    print_table(
        "A server killed and started again, what is heard of it",
        [
            ["", "outage, s", "to reconnect, s", "underruns", "silent samples", "skipped samples"],
            ["twelve seconds are held", f"{outage_s:.1f}", f"{lost_s:.1f}", *missed],
        ],
    )
