"""A note bank is the same bits whoever makes it, and is made whatever becomes of the helpers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from astradio_stream.audio.bank import I16
from astradio_stream.server import making
from astradio_stream.server.bank_layout import CRC_VALUES
from astradio_stream.server.making import made_values
from astradio_stream.stream.models import AUDIO_MODELS

MODEL = AUDIO_MODELS["v1.1"]


@pytest.fixture(scope="module")
def kept(data_dir: Path) -> I16:
    """The values of the file that the tests' servers play, but for its check."""
    (file,) = (data_dir / "banks").glob("v1.1-*.npy")
    values: I16 = np.load(file)[:-CRC_VALUES]
    return values


@pytest.mark.parametrize("n_helpers", [0, 2])
def test_helpers_change_no_bit(kept: I16, n_helpers: int) -> None:
    assert np.array_equal(made_values(MODEL, n_helpers)[:-CRC_VALUES], kept)


def test_helpers_do_their_share(monkeypatch: pytest.MonkeyPatch, kept: I16) -> None:
    """Where this process takes no batch, the others make them all."""
    original = subprocess.Popen

    def finished(*args: Any, **options: Any) -> Any:
        helper = original(*args, **options)
        helper.wait()
        return helper

    monkeypatch.setattr(making.subprocess, "Popen", finished)
    monkeypatch.setattr(making._Work, "make", lambda *_: pytest.fail("there is nothing left"))
    assert np.array_equal(made_values(MODEL, 1)[:-CRC_VALUES], kept)


# fmt: off
BROKEN = {
    "ends at once":      "raise SystemExit(1)",
    "ends with a batch": "import os, sys; os.read(int(sys.argv[2]), 2); raise SystemExit(1)",
}
# fmt: on


@pytest.mark.parametrize("how", BROKEN)
def test_where_a_helper_fails_all_is_made_here(
    how: str, monkeypatch: pytest.MonkeyPatch, kept: I16
) -> None:
    def broken(_version: str, shared: int, numbers: int) -> Any:
        words = [sys.executable, "-c", BROKEN[how], str(shared), str(numbers)]
        return subprocess.Popen(words, pass_fds=(shared, numbers))

    monkeypatch.setattr(making, "_helper", broken)
    assert np.array_equal(made_values(MODEL, 1)[:-CRC_VALUES], kept)


def test_where_no_process_can_be_had_all_is_made_here(
    monkeypatch: pytest.MonkeyPatch, kept: I16
) -> None:
    def refused(*_: Any) -> Any:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(making, "_helper", refused)
    assert np.array_equal(made_values(MODEL, 3)[:-CRC_VALUES], kept)
