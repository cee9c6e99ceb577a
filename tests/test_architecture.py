"""The ladder of imports and the purity of the pure packages, read off the source."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import astradio_stream

ROOT = Path(astradio_stream.__file__).parent
PACKAGE = "astradio_stream"

RUNGS = {
    # package: what it may import besides the root modules
    "sky": set(),
    "music": {"sky"},
    "audio": {"music", "sky"},
    "viz": {"music", "sky"},
    "stream": {"viz", "audio", "music", "sky"},
    "wire": set(),
    "compat": {"sky"},
    "store": set(),
    "server": {"store", "compat", "wire", "stream", "viz", "audio", "music", "sky"},
    "commands": {
        "server",
        "store",
        "compat",
        "wire",
        "stream",
        "viz",
        "audio",
        "music",
        "sky",
        "render",
    },
}
ROOT_MODULES = {
    # module: which root modules it may import
    "units": set(),
    "compiled": set(),
    "errors": set(),
    "fields": {"errors"},
    "strict_json": {"errors"},
    "settings": {"errors", "fields", "units"},
}
SHELLS = {"cli", "render", "__main__", "__init__"}
PURE = ("sky", "music", "audio", "viz", "stream", "wire", "compat")
IMPURE = {"asyncio", "socket", "time", "random", "os", "starlette", "uvicorn", "threading"}


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def imports_of(path: Path) -> set[str]:
    """Return the dotted names of all modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides where it leads"
            assert node.module is not None
            found.add(node.module)
            if node.module == PACKAGE:
                found.update(f"{PACKAGE}.{alias.name}" for alias in node.names)
    return found


def test_every_package_is_on_the_ladder() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages <= set(RUNGS)
    singles = {path.stem for path in ROOT.glob("*.py")}
    assert singles <= set(ROOT_MODULES) | SHELLS


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_downward_only(path: Path) -> None:
    place = path.relative_to(ROOT).parts
    if len(place) == 1:
        if path.stem in SHELLS:
            return
        allowed = ROOT_MODULES[path.stem] | {"__init__"}
    else:
        allowed = RUNGS[place[0]] | {place[0]} | set(ROOT_MODULES)
    for name in imports_of(path):
        if name.startswith(f"{PACKAGE}."):
            top = name.split(".")[1]
            assert top in allowed or top == "__version__", f"{path} imports {name}"


@pytest.mark.parametrize("package", PURE)
def test_pure_packages_import_nothing_impure(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        impure = {name.split(".")[0] for name in imports_of(path)} & IMPURE
        assert not impure, f"{path} imports {impure}"


@pytest.mark.parametrize("package", PURE)
def test_pure_packages_use_no_hidden_state(package: str) -> None:
    """No built-in `hash`, no global generator, no clock of datetime."""
    forbidden = {"default_rng", "RandomState", "seed", "now", "utcnow", "today"}
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Name):
                assert node.func.id != "hash", f"{path}:{node.lineno}"
            elif isinstance(node.func, ast.Attribute):
                assert node.func.attr not in forbidden, f"{path}:{node.lineno}"


def test_modules_stay_small() -> None:
    for path in modules():
        assert len(path.read_text().splitlines()) <= 450, f"{path}: could one noun move out?"
