"""What many tests share: one note bank, made once, and a folder where servers find it ready."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from astradio_stream.server.banks import load_bank
from astradio_stream.stream.models import AUDIO_MODELS

if TYPE_CHECKING:
    from pathlib import Path

    from astradio_stream.audio.bank import Bank


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that holds the note banks."""
    folder = tmp_path_factory.mktemp("data")
    with ThreadPoolExecutor(os.cpu_count()) as executor:
        for model in AUDIO_MODELS.values():
            load_bank(model, folder, executor)
    return folder


@pytest.fixture(scope="session")
def bank(data_dir: Path) -> Bank:
    """The bank of model v1.0."""
    with ThreadPoolExecutor(1) as executor:
        return load_bank(AUDIO_MODELS["v1.0"], data_dir, executor)
