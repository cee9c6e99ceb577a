"""Steering a real server: heard soon, where it was announced, and replayed by its id."""

from __future__ import annotations

import contextlib
import time
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from astradio_stream.sky.moment import Moment
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.segment import Rendition
from astradio_stream.stream.steering import FORE_SAMPLES, first_replaced
from astradio_stream.stream.versions import VERSIONS, ModelVersions
from astradio_stream.units import QUANTUM_SAMPLES, SAMPLE_RATE_HZ, SEGMENT_SAMPLES
from astradio_stream.wire.bucket import DEFAULT_RATE
from tests.listener import STATION, TRANSIT, Listener, listening
from tests.test_server_main import process, url_told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from astradio_stream.audio.bank import Bank

RATE_LIMIT_MAX = 20
"""Less than a storm of steers needs."""
N_STORM = 50
STORM_S = 10
KEYS = ("C", "F#", "D", "Ab")
QUANTISES = ("now", "beat", "bar")
HELD_S = 2
"""How much of what was sent is unheard when a steer is said."""
V1_1 = {"modelVersions": {"audio": "v1.1"}}
STEERABLE = TRANSIT | V1_1


OFFER = """
from astradio_stream.stream.versions import VERSIONS
VERSIONS["audio"] = ("v1.0", "v1.1")
"""


@contextlib.contextmanager
def steerable(folder: Path, data_dir: Path, **environ: str) -> Iterator[str]:
    """Run a server, in a process of its own, that offers the model that can be steered."""
    with (
        pytest.MonkeyPatch.context() as patch,
        process(folder, data_dir, OFFER, **environ) as started,
    ):
        patch.setitem(VERSIONS, "audio", ("v1.0", "v1.1"))
        url = url_told(started).replace("http", "ws") + "/stream"
        with listening(url, STEERABLE) as listener:  # its bank is loaded by now
            listener.take_quanta(1)
        yield url


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    with steerable(folder, data_dir, RATE_LIMIT_MAX=str(RATE_LIMIT_MAX)) as url:
        yield url


def crcs_of(programme: Any, bank: Bank) -> Callable[[int], int]:
    """Return index -> CRC-32 of a quantum of a programme as rendered here."""
    rendition = Rendition(resolve(programme, Moment(0), ModelVersions()), bank)

    @cache
    def crcs(k: int) -> list[int]:
        return rendition.segment(k).quantum_crcs()

    return lambda index: crcs(index // SEGMENT_SAMPLES)[index % SEGMENT_SAMPLES // QUANTUM_SAMPLES]


class Refused(Exception):
    """A steer was answered by an error: its code, and whether that ends the conversation."""


class Performance:
    """What a steering listener heard in the end: the last quantum that came for each index."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.began = time.monotonic()
        self.heard: dict[int, int] = {}
        self._first = listener.first

    def go_on(self, listener: Listener) -> None:
        """Go on in another conversation, at the sample where the last one ended."""
        assert listener.first == self.listener.end
        self.listener = listener

    def playhead(self) -> int:
        played = int((time.monotonic() - self.began) * SAMPLE_RATE_HZ)
        return min(self.listener.end, self._first + played)

    def hold(self, duration_s: float) -> None:
        """Take quanta until so much is unheard."""
        while self.listener.end - self.playhead() < duration_s * SAMPLE_RATE_HZ:
            self.listener.take()

    def keep(self) -> None:
        self.heard |= {quantum.index: quantum.crc32 for quantum in self.listener.received}

    def steer(self, quantise: str = "now", **controls: Any) -> dict[str, Any]:
        """Steer, take quanta until the answer, and return it."""
        self.keep()
        at = self.playhead()
        asked = time.monotonic()
        self.listener.say({"type": "steer", "controls": controls, "quantise": quantise})
        while True:
            end = self.listener.end
            steered = self.listener.take()
            if isinstance(steered, dict) and steered["type"] in ("steered", "error"):
                break
        if steered["type"] == "error":
            raise Refused(steered["error"]["code"], steered["fatal"])
        steered["waitedS"] = time.monotonic() - asked
        steered["after"] = (steered["effective"] - at) / SAMPLE_RATE_HZ
        first = first_replaced(steered["effective"])
        steered["replacedS"] = (end - first) / SAMPLE_RATE_HZ
        steered["marginS"] = (first - self.playhead()) / SAMPLE_RATE_HZ
        self.forget_from(first)
        return steered

    def forget_from(self, index: int) -> None:
        """Do what a player does with quanta that a new epoch replaces."""
        self.heard = {at: crc for at, crc in self.heard.items() if at < index}


def test_a_steer_is_heard_soon_and_where_it_was_announced(url: str, banks: dict[str, Bank]) -> None:
    with listening(url, STEERABLE, bufferMs=5_000) as listener:
        performance = Performance(listener)
        afters, margins = [], []
        for n in range(8):
            performance.hold(HELD_S)
            listener.report(performance.playhead())
            steered = performance.steer(tension=n % 2, density=n / 8)
            afters.append(steered["after"])
            margins.append(steered["marginS"])
            # It does not wait for what was sent before to be over: that is what it replaces.
            assert steered["replacedS"] > 0
            listener.take_quanta(1)
        listener.take_for(0.5)
        performance.keep()
    crc_of = crcs_of(steered["programme"], banks["v1.1"])
    # One that comes before another is heard joins it.
    assert 1 <= len(steered["programme"]["changes"]) <= 8
    assert performance.heard == {index: crc_of(index) for index in performance.heard}
    assert sorted(performance.heard) == list(
        range(0, QUANTUM_SAMPLES * len(performance.heard), QUANTUM_SAMPLES)
    )
    print("steer to effective (s):", [round(after, 3) for after in sorted(afters)])
    print("told before it is heard (s):", [round(margin, 3) for margin in sorted(margins)])
    # How soon that is, test_wire_session tells by a clock that no machine disturbs.
    # Each can still be played: none is told of what was heard already.
    assert min(margins) > 0


def test_a_steered_programme_is_known_by_its_id_and_replays(
    url: str, banks: dict[str, Bank]
) -> None:
    with listening(url, STEERABLE) as listener:
        listener.take_quanta(5)
        steered = Performance(listener).steer("bar", genre="house", key="F#")
        listener.take_quanta(5)
    crc_of = crcs_of(steered["programme"], banks["v1.1"])
    k = steered["effective"] // SEGMENT_SAMPLES * SEGMENT_SAMPLES
    for programme in (steered["programme"], None):
        changes = {"from": k} | ({} if programme else {"programmeId": steered["programmeId"]})
        with listening(url, programme, crc_of, **changes) as again:
            assert again.ready["programmeId"] == steered["programmeId"]
            again.take_quanta(20)


def wish(n: int) -> dict[str, Any]:
    """Return the n-th steer of a storm: no two in a row wish the same."""
    controls = {"key": KEYS[n % 4], "density": n % 7 / 6}
    return {"type": "steer", "controls": controls, "quantise": QUANTISES[n % 3]}


def assert_heard_as_announced(
    accepted: list[dict[str, Any]], heard: dict[int, int], bank: Bank
) -> None:
    """Each accepted steer changes the music where it said; the last programme holds them all."""
    last = accepted[-1]["programme"]
    effective = [steered["effective"] for steered in accepted]
    assert effective == sorted(effective)
    assert [change["index"] for change in last["changes"]] == sorted(set(effective))
    # What was heard, without a gap, is what a replay of the final programme plays.
    crc_of = crcs_of(last, bank)
    assert sorted(heard) == list(range(0, len(heard) * QUANTUM_SAMPLES, QUANTUM_SAMPLES))
    assert max(heard) > effective[-1]
    assert heard == {index: crc_of(index) for index in heard}
    # And each change is heard where it was announced: not before, and within a second.
    before = Rendition(resolve(STEERABLE, Moment(0), ModelVersions()), bank)
    for steered in accepted:
        after = Rendition(resolve(steered["programme"], Moment(0), ModelVersions()), bank)
        begin = max(0, steered["effective"] - SAMPLE_RATE_HZ)
        n_samples = steered["effective"] + SAMPLE_RATE_HZ - begin
        differs = (before.pcm(begin, n_samples) != after.pcm(begin, n_samples)).any(axis=1)
        assert differs.any()
        assert begin + np.argmax(differs) >= steered["effective"] - FORE_SAMPLES
        before = after


def test_a_storm_of_50_steers_in_10_s_is_within_the_limit_of_the_protocol(
    tmp_path: Path, data_dir: Path, banks: dict[str, Bank]
) -> None:
    """Said without waiting for answers: each gets one, a refusal only where it would be late."""
    limit = str(DEFAULT_RATE.n_tokens)
    with (
        steerable(tmp_path, data_dir, RATE_LIMIT_MAX=limit) as url,
        listening(url, STEERABLE) as listener,
    ):
        performance = Performance(listener)
        for n in range(N_STORM):
            listener.take_for(performance.began + n * STORM_S / N_STORM - time.monotonic())
            listener.say(wish(n))
            if n % 5 == 0:
                listener.report(performance.playhead())
        answers: list[dict[str, Any]] = []
        while len(answers) < N_STORM:
            listener.take()
            answers = [text for text in listener.texts if text["type"] in ("steered", "error")]
        listener.take_for(3.0)
        performance.keep()
        assert listener.skipped == []
    assert len(answers) == N_STORM
    accepted = [answer for answer in answers if answer["type"] == "steered"]
    refused = [answer["error"]["code"] for answer in answers if answer["type"] == "error"]
    print(f"{len(accepted)} accepted, {len(refused)} refused")
    assert set(refused) <= {"OVERLOADED"}
    assert len(accepted) >= N_STORM // 2
    assert_heard_as_announced(accepted, performance.heard, banks["v1.1"])


def test_a_storm_over_the_limit_is_warned_of_then_closed_and_goes_on_in_a_new_conversation(
    url: str, banks: dict[str, Bank]
) -> None:
    """Each of 50 steers is accepted or refused; nothing else is said that could be refused."""
    accepted: list[dict[str, Any]] = []
    refused: list[tuple[str, bool]] = []
    performance: Performance | None = None
    programme, resumed = STEERABLE, {}
    while len(accepted) + len(refused) < N_STORM:
        opened = time.monotonic()
        n_said, n_unheeded, is_closed = 1, 0, False
        with listening(url, programme, **resumed) as listener:
            if performance is None:
                performance = Performance(listener)
            else:
                assert listener.ready["resumed"]
                performance.go_on(listener)
            while not is_closed and (n := len(accepted) + len(refused)) < N_STORM:
                at = performance.began + n * STORM_S / N_STORM
                listener.take_for(at - time.monotonic())
                said = wish(n)
                try:
                    n_said += 1
                    accepted.append(performance.steer(said["quantise"], **said["controls"]))
                except Refused as error:
                    code, is_closed = error.args
                    refused.append((code, is_closed))
                    n_unheeded += code == "RATE_LIMITED"
            elapsed_s = time.monotonic() - opened
            if is_closed:
                assert listener.take_close() == (4101, "rate_limited")
            else:
                listener.take_for(3.0)
            performance.keep()
            assert listener.skipped == []
        # No more was heeded than there were tokens, and nothing refused while there were some.
        assert n_said - n_unheeded <= RATE_LIMIT_MAX + elapsed_s * RATE_LIMIT_MAX / 10
        assert n_unheeded == 0 or n_said - n_unheeded >= RATE_LIMIT_MAX
        warnings = [text for text in listener.texts if text["type"] == "error"]
        limited = [text["fatal"] for text in warnings if text["error"]["code"] == "RATE_LIMITED"]
        assert limited == [False, True][:n_unheeded]
        programme = None
        resumed = {"programmeId": accepted[-1]["programmeId"], "from": listener.end}
    assert performance is not None
    print(f"{len(accepted)} accepted, refused: {refused}")
    assert len(accepted) + len(refused) == N_STORM
    assert {code for code, _ in refused} <= {"RATE_LIMITED", "OVERLOADED"}
    # Fifty in ten seconds are more than such a limit lets through.
    assert ("RATE_LIMITED", False) in refused or time.monotonic() - performance.began > 2 * STORM_S
    assert len(accepted) >= N_STORM // 2
    assert_heard_as_announced(accepted, performance.heard, banks["v1.1"])


@pytest.mark.parametrize(
    "programme",
    [STATION, *(raw | {"modelVersions": {"audio": "v1.0"}} for raw in (STATION, TRANSIT))],
)
def test_what_cannot_be_steered_says_so_and_plays_on(url: str, programme: Any) -> None:
    with listening(url, programme, bufferMs=200) as listener:
        listener.say({"type": "steer", "controls": {"tension": 1}})
        error = listener.take_text("error")
        assert (error["fatal"], error["error"]["code"]) == (False, "VALIDATION_FAILED")
        assert [detail["field"] for detail in error["error"]["details"]] == ["controls"]
        listener.take_quanta(4)


def test_a_seek_goes_on_in_the_steered_programme(url: str, banks: dict[str, Bank]) -> None:
    with listening(url, STEERABLE) as listener:
        listener.take_quanta(3)
        steered = Performance(listener).steer(genre="ambient")
        listener.say({"type": "seek", "to": 48_000 * 100})
        ready = listener.take_text("ready")
        assert ready["programmeId"] == steered["programmeId"]
        assert ready["palette"]["genre"] == "ambient"
        crc_of = crcs_of(steered["programme"], banks["v1.1"])
        assert all(quantum.crc32 == crc_of(quantum.index) for quantum in listener.take_quanta(10))
