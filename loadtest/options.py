"""The options of `run`, in one place; docs/loadtest.md lists them, and a test compares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loadtest.scenarios import SCENARIOS

if TYPE_CHECKING:
    from argparse import ArgumentParser

SAMPLES: Final = 500
PROMPT: Final = 200


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
    """Return the cores that `--cores` names."""
    return tuple(int(word) for word in text.split(",")) if text else ()
