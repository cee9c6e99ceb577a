"""What many tests share: the note banks, made once, and a folder where servers find them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from astradio_stream.server.banks import load_bank
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.versions import ModelVersions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from astradio_stream.audio.bank import Bank


_UNHURRIED: Final = (
    "architecture", "audio", "cli", "commands", "compat", "compiled", "docs", "ears", "golden",
    "music", "ops", "server_accounts", "server_charts", "server_compat", "server_compose",
    "server_csrf", "server_main", "server_making", "server_media", "server_midi",
    "server_minute", "server_openapi", "server_selftest", "server_towns", "settings", "sky",
    "store", "stream", "strict", "viz", "web", "wire",
)  # fmt: skip
"""How the names of modules begin that mostly compute: a busy neighbour does not make them fail."""

_MEASURING: Final = ("browser", "browser_firefox", "browser_picture", "browser_steering")
"""The modules of the page that hear and measure."""


def _name_in(nodeid: str) -> str:
    """Return which module a test is of, without `test_`."""
    return Path(nodeid.partition("::")[0]).stem.removeprefix("test_")


def _is_unhurried(nodeid: str) -> bool:
    return _name_in(nodeid).startswith(_UNHURRIED)


def _turn(item: pytest.Item) -> int:
    name = _name_in(item.nodeid)
    return name.startswith("browser") + (name in _MEASURING)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a case with a set: as it has no order, each process would name it its own way."""
    return repr(sorted(val)) if isinstance(val, set | frozenset) else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Where two processes share the tests, part what is in no hurry from what needs its time.

    What needs its time ends with the browsers that hear and measure. By then the other process has
    done its share, and they have no neighbour.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Shares(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return "unhurried" if _is_unhurried(nodeid) else "in time"

    return Shares(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the browsers that measure come last, where processes share the tests."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=_turn)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let what is in no hurry have what is left of the processor, where the system can do that."""
    is_shared = "PYTEST_XDIST_WORKER" in os.environ
    if is_shared and _is_unhurried(item.nodeid) and hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


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
