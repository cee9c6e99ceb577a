"""`python -m loadtest bench`: the benchmarks, one after another, kept as JSON, compared, judged.

``--json FILE`` keeps every table that was printed; ``--against FILE`` prints, for each figure that
both runs have, how many times the earlier one it is. One benchmark that fails costs no figure of
the others; what does not hold is said last.
"""

from __future__ import annotations

import json
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from loadtest import (
    bench_bank,
    bench_broadcast,
    bench_compat,
    bench_compose,
    bench_distinct,
    bench_fanout,
    bench_music,
    bench_page,
    bench_seek,
    bench_segment,
    bench_server,
    bench_slow,
    bench_steer,
)
from loadtest.browser import NoBrowser
from loadtest.budgets import failures_of, number_in, print_budgets
from loadtest.options import require_file
from loadtest.table import PRINTED, Table, machine, print_table
from loadtest.target import Refused

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Sequence

BENCHMARKS: Final[dict[str, Callable[[], None]]] = {
    "bank": bench_bank.run,
    "compose": bench_compose.run,
    "music": bench_music.run,
    "segment": bench_segment.run,
    "server": bench_server.run,
    "seek": bench_seek.run,
    "fanout": bench_fanout.run,
    "broadcast": bench_broadcast.run,
    "distinct": bench_distinct.run,
    "slow": bench_slow.run,
    "steer": bench_steer.run,
    "page": bench_page.run,
    "compat": bench_compat.run,
}


def add_bench_options(parser: ArgumentParser) -> None:
    """Say what `bench` understands."""
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], metavar="name",
                        help=f"only these: {', '.join(BENCHMARKS)}")  # fmt: skip
    parser.add_argument("--json", metavar="FILE", help="keep every table in a file")
    parser.add_argument("--against", metavar="FILE", help="compare with an earlier file")


def run(args: Namespace) -> int:
    """Run all benchmarks, or those that were named; return the exit code.

    It is 1 where a benchmark failed or a budget of those that ran does not hold: each is a line at
    the end, when all that was measured is kept.
    """
    names = args.names or [*BENCHMARKS]
    if args.json:
        require_file(args.json, "--json")
    earlier = _earlier(args.against) if args.against else None
    seconds = {}
    failures = []
    for name in names:
        began = time.monotonic()
        reason = measured(name)
        if reason:
            failures.append(f"FAILED {name}: it was not measured: {reason}")
            print("\n" + failures[-1], flush=True)
        seconds[name] = round(time.monotonic() - began, 1)
    print_budgets(PRINTED, names)
    failures += failures_of(PRINTED, names)
    tables = tuple(PRINTED)
    print("\n" + ", ".join(f"{name} {took:g} s" for name, took in seconds.items()))
    if args.json:
        told = {
            "machine": machine(),
            "seconds": seconds,
            "tables": [{"title": table.title, "rows": table.rows} for table in tables],
        }
        Path(args.json).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    if earlier is not None:
        print(f"\nagainst {args.against}: {earlier['machine']}")
        print_comparison(tables, earlier)
    print("\n".join(["", *failures]) if failures else "\nall budgets hold")
    return 1 if failures else 0


def _earlier(path: str) -> dict[str, Any]:
    """Return what an earlier run kept.

    Raises:
        Refused: It is no such file.
    """
    try:
        told: dict[str, Any] = json.loads(Path(path).read_text())
        for one in told["tables"]:
            one["title"], compared(one["rows"], one["rows"])
        told["machine"]
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise Refused(f"--against must be a file that --json wrote, got {path}: {error}") from None
    return told


def measured(name: str) -> str:
    """Run one benchmark; return why it could not measure, nothing if it could."""
    try:
        BENCHMARKS[name]()
    except NoBrowser as reason:
        return str(reason)
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return ""


def print_comparison(tables: Sequence[Table], earlier: dict[str, Any]) -> None:
    """Print how every figure stands to the same one of an earlier run, and which has none."""
    before = {other["title"]: other["rows"] for other in earlier["tables"]}
    for table in tables:
        rows = compared(table.rows, before.get(table.title, table.rows[:1]))
        if len(rows) > 1:
            print_table(f"{table.title}: now ÷ then", rows)
        known = {row[0] for row in rows[1:]}
        alone = [row[0] for row in table.rows[1:] if row[0] not in known]
        if alone:
            print(f"  {table.title}: not in the earlier run: {', '.join(alone)}")


def compared(now: Sequence[Sequence[str]], then: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return the rows that both tables have, each figure as a ratio now ÷ then."""
    before = {row[0]: row for row in then[1:]}
    rows = [list(now[0])]
    for row in now[1:]:
        old = before.get(row[0])
        if old is None or len(old) != len(row):
            continue
        rows.append([row[0], *map(_ratio, row[1:], old[1:])])
    return rows


def _ratio(now: str, then: str) -> str:
    new, old = number_in(now), number_in(then)
    if new is None or old is None:
        return ""
    if new == old:
        return "1.00"
    return f"{new / old:.2f}" if old else f"{now} from 0"
