"""The one idea: a segment is a function of its programme and number, and of nothing else."""

from __future__ import annotations

import dataclasses
import json
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from astradio_stream.audio.encode import PRE_ROLL_SAMPLES
from astradio_stream.audio.opus import Decoder, Encoder, look_ahead
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.programme import Programme, resolve
from astradio_stream.stream.segment import Rendition, packets_of, segment
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.units import SEGMENT_SAMPLES, unix_us_to_index

if TYPE_CHECKING:
    from pathlib import Path

    from astradio_stream.audio.bank import Bank

STATION = {"station": "now"}
TRANSIT = {"seed": 11, "at": "1969-07-20T20:17:40Z"}
FAST = {
    "seed": 3,
    "at": "2001-01-01T00:00:00Z",
    "rate": 86_400,
    "place": {"lat": -33.9, "lon": 151.2},
}
NOW_K = unix_us_to_index(1_795_000_000_000_000) // SEGMENT_SAMPLES


def programme_of(raw: dict[str, object], version: str) -> Programme:
    """Return a programme on an audio model, offered or still being made."""
    programme = resolve(raw, Moment(0), ModelVersions())
    return dataclasses.replace(programme, model_versions=ModelVersions(audio=version))


@pytest.fixture(params=AUDIO_MODELS)
def played(request: pytest.FixtureRequest, banks: dict[str, Bank]) -> tuple[Programme, Bank]:
    """One programme on each audio model."""
    return programme_of(TRANSIT, request.param), banks[request.param]


CASES = [
    (raw, version, first)
    for version in AUDIO_MODELS
    for raw, first in ((STATION, NOW_K), (TRANSIT, 100), (FAST, 175))
]


@pytest.mark.parametrize(("raw", "version", "first"), CASES)
def test_any_order_gives_the_same_bytes(
    banks: dict[str, Bank], raw: dict[str, object], version: str, first: int
) -> None:
    programme, bank = programme_of(raw, version), banks[version]
    numbers = list(range(first, first + 11))
    straight = Rendition(programme, bank)
    expected = {k: straight.segment(k).digest() for k in numbers}
    shuffled = numbers[:]
    random.Random(5).shuffle(shuffled)
    jumping = Rendition(programme, bank)
    assert {k: jumping.segment(k).digest() for k in shuffled} == expected
    assert {k: segment(programme, k, bank).digest() for k in numbers} == expected


def test_segments_alone_equal_segments_out_of_a_run(played: tuple[Programme, Bank]) -> None:
    programme, bank = played
    run = Rendition(programme, bank)
    whole = [run.segment(k).digest() for k in range(111)]
    alone = Rendition(programme, bank)
    assert [alone.segment(k).digest() for k in range(100, 111)] == whole[100:]


def test_any_thread_gives_the_same_bytes(played: tuple[Programme, Bank]) -> None:
    programme, bank = played
    rendition = Rendition(programme, bank)
    numbers = [n % 7 for n in range(28)]
    with ThreadPoolExecutor(8) as executor:
        together = list(executor.map(lambda k: rendition.segment(k).digest(), numbers))
    alone = Rendition(programme, bank)
    assert together == [alone.segment(k).digest() for k in numbers]


def test_another_process_gives_the_same_bytes(banks: dict[str, Bank], data_dir: Path) -> None:
    code = """
import dataclasses, json, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from astradio_stream.server.banks import load_bank
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.segment import Rendition, packets_of
from astradio_stream.stream.versions import ModelVersions
for raw, version, k in json.loads(sys.argv[2]):
    programme = resolve(raw, Moment(0), ModelVersions())
    programme = dataclasses.replace(programme, model_versions=ModelVersions(audio=version))
    bank = load_bank(AUDIO_MODELS[version], Path(sys.argv[1]))
    segment = Rendition(programme, bank).segment(k)
    print(segment.digest(), b"".join(packets_of(segment)).hex()[:4000])
"""
    answer = subprocess.run(
        [sys.executable, "-c", code, str(data_dir), json.dumps(CASES)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "77"},
    )
    for line, (raw, version, k) in zip(answer.stdout.splitlines(), CASES, strict=True):
        made = Rendition(programme_of(raw, version), banks[version]).segment(k)
        assert line == f"{made.digest()} {b''.join(packets_of(made)).hex()[:4000]}"


def test_segments_join_without_a_step(played: tuple[Programme, Bank]) -> None:
    """Samples across seams are those of one long render."""
    programme, bank = played
    rendition = Rendition(programme, bank)
    whole = rendition.pcm(20 * SEGMENT_SAMPLES, 5 * SEGMENT_SAMPLES)
    parts = np.concatenate([rendition.segment(k).pcm for k in range(20, 25)])
    assert np.array_equal(whole, parts)


def test_the_last_hours_of_the_grid_cost_no_more_and_work(played: tuple[Programme, Bank]) -> None:
    """A segment at the far end of the index, where the sky stands still, is rendered as any."""
    programme, bank = played
    far = Rendition(programme, bank).segment((2**53 - 1) // SEGMENT_SAMPLES - 1)
    assert np.abs(far.pcm).max() > 500


def test_before_the_beginning_is_silence(played: tuple[Programme, Bank]) -> None:
    programme, bank = played
    first = Rendition(programme, bank).segment(0)
    assert not first.heard[:PRE_ROLL_SAMPLES].any()
    assert first.pcm.any()


def packet_errors(heard: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Return the mean squared error of each packet, the look-ahead compensated."""
    late = look_ahead()
    error = heard[late:].astype(np.float64) - source[:-late]
    squares = (error**2).sum(axis=1)
    return squares[: len(squares) // 960 * 960].reshape(-1, 960).mean(axis=1)


def test_seams_have_the_error_of_elsewhere(played: tuple[Programme, Bank]) -> None:
    """Decoded in one run, packets at the seams are as close to the PCM as a continuous encode."""
    programme, bank = played
    rendition = Rendition(programme, bank)
    first, n_segments = 30, 60
    start = first * SEGMENT_SAMPLES
    source = rendition.pcm(start, n_segments * SEGMENT_SAMPLES)
    by_segment = [
        p for k in range(first, first + n_segments) for p in packets_of(rendition.segment(k))
    ]
    lead_in = rendition.pcm(start - 48_000, 48_000)
    continuous = Encoder(96_000).encode(np.concatenate([lead_in, source]))[50:]

    ours = packet_errors(Decoder().decode(by_segment), source)
    theirs = packet_errors(Decoder().decode(continuous), source)
    n_whole = (n_segments - 1) * 50
    excess_db = 10 * np.log10(ours[50:n_whole] / theirs[50:n_whole]).reshape(-1, 50)
    power_db = 10 * np.log10(
        ours[50:n_whole].reshape(-1, 50).mean(axis=0)
        / theirs[50:n_whole].reshape(-1, 50).mean(axis=0)
    )
    elsewhere = excess_db[:, 4:46]
    print(
        f"error against a continuous encode, dB: first packet {power_db[0]:+.2f}, second "
        f"{power_db[1]:+.2f}, last {power_db[-1]:+.2f}, elsewhere {power_db[4:46].mean():+.2f}; "
        f"worst first packet {excess_db[:, 0].max():+.2f}, worst elsewhere {elsewhere.max():+.2f}"
    )
    assert abs(power_db[0]) < 0.4
    assert np.abs(power_db[[1, 48, 49]]).max() < 0.4
    assert excess_db[:, [0, 1, 49]].max() < elsewhere.max() + 1.0


def test_events_lie_in_their_segment_and_none_is_lost(played: tuple[Programme, Bank]) -> None:
    programme, bank = played
    rendition = Rendition(programme, bank)
    told = [event for k in range(400) for event in rendition.segment(k).events]
    assert [e.index for e in told] == sorted(e.index for e in told)
    by_segment = [event for event in told if event.kind != "note"]
    whole = rendition.score.events(0, 400 * SEGMENT_SAMPLES)
    assert tuple(by_segment) == whole
    assert {event.kind for event in whole} >= {"section", "key"}
