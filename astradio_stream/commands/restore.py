"""Put a backup back where nothing is, and prove that it arrived whole.

    systemctl stop astradio
    astradio-stream restore /var/backups/astradio/2026-03-20
    systemctl start astradio

Nothing is overwritten: a database in ASTRADIO_DATA_DIR must be moved away first, and a server that
uses the folder must be stopped. The copy is checked before and after: digests, the database's own
check of its integrity, the number of rows. Composed files are made again when they are asked for.
Settings are not touched; where they differ from those of the backup, it is said.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from astradio_stream.commands.asking import ask_servers
from astradio_stream.commands.backup import FORMAT, MANIFEST, digest_of, rows_of, sync
from astradio_stream.errors import Conflict, NotFound
from astradio_stream.server.studio import build_id
from astradio_stream.store.database import FILE_NAME

if TYPE_CHECKING:
    import argparse

    from astradio_stream.settings import Settings


def add(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="that `backup` made")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Check, copy, check."""
    manifest = read_manifest(args.folder)
    _require_nothing_there(settings)
    verify(args.folder / FILE_NAME, manifest)
    target = settings.data_dir / FILE_NAME
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".restoring")
    try:
        shutil.copyfile(args.folder / FILE_NAME, part)
        part.chmod(0o600)
        sync(part)
        verify(part, manifest)
        part.rename(target)
        sync(target.parent)
    finally:
        part.unlink(missing_ok=True)
    rows = ", ".join(f"{n} {name}" for name, n in manifest["rows"].items())
    print(f"{target}: {rows}, as of {manifest['began']}")
    before = json.loads((args.folder / "versions.json").read_text())
    if before["build"] != build_id():
        print("note  another build made the backup: its files of pieces may not be made again")
    return 0


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a backup whose files are all as they were.

    Raises:
        NotFound: it is no backup, or not whole.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError):
        raise NotFound(f"{folder} is no backup: it has no {MANIFEST}") from None
    if manifest.get("format") != FORMAT:
        raise NotFound(f"{folder} is a backup of another format, made by a newer program")
    for name, told in manifest["files"].items():
        path = folder / Path(name).name
        if not path.is_file() or digest_of(path) != told:
            raise NotFound(f"{path} is not the file that was backed up")
    return manifest


def verify(database: Path, manifest: dict[str, Any]) -> None:
    """Check a database against a manifest.

    Raises:
        NotFound: it is damaged, or another one.
    """
    if digest_of(database) != manifest["files"][FILE_NAME]:
        raise NotFound(f"{database} is not the database that was backed up")
    uri = f"file:{quote(str(database))}?mode=ro&immutable=1"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as reading:
        found = reading.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok" or rows_of(database) != manifest["rows"]:
        raise NotFound(f"{database} is damaged: {found}")


def _require_nothing_there(settings: Settings) -> None:
    for ending in ("", "-wal", "-shm"):
        path = settings.data_dir / f"{FILE_NAME}{ending}"
        if path.exists():
            raise Conflict(f"{path} is there; nothing is overwritten, move it away first")
    with contextlib.suppress(NotFound):
        pids = [answer["pid"] for answer in ask_servers(settings.data_dir, "status")]
        raise Conflict(f"a server runs on {settings.data_dir} (pid {pids[0]}); stop it first")
