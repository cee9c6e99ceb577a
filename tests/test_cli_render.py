"""The command `render`: all formats at once, every mode, and nothing left behind when it fails."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path
from typing import Any

import av
import mido
import numpy as np
import pytest

from astradio_stream import render as rendering
from astradio_stream.audio import opus
from astradio_stream.audio.bank import Bank
from astradio_stream.audio.files import LONGEST_WAV_SAMPLES
from astradio_stream.cli import main
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.piece import Span, piece_midi, piece_of
from astradio_stream.stream.piece_json import piece_to_json
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.segment import Rendition
from astradio_stream.stream.versions import VERSIONS, ModelVersions
from astradio_stream.strict_json import dump_json
from tests.pieces import BERLIN, BY_MODE, UNTIMED

RAW = {"seed": 5, "at": "1999-08-11T11:03:00Z", "modelVersions": {"audio": "v1.0"}}
NATAL = ["--mode", "natal", "--birth", "1990-05-04T12:30,Europe/Berlin,52.5,13.4"]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASTRADIO_DATA_DIR", str(data_dir))
    # Both models are offered here, whichever are in this version.
    monkeypatch.setitem(VERSIONS, "audio", tuple(AUDIO_MODELS))
    Path("programme.json").write_text(json.dumps(RAW))


def files() -> set[str]:
    return {path.name for path in Path().iterdir()}


def render(*argv: str) -> int:
    return main(["render", *argv])


def rendered(*argv: str) -> dict[str, Any]:
    """Return what the command says of a programme in JSON, of one second."""
    assert render(*argv, "--duration", "1", "-o", "told.json") == 0
    return json.loads(Path("told.json").read_bytes())


# All formats


def test_all_formats_at_once_are_what_each_is_alone() -> None:
    names = [f"a{ending}" for ending in rendering.ENDINGS]
    span = ["programme.json", "--duration", "2.5", "--from", "31"]
    assert render(*span, *(word for name in names for word in ("-o", name))) == 0
    for name in names:
        assert render(*span, "--out", f"alone-{name}") == 0
        assert Path(name).read_bytes() == Path(f"alone-{name}").read_bytes(), name
    assert files() == {"programme.json", *names, *(f"alone-{name}" for name in names)}


@pytest.mark.parametrize("seconds", ["0.02", "0.7", "1", "2.34567", "3"])
def test_every_file_is_as_long_as_was_asked(seconds: str) -> None:
    outs = [f"a{ending}" for ending in rendering.ENDINGS]
    span = ["programme.json", "--duration", seconds, "--from", "177"]
    assert render(*span, *(word for out in outs for word in ("-o", out))) == 0
    n_samples = round(float(seconds) * 48_000)
    with wave.open("a.wav", "rb") as file:
        assert file.getnframes() == n_samples
    with av.open("a.opus") as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) == n_samples
    assert mido.MidiFile("a.mid").length == pytest.approx(n_samples / 48_000, abs=0.002)
    told = json.loads(Path("a.json").read_bytes())
    assert told["to"] - told["from"] == n_samples
    assert told["from"] == 177 * 48_000


@pytest.mark.parametrize("mode", BY_MODE)
def test_every_mode_is_rendered_as_it_is_streamed(mode: str, banks: dict[str, Bank]) -> None:
    Path("mode.json").write_text(json.dumps(BY_MODE[mode]))
    argv = ["mode.json", "--model", "v1.1", "--duration", "1.5", "--from", "200"]
    assert render(*argv, "-o", "a.wav", "-o", "a.mid", "-o", "a.json", "--style", "poetic") == 0
    programme = resolve(BY_MODE[mode], Moment(0), ModelVersions(audio="v1.1"))
    rendition = Rendition(programme, banks["v1.1"])
    span = Span(200 * 48_000, 200 * 48_000 + 72_000)
    with wave.open("a.wav", "rb") as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    assert np.array_equal(pcm, rendition.pcm(span.start, 72_000))
    assert Path("a.mid").read_bytes() == piece_midi(rendition.score, span)
    piece = piece_of(programme, rendition.score, span, "poetic")
    told = piece_to_json(piece, opus.library().version)
    assert json.loads(Path("a.json").read_bytes()) == json.loads(dump_json(told))


def test_notes_and_words_need_no_bank(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ASTRADIO_DATA_DIR", str(tmp_path / "nowhere"))
    assert render(*NATAL, "--model", "v1.1", "-o", "a.mid", "-o", "a.json") == 0
    assert not (tmp_path / "nowhere").exists()


def test_an_ending_may_be_shouted() -> None:
    assert render("programme.json", "--duration", "1", "-o", "A.MID") == 0
    assert mido.MidiFile("A.MID").length == pytest.approx(1.0, abs=0.002)


# The programme

OPTIONS = [
    (["--seed", "9", "--at", "1999-08-11T11:03:00Z"], {"seed": 9, "at": "1999-08-11T11:03:00Z"}),
    (
        ["--lat", "-33.9", "--lon", "151.2", "--rate", "60", "--at", "2000-01-01T00:00Z"],
        {"place": {"lat": -33.9, "lon": 151.2}, "rate": 60, "at": "2000-01-01T00:00Z"},
    ),
    (NATAL, {"mode": "natal", "charts": [BERLIN]}),
    (
        [
            *("--mode", "compatibility", "--birth", "1990-05-04T12:30,Europe/Berlin,52.5,13.4"),
            *("--birth", "1985-11-14, Europe/Paris, 48.9, 2.3"),
        ],
        {"mode": "compatibility", "charts": [BERLIN, UNTIMED]},
    ),
    (
        [
            *("--mode", "overlay", "--birth", "1985-11-14,Europe/Paris,48.9,2.3"),
            *("--at", "2026-11-23T22:00Z"),
        ],
        {"mode": "overlay", "charts": [UNTIMED], "at": "2026-11-23T22:00Z"},
    ),
    (
        ["--mode", "sandbox", "--control", "key=F#", "--control", "density=0.25"],
        {"mode": "sandbox", "controls": {"key": "F#", "density": 0.25}},
    ),
    (["--mode", "sky", "--at", "2026-11-23T22:00Z"], {"mode": "sky", "at": "2026-11-23T22:00Z"}),
    (["--station", "now", "--from", "1795000000"], {"station": "now"}),
]


@pytest.mark.parametrize(("options", "raw"), OPTIONS, ids=lambda value: str(value)[:40])
def test_options_say_a_programme(options: list[str], raw: dict[str, Any]) -> None:
    expected = resolve(raw, Moment(0), ModelVersions(audio="v1.1"))
    assert rendered(*options, "--model", "v1.1")["programmeId"] == expected.programme_id


def test_options_go_before_the_file() -> None:
    Path("sandbox.json").write_text(
        json.dumps({"mode": "sandbox", "seed": 1, "controls": {"key": "C", "density": 0.5}})
    )
    argv = ["sandbox.json", "--seed", "2", "--control", "key=D", "--model", "v1.1"]
    programme = rendered(*argv)["programme"]
    assert programme["seed"] == 2
    assert programme["controls"] == {"key": "D", "density": 0.5}
    assert programme["modelVersions"]["audio"] == "v1.1"


# What is wrong

BAD = [
    ([], "the following arguments are required: -o/--out"),
    (["programme.json", "-o", "a.ogg"], "must end in .opus, .wav, .mid or .json, got 'a.ogg'"),
    (["programme.json", "-o", "a"], "must end in .opus, .wav, .mid or .json"),
    (["-o", "a.mid", "--duration", "86401"], "must be 0.02 to 86400 seconds"),
    (["-o", "a.mid", "--duration", "inf"], "must be 0.02 to 86400 seconds"),
    (["-o", "a.mid", "--from", "1.5"], "must be a whole second from 0 to"),
    (["-o", "a.mid", "--style", "florid"], "invalid choice: 'florid'"),
    (["-o", "a.mid", "--mode", "dance"], "invalid choice: 'dance'"),
    (["-o", "a.mid", "--seed", "nan"], "must be a decimal number, got 'nan'"),
    (["-o", "a.mid", "--lat", "1_0"], "must be a decimal number, got '1_0'"),
    (["-o", "a.mid", "--birth", "1990-05-04"], "must be DATETIME,ZONE,LAT,LON such as"),
    (["-o", "a.mid", "--birth", "1990-05-04,UTC,north,0"], "must be a decimal number"),
    (["-o", "a.mid", "--control", "density"], "must be NAME=VALUE such as density=0.8"),
    (["-o", "a.mid", "one.json", "two.json"], "unrecognized arguments: two.json"),
]


@pytest.mark.parametrize(("argv", "sentence"), BAD, ids=lambda value: str(value)[:40])
def test_a_wrong_call_says_what_would_be_right(
    argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        render(*argv)
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert sentence in error.splitlines()[-1]
    assert files() == {"programme.json"}


REFUSED = [
    (["programme.json", "--seed", "-1"], "seed must be an integer from 0 to 9007199254740991"),
    (["programme.json", "--at", "1990-01-01"], "at: must be an ISO 8601 date and time"),
    (["programme.json", "--at", "1800-01-01T00:00Z"], "at: the planets are known from"),
    (["programme.json", "--rate", "-1"], "rate must be a number from 0 to 1e+06, got -1"),
    (["programme.json", "--lat", "91", "--lon", "0"], "place.lat must be a number from -90 to 90"),
    (["programme.json", "--lat", "9"], "place.lon is required"),
    (["programme.json", "--model", "v9"], "modelVersions.audio must be one of v1.0, v1.1"),
    (["programme.json", "--mode", "natal"], "model v1.0 does not play natal"),
    (["--model", "v1.1", "--mode", "natal"], "charts must hold 1, got 0"),
    (["--model", "v1.1", *NATAL, "--at", "2000-01-01T00:00Z"], "at must be left out: natal plays"),
    (
        ["--model", "v1.1", "--mode", "natal", "--birth", "1990-05-04T12:30,Mars/Base,0,0"],
        "charts[0].tz: ",
    ),
    (["--model", "v1.1", "--control", "density=2"], "controls.density must be a number from 0"),
    (["--model", "v1.1", "--control", "key=H"], "controls.key must be a key from C to B"),
    (["--station", "then"], "there is no station 'then'; there are: now"),
    (["--station", "now", "--seed", "1"], "seed must be left out: a station decides everything"),
    (["none.json"], "PROGRAMME: none.json: No such file or directory"),
    (["list.json"], "a programme must be an object, got a list"),
    (["broken.json"], "not JSON"),
    (["."], "PROGRAMME: .: Is a directory"),
    (["programme.json", "--from", "187649984472", "--duration", "3"], "the piece must end by"),
]


@pytest.mark.parametrize(("argv", "sentence"), REFUSED, ids=lambda value: str(value)[:40])
def test_bad_input_is_one_clear_sentence(
    argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("list.json").write_text("[]")
    Path("broken.json").write_text("{")
    before = files()
    assert render(*argv, "-o", "a.mid") == 2
    error = capsys.readouterr().err
    assert error.startswith("astradio-stream: ")
    assert sentence in error
    assert error.count("\n") == 1
    assert files() == before


@pytest.mark.parametrize(
    ("outs", "sentence"),
    [
        (["programme.json"], "programme.json would be written over: it is given as PROGRAMME too"),
        (["a.mid", "./a.mid"], "a.mid would be written over: it is given as --out too"),
        (["a.mid", "none/a.json"], "there is no folder none"),
        (["a.mid", "folder.json"], "folder.json is a folder"),
    ],
)
def test_a_file_without_a_place_leaves_the_others_unwritten(
    outs: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("folder.json").mkdir()
    assert render("programme.json", *(word for out in outs for word in ("-o", out))) == 2
    assert sentence in capsys.readouterr().err
    assert files() == {"programme.json", "folder.json"}
    assert json.loads(Path("programme.json").read_bytes()) == RAW


# Nothing is left behind


def command(*argv: str) -> list[str]:
    return [sys.executable, "-m", "astradio_stream", "render", *argv]


@pytest.mark.parametrize("ending", rendering.ENDINGS)
def test_a_full_disk_leaves_what_was_there(ending: str) -> None:
    Path(f"a{ending}").write_bytes(b"what was there")

    def fill_up() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    answer = subprocess.run(
        command("programme.json", "--duration", "5", "-o", f"a{ending}", "-o", f"b{ending}"),
        preexec_fn=fill_up,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 2
    last = answer.stderr.splitlines()[-1]
    assert last == f"astradio-stream: a{ending}: File too large"
    assert "Traceback" not in answer.stderr
    assert Path(f"a{ending}").read_bytes() == b"what was there"
    assert files() == {"programme.json", f"a{ending}"}


def test_a_wav_file_that_cannot_be_so_long_is_refused_at_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert render("programme.json", "--duration", "22370", "-o", "a.opus", "-o", "a.WAV") == 2
    error = capsys.readouterr().err
    assert error == (
        "astradio-stream: --duration: a .wav file holds at most 22369 seconds;"
        " a .opus file holds more\n"
    )
    assert files() == {"programme.json"}
    # The longest that is not refused: its size, as the header tells it, fits.
    monkeypatch.setitem(rendering._WRITERS, ".wav", lambda *_: None)
    assert render("programme.json", "--duration", "22369", "-o", "a.wav") == 0
    assert 36 + 4 * LONGEST_WAV_SAMPLES < 2**32


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["stop", "break"]
)
def test_a_run_that_is_stopped_leaves_nothing(number: signal.Signals, status: int) -> None:
    # Whoever runs the tests behind a terminal ignores a break, and hands that down.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        command("programme.json", "--duration", "22000", "-o", "a.wav", "-o", "a.mid"),
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    signal.signal(signal.SIGINT, before)
    try:
        deadline = time.monotonic() + 60
        while not any(p.stat().st_size > 100_000 for p in Path().glob("*.part")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(number)
        assert process.wait(30) == status
    finally:
        process.kill()
        process.wait()
    assert files() == {"programme.json"}


def test_a_writer_that_fails_takes_the_others_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setitem(rendering._WRITERS, ".json", broken)
    assert render("programme.json", "--duration", "1", "-o", "a.mid", "-o", "a.json") == 2
    assert files() == {"programme.json"}
