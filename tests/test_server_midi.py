"""The notes of a span over HTTP: those that are heard there, wherever it begins."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import mido
import pytest

from astradio_stream.server import studio
from astradio_stream.server.readiness import Readiness
from astradio_stream.stream.piece import Span, piece_midi
from astradio_stream.stream.versions import VERSIONS
from astradio_stream.units import LAST_PLAYED_INDEX
from tests.pieces import BERLIN, BY_MODE, played
from tests.serving import Served
from tests.studios import TRANSIT, compose, composing
from tests.visitor import member, visiting

AUDIO = VERSIONS["audio"][-1]
MINUTE = 60 * 48_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Served]:
    with composing(tmp_path_factory.mktemp("midi"), data_dir) as served:
        yield served


def notes(server: Served, **body: Any) -> httpx.Response:
    return httpx.post(f"{server.http_url}/api/midi", json=body, timeout=60)


@pytest.mark.parametrize("mode", BY_MODE)
def test_any_span_of_any_mode_is_what_the_score_has_there(server: Served, mode: str) -> None:
    start = 7 * MINUTE + 4_800
    answer = notes(server, **BY_MODE[mode], durationS=20, **{"from": start})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "audio/midi"
    assert answer.headers["Cache-Control"] == "no-store"
    _, score = played(BY_MODE[mode], AUDIO)
    assert answer.content == piece_midi(score, Span(start, start + 20 * 48_000))
    assert mido.MidiFile(file=BytesIO(answer.content)).length == pytest.approx(20, abs=0.01)


def test_from_the_beginning_it_is_the_file_of_the_piece(server: Served) -> None:
    body = TRANSIT | {"durationS": 3}
    told = compose(server.http_url, body).json()
    file = httpx.get(server.http_url + told["midi"]["url"])
    assert notes(server, **body).content == file.content


def test_a_station_is_asked_for_at_an_index_of_now(server: Served) -> None:
    answer = notes(server, station="now", durationS=30, **{"from": 1_764_000_000 * 48_000})
    assert len(mido.MidiFile(file=BytesIO(answer.content)).tracks) > 3


@pytest.mark.parametrize("start", [-1, 0.5, "0", LAST_PLAYED_INDEX + 1])
def test_an_index_that_is_none_is_refused_with_all_other_mistakes(
    server: Served, start: object
) -> None:
    answer = notes(server, mode="nonsense", **{"from": start})
    assert answer.status_code == 422
    fields = {detail["field"] for detail in answer.json()["error"]["details"]}
    assert fields == {"mode", "from"}


def test_a_private_chart_is_played_to_its_owner_alone(server: Served) -> None:
    with member(server) as owner, visiting(server) as other:
        body = {"mode": "natal", "charts": [{"chartId": owner.save(**BERLIN)}], "durationS": 5}
        assert owner.post("/api/midi", body).status_code == 200
        assert other.post("/api/midi", body).status_code == 404
        assert owner.post("/api/midi", body, **{"X-CSRF-Token": "no"}).status_code == 403


def test_beyond_the_cores_notes_are_refused_as_pieces_are(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studio, "MOST_WAIT_S", 0.2)

    def ask(n: int) -> httpx.Response:
        return notes(server, **TRANSIT | {"seed": 500 + n}, durationS=120)

    with ThreadPoolExecutor(12) as executor:
        answers = list(executor.map(ask, range(12)))
    assert {answer.status_code for answer in answers} == {200, 503}
    for answer in answers:
        if answer.status_code == 503:
            assert answer.json()["error"]["code"] == "OVERLOADED"
            assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_a_draining_and_a_full_server_find_no_notes(tmp_path: Path, data_dir: Path) -> None:
    with composing(tmp_path, data_dir) as served:
        served.change_settings(max_listeners=0)
        full = notes(served, **TRANSIT)
        served.shell.readiness.become(Readiness.DRAINING)
        draining = notes(served, **TRANSIT)
    for answer, code in ((full, "OVERLOADED"), (draining, "DRAINING")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, code)
        assert int(answer.headers["Retry-After"]) >= 1
