"""Copy what must survive into a new folder, while the server runs.

    astradio-stream backup /var/backups/astradio/2026-03-20

What was acknowledged before the command began is in the copy. In the folder:

    astradio.db     accounts, charts, pieces: one state of the database
    media.json      manifest of the composed files, which are made again from the database
    limits.json     how the rate limits stand, where a server runs (to look at, not to restore)
    versions.json   flags, model versions and builds
    settings.json   every setting; there are no secrets among them
    manifest.json   the digest of each file, the number of rows of each table

It holds personal data and the key that signs tokens: only its owner may read it.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sqlite3
import time
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from tqdm import tqdm

from astradio_stream import __version__
from astradio_stream.audio import opus
from astradio_stream.commands.asking import ask_servers
from astradio_stream.errors import Conflict, NotFound
from astradio_stream.server.studio import build_id
from astradio_stream.settings import TABLE
from astradio_stream.store.database import FILE_NAME
from astradio_stream.stream.versions import VERSIONS

if TYPE_CHECKING:
    import argparse

    from astradio_stream.settings import Settings

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
_PAGES: Final = 256
"""Copied at once: a megabyte."""


def add(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="that is not there yet, or empty")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Copy."""
    database, folder = settings.data_dir / FILE_NAME, args.folder
    if not database.is_file():
        raise NotFound(f"there is no {database}: nothing to copy yet")
    if folder.exists() and any(folder.iterdir()):
        raise Conflict(f"{folder} is not empty; a backup goes into a new folder")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    copy_database(database, folder / FILE_NAME)
    _write(folder / "media.json", _media(folder / FILE_NAME, settings))
    _write(folder / "limits.json", _limits(settings))
    _write(folder / "versions.json", _versions(settings))
    _write(folder / "settings.json", {row.name: _plain(row.attribute, settings) for row in TABLE})
    names = sorted(path.name for path in folder.iterdir())
    rows = rows_of(folder / FILE_NAME)
    manifest = {
        "format": FORMAT,
        "began": began,
        "files": {name: digest_of(folder / name) for name in names},
        "rows": rows,
    }
    _write(folder / MANIFEST, manifest)  # last: without it a folder is no backup
    print(f"{folder}: {', '.join(f'{n} {name}' for name, n in rows.items())}")
    return 0


def copy_database(source: Path, target: Path) -> None:
    """Copy a database that others may be writing to, as it is at one moment."""
    uri = f"file:{quote(str(source))}?mode=ro"
    with (
        contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as reading,
        contextlib.closing(sqlite3.connect(target)) as writing,
        tqdm(unit="page", desc=source.name, disable=None) as told,
    ):
        # A transaction that reads keeps the state it began with, however long the copy takes.
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_master").fetchone()

        def tell(_status: int, n_left: int, n_pages: int) -> None:
            told.total = n_pages
            told.update(n_pages - n_left - told.n)

        reading.backup(writing, pages=_PAGES, progress=tell, sleep=0)
        writing.execute("PRAGMA journal_mode = DELETE")
    target.chmod(0o600)
    sync(target)


def rows_of(database: Path) -> dict[str, int]:
    """Return how many rows each table has."""
    uri = f"file:{quote(str(database))}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as reading:
        tables = reading.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
        return {
            name: reading.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
            for (name,) in tables.fetchall()
        }


def digest_of(path: Path) -> dict[str, Any]:
    """Return length and SHA-256 of a file."""
    digest = sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}


def sync(path: Path) -> None:
    """Return when a file or folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(path: Path, told: object) -> None:
    path.write_text(json.dumps(told, indent=2) + "\n")
    path.chmod(0o600)
    sync(path)


def _media(database: Path, settings: Settings) -> list[dict[str, Any]]:
    """Return the composed files that the database knows, and whether each is there now."""
    uri = f"file:{quote(str(database))}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as reading:
        rows = reading.execute("SELECT DISTINCT kind, digest FROM media ORDER BY 1, 2").fetchall()
    there = {path.stem for path in (settings.data_dir / "media").glob("*/*")}
    return [{"kind": k, "sha256": digest, "kept": digest in there} for k, digest in rows]


def _limits(settings: Settings) -> list[dict[str, Any]]:
    try:
        return ask_servers(settings.data_dir, "limits")
    except NotFound:
        return []


def _versions(settings: Settings) -> dict[str, Any]:
    return {
        "program": __version__,
        "build": build_id(),
        "flags": {"ENABLE_VIZ_ENGINE": settings.enable_viz_engine},
        "defaultAudioModel": settings.default_audio_model,
        "models": {name: list(versions) for name, versions in VERSIONS.items()},
        "codec": opus.library().version,
        "numpy": version("numpy"),
        "python": platform.python_version(),
    }


def _plain(attribute: str, settings: Settings) -> object:
    value = getattr(settings, attribute)
    if isinstance(value, tuple):
        return [list(entry) if isinstance(entry, tuple) else str(entry) for entry in value]
    return str(value) if isinstance(value, Path) else value
