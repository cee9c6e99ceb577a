"""`python -m loadtest`: the budgets of the design (bench), and what outside ears hear (ears).

``python -m loadtest soak --hours 2`` listens for hours and tells what grew.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

from loadtest import (
    bench_bank,
    bench_compat,
    bench_compose,
    bench_distinct,
    bench_fanout,
    bench_music,
    bench_segment,
    bench_server,
    bench_slow,
    run,
    soak,
)
from loadtest.ears import NAMES
from loadtest.options import add_run_options
from loadtest.table import machine

if TYPE_CHECKING:
    from collections.abc import Callable

BENCHMARKS: Final[dict[str, Callable[[], None]]] = {
    "bank": bench_bank.run,
    "compose": bench_compose.run,
    "music": bench_music.run,
    "segment": bench_segment.run,
    "server": bench_server.run,
    "fanout": bench_fanout.run,
    "distinct": bench_distinct.run,
    "slow": bench_slow.run,
    "compat": bench_compat.run,
}


def build_parser() -> argparse.ArgumentParser:
    """Return what the command line understands."""
    parser = argparse.ArgumentParser("python -m loadtest", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    bench = commands.add_parser("bench", help="measure the budgets of the design")
    bench.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="only these")
    ears = commands.add_parser("ears", help="hear model v1.1 with the libraries of the tests")
    ears.add_argument("name", choices=NAMES)
    ears.add_argument("--charts", type=int, help="how many random charts")
    ears.add_argument("--seconds", type=int, help="how much of each")
    soaking = commands.add_parser("soak", help="listen for hours; tell what grew")
    soaking.add_argument("--hours", type=float, default=2.0)
    add_run_options(commands.add_parser("run", help="load a server and check all that it sends"))
    return parser


def main() -> None:
    """Do what was asked for."""
    args = build_parser().parse_args()
    print(machine())
    if args.command == "ears":
        import_module("loadtest.ears.commands").run(args.name, args.charts, args.seconds)
        return
    if args.command == "run":
        sys.exit(run.run(args))
    if args.command == "soak":
        soak.run(args.hours)
        return
    for name in args.names or BENCHMARKS:
        BENCHMARKS[name]()


if __name__ == "__main__":
    main()
