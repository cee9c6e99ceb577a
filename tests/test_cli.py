"""The command line: files that are the stream, and one line for every mistake."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import wave
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from astradio_stream.cli import main
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.segment import Rendition, packets_of
from astradio_stream.stream.versions import VERSIONS, ModelVersions

if TYPE_CHECKING:
    from pathlib import Path

    from astradio_stream.audio.bank import Bank

RAW = {"seed": 5, "at": "1999-08-11T11:03:00Z", "modelVersions": {"audio": "v1.0"}}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASTRADIO_DATA_DIR", str(data_dir))
    monkeypatch.setitem(VERSIONS, "audio", tuple(AUDIO_MODELS))
    (tmp_path / "programme.json").write_text(json.dumps(RAW))


@pytest.fixture(params=AUDIO_MODELS)
def rendition(request: pytest.FixtureRequest, banks: dict[str, Bank], tmp_path: Path) -> Rendition:
    """The programme on each model, offered or not; it is what the file holds."""
    raw = RAW | {"modelVersions": {"audio": request.param}}
    (tmp_path / "programme.json").write_text(json.dumps(raw))
    return Rendition(resolve(raw, Moment(0), ModelVersions()), banks[request.param])


def test_a_wav_holds_the_samples_of_the_stream(tmp_path: Path, rendition: Rendition) -> None:
    assert (
        main(["render", "programme.json", "--duration", "2.5", "--from", "31", "--out", "a.wav"])
        == 0
    )
    with wave.open(str(tmp_path / "a.wav"), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48_000, 2, 2)
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    assert np.array_equal(pcm, rendition.pcm(31 * 48_000, 120_000))


def test_an_opus_file_holds_the_packets_that_listeners_get(
    tmp_path: Path, rendition: Rendition
) -> None:
    assert (
        main(["render", "programme.json", "--duration", "3", "--from", "30", "--out", "a.opus"])
        == 0
    )
    with av.open(tmp_path / "a.opus") as file:
        stream = file.streams.audio[0]
        assert stream.metadata["programme"] == rendition.programme.programme_id
        in_file = [bytes(packet) for packet in file.demux(stream) if packet.size]
    sent = [p for k in range(30, 34) for p in packets_of(rendition.segment(k))]
    assert in_file == sent[:151]


def test_an_opus_file_decodes_to_the_sound_in_time(tmp_path: Path, rendition: Rendition) -> None:
    main(["render", "programme.json", "--duration", "3", "--from", "30", "--out", "a.opus"])
    with av.open(tmp_path / "a.opus") as file:
        frames = [f.to_ndarray() for f in file.decode(audio=0)]
    heard = np.concatenate(frames, axis=1).T * 32_768.0
    source = rendition.pcm(30 * 48_000, 144_000).astype(np.float64)
    assert heard.shape == source.shape  # to the sample
    error = heard - source
    assert 10 * np.log10((source**2).mean() / (error**2).mean()) > 15


def test_equal_pieces_are_equal_files(tmp_path: Path) -> None:
    for name in ("a.opus", "b.opus"):
        main(["render", "programme.json", "--duration", "1.5", "--out", name])
    digests = {hashlib.sha256((tmp_path / f"{n}.opus").read_bytes()).hexdigest() for n in "ab"}
    assert len(digests) == 1


def test_a_programme_may_come_by_standard_input(tmp_path: Path) -> None:
    answer = subprocess.run(
        [
            sys.executable,
            "-m",
            "astradio_stream",
            "render",
            "-",
            "--duration",
            "1",
            "--out",
            "a.wav",
        ],
        input=json.dumps(RAW).encode(),
        capture_output=True,
        check=True,
        cwd=tmp_path,
    )
    assert b"1 s of programme" in answer.stdout
    assert b"100%" in answer.stderr  # the progress bar
    assert (tmp_path / "a.wav").stat().st_size == 44 + 48_000 * 4


WRONG = [
    (["render", "none.json", "--out", "a.wav"], "none.json: No such file or directory"),
    (["render", "broken.json", "--out", "a.wav"], "not JSON"),
    (["render", "bad.json", "--out", "a.wav"], "seed must be an integer from 0"),
    (["render", "station.json", "--out", "a.wav"], "there is no station 'then'"),
    (["render", "programme.json", "--out", "none/a.wav"], "there is no folder none"),
]


@pytest.mark.parametrize(("argv", "sentence"), WRONG)
def test_each_mistake_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], argv: list[str], sentence: str
) -> None:
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "bad.json").write_text('{"seed": -1, "rate": "x"}')
    (tmp_path / "station.json").write_text('{"station": "then"}')
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.startswith("astradio-stream: ")
    assert error.count("\n") == 1
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["dance"],
        ["render", "programme.json"],
        ["render", "programme.json", "--out", "a.mp3"],
        ["render", "programme.json", "--out", "a.wav", "--duration", "0"],
        ["render", "programme.json", "--out", "a.wav", "--duration", "nan"],
        ["render", "programme.json", "--out", "a.wav", "--from", "-1"],
        ["render", "programme.json", "--out", "a.wav", "--from", "9" * 4_000],
    ],
)
def test_a_wrong_call_says_how(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(argv)
    assert stopped.value.code == 2
    assert "usage: astradio-stream" in capsys.readouterr().err


def test_a_wrong_setting_stops_every_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASTRADIO_PROT", "3000")
    assert main(["serve"]) == 2
    assert "ASTRADIO_PORT" in capsys.readouterr().err
