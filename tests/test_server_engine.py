"""The real engine behind a real server: what is heard is what a local render makes."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from astradio_stream.audio.opus import Decoder
from astradio_stream.sky import ephemeris
from astradio_stream.sky.moment import J2000_US, MICROSECONDS_PER_DAY, Moment, moment_to_iso
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.segment import Rendition
from astradio_stream.stream.station import LIVE_LEAD_SAMPLES
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.units import QUANTUM_SAMPLES, SAMPLE_RATE_HZ, SEGMENT_SAMPLES
from astradio_stream.viz.fields import N_FIELDS
from tests.listener import STATION, TRANSIT, Listener, connected, hello_of, listening
from tests.serving import Served, serving, settings_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from astradio_stream.audio.bank import Bank


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("server")
    settings = settings_in(folder, ASTRADIO_DATA_DIR=str(data_dir))
    with serving(settings) as served:
        yield served


def local_crcs(programme: object, bank: Bank) -> Callable[[int], int]:
    """Return index -> CRC-32 of a quantum as rendered here."""
    rendition = Rendition(resolve(programme, Moment(0), ModelVersions()), bank)

    @cache
    def crcs(k: int) -> list[int]:
        return rendition.segment(k).quantum_crcs()

    return lambda index: crcs(index // SEGMENT_SAMPLES)[index % SEGMENT_SAMPLES // QUANTUM_SAMPLES]


def listen_for(listener: Listener, duration_s: int) -> None:
    """Listen in real time, reporting once a second what a player would have played by then."""
    began, first = time.monotonic(), listener.ready["from"]
    for _ in range(duration_s):
        listener.take_for(1.0)
        heard = first + int((time.monotonic() - began) * SAMPLE_RATE_HZ)
        listener.report(min(heard, listener.end))


@pytest.mark.parametrize("programme", [STATION, TRANSIT], ids=["station", "transit"])
@pytest.mark.parametrize("codec", ["opus", "pcm_s16le"])
def test_what_arrives_is_what_is_rendered(
    server: Served, bank: Bank, programme: dict[str, object], codec: str
) -> None:
    crc_of = local_crcs(programme, bank)
    with listening(server.ws_url, programme, crc_of, codecs=[codec]) as listener:
        listen_for(listener, 3)
        assert 40 <= len(listener.received) <= 55
        assert all(len(frame) == N_FIELDS for q in listener.received for frame in q.viz_frames)
        assert {text["type"] for text in listener.texts} <= {"ready", "event"}


def best_lag(heard: np.ndarray, source: np.ndarray, reach: int = 480) -> int:
    """Return by how many samples `heard` is late against `source`."""
    middle = source[reach : reach + 96_000, 0].astype(np.float64)
    scores = [
        float(np.dot(heard[reach + lag : reach + lag + 96_000, 0].astype(np.float64), middle))
        for lag in range(-reach, reach)
    ]
    return int(np.argmax(scores)) - reach


def ten_seconds(server: Served, bank: Bank, programme: dict[str, object]) -> str:
    """Listen for ten seconds, check every promise, and return the figures."""
    local = Rendition(resolve(programme, Moment(0), ModelVersions()), bank)
    with listening(server.ws_url, programme, local_crcs(programme, bank)) as listener:
        listen_for(listener, 10)
        late = listener.ready["codec"]["preSkip"]
    quanta = listener.received
    assert 100 <= len(quanta) <= 125  # ten seconds and the buffer
    heard = Decoder().decode([packet for q in quanta for packet in q.packets])
    source = local.pcm(quanta[0].index, len(heard))
    assert best_lag(heard, source) == late
    error = heard[late:].astype(np.float64) - source[:-late]
    snr_db = 10 * np.log10(np.mean(source.astype(np.float64) ** 2) / np.mean(error**2))
    assert snr_db > 12
    return f"{len(quanta)} quanta, late by {late} samples as announced, error {-snr_db:.1f} dB"


def test_ten_seconds_are_contiguous_exact_decodable_and_aligned(server: Served, bank: Bank) -> None:
    with ThreadPoolExecutor(2) as executor:
        heard = executor.map(lambda raw: ten_seconds(server, bank, raw), (STATION, TRANSIT))
    for name, figures in zip(("station", "transit"), heard, strict=True):
        print(f"{name}: {figures}")


def test_ready_tells_all_that_the_contract_promises(server: Served) -> None:
    with listening(server.ws_url, TRANSIT, **{"from": 48_000 * 3_600}) as listener:
        ready = listener.ready
    assert ready["programme"] == TRANSIT | {
        "charts": [], "controls": {}, "changes": [],
        "modelVersions": ModelVersions().to_json(),
    }  # fmt: skip
    assert ready["codec"]["name"] == "opus"
    assert ready["codec"]["bitrate"] == 96_000
    assert ready["codec"]["preSkip"] > 0
    assert "opus" in ready["codec"]["version"]
    assert ready["live"] is None
    assert ready["resumed"] is True
    assert len(ready["viz"]["fields"]) == N_FIELDS
    assert ready["chart"]["moment"]["utc"].startswith("2026-03-20T13:00:00")
    assert len(ready["chart"]["cuspsDeg"]) == 12
    assert {"key", "mode", "tempoBpm"} <= ready["palette"].keys()
    assert ready["provenance"]["chartHash"] == ready["chart"]["chartHash"]
    assert ready["limits"]["messageBytes"] == 4_096


def test_the_station_is_live(server: Served) -> None:
    with listening(server.ws_url) as listener:
        ready = listener.ready
        assert abs(ready["live"]["utcMs"] - time.time() * 1_000) < 5_000
        assert abs(ready["live"]["index"] / 48 - ready["live"]["utcMs"]) <= 100
        assert ready["live"]["index"] - ready["from"] in (
            LIVE_LEAD_SAMPLES,
            LIVE_LEAD_SAMPLES + 4_800,
        )
        assert ready["resumed"] is False
        listener.take_quanta(10)


def test_two_listeners_of_the_station_hear_the_same(server: Served) -> None:
    with listening(server.ws_url) as one, listening(server.ws_url) as other:
        heard = {q.index: q.packets for q in one.take_quanta(20)}
        common = [q for q in other.take_quanta(20) if q.index in heard]
        assert common
        assert all(heard[q.index] == q.packets for q in common)


def test_resuming_continues_at_the_exact_index(server: Served, bank: Bank) -> None:
    crc_of = local_crcs(TRANSIT, bank)
    with listening(server.ws_url, TRANSIT, crc_of) as listener:
        listener.take_quanta(7)
        end, programme_id = listener.end, listener.ready["programmeId"]
    again = hello_of(programmeId=programme_id, **{"from": end})
    with connected(server.ws_url, crc_of) as listener:
        listener.say(again | {"programme": None})
        assert listener.take_close()[0] == 4000  # null is not an absent field
    with connected(server.ws_url, crc_of) as listener:
        listener.say(again)
        assert listener.take_text("ready")["resumed"] is True
        assert listener.take_quanta(7)[0].index == end


def test_seek_over_a_thousand_hours_is_quick(server: Served, bank: Bank) -> None:
    crc_of = local_crcs(TRANSIT, bank)
    with listening(server.ws_url, TRANSIT, crc_of) as listener:
        listener.take_quanta(3)
        for hour in (999, 1, 500):
            listener.say({"type": "seek", "to": hour * 3_600 * 48_000 + 77})
            assert listener.take_text("ready")["from"] == hour * 3_600 * 48_000
            listener.take_quanta(12)


def test_composing_and_ready_find_the_places_of_the_planets_once(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They begin at the same time; who comes second waits, and has it from memory."""
    found: Counter[float] = Counter()

    def counted(instants: Any) -> ephemeris.Places:
        found.update(instants.ut1_days.tolist())
        return places_of_block(instants)

    places_of_block = ephemeris._places_of_block
    monkeypatch.setattr(ephemeris, "_places_of_block", counted)
    moments = [Moment(-(10**15) + n * 10**13) for n in range(12)]
    for moment in moments:
        with listening(server.ws_url, {"seed": 1, "at": moment_to_iso(moment)}) as listener:
            listener.take_quanta(1)
    days = [(moment.utc_us - J2000_US) / MICROSECONDS_PER_DAY for moment in moments]
    assert [found[day] for day in days] == [1] * len(moments)


def test_an_unknown_id_closes_4004(server: Served) -> None:
    unknown = hello_of(programmeId="0" * 64)
    with connected(server.ws_url) as listener:
        listener.say(unknown)
        assert listener.take_text("error")["error"]["code"] == "NOT_FOUND"
        assert listener.take_close() == (4004, "no_such_programme")
