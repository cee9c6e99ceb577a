"""The towns are read from a file that another process makes; whatever it holds, they are there."""

from __future__ import annotations

import asyncio
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from astradio_stream.server import towns as module
from astradio_stream.server.towns import keep, kept, path_in, towns, warm_up
from astradio_stream.sky.gazetteer import Gazetteer, load_gazetteer
from tests.processes import running
from tests.serving import SilentEngine, serving, settings_in


@pytest.fixture(autouse=True)
def nothing_is_loaded() -> Iterator[None]:
    """As in a process that has just begun."""
    before = module._loaded.copy()
    module._loaded.clear()
    yield
    module._loaded[:] = before


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file, as another process makes it."""
    folder = tmp_path_factory.mktemp("data")
    keep(path_in(folder))
    return path_in(folder)


def test_what_is_kept_is_what_was_read(file: Path) -> None:
    found, read = kept(file), load_gazetteer()
    assert found is not None
    assert list(found.towns) == list(read.towns)
    for query in ("s", "wien", "são", "münchen", "北京", "zzz"):
        assert found.search(query, 50) == read.search(query, 50)


def test_the_towns_are_read_before_anybody_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_read = threading.Event()

    def read() -> Gazetteer:
        is_read.set()
        return Gazetteer.of({})

    monkeypatch.setattr(module, "_have_made", lambda _path: asyncio.sleep(0))
    monkeypatch.setattr(module, "load_gazetteer", read)
    with serving(settings_in(tmp_path), SilentEngine()):
        assert is_read.wait(10)


def test_a_first_start_has_the_file_made_and_the_next_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(warm_up(tmp_path))
    made = path_in(tmp_path).stat()
    assert len(module._loaded[0].towns) > 50_000

    module._loaded.clear()
    monkeypatch.setattr(subprocess, "Popen", lambda *_args, **_named: pytest.fail("made again"))
    asyncio.run(warm_up(tmp_path))
    assert len(module._loaded[0].towns) > 50_000
    assert path_in(tmp_path).stat() == made


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "no file of this kind", "folder"])
def test_a_damaged_file_is_made_again(file: Path, tmp_path: Path, damage: str) -> None:
    content = bytearray(file.read_bytes())
    path = path_in(tmp_path)
    path.parent.mkdir(parents=True)
    if damage == "folder":
        path.mkdir()
    else:
        content[len(content) // 2] ^= 1
        written = {"cut": content[:-100], "flipped": content, "empty": b""}
        path.write_bytes(written.get(damage, b"PK no zip at all"))
    assert kept(path) is None
    asyncio.run(warm_up(tmp_path))
    assert len(towns(tmp_path).towns) > 50_000
    if damage != "folder":
        assert kept(path) is not None


def test_an_older_file_goes_and_others_stay(tmp_path: Path) -> None:
    path = path_in(tmp_path)
    path.parent.mkdir(parents=True)
    older, other = path.with_name("towns-0123456789abcdef.npz"), path.with_name("mine.txt")
    older.touch()
    other.touch()
    keep(path)
    assert sorted(path.parent.iterdir()) == sorted([path, other])


def test_a_folder_that_takes_no_files_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "places").touch()  # a file stands where the folder should be
    asyncio.run(warm_up(tmp_path))
    assert len(towns(tmp_path).towns) > 50_000


def test_threads_that_ask_for_towns_at_once_share_one_reading(tmp_path: Path) -> None:
    load_gazetteer.cache_clear()
    with ThreadPoolExecutor(3) as executor:
        loaded = list(executor.map(lambda _: towns(tmp_path), range(3)))
    assert all(other is loaded[0] for other in loaded)
    assert load_gazetteer.cache_info().misses == 1


def test_the_process_that_makes_the_file_ends_with_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    children: list[subprocess.Popen[bytes]] = []
    begin = subprocess.Popen

    def begun(*args: object, **named: object) -> subprocess.Popen[bytes]:
        children.append(begin(*args, **named))  # type: ignore[call-overload]
        return children[0]

    monkeypatch.setattr(subprocess, "Popen", begun)
    monkeypatch.setattr(module, "_MAKE", "import time; time.sleep(60)")
    began = time.monotonic()
    with serving(settings_in(tmp_path), SilentEngine()):
        pass
    assert time.monotonic() - began < 20
    assert children[0].wait(5) != 0


def test_a_real_server_answers_with_towns_at_its_first_start_and_at_its_next(
    tmp_path: Path, data_dir: Path
) -> None:
    for _ in range(2):
        with running(tmp_path, data_dir) as server:
            answer = httpx.get(f"{server.url}/api/places?q=lodz", timeout=30)
            assert answer.json()[0]["name"] == "Łódź"
