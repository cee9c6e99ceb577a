"""The options of `run`, in one place; docs/loadtest.md lists them, and a test compares."""

from __future__ import annotations

import os
import shlex
from argparse import ArgumentParser
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Final, NoReturn

from loadtest.scenarios import SCENARIOS
from loadtest.target import Refused

if TYPE_CHECKING:
    from argparse import Namespace

SAMPLES: Final = 500
PROMPT: Final = 200


class Parser(ArgumentParser):
    """A parser that says in one line what is wrong; how it is meant stands in `--help`."""

    def error(self, message: str) -> NoReturn:
        """Say it, and end."""
        self.exit(2, f"{self.prog}: {message}\n")


def add_run_options(parser: ArgumentParser) -> None:
    """Say what `run` understands."""
    add = parser.add_argument
    add("scenario", choices=[*SCENARIOS], help="which load")
    add("--url", help="the stream to load, ws://host:port/stream; without it a server is started")
    add("--i-own-this-server", action="store_true", help="the target may be another machine")
    add("--listeners", type=int, help="how many come in all")
    add("--programmes", type=int, help="distinct programmes among those of their own")
    add("--duration", type=float, help="from the first arrival to the end (seconds)")
    add("--rate", type=float, help="arrivals per second")
    add("--asks-per-s", type=float, help="HTTP requests per second, where the scenario has them")
    add("--processes", type=int, default=1, help="processes that share the listeners")
    add("--buffer-ms", type=int, default=2_000, help="how far ahead a listener can hold")
    add("--seed", type=int, default=1, help="of all that is left to chance")
    add("--samples", type=int, default=SAMPLES, help="quanta to compare with a local render")
    add("--verify-s", type=float, default=30.0, help="how long comparing may take (seconds)")
    add("--prompt", type=int, default=PROMPT,
        help="listeners of each process that are read at once; lateness is theirs")  # fmt: skip
    add("--cores", help="cores of the generator, as 1 or 2,3; the server started here has the rest")
    add("--trace", help="a network between: a shipped trace by name, or a file")
    add("--record-trace", metavar="FILE", help="write the delays that one listener saw as a trace")
    add("--assert", dest="asserts", action="append", default=[], metavar="FIGURE<=NUMBER",
        help="what must hold beside what the scenario says; may be given again")  # fmt: skip
    add("--data-dir", metavar="DIR",
        help="where note banks lie; without it they are made for the run")  # fmt: skip
    add("--out", metavar="DIR", help="write outcome.json, seconds.csv and report.html")


def cores_of(text: str | None) -> tuple[int, ...]:
    """Return the cores that `--cores` names.

    Raises:
        Refused: One is none, or is not ours.
    """
    if text is None:
        return ()
    there = os.sched_getaffinity(0)
    words = text.split(",")
    if not all(word.isdecimal() and int(word) in there for word in words):
        listed = ",".join(map(str, sorted(there)))
        raise Refused(f"--cores must be of {listed}, as 1 or 2,3, got {text!r}")
    return tuple(sorted({int(word) for word in words}))


def command_of(args: Namespace) -> str:
    """Return the command line that asks for the same run."""
    parser = ArgumentParser(add_help=False)
    add_run_options(parser)
    words = ["python", "-m", "loadtest", "run", args.scenario]
    for action in parser._actions:
        value = getattr(args, action.dest, None)
        if not action.option_strings or value == action.default:
            continue
        option = action.option_strings[-1]
        for one in value if isinstance(value, list) else [value]:
            given = [option] if action.nargs == 0 else [option, str(one)]
            if str(one).startswith("-"):  # by itself it would be taken for an option
                given = [f"{option}={one}"]
            words += given
    return shlex.join(words)


def require_folder(text: str, option: str) -> None:
    """See that files can be written into a folder, which is made.

    Raises:
        Refused: They cannot.
    """
    if not text:
        raise Refused(f"{option} must be a folder, got nothing")
    try:
        Path(text).mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=text):
            pass
    except OSError as error:
        raise Refused(f"{option}: {error.strerror}: {text}") from None


def require_file(text: str, option: str) -> None:
    """See that a file can be written; what is there stays.

    Raises:
        Refused: It cannot.
    """
    if not text:
        raise Refused(f"{option} must be a file, got nothing")
    was_there = Path(text).exists()
    try:
        with Path(text).open("a"):
            pass
        if not was_there:
            Path(text).unlink()
    except OSError as error:
        raise Refused(f"{option}: {error.strerror}: {text}") from None
