"""The runbook, run: every block against a real server, or at least by a shell's parser."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from astradio_stream.cli import COMMANDS, build_parser
from tests.crowd import Crowd, Member, crowd_of
from tests.listener import TRANSIT
from tests.processes import running
from tests.test_ops_nginx import free_port
from tests.visitor import Visitor

ROOT = Path(__file__).parent.parent
RUNBOOK = ROOT / "RUNBOOK.md"
IN_ORDER = [
    "Is it healthy", "Emergency procedures", "Key metrics and targets", "Alerts",
    "Troubleshooting", "Log analysis", "Deployment", "Security", "Backup and recovery",
    "Performance tuning", "Capacity", "On call and dependencies",
]  # fmt: skip


@dataclass(frozen=True)
class Block:
    """Some commands."""

    heading: str
    is_run: bool
    commands: str


def blocks() -> list[Block]:
    """Return all blocks of commands."""
    found, heading = [], ""
    parts = re.split(r"^(#+ .*|```.*\n(?:.*\n)*?```)$", RUNBOOK.read_text(), flags=re.MULTILINE)
    for part in parts:
        if part.startswith("#"):
            heading = part.lstrip("# ")
        elif part.startswith("```sh"):
            kind, _, commands = part.removesuffix("```").partition("\n")
            assert kind in ("```sh", "```sh elsewhere"), kind
            found.append(Block(heading, kind == "```sh", commands))
    return found


BLOCKS = blocks()


@dataclass
class Place:
    """Where a server runs as an operator runs it: settings in `.env`, the rest below."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def sh(self, commands: str) -> subprocess.CompletedProcess[str]:
        """Run commands of the runbook here; its port stands for ours."""
        script = commands.replace("localhost:3000", f"127.0.0.1:{self.port}")
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=self.folder, env=environment(), capture_output=True, text=True,
            timeout=150, check=False,
        )  # fmt: skip

    def run(self, commands: str) -> str:
        """Run commands that must succeed; return what they print."""
        done = self.sh(commands)
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def reloads(self) -> int:
        log = (self.folder / "logs" / "app.log").read_text()
        return len(re.findall("^RELOADED ", log, re.MULTILINE))


def environment() -> dict[str, str]:
    ours = ("ASTRADIO_", "RATE_LIMIT", "ALLOWED_", "TRUSTED_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    path = f"{Path(sys.executable).parent}:{kept.get('PATH', '')}"
    return kept | {"PATH": path, "PYTHONPATH": str(ROOT)}


@contextlib.contextmanager
def serving_in(folder: Path, data_dir: Path, *args: str) -> Iterator[Place]:
    """Serve from a folder that has the note banks already."""
    port = free_port()
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "banks").symlink_to(data_dir / "banks")
    (folder / ".env").write_text(f"ASTRADIO_PORT={port}\n")
    with (folder / "out").open("wb") as out, subprocess.Popen(
        [sys.executable, "-m", "astradio_stream", "serve", *args],
        cwd=folder, env=environment(), stdout=out, stderr=out,
    ) as process:  # fmt: skip
        try:
            wait_until_ready(f"http://127.0.0.1:{port}", process)
            yield Place(folder, port, process)
        finally:
            process.kill()


def wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert process.poll() is None, "it ended"
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        time.sleep(0.05)
    raise AssertionError("it did not become ready")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Place]:
    with serving_in(tmp_path_factory.mktemp("runbook") / "here", data_dir) as found:
        # Something to find in the log.
        post = httpx.post(f"{found.url}/api/compose", json={"seed": 3, "durationS": 1})
        assert post.status_code == 200
        assert httpx.get(f"{found.url}/none").status_code == 404
        yield found


def test_the_sections_stand_in_the_order_of_need() -> None:
    assert re.findall(r"^## (.*)$", RUNBOOK.read_text(), re.MULTILINE) == IN_ORDER


def test_links_to_sections_lead_somewhere() -> None:
    text = RUNBOOK.read_text()
    places = {
        re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= places


def test_every_command_of_ours_is_one_and_each_is_there() -> None:
    calls = re.findall(r"astradio-stream (?!-)([a-z-]+)", "".join(b.commands for b in BLOCKS))
    assert set(calls) <= set(COMMANDS)
    # These are no business of an operator.
    assert set(COMMANDS) - set(calls) == {"render", "seed-demo"}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_says_how_it_is_called(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        build_parser().parse_args([name, "--help"])
    assert stopped.value.code == 0
    told = capsys.readouterr().out
    assert f"usage: astradio-stream {name}" in told
    assert len(told.split()) > 20


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.heading}")
def test_every_block_is_a_shell_script(block: Block) -> None:
    checked = subprocess.run(
        ["bash", "-n"], input=block.commands, text=True, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize(
    "block",
    [block for block in BLOCKS if block.is_run],
    ids=lambda block: block.heading.replace(" ", "-"),
)
def test_every_block_does_what_it_says(place: Place, block: Block) -> None:
    place.run(block.commands)
    assert place.process.poll() is None


# systemd -----------------------------------------------------------------------------------------

STATE_DIR = "/var/lib/astradio"
UNIT_UID = 61_184
"""The first number that systemd gives to a `DynamicUser`."""


def commands_of(heading: str, word: str) -> str:
    """Return the one block below a heading that has a word."""
    (found,) = (b.commands for b in BLOCKS if b.heading == heading and word in b.commands)
    return found


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
@pytest.mark.parametrize("has_run", [False, True])
def test_the_settings_beside_the_unit_belong_to_its_user(tmp_path: Path, has_run: bool) -> None:
    """Install twice, before the unit ran or after, then change the settings as root does."""
    folder = tmp_path / "astradio"
    if has_run:  # as systemd leaves it
        (tmp_path / "private").mkdir(0o700)
        os.chown(tmp_path / "private", UNIT_UID, UNIT_UID)
        folder.symlink_to(tmp_path / "private")
    before, _, after = commands_of("systemd", "install").partition("systemctl")
    assert STATE_DIR not in after  # what comes after the start, systemd gives to nobody
    script = "\n".join(line for line in before.splitlines() if STATE_DIR in line)
    shell(script.replace(STATE_DIR, str(folder)), ROOT)
    shell(script.replace(STATE_DIR, str(folder)), ROOT)
    assert folder.stat().st_uid == (folder / ".env").stat().st_uid == (UNIT_UID if has_run else 0)
    assert [path.stat().st_mode & 0o777 for path in (folder, folder / ".env")] == [0o700, 0o600]
    if not has_run:  # the first start
        for path in (folder, folder / ".env"):
            os.chown(path, UNIT_UID, UNIT_UID)
    do = next(block.commands for block in BLOCKS if block.heading == DRILLS[0])
    shell(f"kill() {{ :; }}; astradio-stream() {{ :; }}\n{do}", folder)
    told = subprocess.run(
        ["cat", ".env"], cwd=folder, user=UNIT_UID, group=UNIT_UID, extra_groups=[],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert told.endswith("\nENABLE_VIZ_ENGINE=false\n")


def shell(script: str, folder: Path) -> None:
    subprocess.run(["bash", "-e", "-c", script], cwd=folder, check=True)


def test_what_root_restores_is_given_to_the_unit_before_it_starts() -> None:
    commands = commands_of("Backup and recovery", "systemctl").splitlines()
    words = ["systemctl stop", "astradio-stream restore", "chown --reference=data data/astradio.db"]
    places = [
        next(n for n, line in enumerate(commands) if line.startswith(word))
        for word in [*words, "systemctl start"]
    ]
    assert places == sorted(places)


# The key -----------------------------------------------------------------------------------------


def test_a_new_key_voids_what_the_runbook_says(tmp_path: Path, data_dir: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "banks").symlink_to(data_dir / "banks")
    key = {"Idempotency-Key": "one"}
    with (
        running(tmp_path / "before", tmp_path / "data") as server,
        contextlib.closing(Visitor(server.url)) as ada,
    ):
        assert ada.register().status_code == 201
        chart = {"chartId": ada.save(visibility="public")}
        duet = {"mode": "natal", "charts": [chart], "durationS": 1}
        made = compose(server.url, duet).json()
        plain = compose(server.url, {"seed": 1, "at": "2026-01-01T00:00Z", "durationS": 1}, key)
        assert compose(server.url, {"durationS": 1}, key).status_code == 409
        resolved = made["programme"] | {"durationS": 1}
        assert compose(server.url, resolved).json()["audio"]["digest"] == made["audio"]["digest"]
        shell(commands_of("Security", "randomblob"), tmp_path)
        assert compose(server.url, resolved).json()["error"]["code"] == "NOT_FOUND"
        assert ada.get("/api/auth/session").json()["user"] is None
    with running(tmp_path / "after", tmp_path / "data") as server:
        assert httpx.get(server.url + made["audio"]["url"]).status_code == 200
        for path in (tmp_path / "data" / "media").rglob("*.*"):
            path.unlink()
        assert httpx.get(server.url + made["audio"]["url"]).status_code == 404
        assert httpx.get(server.url + plain.json()["midi"]["url"]).status_code == 200
        assert compose(server.url, resolved).status_code == 404
        again = compose(server.url, duet).json()
        assert again["programme"]["charts"][0]["version"] != resolved["charts"][0]["version"]
        assert again["audio"]["pcmDigest"] == made["audio"]["pcmDigest"]
        assert compose(server.url, {"durationS": 1}, key).status_code == 200


def compose(url: str, order: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
    return httpx.post(f"{url}/api/compose", json=order, headers=headers, timeout=60)


# Drills ------------------------------------------------------------------------------------------

TAKES_EFFECT_S = 2.0
DRILLS = ["Switch the picture off", "Roll the audio model back", "Raise the rate limit"]


@pytest.mark.parametrize("heading", DRILLS)
def test_an_emergency_switch_takes_effect_and_nobody_hears_of_it(
    place: Place, heading: str
) -> None:
    do, verify, undo = (block.commands for block in BLOCKS if block.heading == heading)
    place.run("astradio-stream limits reset --all")  # a crowd of one address
    with crowd_of(50, [f"ws://127.0.0.1:{place.port}/stream"], TRANSIT) as crowd:
        switched_s = timed(place, do)
        place.run(f"astradio-stream limits reset --all; {verify}")
        if heading == DRILLS[0]:
            crowd.wait_until(lambda member: not member.quanta[-1].viz_frames)
        undone_s = timed(place, undo)
        if heading == DRILLS[0]:
            crowd.wait_until(lambda member: bool(member.quanta[-1].viz_frames))
        lasted = {member: len(member.quanta) for member in crowd.members}
        crowd.wait_until(lambda member: len(member.quanta) > lasted[member] + 5)
        assert_undisturbed(crowd)
    assert max(switched_s, undone_s) < TAKES_EFFECT_S


def timed(place: Place, commands: str) -> float:
    """Run commands that send a signal; return how long that took to take effect (seconds)."""
    n_reloads = place.reloads()
    place.run(f'kill() {{ date +%s.%N > signalled; command kill "$@"; }}\n{commands}')
    began_s = float((place.folder / "signalled").read_text())
    end = time.monotonic() + 30
    while place.reloads() == n_reloads:
        assert time.monotonic() < end, "it was not reloaded"
        time.sleep(0.02)
    line = [
        line
        for line in (place.folder / "logs" / "app.log").read_text().splitlines()
        if line.startswith("RELOADED ")
    ][-1]
    told = re.search(r"time=(\S+)Z", line)
    assert told is not None
    return seconds_of(told[1]) - began_s


def seconds_of(moment: str) -> float:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()


def assert_undisturbed(crowd: Crowd) -> None:
    """Check that everybody heard everything, on the connection they began with."""
    for member in crowd.members:
        assert isinstance(member, Member)
        assert (member.n_connections, member.n_skipped) == (1, 0)
