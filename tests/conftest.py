"""What many tests share: the note banks, made once, and a folder where servers find them."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from astradio_stream.server.banks import load_bank
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.versions import ModelVersions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from astradio_stream.audio.bank import Bank


@pytest.fixture(scope="session", autouse=True)
def _no_certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep httpx from reading the world's certificates for each client: loopback has no TLS."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_DIR", str(tmp_path_factory.mktemp("none")))
        yield


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that holds the note banks."""
    folder = tmp_path_factory.mktemp("data")
    for model in AUDIO_MODELS.values():
        load_bank(model, folder)
    return folder


@pytest.fixture(scope="session")
def banks(data_dir: Path) -> dict[str, Bank]:
    """The banks of all audio models, by version."""
    return {version: load_bank(model, data_dir) for version, model in AUDIO_MODELS.items()}


@pytest.fixture(scope="session")
def bank(banks: dict[str, Bank]) -> Bank:
    """The bank of the default audio model."""
    return banks[ModelVersions().audio]


@pytest.fixture(scope="session")
def require_tool() -> Callable[[str], str]:
    """Find a program of the system: where it is missing the test is skipped, but never in CI."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None and not os.environ.get("CI"):
            pytest.skip(f"needs {name}")
        assert path is not None, f"CI must have {name}"
        return path

    return find
