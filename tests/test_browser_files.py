"""Files that the page makes: what was heard, bit for bit, and right for other programs."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from astradio_stream.sky.moment import Moment
from astradio_stream.stream.piece import Span, piece_midi
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.segment import DEFAULT_BITRATE, Rendition, packets_of
from astradio_stream.stream.versions import VERSIONS, ModelVersions
from astradio_stream.units import QUANTUM_SAMPLES, SAMPLE_RATE_HZ
from tests.browser_support import (
    Server,
    Visit,
    captured_runs,
    correlation,
    play,
    running_browser,
    running_server,
    visit,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from playwright.sync_api import Browser

    from astradio_stream.audio.bank import Bank

MINUTE = 60 * SAMPLE_RATE_HZ
START = 7 * MINUTE + 3 * QUANTUM_SAMPLES
"""Inside a segment: a file may begin at any quantum."""
SKY = "/?test=1&viz=0&at=2026-03-20T12:00Z"
LOOK_AHEAD = 120
FADE_FRAMES = 480


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server"), data_dir) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


def rendition_of(programme: Any, bank: Bank) -> Rendition:
    """Return what the server plays, rendered here."""
    versions = ModelVersions(**programme["modelVersions"])
    return Rendition(resolve(programme, Moment(0), versions), bank)


def ask_for(guest: Visit, side: str, minutes: int, kind: str) -> None:
    """Fill in the form; it says what the file will hold."""
    guest.page.click("#open-take")
    guest.page.select_option("#take [name=side]", side)
    guest.page.select_option("#take [name=minutes]", str(minutes))
    guest.page.check(f"#take [value={kind}]")
    guest.wait_until("document.querySelector('#take-said').textContent.includes(' to ')")


def taken(guest: Visit, side: str, minutes: int, kind: str) -> tuple[str, bytes]:
    """Return name and bytes of the file that the page saves."""
    ask_for(guest, side, minutes, kind)
    with guest.page.expect_download(timeout=60_000) as download:
        guest.page.click("#take-save")
    assert guest.page.inner_text("#take-said").startswith("Saved as astradio-")
    guest.page.click("#take-close")
    return download.value.suggested_filename, download.value.path().read_bytes()


def samples_of(file: bytes) -> NDArray[np.int16]:
    with wave.open(io.BytesIO(file)) as reader:
        assert reader.getparams()[:3] == (2, 2, SAMPLE_RATE_HZ)
        return np.frombuffer(reader.readframes(reader.getnframes()), "<i2").reshape(-1, 2)


def decoded(file: bytes, tmp_path: Path) -> NDArray[np.int16]:
    """Return what ffmpeg makes of an Opus file; it must not find anything to warn of."""
    ffmpeg = shutil.which("ffmpeg")
    assert ffmpeg is not None
    path = tmp_path / "piece.opus"
    path.write_bytes(file)
    done = subprocess.run(
        [ffmpeg, "-v", "warning", "-i", str(path), "-f", "s16le", "-"],
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    return np.frombuffer(done.stdout, "<i2").reshape(-1, 2)


def test_a_minute_is_saved_in_every_format(
    server: Server, browser: Browser, banks: dict[str, Bank], tmp_path: Path
) -> None:
    with visit(browser) as guest:
        guest.open(f"{server.url}{SKY}&from={START}")
        play(guest, 0)
        guest.page.click("#play")
        guest.wait_until("!t.situation.sounds")
        programme = guest.ask("t.radio.programme")
        here = int(guest.ask("t.radio.place()")) // QUANTUM_SAMPLES * QUANTUM_SAMPLES
        rendition = rendition_of(programme, banks[programme["modelVersions"]["audio"]])

        name, file = taken(guest, "last", 1, "wav")
        assert name.startswith("astradio-transit-from-0-06-0")
        assert np.array_equal(samples_of(file), rendition.pcm(here - MINUTE, MINUTE))

        name, file = taken(guest, "next", 1, "opus")
        sound = decoded(file, tmp_path)
        assert sound.shape == (MINUTE, 2)
        assert correlation(sound, rendition.pcm(here, MINUTE)) > 0.99
        with av.open(io.BytesIO(file)) as container:
            packets = [bytes(packet) for packet in container.demux() if packet.size]
        first, skipped = divmod(here - QUANTUM_SAMPLES, SAMPLE_RATE_HZ)
        sent = [
            packet
            for k in range(first, first + 63)
            for packet in packets_of(rendition.segment(k), DEFAULT_BITRATE)
        ][skipped // 960 :]
        n_packets = -(-(QUANTUM_SAMPLES + LOOK_AHEAD + MINUTE) // 960)
        assert packets == sent[:n_packets], "the very packets that listeners receive"

        name, file = taken(guest, "next", 1, "mid")
        assert name.endswith(".mid")
        assert file == piece_midi(rendition.score, Span(here, here + MINUTE))
        assert guest.complaints == []


def test_what_was_heard_and_steered_is_what_is_saved(server: Server, browser: Browser) -> None:
    with visit(browser) as guest:
        guest.open(f"{server.url}{SKY}&codec=pcm")
        play(guest, 1)
        guest.ask("t.radio.steer({density: 1, tension: 0.9}, 'bar')")
        guest.wait_until("t.radio.programme.changes?.length === 1")
        effective = guest.ask("t.radio.programme.changes[0].index")
        guest.wait_until(f"t.radio.heardNow() > {effective + SAMPLE_RATE_HZ}")
        _, file = taken(guest, "last", 1, "wav")
        saved = samples_of(file)
        [(first, heard), *_] = captured_runs(guest)
        assert first == 0
        assert len(saved) > effective + SAMPLE_RATE_HZ // 2
        assert np.array_equal(saved[FADE_FRAMES:], heard[FADE_FRAMES : len(saved)])
        assert guest.complaints == []


def test_the_station_is_saved_under_its_moment(server: Server, browser: Browser) -> None:
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1&viz=0")
        guest.page.wait_for_selector("#coming li")
        name, file = taken(guest, "next", 1, "mid")
        assert name.startswith("astradio-now-20")
        assert file[:4] == b"MThd"
        assert guest.complaints == []


def test_a_server_that_goes_away_meanwhile_leaves_no_hole(
    browser: Browser, banks: dict[str, Bank], tmp_path: Path, data_dir: Path
) -> None:
    with running_server(tmp_path, data_dir) as server, visit(browser) as guest:
        guest.open(f"{server.url}{SKY}&from={START}")
        guest.wait_until("document.title !== 'Astradio: the sky, now'")
        ask_for(guest, "next", 2, "wav")
        with guest.page.expect_download(timeout=60_000) as download:
            guest.page.click("#take-save")
            guest.wait_until("document.querySelector('#take-bar').value > 0.1")
            server.kill()
            server.start()
        programme = {
            "at": "2026-03-20T12:00:00Z",
            "modelVersions": {"audio": VERSIONS["audio"][-1]},
        }
        rendition = rendition_of(programme, banks[VERSIONS["audio"][-1]])
        saved = samples_of(download.value.path().read_bytes())
        assert np.array_equal(saved, rendition.pcm(START, 2 * MINUTE))


def test_it_can_be_stopped_and_begun_again(server: Server, browser: Browser) -> None:
    with visit(browser) as guest:
        guest.open(f"{server.url}{SKY}")
        guest.wait_until("document.title !== 'Astradio: the sky, now'")
        guest.page.click("#open-take")
        assert guest.page.inner_text("#take-said") == (
            "Nothing lies before: this music begins here."
        )
        assert guest.page.is_disabled("#take-save")
        guest.page.keyboard.press("Escape")
        ask_for(guest, "next", 10, "wav")
        guest.page.click("#take-save")
        guest.wait_until("document.querySelector('#take-bar').value > 0.01")
        assert guest.ask("document.activeElement.id") == "take-stop"
        guest.page.keyboard.press("Enter")
        assert guest.page.inner_text("#take-said") == "Stopped; nothing is kept."
        assert guest.ask("document.activeElement.id") == "take-save"
        guest.page.click("#take-close")
        _, file = taken(guest, "next", 1, "mid")
        assert file[:4] == b"MThd"
        assert guest.complaints == []
