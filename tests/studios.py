"""A real server that composes, and what tests ask of it."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.serving import Served, serving, settings_in

TRANSIT = {"mode": "transit", "seed": 123, "at": "2026-11-23T22:00:00Z"}
KINDS = ("audio", "viz", "midi")
FORM = "application/x-www-form-urlencoded"
"""What curl and urllib say of a body when nobody tells them what it is."""


@contextlib.contextmanager
def composing(
    folder: Path, data_dir: Path, audio: str | None = None, **environ: str
) -> Iterator[Served]:
    """Run a server with data of its own and the banks that are made already.

    Args:
        folder: Where its data lies.
        data_dir: Where the banks are.
        audio: The audio model that it plays, offered or not; else the newest that is offered.
        environ: Its settings.
    """
    data = folder / "data"
    data.mkdir(exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (data / "banks").symlink_to(data_dir / "banks")
    settings = settings_in(folder, **{"RATE_LIMIT_MAX": "1000000"} | environ)
    if audio is not None:
        settings = dataclasses.replace(settings, default_audio_model=audio)
    with serving(settings) as served:
        yield served


def compose(url: str, body: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
    """Ask for a piece, of a second unless the body says otherwise."""
    asked = TRANSIT | {"durationS": 1} if body is None else body
    return httpx.post(f"{url}/api/compose", json=asked, headers=headers, timeout=60)


def piece(url: str, body: dict[str, Any] | None = None, **headers: str) -> dict[str, Any]:
    """Return a piece."""
    answer = compose(url, body, **headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def digests(told: dict[str, Any]) -> dict[str, str]:
    """Return every digest of a piece."""
    kinds = {kind: told[kind]["digest"] for kind in KINDS if told[kind]}
    return kinds | {"pcm": told["audio"]["pcmDigest"], "text": told["text"]["digest"]}


def download(url: str, told: dict[str, Any], kind: str) -> bytes:
    """Return a file of a piece, whose digest is right."""
    answer = httpx.get(url + told[kind]["url"], timeout=60)
    assert answer.status_code == 200, answer.text
    assert f"sha256:{hashlib.sha256(answer.content).hexdigest()}" == told[kind]["digest"]
    return answer.content


def count(served: Served, result: str) -> float:
    """Return how many pieces were asked for with some result."""
    name = "astradio_pieces_total"
    found = served.shell.metrics.registry.get_sample_value(name, {"result": result})
    return found or 0.0
