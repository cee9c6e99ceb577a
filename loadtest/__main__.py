"""`python -m loadtest bench`: the budgets of the design, measured on this machine."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from loadtest import bench_compat, bench_segment, bench_server
from loadtest.table import machine

if TYPE_CHECKING:
    from collections.abc import Callable

BENCHMARKS: Final[dict[str, Callable[[], None]]] = {
    "segment": bench_segment.run,
    "server": bench_server.run,
    "compat": bench_compat.run,
}


def main() -> None:
    """Run all benchmarks, or those that were named."""
    parser = argparse.ArgumentParser("python -m loadtest", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    bench = commands.add_parser("bench", help="measure the budgets of the design")
    bench.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="only these")
    args = parser.parse_args()
    print(machine())
    for name in args.names or BENCHMARKS:
        BENCHMARKS[name]()


if __name__ == "__main__":
    main()
