"""A finished piece over HTTP: every mode, the same bytes everywhere, made once for all who ask."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import httpx
import mido
import mutagen.oggopus
import numpy as np
import pytest

from astradio_stream.server import studio as studio_module
from astradio_stream.server.readiness import Readiness
from astradio_stream.store.database import FILE_NAME
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.versions import VERSIONS
from astradio_stream.viz.fields import N_FIELDS
from loadtest.process import server as process
from tests.listener import listening
from tests.pieces import BERLIN, BY_MODE
from tests.serving import Served
from tests.studios import (
    FORM,
    KINDS,
    TRANSIT,
    compose,
    composing,
    count,
    digests,
    download,
    piece,
)
from tests.visitor import member, visiting

SHORT = TRANSIT | {"durationS": 1}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Served]:
    with composing(tmp_path_factory.mktemp("compose"), data_dir) as served:
        yield served


@pytest.fixture(scope="module")
def new_server(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Served]:
    """One that plays v1.1, which plays every mode."""
    audio = VERSIONS["audio"]
    VERSIONS["audio"] = tuple(AUDIO_MODELS)
    try:
        with composing(tmp_path_factory.mktemp("new"), data_dir, "v1.1") as served:
            yield served
    finally:
        VERSIONS["audio"] = audio


# What is answered -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [FORM, "application/json", "text/plain; charset=latin-1", None])
def test_a_plain_request_is_read_as_json_whatever_its_type(
    server: Served, kind: str | None
) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    body = b'{"mode":"transit","seed":123}'
    answer = httpx.post(f"{server.http_url}/api/compose", content=body, headers=headers, timeout=60)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["programme"]["mode"], told["programme"]["seed"]) == ("transit", 123)
    assert told["audio"]["durationS"] == 60.0


@pytest.mark.parametrize("more", [[], ["-H", "Content-Type: application/json"]])
def test_the_two_commands_with_curl(server: Served, more: list[str], require_tool: Any) -> None:
    url, body = f"{server.http_url}/api/compose", '{"mode":"transit","seed":123}'
    command = [require_tool("curl"), "-sS", "-X", "POST", *more, url, "-d", body]
    told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert len(download(server.http_url, told, "audio")) == told["audio"]["bytes"]


def test_a_piece_has_the_shape_of_the_contract(server: Served) -> None:
    answer = compose(server.http_url)
    told = answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert told["requestId"] == answer.headers["X-Request-Id"]
    assert set(told) == {
        "requestId", "programmeId", "programme", "chart", "palette", "audio", "viz", "midi",
        "text", "gates", "provenance",
    }  # fmt: skip
    assert set(told["audio"]) == {
        "url", "digest", "pcmDigest", "durationS", "bytes", "latencyMs", "cached",
    }  # fmt: skip
    assert set(told["viz"]) == set(told["midi"]) == {"url", "digest"}
    assert {"key", "mode", "tempoBpm"} <= set(told["palette"])
    assert [block["type"] for block in told["text"]["blocks"]] == ["short", "long", "bullets"]
    assert set(told["gates"]) == {"scores", "calibrated", "strict", "hints"}
    assert isinstance(told["gates"]["calibrated"]["overall"], bool)
    assert set(told["provenance"]) == {
        "chartHash", "seed", "featuresVersion", "houseSystem", "tzDiscipline", "codec",
        "modelVersions",
    }  # fmt: skip
    assert told["provenance"]["tzDiscipline"] == "utc"
    assert set(told["provenance"]["modelVersions"]) == {"audio", "text", "viz", "matching"}
    assert told["chart"]["chartHash"] == told["provenance"]["chartHash"]


@pytest.mark.parametrize("mode", BY_MODE)
def test_every_mode_is_composed(new_server: Served, mode: str) -> None:
    body = BY_MODE[mode] | {"durationS": 2.5}
    told = piece(new_server.http_url, body)
    assert told["programme"]["mode"] == ("transit" if mode == "sky" else mode)
    assert told["provenance"]["modelVersions"]["audio"] == "v1.1"
    files = {kind: download(new_server.http_url, told, kind) for kind in KINDS}
    notes = mido.MidiFile(file=io.BytesIO(files["midi"]))
    assert notes.length == pytest.approx(2.5, abs=0.01)
    picture = json.loads(files["viz"])
    assert picture["programmeId"] == told["programmeId"]
    assert np.array(picture["frames"]).shape == (150, N_FIELDS)
    assert all(0 <= event["index"] < 120_000 for event in picture["events"])
    again = piece(new_server.http_url, {**told["programme"], "durationS": 2.5})
    assert digests(again) == digests(told)
    assert again["audio"]["cached"] is True


def test_a_station_begins_at_its_first_index(server: Served) -> None:
    told = piece(server.http_url, {"station": "now", "durationS": 1})
    assert told["chart"]["moment"]["utc"] == "1970-01-01T00:00:00Z"


def test_without_the_picture_viz_is_null(server: Served) -> None:
    server.change_settings(enable_viz_engine=False)
    try:
        dark = piece(server.http_url)
    finally:
        server.change_settings(enable_viz_engine=True)
    bright = piece(server.http_url)
    assert dark["viz"] is None
    assert bright["viz"] is not None
    assert digests(dark) == {k: v for k, v in digests(bright).items() if k != "viz"}


# The file ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("duration_s", [1, 1.5, 2.3456, 61])
def test_the_sound_decodes_to_the_sample(server: Served, duration_s: float) -> None:
    told = piece(server.http_url, TRANSIT | {"durationS": duration_s})
    n_samples = round(duration_s * 48_000)
    assert told["audio"]["durationS"] == n_samples / 48_000
    data = download(server.http_url, told, "audio")
    assert len(data) == told["audio"]["bytes"]
    with av.open(io.BytesIO(data)) as container:
        decoded = sum(frame.samples for frame in container.decode(audio=0))
    assert decoded == n_samples


def test_other_players_read_sound_and_tags(server: Served) -> None:
    told = piece(server.http_url, TRANSIT | {"durationS": 7})
    data = download(server.http_url, told, "audio")
    file = mutagen.oggopus.OggOpus(fileobj=io.BytesIO(data))
    assert file.info.length == 7.0
    assert file.info.channels == 2
    assert file["title"] == ["Astradio Stream"]
    assert file["programme"] == [told["programmeId"]]
    assert file["encoder"][0].startswith("astradio-stream ")


def test_ffmpeg_decodes_it_without_a_warning(
    server: Served, tmp_path: Path, require_tool: Any
) -> None:
    ffmpeg, ffprobe = require_tool("ffmpeg"), require_tool("ffprobe")
    told = piece(server.http_url, TRANSIT | {"durationS": 7.25})
    path = tmp_path / "piece.opus"
    path.write_bytes(download(server.http_url, told, "audio"))
    decoded = subprocess.run(
        [ffmpeg, "-v", "warning", "-xerror", "-i", str(path), "-f", "s16le", "-"],
        capture_output=True,
        check=True,
    )
    assert decoded.stderr == b""
    assert len(decoded.stdout) == 348_000 * 4
    asked = [ffprobe, "-v", "warning", "-show_format", "-show_streams", "-of", "json", str(path)]
    probed = subprocess.run(asked, capture_output=True, check=True)
    assert probed.stderr == b""
    facts = json.loads(probed.stdout)
    # ffprobe counts the look-ahead that players skip, in everybody's files.
    assert float(facts["format"]["duration"]) * 48_000 == pytest.approx(348_000 + 120)
    assert facts["streams"][0]["codec_name"] == "opus"
    assert facts["streams"][0]["tags"]["programme"] == told["programmeId"]


# The same everywhere ----------------------------------------------------------------------------


def test_a_listener_hears_the_samples_of_the_piece(server: Served) -> None:
    told = piece(server.http_url, TRANSIT | {"durationS": 3})
    with listening(server.ws_url, TRANSIT, codecs=["pcm_s16le"], bufferMs=4_000) as listener:
        pcm = b"".join(quantum.packets[0] for quantum in listener.take_quanta(30))
        assert listener.ready["programmeId"] == told["programmeId"]
        assert listener.ready["chart"] == told["chart"]
        assert listener.ready["palette"] == told["palette"]
    assert f"sha256:{hashlib.sha256(pcm).hexdigest()}" == told["audio"]["pcmDigest"]


def test_another_process_and_a_new_start_make_the_same_bytes(
    server: Served, tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = TRANSIT | {"durationS": 5}
    here = piece(server.http_url, body)
    (tmp_path / "banks").symlink_to(data_dir / "banks")
    found = []
    for _ in range(2):  # each with nothing that an earlier one left
        with process(str(tmp_path)) as started:
            url = f"http://127.0.0.1:{started.port}"
            told = piece(url, body)
            assert told["audio"]["cached"] is False
            found.append(digests(told) | {"files": [download(url, told, k) for k in KINDS]})
        for name in ("astradio.db", "astradio.db-wal", "astradio.db-shm"):
            (tmp_path / name).unlink(missing_ok=True)
        shutil.rmtree(tmp_path / "media")
    assert found[0] == found[1]
    assert digests(here).items() <= found[0].items()


def test_the_same_again_is_at_hand(server: Served) -> None:
    body = TRANSIT | {"durationS": 4, "seed": 99}
    first, second = piece(server.http_url, body), piece(server.http_url, body)
    assert (first["audio"]["cached"], second["audio"]["cached"]) == (False, True)
    assert second["audio"]["latencyMs"] < first["audio"]["latencyMs"]
    for told in (first, second):
        del told["requestId"], told["audio"]["latencyMs"], told["audio"]["cached"]
    assert first == second


def test_a_stream_may_name_a_piece_by_its_programme_id(server: Served) -> None:
    told = piece(server.http_url, TRANSIT | {"durationS": 1, "seed": 4_242})
    again = piece(server.http_url, TRANSIT | {"durationS": 1, "seed": 4_242})
    assert again["audio"]["cached"]
    with listening(server.ws_url, programmeId=told["programmeId"]) as listener:
        assert listener.ready["programme"] == told["programme"]
        listener.take_quanta(1)


# Many at once -----------------------------------------------------------------------------------


def test_whoever_asks_for_the_same_at_once_gets_it_made_once(server: Served) -> None:
    body = TRANSIT | {"durationS": 20, "seed": 77}
    before = {name: count(server, name) for name in ("made", "joined", "hit")}
    with ThreadPoolExecutor(8) as executor:
        found = list(executor.map(lambda _: piece(server.http_url, body), range(8)))
    assert all(digests(told) == digests(found[0]) for told in found)
    assert count(server, "made") - before["made"] == 1
    shared = sum(count(server, name) - before[name] for name in ("joined", "hit"))
    assert shared == 7


def test_beyond_the_cores_it_is_refused_and_listeners_hear_all(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A storm: some are served, the others told when to come again; nobody's music stops."""
    monkeypatch.setattr(studio_module, "MOST_WAIT_S", 0.3)
    answers: list[httpx.Response] = []

    def storm(n: int) -> None:
        for k in range(2):
            body = {"seed": 1_000 + 10 * n + k, "at": TRANSIT["at"], "durationS": 30}
            answers.append(compose(server.http_url, body))

    with listening(server.ws_url, TRANSIT, bufferMs=2_000) as listener:
        listener.take_quanta(10)
        began = time.monotonic()
        threads = [threading.Thread(target=storm, args=(n,)) for n in range(10)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            listener.take_quanta(1)
            played_s = time.monotonic() - began
            listener.report(min(listener.end, int(played_s * 10) * 4_800))
            assert listener.end / 48_000 > played_s, "the music stopped"
        for thread in threads:
            thread.join()
        assert not [text for text in listener.texts if text["type"] == "discontinuity"]
    statuses = {answer.status_code for answer in answers}
    assert statuses == {200, 503}
    for answer in answers:
        if answer.status_code == 503:
            assert answer.json()["error"]["code"] == "OVERLOADED"
            assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_a_short_piece_overtakes_a_long_one(server: Served) -> None:
    with ThreadPoolExecutor(1) as executor:
        long = executor.submit(piece, server.http_url, TRANSIT | {"durationS": 400, "seed": 55})
        while count(server, "made") == 0 or not long.running():
            time.sleep(0.01)
        piece(server.http_url, TRANSIT | {"durationS": 2, "seed": 56})
        assert not long.done()
        assert long.result()["audio"]["durationS"] == 400.0


def test_a_draining_and_a_full_server_compose_nothing(tmp_path: Path, data_dir: Path) -> None:
    with composing(tmp_path, data_dir) as served:
        served.change_settings(max_listeners=0)
        full = compose(served.http_url)
        served.shell.readiness.become(Readiness.DRAINING)
        draining = compose(served.http_url)
    for answer, code in ((full, "OVERLOADED"), (draining, "DRAINING")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, code)
        assert int(answer.headers["Retry-After"]) >= 1


# Other methods, cookies, keys -------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_are_405_and_reading_ones_show_the_cookie(
    server: Served, method: str
) -> None:
    answer = httpx.request(method, f"{server.http_url}/api/compose")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    cookie = answer.headers.get("Set-Cookie", "")
    if method in ("GET", "HEAD"):
        assert cookie.startswith("astradio_csrf=")
        assert "; HttpOnly; SameSite=Lax; Path=/" in cookie
    else:
        assert cookie == ""
    if method != "HEAD":
        assert answer.json()["error"]["code"] == "METHOD_NOT_ALLOWED"


def test_with_cookies_the_token_and_the_type_must_be_right(server: Served) -> None:
    with visiting(server) as visitor:
        assert visitor.post("/api/compose", SHORT).status_code == 200
        plain = visitor.client.post("/api/compose", json=SHORT, headers={"Origin": server.http_url})
        assert (plain.status_code, plain.json()["error"]["code"]) == (403, "CSRF_FAILED")
        typed = visitor.client.post(
            "/api/compose",
            content=json.dumps(SHORT),
            headers=visitor.headers | {"Content-Type": "text/plain"},
        )
        assert (typed.status_code, typed.json()["error"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_page_of_somebody_else_composes_nothing(server: Served) -> None:
    answer = compose(server.http_url, SHORT, Origin="https://elsewhere.example")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "ORIGIN_REFUSED")


class Later:
    """The server's clock, some minutes ahead."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock

    def now_ns(self) -> int:
        now_ns: int = self._clock.now_ns()
        return now_ns

    def unix_us(self) -> int:
        unix_us: int = self._clock.unix_us()
        return unix_us + 180_000_000


def test_a_key_means_the_same_moment_for_a_day(server: Served) -> None:
    body = {"mode": "transit", "seed": 5, "durationS": 1}
    first = piece(server.http_url, body, **{"Idempotency-Key": "moment-1"})
    clock = server.shell.clock
    server.shell.clock = Later(clock)
    try:
        again = piece(server.http_url, body, **{"Idempotency-Key": "moment-1"})
        without = piece(server.http_url, body)
    finally:
        server.shell.clock = clock
    assert digests(again) == digests(first)
    assert again["programme"] == first["programme"]
    assert without["programme"]["at"] != first["programme"]["at"]


def test_a_key_that_was_used_for_something_else_is_a_conflict(server: Served) -> None:
    key = {"Idempotency-Key": "conflict-1"}
    piece(server.http_url, SHORT, **key)
    answer = compose(server.http_url, SHORT | {"seed": 6}, **key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "CONFLICT")
    bad = compose(server.http_url, SHORT, **{"Idempotency-Key": "a key"})
    assert bad.json()["error"]["details"][0]["field"] == "Idempotency-Key"


# Accounts ---------------------------------------------------------------------------------------


def test_a_saved_chart_is_played_for_who_may_see_it(new_server: Served) -> None:
    with member(new_server) as owner, member(new_server) as other:
        private, public = owner.save(), owner.save(visibility="public")

        def natal(chart_id: str) -> dict[str, Any]:
            return {"mode": "natal", "charts": [{"chartId": chart_id}], "durationS": 1}

        mine = owner.post("/api/compose", natal(private))
        assert mine.status_code == 200, mine.text
        assert mine.json()["programme"]["charts"][0]["name"] == "Ada"
        assert other.post("/api/compose", natal(public)).status_code == 200
        hidden = other.post("/api/compose", natal(private))
        assert (hidden.status_code, hidden.json()["error"]["code"]) == (404, "NOT_FOUND")
        assert compose(new_server.http_url, natal(private)).status_code == 404


def test_an_account_keeps_its_pieces_until_it_ends(new_server: Served) -> None:
    body = {"mode": "natal", "charts": [BERLIN], "durationS": 1}
    with member(new_server) as visitor:
        for _ in range(2):
            told = visitor.post("/api/compose", body).json()
        kept = visitor.get("/api/account/export").json()["compositions"]
        assert len(kept) == 1
        assert kept[0]["answer"]["programmeId"] == told["programmeId"]
        user_id = visitor.get("/api/auth/session").json()["user"]["id"]
        assert visitor.send("DELETE", "/api/account").status_code == 204
    assert user_id.encode() not in written_about(new_server)


def rows_of(served: Served, query: str) -> list[Any]:
    """Return what a question to the database of a server that runs is answered."""
    path = served.shell.settings.data_dir / FILE_NAME
    with contextlib.closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


def written_about(served: Served) -> bytes:
    """Return all that is written in the files of the database."""
    folder = served.shell.settings.data_dir
    return b"".join(path.read_bytes() for path in sorted(folder.glob(f"{FILE_NAME}*")))


def files_in(served: Served) -> set[str]:
    return {path.stem for path in (served.shell.settings.data_dir / "media").rglob("*.*")}


def test_nobodys_birth_is_written_down_nowhere(tmp_path: Path, data_dir: Path) -> None:
    body = {
        "mode": "natal", "durationS": 1,
        "charts": [{"name": "Ada Byron", "datetime": "1915-12-10T13:07Z", "lat": 51.507, "lon": 0}],
    }  # fmt: skip
    with composing(tmp_path, data_dir) as served:
        first = piece(served.http_url, body, **{"Idempotency-Key": "ada-1"})
        again = piece(served.http_url, body, **{"Idempotency-Key": "ada-1"})
        assert digests(again) == digests(first)
        piece(served.http_url)  # that of nobody's sky is kept
        assert rows_of(served, "SELECT count(*) FROM compositions") == [(1,)]
        written = written_about(served)
        for secret in (b"Ada Byron", b"1915-12-10", b"51.507", b"127.0.0.1"):
            assert secret not in written
        # While the process lives it knows how to make the files again; then who ordered it does.
        shutil.rmtree(served.shell.settings.data_dir / "media")
        assert download(served.http_url, first, "audio")
        shutil.rmtree(served.shell.settings.data_dir / "media")
    with composing(tmp_path, data_dir) as served:
        assert httpx.get(served.http_url + first["audio"]["url"]).status_code == 404
        assert digests(piece(served.http_url, body)) == digests(first)
        assert download(served.http_url, first, "audio")


def test_without_an_account_a_key_keeps_the_moment_alone(new_server: Served) -> None:
    with member(new_server) as owner:
        chart_id = owner.save(visibility="public")
        body = {"mode": "overlay", "durationS": 1, "charts": [{"chartId": chart_id}]}
        key = {"Idempotency-Key": "overlay-1"}
        first = piece(new_server.http_url, body, **key)
        clock = new_server.shell.clock
        new_server.shell.clock = Later(clock)
        try:
            assert digests(piece(new_server.http_url, body, **key)) == digests(first)
        finally:
            new_server.shell.clock = clock
        owner.send("PATCH", f"/api/charts/{chart_id}", {"visibility": "private"})
        assert compose(new_server.http_url, body, **key).status_code == 404


def test_with_a_chart_go_the_pieces_that_play_it(new_server: Served) -> None:
    with member(new_server) as visitor:
        # A birth that nobody else here plays: a file that others have stays.
        chart_id = visitor.save(datetime="1987-03-03T05:06")
        other_id = visitor.save(name="Bob", datetime="1991-01-01")
        for n, one in enumerate((chart_id, other_id)):
            body = {"mode": "natal", "charts": [{"chartId": one}], "durationS": 1}
            told = visitor.post("/api/compose", body, **{"Idempotency-Key": f"piece-{n}"}).json()
            if one == chart_id:
                gone = told
        body = {"mode": "transit", "seed": 77, "durationS": 1, "at": "2020-01-01T00:00Z"}
        visitor.post("/api/compose", body)
        assert digests(gone)["audio"].removeprefix("sha256:") in files_in(new_server)
        assert visitor.send("DELETE", f"/api/charts/{chart_id}").status_code == 204
        export = visitor.get("/api/account/export").json()
        names = [
            [chart["name"] for chart in kept["programme"]["programme"]["charts"]]
            for kept in export["compositions"]
        ]
        assert names == [["Bob"], []]
        assert [kept["key"] for kept in export["answers"]] == ["piece-1"]
        assert export["answers"][0]["page"] == "POST /api/compose"
        assert digests(gone)["audio"].removeprefix("sha256:") not in files_in(new_server)
        assert visitor.get(gone["audio"]["url"]).status_code == 404


def test_with_an_account_go_its_files_unless_others_have_them(new_server: Served) -> None:
    birth = {"datetime": "1977-07-07T07:07Z", "lat": 7, "lon": 7}
    alone = {"mode": "natal", "charts": [birth], "durationS": 1}
    shared = {"mode": "transit", "seed": 78, "durationS": 1, "at": "2020-01-01T00:00Z"}
    piece(new_server.http_url, shared)
    with member(new_server) as visitor:
        mine = [visitor.post("/api/compose", body).json() for body in (alone, shared)]
        own, others = [digests(told)["audio"].removeprefix("sha256:") for told in mine]
        assert {own, others} <= files_in(new_server)
        assert visitor.send("DELETE", "/api/account").status_code == 204
    assert own not in files_in(new_server)
    assert others in files_in(new_server)
    assert httpx.get(new_server.http_url + mine[0]["audio"]["url"]).status_code == 404
    assert download(new_server.http_url, mine[1], "audio")


def test_an_account_that_ends_while_its_piece_is_made_gets_none(new_server: Served) -> None:
    with member(new_server) as visitor, ThreadPoolExecutor(1) as executor:
        body = {"mode": "natal", "charts": [BERLIN], "seed": 79, "durationS": 120}
        headers = visitor.headers | {"Cookie": "; ".join(
            f"{name}={value}" for name, value in visitor.client.cookies.items()
        )}  # fmt: skip
        n_made = count(new_server, "made")
        order = executor.submit(compose, new_server.http_url, body, **headers)
        while count(new_server, "made") == n_made:
            time.sleep(0.01)
        assert visitor.send("DELETE", "/api/account").status_code == 204
        answer = order.result()
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "AUTH_REQUIRED")


def test_pieces_of_an_account_survive_a_restart(tmp_path: Path, data_dir: Path) -> None:
    with composing(tmp_path, data_dir) as served, member(served) as visitor:
        before = visitor.post("/api/compose", SHORT).json()
        cookies, email = dict(visitor.client.cookies), visitor.email
    with composing(tmp_path, data_dir) as served, visiting(served) as visitor:
        visitor.email = email
        assert cookies
        assert visitor.login().status_code == 200
        after = visitor.post("/api/compose", SHORT).json()
    assert after["audio"]["cached"] is True
    assert digests(after) == digests(before)


# Bad input --------------------------------------------------------------------------------------

# fmt: off
BAD_BODIES: list[tuple[Any, int]] = [
    (b"",                                             400),
    (b"nonsense",                                     400),
    (b"null",                                         422),
    (b"[]",                                           422),
    (b'"text"',                                       422),
    (b"1e400",                                        400),
    (b"NaN",                                          400),
    (b'{"seed": NaN}',                                400),
    (b'{"seed": 1e400}',                              400),
    (b'{"seed": ' + b"1" * 50_000 + b"}",             400),
    (b'{"seed": 1, "seed": 2}',                       400),
    (b'{"mode": "\\ud800"}',                          400),
    (b"\xef\xbb\xbf{}",                               400),
    ('{"mode": "é"}'.encode("latin-1"),               400),
    (b"[" * 10_000 + b"]" * 10_000,                   400),
    (b'{"a":' * 10_000 + b"1" + b"}" * 10_000,        400),
    (b'{"mode": "' + b"x" * 70_000 + b'"}',           413),
]
BAD_FIELDS: list[tuple[dict[str, Any], set[str]]] = [
    ({"durationS": 0},                                {"durationS"}),
    ({"durationS": 0.999},                            {"durationS"}),
    ({"durationS": 601},                              {"durationS"}),
    ({"durationS": -1},                               {"durationS"}),
    ({"durationS": 10**200},                          {"durationS"}),
    ({"durationS": "60"},                             {"durationS"}),
    ({"durationS": None},                             {"durationS"}),
    ({"durationS": True},                             {"durationS"}),
    ({"durationS": [60]},                             {"durationS"}),
    ({"durationS": 0, "seed": -1, "mode": "x"},       {"durationS", "seed", "mode"}),
    ({"seed": 0.5},                                   {"seed"}),
    ({"seed": 2**53},                                 {"seed"}),
    ({"rate": -1},                                    {"rate"}),
    ({"at": "yesterday"},                             {"at"}),
    ({"at": "1700-01-01T00:00:00Z"},                  {"at"}),
    ({"place": {"lat": 91}},                          {"place.lat", "place.lon"}),
    ({"place": []},                                   {"place"}),
    ({"charts": [{"chartId": "x"}]},                  {"charts"}),
    ({"charts": {}},                                  {"charts"}),
    ({"modelVersions": {"audio": "v9"}},              {"modelVersions.audio"}),
    ({"modelVersions": []},                           {"modelVersions"}),
    ({"station": 1},                                  {"station"}),
    ({"station": "now", "seed": 1},                   {"seed"}),
]
# fmt: on


@pytest.mark.parametrize(("body", "status"), BAD_BODIES, ids=lambda value: str(value)[:24])
def test_bad_bodies_have_a_stated_status(server: Served, body: bytes, status: int) -> None:
    began = time.process_time()
    answer = httpx.post(f"{server.http_url}/api/compose", content=body)
    spent_s = time.process_time() - began  # client and server are one process here
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["code"] in ("BAD_JSON", "VALIDATION_FAILED", "PAYLOAD_TOO_LARGE")
    assert answer.json()["requestId"] == answer.headers["X-Request-Id"]
    assert spent_s < 0.3


@pytest.mark.parametrize(("fields", "named"), BAD_FIELDS)
def test_every_wrong_field_is_named_at_once(
    server: Served, fields: dict[str, Any], named: set[str]
) -> None:
    answer = compose(server.http_url, fields)
    assert answer.status_code == 422, answer.text
    error = answer.json()["error"]
    assert error["code"] == "VALIDATION_FAILED"
    assert {detail["field"] for detail in error["details"]} == named
    assert all(detail["message"] for detail in error["details"])


@pytest.mark.parametrize(
    "headers",
    [{"Content-Encoding": "gzip"}, {"Content-Encoding": "br"}],
    ids=str,
)
def test_a_compressed_body_is_415(server: Served, headers: dict[str, str]) -> None:
    answer = compose(server.http_url, SHORT, **headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_an_unknown_station_is_404(server: Served) -> None:
    assert compose(server.http_url, {"station": "nowhere"}).status_code == 404


# When the disk refuses --------------------------------------------------------------------------


def test_a_disk_that_takes_nothing_is_503_and_recovers(tmp_path: Path, data_dir: Path) -> None:
    with composing(tmp_path, data_dir) as served:
        media = tmp_path / "data" / "media"
        media.write_text("a file stands where the folder should")
        refused = compose(served.http_url)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "STORE_UNAVAILABLE")
        assert "media" not in refused.json()["error"]["message"]
        assert int(refused.headers["Retry-After"]) >= 1
        media.unlink()
        assert compose(served.http_url).status_code == 200


def test_words_are_rehearsed_at_the_start(server: Served) -> None:
    assert httpx.get(f"{server.http_url}/readyz").json()["checks"]["model_text"] is True
