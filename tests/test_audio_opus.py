"""libopus: which one is in use, what it answers, and the seams between segments."""

from __future__ import annotations

import ctypes.util
import subprocess
import sys
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from astradio_stream.audio import opus
from astradio_stream.audio.encode import PRE_ROLL_SAMPLES, encoded
from astradio_stream.errors import CodecUnavailable
from astradio_stream.units import PACKET_SAMPLES, SAMPLE_RATE_HZ


def tone(n_samples: int, frequency: float = 440.0) -> np.ndarray:
    wave = np.sin(np.arange(n_samples) * 2 * np.pi * frequency / SAMPLE_RATE_HZ) * 8_000
    return np.ascontiguousarray(np.stack([wave, wave], axis=1).astype(np.int16))


def test_the_version_in_use_is_known_and_recent() -> None:
    version = opus.library().version
    print(f"in use: {version}; all: {opus._candidates()}")
    assert version.startswith("libopus")
    assert opus._is_recent(version)


def test_look_ahead_is_that_of_celt() -> None:
    assert opus.look_ahead() == 120


def test_what_is_encoded_is_decoded() -> None:
    pcm = tone(48_000)
    packets = opus.Encoder(96_000).encode(pcm)
    assert len(packets) == 50
    heard = opus.Decoder().decode(packets)[120:].astype(np.float64)
    error = heard - pcm[:-120]
    assert 10 * np.log10((pcm.astype(float) ** 2).mean() / (error**2).mean()) > 25


def test_an_encoder_that_was_reset_is_a_new_encoder() -> None:
    used = opus.Encoder(96_000)
    used.encode(tone(9_600, 200.0))
    used.reset()
    assert used.encode(tone(9_600)) == opus.Encoder(96_000).encode(tone(9_600))


def test_a_decoder_refuses_what_is_not_opus() -> None:
    with pytest.raises(CodecUnavailable, match="opus_decode"):
        opus.Decoder().decode([b"\xff\xff\xff\xff"])


def test_only_contiguous_int16_is_encoded() -> None:
    with pytest.raises(TypeError):
        opus.Encoder(96_000).encode(tone(960).astype(np.float32))
    with pytest.raises(TypeError):
        opus.Encoder(96_000).encode(tone(1_920)[::2])


def test_encode_is_a_function_of_its_segment_alone() -> None:
    pcm = tone(PRE_ROLL_SAMPLES + 48_000)
    first = [*encoded(pcm, 96_000)]
    _ = [*encoded(tone(PRE_ROLL_SAMPLES + 48_000, 97.0), 96_000), *encoded(pcm, 64_000)]
    assert [*encoded(pcm, 96_000)] == first
    assert [len(quantum) for quantum in first] == [5] * 10
    assert sum(map(len, chain.from_iterable(first))) * 8 == pytest.approx(96_000, rel=0.1)


@pytest.mark.parametrize(
    ("version", "recent"),
    [
        ("libopus 1.3.1", True),
        ("libopus 1.6.1", True),
        ("libopus 1.4", True),
        ("libopus 1.3", False),
        ("libopus 1.2.1-fixed", False),
        ("unknown", False),
    ],
)
def test_old_libraries_are_refused(version: str, recent: bool) -> None:
    assert opus._is_recent(version) is recent


def test_the_wheel_serves_where_the_system_has_no_libopus() -> None:
    code = (
        "import ctypes.util; ctypes.util.find_library = lambda name: None\n"
        "from astradio_stream.audio import opus\n"
        "print(opus.library().version, len(opus.Encoder(96000).encode(__import__('numpy')"
        ".zeros((960, 2), 'i2'))))"
    )
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.split()[-1] == "1"


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opus, "_candidates", list)
    with pytest.raises(CodecUnavailable, match="install the package `av`"):
        opus.Library()
    monkeypatch.setattr(opus, "_candidates", lambda: [str(Path(__file__))])
    with pytest.raises(CodecUnavailable, match="test_audio_opus"):
        opus.Library()
    assert ctypes.util.find_library.__module__ == "ctypes.util"


def test_packets_are_twenty_milliseconds() -> None:
    assert PACKET_SAMPLES == 960
    assert opus.Decoder().decode(opus.Encoder(96_000).encode(tone(960))).shape == (960, 2)
