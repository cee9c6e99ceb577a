"""Steering a real server: heard soon, where it was announced, and replayed by its id."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from astradio_stream.sky.moment import Moment
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.segment import Rendition
from astradio_stream.stream.steering import first_replaced
from astradio_stream.stream.versions import VERSIONS, ModelVersions
from astradio_stream.units import QUANTUM_SAMPLES, SAMPLE_RATE_HZ, SEGMENT_SAMPLES
from tests.listener import STATION, TRANSIT, Listener, listening
from tests.serving import Served, serving, settings_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from astradio_stream.audio.bank import Bank

V1_1 = {"modelVersions": {"audio": "v1.1"}}
STEERABLE = TRANSIT | V1_1


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Served]:
    """A server that offers the model that can be steered."""
    settings = settings_in(
        tmp_path_factory.mktemp("server"), ASTRADIO_DATA_DIR=str(data_dir), RATE_LIMIT_MAX="50"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(VERSIONS, "audio", tuple(AUDIO_MODELS))
        with serving(settings) as served:
            with listening(served.ws_url, STEERABLE) as listener:  # its bank is loaded by now
                listener.take_quanta(1)
            yield served


def crcs_of(programme: Any, bank: Bank) -> Callable[[int], int]:
    """Return index -> CRC-32 of a quantum of a programme as rendered here."""
    rendition = Rendition(resolve(programme, Moment(0), ModelVersions()), bank)

    @cache
    def crcs(k: int) -> list[int]:
        return rendition.segment(k).quantum_crcs()

    return lambda index: crcs(index // SEGMENT_SAMPLES)[index % SEGMENT_SAMPLES // QUANTUM_SAMPLES]


class Performance:
    """What a steering listener heard in the end: the last quantum that came for each index."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.began = time.monotonic()
        self.heard: dict[int, int] = {}

    def playhead(self) -> int:
        played = int((time.monotonic() - self.began) * SAMPLE_RATE_HZ)
        return min(self.listener.end, self.listener.first + played)

    def keep(self) -> None:
        self.heard |= {quantum.index: quantum.crc32 for quantum in self.listener.received}

    def steer(self, quantise: str = "now", **controls: Any) -> dict[str, Any]:
        """Steer, take quanta until the answer, and return it."""
        self.keep()
        at = self.playhead()
        self.listener.report(at)
        asked = time.monotonic()
        self.listener.say({"type": "steer", "controls": controls, "quantise": quantise})
        steered = self.listener.take_text("steered")
        steered["waitedS"] = time.monotonic() - asked
        steered["after"] = (steered["effective"] - at) / SAMPLE_RATE_HZ
        self.forget_from(first_replaced(steered["effective"]))
        return steered

    def forget_from(self, index: int) -> None:
        """Do what a player does with quanta that a new epoch replaces."""
        self.heard = {at: crc for at, crc in self.heard.items() if at < index}


def test_a_steer_is_heard_within_300_ms_where_it_was_announced(
    server: Served, banks: dict[str, Bank]
) -> None:
    with listening(server.ws_url, STEERABLE) as listener:
        performance = Performance(listener)
        afters = []
        for n in range(8):
            listener.take_for(0.3)
            steered = performance.steer(tension=n % 2, density=n / 8)
            afters.append(steered["after"])
            listener.take_quanta(1)
        listener.take_for(0.5)
        performance.keep()
    crc_of = crcs_of(steered["programme"], banks["v1.1"])
    assert len(steered["programme"]["changes"]) == 8
    assert performance.heard == {index: crc_of(index) for index in performance.heard}
    assert sorted(performance.heard) == list(
        range(0, QUANTUM_SAMPLES * len(performance.heard), QUANTUM_SAMPLES)
    )
    print("steer to effective (s):", [round(after, 3) for after in sorted(afters)])
    # By design 150 to 250 ms where the work takes less than 110; a busy machine leaves itself more.
    assert sorted(afters)[1] <= 0.3
    assert sorted(afters)[-1] <= 1.6


def test_a_steered_programme_is_known_by_its_id_and_replays(
    server: Served, banks: dict[str, Bank]
) -> None:
    with listening(server.ws_url, STEERABLE) as listener:
        listener.take_quanta(5)
        steered = Performance(listener).steer("bar", genre="house", key="F#")
        listener.take_quanta(5)
    crc_of = crcs_of(steered["programme"], banks["v1.1"])
    k = steered["effective"] // SEGMENT_SAMPLES * SEGMENT_SAMPLES
    for programme in (steered["programme"], None):
        changes = {"from": k} | ({} if programme else {"programmeId": steered["programmeId"]})
        with listening(server.ws_url, programme, crc_of, **changes) as again:
            assert again.ready["programmeId"] == steered["programmeId"]
            again.take_quanta(20)


@pytest.mark.parametrize(
    "programme", [STATION, TRANSIT, STATION | {"modelVersions": {"audio": "v1.1"}}]
)
def test_what_cannot_be_steered_says_so_and_plays_on(server: Served, programme: Any) -> None:
    with listening(server.ws_url, programme, bufferMs=200) as listener:
        listener.say({"type": "steer", "controls": {"tension": 1}})
        error = listener.take_text("error")
        assert (error["fatal"], error["error"]["code"]) == (False, "VALIDATION_FAILED")
        assert [detail["field"] for detail in error["error"]["details"]] == ["controls"]
        listener.take_quanta(4)


def test_a_seek_goes_on_in_the_steered_programme(server: Served, banks: dict[str, Bank]) -> None:
    with listening(server.ws_url, STEERABLE) as listener:
        listener.take_quanta(3)
        steered = Performance(listener).steer(genre="ambient")
        listener.say({"type": "seek", "to": 48_000 * 100})
        ready = listener.take_text("ready")
        assert ready["programmeId"] == steered["programmeId"]
        assert ready["palette"]["genre"] == "ambient"
        crc_of = crcs_of(steered["programme"], banks["v1.1"])
        assert all(quantum.crc32 == crc_of(quantum.index) for quantum in listener.take_quanta(10))
