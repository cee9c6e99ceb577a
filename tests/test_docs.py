"""Documentation that cannot rot: what README, changelog and docs name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from astradio_stream.cli import COMMANDS, build_parser

ROOT = Path(__file__).parent.parent
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_has_gaps(page: Path) -> None:
    text = page.read_text()
    assert "FIGURES" not in text
    assert "TODO" not in text
    assert text.startswith("# ")


def test_the_two_commands_of_the_readme_are_scripts() -> None:
    readme = (ROOT / "README.md").read_text()
    commands = re.findall(r"^    (sh (ops/\w+))$", readme, re.MULTILINE)
    assert [path for _, path in commands] == ["ops/run", "ops/test"]
    for _, path in commands:
        assert (ROOT / path).read_text().startswith("#!/bin/sh\n")


def test_the_readme_names_every_package() -> None:
    readme = (ROOT / "README.md").read_text()
    for package in sorted((ROOT / "astradio_stream").glob("*/__init__.py")):
        assert f"`{package.parent.name}`" in readme


def test_the_render_command_of_the_readme_is_understood() -> None:
    readme = (ROOT / "README.md").read_text()
    line = re.search(r"^    astradio-stream (render .*)$", readme, re.MULTILINE)
    assert line is not None
    args = build_parser().parse_args(line[1].split())
    assert args.duration == 60.0


def test_the_readme_lists_every_command_of_the_operator_and_no_other() -> None:
    readme = (ROOT / "README.md").read_text()
    listed = re.findall(r"^\| `astradio-stream ([a-z-]+)", readme, re.MULTILINE)
    assert set(listed) == set(COMMANDS) - {"render"}
    for page in PAGES:
        called = re.findall(r"`(?:sudo )?astradio-stream ([a-z-]+)", page.read_text())
        assert set(called) <= set(COMMANDS), page


def test_the_changelog_tells_of_every_command() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    for command in COMMANDS:
        assert re.search(rf"`(?:astradio-stream )?{command}\b", changelog), command


def test_nothing_depends_on_what_the_lock_file_lacks() -> None:
    lock, project = ROOT / "requirements.lock", ROOT / "pyproject.toml"
    locked = set(re.findall(r"^([A-Za-z0-9_.-]+)==", lock.read_text(), re.MULTILINE))
    wanted = re.findall(r'^    "([A-Za-z0-9_-]+)[><=]', project.read_text(), re.MULTILINE)
    assert wanted
    assert set(wanted) <= locked


def test_the_figures_of_the_readme_are_those_of_the_performance_page() -> None:
    """Every number that was measured stands there, but for the planets, which a test proves."""
    table = (ROOT / "README.md").read_text().split("## Figures")[1].split("\n\n")[1]
    told = (ROOT / "docs" / "performance.md").read_text()
    rows = [line.split("|")[1:4] for line in table.splitlines()[2:]]
    assert len(rows) >= 10
    for what, *measured in rows:
        if "planets" not in what:
            numbers = re.findall(r"\d+(?:[. ]\d+)*", " | ".join(measured))
            missing = [
                n for n in numbers if not re.search(rf"(?<![\d.]){re.escape(n)}(?![\d])", told)
            ]
            assert not missing, (what, missing)
