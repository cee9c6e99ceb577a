"""What is measured at the page: the wait for sound and picture, frames, and what an outage costs.

Times are the page's own (`performance.now()`), taken where it presses, hears and draws; its test
hook (`?test=1`) tells them. The tests of the page and `bench page` both measure with this.
"""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from astradio_stream.units import SAMPLE_RATE_HZ
from loadtest.browser import Visit, play, stop, visit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from playwright.sync_api import Browser

CLICK_TO_SOUND_MS: Final = "t.hook.firstSoundMs - t.hook.clickMs"
"""Asked of a page that plays: from the click to the first sample in the worklet (ms)."""
FIRST_PICTURE_MS: Final = "t.show.initMs"
"""Asked of any page: making the drawing context and the first picture, assets at hand (ms)."""

_PREPARED_MS: Final = 1000
"""How long a visitor looks at the page before the click: whatever can be prepared is."""
_FULL_S: Final = 11
"""Of the twelve seconds that a page holds ahead."""
_COMPARED_FRAMES: Final = 300

_FRAMES: Final = """(durationMs) => new Promise((resolve) => {
    const { show } = globalThis.astradioTest;
    const rows = [];
    const step = (ms) => {
        rows.push([ms, show.frames]);
        if (ms - rows[0][0] < durationMs) requestAnimationFrame(step);
        else resolve(rows);
    };
    requestAnimationFrame(step);
})"""

_CLOCKS: Final = """(count) => new Promise((resolve) => {
    const { show, player } = globalThis.astradioTest;
    const rows = [];
    const step = () => {
        const { contextTime, performanceTime } = player.context.getOutputTimestamp();
        rows.push([show.lastMs, show.drawnIndex, contextTime, performanceTime, player.offset]);
        if (rows.length < count) requestAnimationFrame(step);
        else resolve({rows, origin: player.timeline.indexAt(1e6) - 1e6});
    };
    requestAnimationFrame(step);
})"""

_WATCH_SILENCE: Final = """() => {
    const { player } = globalThis.astradioTest;
    const { sound } = player.on;
    let since = Number.NaN;
    let samples = 0;
    player.on.sound = (data) => {
        if (data.type === "silent") since = data.contextFrame;
        else if (!Number.isNaN(since)) samples += data.contextFrame - since;
        if (data.type === "playing") since = Number.NaN;
        sound(data);
    };
    globalThis.silentSamples = () => {
        const { currentTime, sampleRate } = player.context;
        return samples + (Number.isNaN(since) ? 0 : Math.round(currentTime * sampleRate) - since);
    };
}"""


class CanBeAsked(Protocol):
    """A page open in some browser."""

    def ask(self, expression: str) -> Any:
        """Evaluate in the page, with the page's test hook as `t`."""


Run = tuple[int, "NDArray[np.int16]"]
"""First index and samples, `(n_samples, 2)`, of sound that was heard without a break."""


@dataclass(frozen=True, slots=True)
class Frames:
    """How smooth a picture was."""

    fps: float
    """Pictures drawn in a second, in the mean."""
    times_ms: NDArray[np.float64]
    """From each animation frame to the next (ms)."""


@dataclass(frozen=True, slots=True)
class Gap:
    """What a listener missed."""

    underruns: int
    """How often the player had nothing to play."""
    silent_samples: int
    """For how long it was silent in all."""
    skipped_samples: int
    """What of the stream was never heard, between what was heard before and after."""


def at_each_visit(
    browser: Browser, n_visits: int, measure: Callable[[Visit], float]
) -> list[float]:
    """Return what is measured at each of some visitors who come one after another.

    Raises:
        RuntimeError: A page complained, so that its figure is worth nothing.
    """
    figures = []
    for _ in range(n_visits):
        with visit(browser) as guest:
            figures.append(measure(guest))
            if guest.complaints:
                raise RuntimeError(f"the page complained: {'; '.join(guest.complaints)}")
    return figures


def click_to_sound_ms(guest: Visit, url: str) -> float:
    """Return the wait (ms) of a visitor who looks at the page before the click."""
    guest.open(url)
    guest.page.wait_for_selector("#coming li")
    guest.page.wait_for_timeout(_PREPARED_MS)
    play(guest, 0)
    waited_ms = float(guest.ask(CLICK_TO_SOUND_MS))
    stop(guest)
    return waited_ms


def first_picture_ms(guest: Visit, url: str) -> float:
    """Return how long the first picture takes (ms), as the page itself reports it."""
    guest.open(url)
    return float(guest.ask(FIRST_PICTURE_MS))


def frames_drawn(guest: Visit, duration_s: float) -> Frames:
    """Watch the picture of a page that plays, animation frame by animation frame."""
    rows = np.array(guest.page.evaluate(_FRAMES, 1000 * duration_s))
    page_ms, drawn = rows.T
    fps = 1000 * (drawn[-1] - drawn[0]) / (page_ms[-1] - page_ms[0])
    return Frames(float(fps), np.diff(page_ms))


def picture_errors_ms(guest: Visit) -> NDArray[np.float64]:
    """Return how far each picture of some seconds was from the sound (ms, late is negative).

    The index that was drawn is compared with a line fitted through all readings of the audio clock.
    """
    recorded = guest.page.evaluate(_CLOCKS, _COMPARED_FRAMES)
    page_ms, drawn, context_s, reading_ms, offset = np.array(recorded["rows"]).T
    slope, start = np.polyfit(reading_ms - reading_ms[0], context_s, 1)
    heard_s = start + slope * (page_ms - reading_ms[0])
    drawn_s = (drawn - recorded["origin"] + offset) / SAMPLE_RATE_HZ
    errors_ms: NDArray[np.float64] = 1000 * (drawn_s - heard_s)
    return errors_ms


def wait_until_full(guest: Visit) -> None:
    """Wait until a page that plays holds about as much sound ahead as it ever does."""
    guest.wait_until(f"parseFloat(t.figures['Held ahead']) > {_FULL_S}")


def watch_silence(guest: Visit) -> None:
    """Let the audio thread's own words be noted from now on: `gap_heard` adds them up."""
    guest.page.evaluate(_WATCH_SILENCE)


def captured_runs(guest: CanBeAsked) -> list[Run]:
    """Return the unbroken runs of samples that went to the sound card, each of them once."""
    runs = guest.ask("t.hook.takeCaptured()")
    return [
        (int(run["index"]), np.frombuffer(b64decode(run["base64"]), "<i2").reshape(-1, 2))
        for run in runs
    ]


def gap_heard(guest: Visit, runs: Sequence[Run]) -> Gap:
    """Return what was missed between the runs that were captured since `watch_silence`."""
    skipped = [after - (before + len(heard)) for (before, heard), (after, _) in pairwise(runs)]
    underruns, silent = guest.ask("[t.player.underruns, silentSamples()]")
    return Gap(int(underruns), int(silent), sum(skipped))
