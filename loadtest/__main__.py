"""`python -m loadtest`: loads a server and checks it, measures the budgets, hears what is played.

``run`` makes one of the scenarios, ``capacity`` searches how much a core carries, ``bench``
measures the budgets of the design, ``soak`` tells what grows over hours, ``ears`` hears.
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final, TextIO

from loadtest import bench, capacity, run, soak
from loadtest.ears import NAMES
from loadtest.options import Parser, add_run_options
from loadtest.plan import bounded
from loadtest.process import ServerFailed
from loadtest.table import machine
from loadtest.target import Refused

if TYPE_CHECKING:
    import argparse


STOPPED: Final = 130
"""The exit code of what was stopped before its end, as shells have it."""


def build_parser() -> argparse.ArgumentParser:
    """Return what the command line understands."""
    parser = Parser("python -m loadtest", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    add_run_options(commands.add_parser("run", help="load a server and check all that it sends"))
    searching = commands.add_parser("capacity", help="search how much one core carries")
    searching.add_argument("kinds", nargs="*", choices=[*capacity.KINDS, []], metavar="kind",
                           help=f"only these: {', '.join(capacity.KINDS)}")  # fmt: skip
    searching.add_argument("--minutes", type=float, default=5.0, help="for the whole search")
    bench.add_bench_options(commands.add_parser("bench", help="measure the budgets of the design"))
    ears = commands.add_parser("ears", help="hear model v1.1 with the libraries of the tests")
    ears.add_argument("name", choices=NAMES)
    ears.add_argument("--charts", type=int, help="how many random charts")
    ears.add_argument("--seconds", type=int, help="how much of each")
    soaking = commands.add_parser("soak", help="listen for hours; tell what grew")
    soaking.add_argument("--hours", type=float, default=2.0)
    return parser


def main() -> None:
    """Do what was asked for; whatever ends it, what it started ends with it."""
    for stream in (sys.stdout, sys.stderr):
        _take_any_character(stream)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    args = build_parser().parse_args()
    try:
        bounded(args)
        code = _do(args)
        sys.stdout.flush()
    except Refused as refused:
        print(refused, file=sys.stderr)
        code = run.REFUSED
    except ServerFailed as failed:
        print(failed, file=sys.stderr)
        code = run.FAILED
    except KeyboardInterrupt:
        print("stopped before the end", file=sys.stderr)
        code = STOPPED
    except BrokenPipeError:  # whoever read it has gone; what goes to files is there
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = run.FAILED
    sys.exit(code)


def _take_any_character(stream: TextIO | None) -> None:
    """Let a terminal that knows few characters show others as it can."""
    if stream is None:  # it was closed before we began
        return
    stream.reconfigure(errors="backslashreplace")  # type: ignore[attr-defined]


def _do(args: argparse.Namespace) -> int:
    """Do it; return the exit code."""
    if args.command == "capacity":
        return capacity.run(args)
    print(machine())
    if args.command == "run":
        return run.run(args)
    if args.command == "bench":
        return bench.run(args)
    if args.command == "soak":
        return soak.run(args.hours)
    import_module("loadtest.ears.commands").run(args.name, args.charts, args.seconds)
    return 0


if __name__ == "__main__":
    main()
