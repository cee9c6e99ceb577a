"""The page's own tests, and what its files may contain."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from tests.browser_support import WEB, node_path
from tests.node_packages import HERE, package_dir

MODULES = sorted(WEB.rglob("*.js"))
PAGE_MODULES = [path for path in MODULES if "tests" not in path.parts]
IMPORTS = re.compile(r'^(?:import|export)[^"]*from "([^"]+)"', re.MULTILINE)


def test_javascript_unit_tests_pass() -> None:
    tests = sorted(str(path) for path in (WEB / "tests").glob("*.test.js"))
    done = subprocess.run(
        [node_path(), "--test", *tests], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


@pytest.mark.parametrize("path", PAGE_MODULES, ids=lambda path: str(path.relative_to(WEB)))
def test_pure_modules_import_nothing_and_others_only_files_of_ours(path) -> None:
    text = path.read_text(encoding="utf-8")
    imports = IMPORTS.findall(text)
    head = text.split("*/", 1)[0]
    if "Pure; imports nothing" in head:
        assert len(imports) == ("Pure; imports nothing but" in head)
    for name in imports:
        assert (path.parent / name).resolve().is_relative_to(WEB)
        assert (path.parent / name).is_file()


def test_the_page_has_no_inline_script_or_style_and_no_foreign_asset() -> None:
    html = (WEB / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert "<style" not in html
    assert not re.search(r"\s(style|on\w+)=", html)
    for address in re.findall(r'(?:src|href)="([^"]+)"', html):
        if address.startswith("#"):
            assert f'id="{address[1:]}"' in html, address
        else:
            assert (WEB / address.removeprefix("/static/")).is_file(), address


def test_every_module_of_the_page_is_fetched_at_once() -> None:
    """Found one import at a time, the modules would cost a round trip for every level."""
    found: set[str] = set()
    open_ends = ["main.js"]
    while open_ends:
        name = open_ends.pop()
        if name not in found:
            found.add(name)
            folder = (WEB / name).parent
            imports = IMPORTS.findall((WEB / name).read_text(encoding="utf-8"))
            open_ends += [str((folder / one).resolve().relative_to(WEB)) for one in imports]
    html = (WEB / "index.html").read_text(encoding="utf-8")
    assert set(re.findall(r'"modulepreload" href="/static/([^"]+)"', html)) == found


@pytest.mark.parametrize("path", PAGE_MODULES, ids=lambda path: str(path.relative_to(WEB)))
def test_every_module_says_what_it_is_for(path) -> None:
    assert path.read_text(encoding="utf-8").startswith("/**")


def test_the_modules_are_what_their_types_say() -> None:
    """`tsc --checkJs`, strict, over every module of the page."""
    compiler = package_dir("typescript") / "bin" / "tsc"
    done = subprocess.run(
        [node_path(), str(compiler), "-p", str(HERE)],
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_the_page_can_be_installed_with_icons_of_ours() -> None:
    manifest = json.loads((WEB / "manifest.webmanifest").read_text(encoding="utf-8"))
    assert {"name", "short_name", "start_url", "display", "icons"} <= manifest.keys()
    purposes = {icon["purpose"] for icon in manifest["icons"]}
    assert purposes == {"any", "maskable"}
    html = (WEB / "index.html").read_text(encoding="utf-8")
    for icon in manifest["icons"]:
        assert (WEB / icon["src"].removeprefix("/static/")).is_file()
    for shortcut in manifest["shortcuts"]:
        assert f'id="{shortcut["url"].removeprefix("/#")}"' in html
