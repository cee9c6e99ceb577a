"""What is shipped to run the service: the unit, the container file, the list of settings."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from dotenv import dotenv_values

from astradio_stream.cli import COMMANDS
from astradio_stream.settings import TABLE, load_settings

OPS = Path(__file__).parent.parent / "ops"
UNIT = OPS / "systemd" / "astradio.service"
CONTAINERFILE = OPS / "Containerfile"
EXAMPLE = OPS / ".env.example"


# Settings ----------------------------------------------------------------------------------------


def test_the_example_has_every_setting_once_with_its_default() -> None:
    rows = re.findall(r"^#([A-Z_]+)=(.*)$", EXAMPLE.read_text(), re.MULTILINE)
    assert rows == [(row.name, row.default) for row in TABLE]


def test_the_example_explains_each_and_says_which_are_live() -> None:
    for block in EXAMPLE.read_text().split("\n\n")[1:]:
        *told, setting = block.strip().splitlines()
        (row,) = (row for row in TABLE if setting.startswith(f"#{row.name}="))
        assert told
        assert (" (live)" in " ".join(told)) is row.reloadable


def test_the_example_uncommented_is_the_defaults(tmp_path: Path) -> None:
    text = re.sub(r"^#(?=[A-Z_]+=)", "", EXAMPLE.read_text(), flags=re.MULTILINE)
    (tmp_path / ".env").write_text(text)
    assert len(dotenv_values(tmp_path / ".env")) == len(TABLE)
    assert load_settings({}, tmp_path / ".env") == load_settings({})


# systemd -----------------------------------------------------------------------------------------


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit as shipped, with a program that this machine has."""
    text = UNIT.read_text()
    assert "ExecStart=/opt/astradio/.venv/bin/astradio-stream serve\n" in text
    path = tmp_path / "astradio.service"
    path.write_text(text.replace("/opt/astradio/.venv/bin/astradio-stream", "/usr/bin/env"))
    return path


def test_systemd_finds_nothing_to_say_against_the_unit(
    require_tool: Callable[[str], str], unit: Path
) -> None:
    checked = subprocess.run(
        [require_tool("systemd-analyze"), "verify", unit], capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_the_unit_is_hardened(require_tool: Callable[[str], str], unit: Path) -> None:
    tool = require_tool("systemd-analyze")
    options = ["--offline=true", "--threshold=15", "--no-pager"]  # 1.5 of 10; "OK" ends at 4
    judged = subprocess.run([tool, "security", *options, unit], capture_output=True, check=False)
    assert judged.returncode == 0, judged.stdout.decode()[-500:]


def test_the_unit_leaves_time_for_the_drain() -> None:
    stop_s = re.search(r"^TimeoutStopSec=(\d+)$", UNIT.read_text(), re.MULTILINE)
    assert stop_s is not None
    assert int(stop_s[1]) > load_settings({}).drain_s + 10
    assert "ExecReload=/bin/kill -HUP $MAINPID" in UNIT.read_text()


# Container ---------------------------------------------------------------------------------------


def instructions() -> list[tuple[str, str]]:
    """Return the container file as instructions, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", CONTAINERFILE.read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split()[0], line.partition(" ")[2]) for line in lines]


def last(name: str) -> str:
    return [rest for word, rest in instructions() if word == name][-1]


def test_hadolint_finds_nothing_to_say(require_tool: Callable[[str], str]) -> None:
    judged = subprocess.run(
        [require_tool("hadolint"), CONTAINERFILE], capture_output=True, check=False
    )
    assert (judged.returncode, judged.stdout, judged.stderr) == (0, b"", b"")


def test_the_container_file_is_made_of_instructions_in_order() -> None:
    known = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL",
             "HEALTHCHECK", "ENTRYPOINT", "CMD"}  # fmt: skip
    words = [word for word, _ in instructions()]
    assert set(words) <= known
    assert words[0] == "FROM"
    # Nothing is installed or written after the rights were given up.
    final = words[len(words) - words[::-1].index("FROM") - 1 :]
    assert final.index("USER") > max(n for n, word in enumerate(final) if word in ("RUN", "COPY"))


def test_the_container_is_pinned_small_and_nobody() -> None:
    images = [rest.split()[0] for word, rest in instructions() if word == "FROM"]
    assert all(re.fullmatch(r"docker\.io/library/python:3\.\d+-slim", image) for image in images)
    uid, _, gid = last("USER").partition(":")
    assert int(uid) >= 10_000
    assert int(gid) >= 10_000
    for word, rest in instructions():
        assert word != "ADD"
        if word == "RUN" and "pip install" in rest:
            assert rest.count("pip install --no-cache-dir --constraint requirements.lock") == (
                rest.count("pip install")
            )
        assert not re.search(r"\b(sudo|curl|wget|latest)\b", rest)


def test_what_the_container_copies_is_there() -> None:
    for word, rest in instructions():
        if word == "COPY" and "--from" not in rest:
            *sources, _ = rest.split()
            assert all((OPS.parent / source).exists() for source in sources)


def test_the_container_says_whether_it_is_healthy_and_stops_in_order() -> None:
    command = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
    assert command[:2] == ["python", "-c"]
    compile(command[2], "healthcheck", "exec")
    assert "/livez" in command[2]
    assert last("STOPSIGNAL") == "SIGTERM"
    assert json.loads(last("ENTRYPOINT")) == ["astradio-stream"]
    assert json.loads(last("CMD"))[0] in COMMANDS
    for pair in shlex.split(last("ENV")):
        name = pair.partition("=")[0]
        assert not name.startswith("ASTRADIO_") or name in {row.name for row in TABLE}
