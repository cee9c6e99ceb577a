"""`python -m loadtest bench`: the budgets of the design, measured on this machine.

``python -m loadtest soak --hours 2`` listens for hours and tells what grew.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from loadtest import (
    bench_distinct,
    bench_fanout,
    bench_segment,
    bench_server,
    bench_slow,
    soak,
)
from loadtest.table import machine

if TYPE_CHECKING:
    from collections.abc import Callable

BENCHMARKS: Final[dict[str, Callable[[], None]]] = {
    "segment": bench_segment.run,
    "server": bench_server.run,
    "fanout": bench_fanout.run,
    "distinct": bench_distinct.run,
    "slow": bench_slow.run,
}


def main() -> None:
    """Run all benchmarks, or those that were named."""
    parser = argparse.ArgumentParser("python -m loadtest", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    bench = commands.add_parser("bench", help="measure the budgets of the design")
    bench.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="only these")
    soaking = commands.add_parser("soak", help="listen for hours; tell what grew")
    soaking.add_argument("--hours", type=float, default=2.0)
    args = parser.parse_args()
    print(machine())
    if args.command == "soak":
        soak.run(args.hours)
        return
    for name in args.names or BENCHMARKS:
        BENCHMARKS[name]()


if __name__ == "__main__":
    main()
