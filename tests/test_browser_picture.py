"""The picture in a real Chromium: when it appears, how smooth it is, whether it is in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from loadtest.page_figures import (
    at_each_visit,
    first_picture_ms,
    frames_drawn,
    picture_errors_ms,
)
from tests.browser_support import Server, play, running_browser, running_server, visit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server"), data_dir) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


def test_the_picture_shows_what_is_heard(server: Server, browser: Browser) -> None:
    """The drawn index against a line fitted through all readings of the audio clock."""
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1")
        play(guest, 2)
        error_ms = picture_errors_ms(guest)
        p95 = float(np.percentile(np.abs(error_ms), 95))
        print(f"\npicture against sound: p95 {p95:.2f} ms, worst {np.abs(error_ms).max():.2f} ms")
        assert p95 <= 8.3
        assert guest.complaints == []


def test_without_a_picture_the_sound_plays_alone(server: Server, browser: Browser) -> None:
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1&viz=0")
        play(guest, 2)
        assert guest.ask("t.show === null && t.player.underruns === 0")
        assert not guest.page.is_visible("#wheel")
        assert not guest.page.is_visible("#sounding")
        assert guest.complaints == []


def test_under_reduced_motion_the_wheel_stands_still(server: Server, browser: Browser) -> None:
    with visit(browser, reduced_motion="reduce") as guest:
        guest.open(f"{server.url}/?test=1")
        play(guest, 2)
        assert guest.ask("t.show.frames") == 0
        assert guest.page.inner_text("#voices") != ""
        assert guest.complaints == []


def test_the_wheel_stops_and_turns_when_the_wish_for_less_motion_changes(
    server: Server, browser: Browser
) -> None:
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1")
        play(guest, 1)
        guest.page.emulate_media(reduced_motion="reduce")
        guest.wait_until("!t.show.running")
        n_frames = guest.ask("t.show.frames")
        guest.page.wait_for_timeout(300)
        assert guest.ask("t.show.frames") == n_frames
        guest.page.emulate_media(reduced_motion="no-preference")
        guest.wait_until(f"t.show.frames > {n_frames + 10}")
        assert guest.complaints == []


def test_the_first_picture_is_there_at_once(server: Server, browser: Browser) -> None:
    """Context and first frame, assets already there: as the page itself reports it."""
    url = f"{server.url}/?test=1"
    init_ms = at_each_visit(browser, 20, lambda guest: first_picture_ms(guest, url))
    p95 = float(np.percentile(init_ms, 95))
    print(f"\nfirst picture: median {np.median(init_ms):.1f} ms, p95 {p95:.1f} ms")
    assert p95 <= 15


def test_the_picture_runs_smoothly_while_sound_plays(server: Server, browser: Browser) -> None:
    """Frame by frame, as animation frames come, with 60 Hz and software rendering."""
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1")
        play(guest, 2)
        frames = frames_drawn(guest, 8)
        p50, p99 = np.percentile(frames.times_ms, (50, 99))
        print(
            f"\npicture: {frames.fps:.1f} fps, frame p50 {p50:.1f} ms,"
            f" p99 {p99:.1f} ms, worst {frames.times_ms.max():.1f} ms"
        )
        assert frames.fps >= 55
        assert guest.ask("t.player.underruns") == 0
        assert guest.complaints == []
