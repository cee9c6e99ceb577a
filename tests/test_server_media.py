"""Files of pieces: immutable under their digest, in parts, in bounds, made again when evicted."""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astradio_stream.errors import StoreUnavailable
from astradio_stream.server import media
from astradio_stream.server.media import KINDS, MediaFolder, digest_in, url_of
from astradio_stream.server.media_routes import span_of
from astradio_stream.store.compositions import KINDS as STORED_KINDS
from tests.serving import Served
from tests.studios import TRANSIT, composing, count, download, piece
from tests.visitor import member

DIGEST = hashlib.sha256(b"x").hexdigest()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Served]:
    with composing(tmp_path_factory.mktemp("media"), data_dir) as served:
        yield served


@pytest.fixture(scope="module")
def told(server: Served) -> dict[str, Any]:
    return piece(server.http_url, TRANSIT | {"durationS": 2})


@pytest.fixture
def folder(tmp_path: Path) -> MediaFolder:
    return MediaFolder(tmp_path / "media", 10_000)


# Names ------------------------------------------------------------------------------------------


def test_the_kinds_are_those_of_the_store() -> None:
    assert tuple(KINDS) == STORED_KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_an_address_leads_back_to_its_digest(kind: str) -> None:
    _, _, folder, name = url_of(kind, DIGEST).split("/")
    assert digest_in(folder, name) == DIGEST


@given(kind=st.sampled_from([*KINDS, "", "..", "Audio"]), name=st.text(max_size=80))
def test_no_other_name_becomes_a_path(kind: str, name: str) -> None:
    digest = digest_in(kind, name)
    assert digest is None or (kind in KINDS and name == f"{digest}.{KINDS[kind].ending}")


# fmt: off
BAD_NAMES = [
    f"audio/{DIGEST}", f"audio/{DIGEST}.mid", f"audio/{DIGEST}.opus.opus", f"audio/{DIGEST}.OPUS",
    f"audio/{DIGEST.upper()}.opus", f"audio/{DIGEST[:-1]}.opus", f"audio/{DIGEST}0.opus",
    f"audio/{DIGEST}.opus/", f"audio/{DIGEST}.opus%00", f"audio/{DIGEST}%0a.opus",
    f"audio//{DIGEST}.opus", f"audio/..%2f{DIGEST}.opus", f"audio/../midi/{DIGEST}.mid",
    f"audio/%2e%2e/{DIGEST}.opus", f"audio/{'٣' * 64}.opus".encode().hex(), f"text/{DIGEST}.txt",
    f"../media/audio/{DIGEST}.opus", "audio/../../astradio.db", "..%2f..%2fastradio.db",
    "%2fetc%2fpasswd", "audio/" + "a" * 4_000, "audio/", "", "audio", f"banks/{DIGEST}.npy",
    f"audio/{'0' * 63}g.opus", f"audio/{DIGEST}.opus;x", f"audio\\{DIGEST}.opus",
]
# fmt: on


@pytest.mark.parametrize("name", BAD_NAMES, ids=lambda name: name[:40])
def test_other_spellings_are_404_and_reach_no_disk(
    server: Served, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[str, str]] = []
    real = MediaFolder.open

    def watched(self: MediaFolder, kind: str, digest: str) -> Any:
        opened.append((kind, digest))
        return real(self, kind, digest)

    monkeypatch.setattr(MediaFolder, "open", watched)
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", f"/media/{name}")
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 404
    assert b"NOT_FOUND" in body
    assert all(kind in KINDS and len(digest) == 64 for kind, digest in opened)


def test_an_unknown_digest_is_404(server: Served) -> None:
    answer = httpx.get(server.http_url + url_of("audio", DIGEST))
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert answer.headers["Cache-Control"] == "no-store"


# Answers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_for_ever(server: Served, told: dict[str, Any], kind: str) -> None:
    url = server.http_url + told[kind]["url"]
    answer = httpx.get(url)
    digest = hashlib.sha256(answer.content).hexdigest()
    assert answer.headers["ETag"] == f'"{digest}"'
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Type"] == KINDS[kind].media_type
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    head = httpx.head(url)
    assert (head.status_code, head.content) == (200, b"")
    same = ("ETag", "Cache-Control", "Content-Type", "Content-Length", "Accept-Ranges")
    assert all(head.headers[name] == answer.headers[name] for name in same)


def test_who_has_the_file_gets_it_not_again(server: Served, told: dict[str, Any]) -> None:
    url = server.http_url + told["midi"]["url"]
    etag = httpx.head(url).headers["ETag"]
    for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        answer = httpx.get(url, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["ETag"] == etag
        assert "Content-Length" not in answer.headers
    assert httpx.get(url, headers={"If-None-Match": '"other"'}).status_code == 200


# fmt: off
RANGES: list[tuple[str, range | None]] = [
    # header              of 100 bytes; None: it is ignored; empty: there are none
    ("bytes=0-0",         range(1)),
    ("bytes=0-99",        range(100)),
    ("bytes=10-19",       range(10, 20)),
    ("bytes=10-",         range(10, 100)),
    ("bytes=99-",         range(99, 100)),
    ("bytes=90-1000",     range(90, 100)),
    ("bytes=-1",          range(99, 100)),
    ("bytes=-100",        range(100)),
    ("bytes=-1000",       range(100)),
    ("bytes=100-",        range(0)),
    ("bytes=100-200",     range(0)),
    ("bytes=-0",          range(0)),
    ("bytes=5-4",         None),
    ("bytes=-",           None),
    ("bytes=",            None),
    ("bytes=0-1,5-6",     None),
    ("bytes=a-b",         None),
    ("bytes=1" + "0" * 20 + "-", None),
    ("items=0-1",         None),
    ("",                  None),
]
# fmt: on


@pytest.mark.parametrize(("header", "expected"), RANGES)
def test_ranges_are_read_as_the_rfc_has_them(header: str, expected: range | None) -> None:
    found = span_of(header, 100)
    assert found == expected or (found is not None and not found and not expected)


def test_a_part_of_a_file(server: Served, told: dict[str, Any]) -> None:
    url, whole = server.http_url + told["audio"]["url"], download(server.http_url, told, "audio")
    part = httpx.get(url, headers={"Range": "bytes=100-1099"})
    assert (part.status_code, part.content) == (206, whole[100:1100])
    assert part.headers["Content-Range"] == f"bytes 100-1099/{len(whole)}"
    assert int(part.headers["Content-Length"]) == 1_000
    last = httpx.get(url, headers={"Range": "bytes=-7"})
    assert (last.status_code, last.content) == (206, whole[-7:])
    beyond = httpx.get(url, headers={"Range": f"bytes={len(whole)}-"})
    assert (beyond.status_code, beyond.json()["error"]["code"]) == (416, "RANGE_NOT_SATISFIABLE")
    assert beyond.headers["Content-Range"] == f"bytes */{len(whole)}"
    several = httpx.get(url, headers={"Range": "bytes=0-1,4-5"})
    assert (several.status_code, several.content) == (200, whole)
    other = httpx.get(url, headers={"Range": "bytes=0-1", "If-Range": '"other"'})
    assert (other.status_code, other.content) == (200, whole)
    same = httpx.get(url, headers={"Range": "bytes=0-1", "If-Range": part.headers["ETag"]})
    assert (same.status_code, same.content) == (206, whole[:2])


def test_only_reading_methods(server: Served, told: dict[str, Any]) -> None:
    answer = httpx.post(server.http_url + told["audio"]["url"])
    assert answer.status_code == 405
    assert {m.strip() for m in answer.headers["Allow"].split(",")} == {"GET", "HEAD"}


def test_what_was_thrown_away_is_made_again(server: Served) -> None:
    told = piece(server.http_url, TRANSIT | {"durationS": 3, "seed": 31})
    before = download(server.http_url, told, "viz")
    for path in (server.shell.settings.data_dir / "media").rglob("*.*"):
        path.unlink()
    n_made = count(server, "made")
    assert download(server.http_url, told, "viz") == before
    assert httpx.head(server.http_url + told["audio"]["url"]).status_code == 200
    assert count(server, "made") == n_made + 1


def test_what_is_made_again_costs_as_much_as_a_piece(tmp_path: Path, data_dir: Path) -> None:
    def tokens_for(answer: httpx.Response) -> int:
        return 1_000 - int(answer.headers["RateLimit"].split(";")[1].removeprefix("r="))

    limit = {"RATE_LIMIT_MAX": "1000", "RATE_LIMIT_WINDOW_S": "86400"}
    with composing(tmp_path, data_dir, **limit) as served:
        told = piece(served.http_url, TRANSIT | {"durationS": 1, "seed": 32})
        url = served.http_url + told["audio"]["url"]
        before = tokens_for(httpx.get(url))
        shutil.rmtree(tmp_path / "data" / "media")
        assert tokens_for(httpx.get(url)) == before + 5
        assert tokens_for(httpx.get(url)) == before + 6
        shutil.rmtree(tmp_path / "data" / "media")
        served.change_settings(max_listeners=0)
        full = httpx.get(url)
        assert (full.status_code, full.json()["error"]["code"]) == (503, "OVERLOADED")


def test_what_is_made_again_costs_the_account_as_much_too(tmp_path: Path, data_dir: Path) -> None:
    def left(answer: httpx.Response) -> int:
        return int(answer.headers["RateLimit"].split('"account";r=')[1].partition(";")[0])

    limit = {"RATE_LIMIT_MAX": "1000", "RATE_LIMIT_WINDOW_S": "86400"}
    with composing(tmp_path, data_dir, **limit) as served, member(served) as ada:
        told = ada.post("/api/compose", TRANSIT | {"durationS": 1, "seed": 33})
        url = told.json()["audio"]["url"]
        shutil.rmtree(tmp_path / "data" / "media")
        assert left(ada.get(url)) == left(told) - 5
        shutil.rmtree(tmp_path / "data" / "media")
        served.change_settings(rate_limit_max=5)  # what is missing stays missing: none is left
        refused = ada.client.get(url, headers={"X-Forwarded-For": "192.0.2.1"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "RATE_LIMITED")


def test_who_has_a_file_that_was_thrown_away_needs_it_not_made_again(
    tmp_path: Path, data_dir: Path
) -> None:
    with composing(tmp_path, data_dir) as served:
        told = piece(served.http_url, TRANSIT | {"durationS": 1, "seed": 34})
        url, digest = told["audio"]["url"], told["audio"]["digest"].removeprefix("sha256:")
        shutil.rmtree(tmp_path / "data" / "media")
        n_made = count(served, "made")
        for known in (f'"{digest}"', "*"):
            answer = httpx.get(served.http_url + url, headers={"If-None-Match": known})
            assert (answer.status_code, answer.headers["ETag"]) == (304, f'"{digest}"')
        assert count(served, "made") == n_made
        unknown = {"If-None-Match": f'"{DIGEST}"'}
        answer = httpx.get(served.http_url + url_of("audio", DIGEST), headers=unknown)
        assert answer.status_code == 404


def test_after_a_restart_it_is_made_again_from_what_the_store_knows(
    tmp_path: Path, data_dir: Path
) -> None:
    body = TRANSIT | {"durationS": 2, "seed": 8}
    with composing(tmp_path, data_dir) as served:
        told = piece(served.http_url, body)
        files = {kind: download(served.http_url, told, kind) for kind in KINDS}
    for path in (tmp_path / "data" / "media").rglob("*.*"):
        path.unlink()
    with composing(tmp_path, data_dir) as served:
        assert {kind: download(served.http_url, told, kind) for kind in KINDS} == files


def test_a_file_that_this_build_makes_otherwise_is_gone(tmp_path: Path, data_dir: Path) -> None:
    body = TRANSIT | {"durationS": 1, "seed": 9}
    with composing(tmp_path, data_dir) as served:
        told = piece(served.http_url, body)
    for path in (tmp_path / "data" / "media").rglob("*.*"):
        path.unlink()
    with composing(tmp_path, data_dir, OPUS_BITRATE="64000") as served:
        assert httpx.get(served.http_url + told["audio"]["url"]).status_code == 404
        assert download(served.http_url, told, "midi")


def test_the_folder_stays_within_its_bound_and_nothing_is_lost(
    tmp_path: Path, data_dir: Path
) -> None:
    with composing(tmp_path, data_dir, ASTRADIO_MEDIA_MB="1") as served:
        bodies = [TRANSIT | {"durationS": 20, "seed": seed} for seed in range(5)]
        told = [piece(served.http_url, body) for body in bodies]
        files = list((tmp_path / "data" / "media").rglob("*.*"))
        assert sum(path.stat().st_size for path in files) <= 1_000_000
        assert len(files) < 15
        for one in told:
            download(served.http_url, one, "audio")


# The folder -------------------------------------------------------------------------------------


def test_what_is_kept_is_found(folder: MediaFolder) -> None:
    digest = folder.keep("midi", b"notes")
    assert digest == hashlib.sha256(b"notes").hexdigest()
    assert folder.keep("midi", b"notes") == digest
    file = folder.open("midi", digest)
    assert file is not None
    with file:
        assert file.read() == b"notes"
    assert folder.open("audio", digest) is None


def test_what_was_asked_for_longest_ago_goes_first(folder: MediaFolder, tmp_path: Path) -> None:
    digests = []
    for n in range(3):
        digests.append(folder.keep("audio", bytes([n]) * 4_000))
        path = tmp_path / "media" / "audio" / f"{digests[-1]}.opus"
        if path.exists():
            os.utime(path, (0, time.time() - 1_000 + n))
    assert folder.open("audio", digests[0]) is None
    found = folder.open("audio", digests[1])  # asked for now, so the other one is older
    assert found is not None
    found.close()
    newest = folder.keep("audio", b"\xff" * 4_000)
    kept = [d for d in (*digests, newest) if (tmp_path / "media/audio" / f"{d}.opus").exists()]
    assert kept == [digests[1], newest]


def test_an_open_file_is_read_to_its_end_though_it_is_deleted(folder: MediaFolder) -> None:
    digest = folder.keep("audio", b"a" * 9_000)
    file = folder.open("audio", digest)
    assert file is not None
    folder.keep("audio", b"b" * 9_000)
    assert folder.open("audio", digest) is None
    with file:
        assert file.read() == b"a" * 9_000


def test_a_file_larger_than_the_bound_is_kept_until_the_next(folder: MediaFolder) -> None:
    digest = folder.keep("audio", b"a" * 20_000)
    file = folder.open("audio", digest)
    assert file is not None
    file.close()


def test_parts_that_nobody_finished_are_deleted(folder: MediaFolder, tmp_path: Path) -> None:
    folder.keep("viz", b"{}")
    old, new = tmp_path / "media/viz/old.part", tmp_path / "media/viz/new.part"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0, time.time() - 10_000))
    folder.tidy()
    assert (old.exists(), new.exists()) == (False, True)


def test_a_write_that_fails_leaves_nothing(
    folder: MediaFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(media.os, "fsync", full)
    with pytest.raises(StoreUnavailable) as refused:
        folder.keep("audio", b"a")
    assert str(tmp_path) not in refused.value.message
    assert list((tmp_path / "media/audio").iterdir()) == []


def test_threads_that_keep_the_same_file_do_not_tear_it(tmp_path: Path) -> None:
    folder = MediaFolder(tmp_path / "media", 1 << 20)
    data = os.urandom(300_000)
    digest = hashlib.sha256(data).hexdigest()
    torn: list[int] = []

    def read() -> None:
        for _ in range(200):
            file = folder.open("audio", digest)
            if file is not None:
                with file:
                    if file.read() != data:
                        torn.append(1)

    threads = [threading.Thread(target=folder.keep, args=("audio", data)) for _ in range(6)]
    threads += [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not torn
    assert [path.name for path in (tmp_path / "media/audio").iterdir()] == [f"{digest}.opus"]


@pytest.mark.parametrize("digest", ["", "..", "a" * 63, "A" * 64, "../" * 21 + "a"])
def test_the_folder_itself_takes_digests_alone(folder: MediaFolder, digest: str) -> None:
    with pytest.raises(ValueError, match="64 hexadecimal"):
        folder.open("audio", digest)
