"""docs/loadtest.md against the tool, both ways; and the commands of every page are understood."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loadtest.__main__ import build_parser
from loadtest.bench import BENCHMARKS
from loadtest.outcome import PLAIN_FIGURES
from loadtest.plan import BOUNDS
from loadtest.scenarios import ROLES, SCENARIOS
from loadtest.tally import FAULTS, LATENCIES, QUALITY
from loadtest.traces import SYNTHETIC

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parent.parent
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def rows_under(heading: str) -> dict[str, list[str]]:
    """Return the cells of the tables under a heading of the page, by the name in the first."""
    text = (ROOT / "docs" / "loadtest.md").read_text()
    part = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    assert part, heading
    lines = re.findall(r"^\| `([^`]+)` \|(.*)\|$", part, re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in lines}


# fmt: off
LISTED: list[tuple[str, Iterable[str]]] = [
    ("Scenarios",     [*SCENARIOS, *ROLES]),
    ("Faults",        FAULTS),
    ("Quality",       QUALITY),
    ("Latencies",     LATENCIES),
    ("Other figures", PLAIN_FIGURES),
    ("Networks",      SYNTHETIC),
    ("Benchmarks",    BENCHMARKS),
]
# fmt: on


@pytest.mark.parametrize(("heading", "names"), LISTED, ids=[heading for heading, _ in LISTED])
def test_a_table_lists_what_there_is_and_nothing_else(heading: str, names: Iterable[str]) -> None:
    assert list(rows_under(heading)) == list(names)


def test_words_of_the_tables_are_those_of_the_tool() -> None:
    for heading, table in (
        ("Faults", FAULTS), ("Quality", QUALITY), ("Latencies", LATENCIES),
        ("Other figures", PLAIN_FIGURES),
    ):  # fmt: skip
        assert {name: cells[0] for name, cells in rows_under(heading).items()} == table
    for name, scenario in SCENARIOS.items():
        what, listeners, duration, _, thresholds = rows_under("Scenarios")[name]
        assert what == scenario.what
        assert listeners == f"{scenario.listeners:,}"
        assert duration == f"{scenario.duration_s:g} s"
        assert re.findall("`([^`]+)`", thresholds) == list(scenario.also)


def test_every_option_of_run_is_listed_with_its_bounds() -> None:
    listed = rows_under("Options of `run`")
    actions = _actions("run")
    assert sorted(listed) == sorted(option for one in actions for option in one.option_strings)
    for name, (_, most) in BOUNDS.items():
        value = listed["--" + name.replace("_", "-")][0].replace(" ", "")
        assert f"{most:g}" in value or f"{most}" in value or most == 2**31, name


def _actions(command: str) -> list[argparse.Action]:
    parser = build_parser()
    subparsers = next(one for one in parser._actions if isinstance(one.choices, dict))
    assert isinstance(subparsers.choices, dict)
    kept = subparsers.choices[command]._actions
    return [one for one in kept if one.option_strings and one.dest != "help"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_is_understood(page: Path) -> None:
    found = re.findall(r"`python -m loadtest ([^`]+)`|^ *python -m loadtest (.+)$",
                       page.read_text(), re.MULTILINE)  # fmt: skip
    for inline, block in found:
        words = shlex.split(inline or block, comments=True)
        if words == ["ears"]:
            words.append("tempo")
        if len(words) == 1 and words[0] == "run":
            words.append("steady")
        build_parser().parse_args(words)


def test_readme_and_runbook_tell_how_their_figures_are_made() -> None:
    for name in ("README.md", "RUNBOOK.md"):
        text = (ROOT / name).read_text()
        assert "python -m loadtest" in text
        assert "docs/loadtest.md" in text
    assert "python -m loadtest capacity" in (ROOT / "RUNBOOK.md").read_text()
