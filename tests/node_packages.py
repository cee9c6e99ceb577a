"""The two packages from npm that tests use, fetched without npm: a lock file, a digest, an archive.

`npm ci` in tests/javascript gives the same. Nothing of them is part of the player.
"""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from base64 import b64encode
from io import BytesIO
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

import pytest

HERE: Final = Path(__file__).resolve().parent / "javascript"
REGISTRY: Final = "https://registry.npmjs.org"
TIMEOUT_S: Final = 60.0


def package_dir(name: str) -> Path:
    """Return the folder of a package of the lock file, fetched if it is not there.

    Without a network the test is skipped, or fails in CI.
    """
    locked = json.loads((HERE / "package-lock.json").read_text())["packages"][
        f"node_modules/{name}"
    ]
    folder = HERE / "node_modules" / name
    manifest = folder / "package.json"
    if manifest.is_file() and json.loads(manifest.read_text())["version"] == locked["version"]:
        return folder
    try:
        archive = fetched(name, locked["version"])
    except (URLError, TimeoutError) as error:
        reason = f"{name} cannot be fetched from the registry of npm: {error}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    assert integrity_of(archive) == locked["integrity"], f"{name} is not what the lock file says"
    unpack(archive, folder)
    return folder


def fetched(name: str, version: str) -> bytes:
    """Return the archive of a package as the registry has it."""
    with urlopen(f"{REGISTRY}/{name}/-/{name}-{version}.tgz", timeout=TIMEOUT_S) as response:  # noqa: S310
        return bytes(response.read())


def integrity_of(archive: bytes) -> str:
    """Return the digest as lock files write it."""
    return "sha512-" + b64encode(hashlib.sha512(archive).digest()).decode()


def unpack(archive: bytes, folder: Path) -> None:
    """Write the files of an archive; its manifest comes last, so that half a folder is none."""
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        members = [one for one in files.getmembers() if one.isfile()]
        for member in sorted(members, key=lambda one: one.name == "package/package.json"):
            target = folder.joinpath(*Path(member.name).parts[1:])
            assert target.resolve().is_relative_to(folder.resolve()), member.name
            target.parent.mkdir(parents=True, exist_ok=True)
            source = files.extractfile(member)
            assert source is not None
            target.write_bytes(source.read())
