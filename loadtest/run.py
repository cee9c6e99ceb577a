"""`python -m loadtest run SCENARIO`: one run, from options to exit code, top to bottom."""

from __future__ import annotations

import os
import shutil
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from astradio_stream.errors import Conflict
from astradio_stream.server.demo import Demo, seed_demo
from loadtest.driver import drive
from loadtest.options import command_of, cores_of, require_file, require_folder
from loadtest.outcome import Verdict
from loadtest.plan import plan_of
from loadtest.process import ServerFailed, server
from loadtest.report import print_report, progress_line, write_csv, write_json
from loadtest.target import Refused, target_of
from loadtest.thresholds import threshold_of, verdicts_of
from loadtest.toxic import toxic
from loadtest.traces import load_trace, recorded, settled
from loadtest.watch import Watch

if TYPE_CHECKING:
    from argparse import Namespace

    from loadtest.outcome import Outcome
    from loadtest.traces import Trace

FAILED: Final = 1
REFUSED: Final = 2
_LIMITS: Final = {"RATE_LIMIT_MAX": "50", "RATE_LIMIT_WINDOW_S": "10"}
"""As a server has them by default: everyone comes from an address of their own, unless a proxy lies
between."""
_PEOPLE: Final = 100_000
"""Whose charts are public at a server that is started here to be searched."""
_QUIET_SECONDS: Final = 5
"""Where nobody watches, progress is told this often."""


def split_cores(given: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the cores of a server started here, and those of the generator.

    With one core they share it; else each has half, unless `--cores` says otherwise.
    """
    there = tuple(sorted(os.sched_getaffinity(0)))
    ours = given or there[len(there) // 2 :]
    theirs = tuple(core for core in there if core not in ours) or there
    return theirs, ours


def run(args: Namespace) -> int:
    """Make a run; return the exit code.

    Raises:
        ServerFailed: The server that it needs did not start.
    """
    try:
        thresholds = [threshold_of(text) for text in args.asserts]
        require_sense(args)
        outcome = outcome_of(args)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return REFUSED
    plan = outcome.plan
    standing = [threshold_of(text) for text in plan.row.thresholds]
    if plan.samples and plan.verify_s:
        standing.append(threshold_of("verified>0"))  # who compared nothing has found nothing right
    outcome.verdicts = verdicts_of(outcome, [*standing, *thresholds])
    if args.record_trace:
        outcome.verdicts += record(outcome, Path(args.record_trace))
    lost = written(outcome, Path(args.out)) if args.out else []
    print_report(outcome)
    for line in lost:
        print(line)
    return FAILED if lost or not all(one.holds for one in outcome.verdicts) else 0


def require_sense(args: Namespace) -> None:
    """Look at all options before anything is made.

    Raises:
        Refused: Some are wrong; the sentence says how.
    """
    if args.trace is not None:
        load_trace(args.trace)
    target = target_of(args.url or "ws://127.0.0.1:1/stream", is_owned=args.i_own_this_server)
    plan_of(args, target.url, "", cores_of(args.cores))
    if args.out is not None:
        require_folder(args.out, "--out")
    if args.data_dir is not None:
        require_folder(args.data_dir, "--data-dir")
    if args.record_trace is not None:
        require_file(args.record_trace, "--record-trace")


def written(outcome: Outcome, folder: Path) -> list[str]:
    """Write all files, each by itself; return a line for each that could not be written."""
    lost = []
    for write in (write_json, write_csv, write_page):
        try:
            write(outcome, folder)
        except OSError as error:  # the disk may be full by now
            lost.append(f"FAILED --out: {error}")
    return lost


def outcome_of(args: Namespace) -> Outcome:
    """Make the run that options ask for.

    Raises:
        Refused: They are wrong; the sentence says how.
        ServerFailed: The server that they ask for did not start.
    """
    trace = None if args.trace is None else load_trace(args.trace)
    outcome = None
    try:
        with ExitStack() as stack:
            outcome = _driven(args, trace, stack)
    except ServerFailed as failed:
        if outcome is None:
            raise
        outcome.mishaps.append(str(failed))
    outcome.command = command_of(args)
    return outcome


def _driven(args: Namespace, trace: Trace | None, stack: ExitStack) -> Outcome:
    """Make the run; what it needs lives as long as the stack."""
    folder = args.data_dir or stack.enter_context(TemporaryDirectory())
    theirs, ours = split_cores(cores_of(args.cores))
    running = None
    if args.url is None:
        plan = plan_of(args, "ws://127.0.0.1:1/stream", folder, ours)  # refuse before starting
        settings = {"ASTRADIO_MAX_LISTENERS": str(max(2_000, plan.listeners + 100))}
        settings |= {} if trace else _LIMITS
        if plan.row.asks == "compat":
            people(folder, _PEOPLE)
        running = stack.enter_context(server(folder, None, theirs, **settings))
        url = f"ws://127.0.0.1:{running.port}/stream"
    else:
        url = args.url
    target = target_of(url, is_owned=args.i_own_this_server)
    plan = plan_of(args, url, folder, ours if running else cores_of(args.cores))
    proxy = None
    if trace is not None:
        proxy = stack.enter_context(toxic(target.resolved_url))
        proxy.down.delay_of_s = trace.delay_s
        plan = replace(plan, url=proxy.url)
    outcome = drive(plan, Watch(target.http_url, running), _Progress(args.scenario).show)
    if proxy is not None:
        outcome.between = proxy.lag()
    return outcome


def people(folder: str, n: int) -> None:
    """Put people to be found into the database of a server; where some are, they will do."""
    with suppress(Conflict):
        seed_demo(Path(folder), Demo(n, 1, among_people=False, now_us=time.time_ns() // 1_000))


class _Progress:
    """Tells on the terminal how it goes, in place where someone watches."""

    def __init__(self, scenario: str) -> None:
        self._scenario = scenario
        self._is_watched = sys.stderr is not None and sys.stderr.isatty()

    def show(self, row: dict[str, Any]) -> None:
        """Show a second."""
        line = progress_line(self._scenario, row)
        if self._is_watched:
            n_columns = shutil.get_terminal_size().columns
            print(f"\r{line[: n_columns - 1]}", end="", file=sys.stderr, flush=True)
        elif row["atS"] % _QUIET_SECONDS == 0:
            print(line, file=sys.stderr, flush=True)


def record(outcome: Outcome, path: Path) -> list[Verdict]:
    """Write the trace of what the first listener saw; return what is to be said of it."""
    plan = outcome.plan
    what = f"Recorded: lateness of one listener, {plan.scenario}, {plan.duration_s:g} s."
    try:
        path.write_text(recorded(settled(outcome.delays), what).to_json())
    except (Refused, OSError) as error:
        return [Verdict("a trace is recorded", str(error), holds=False)]
    return []


def write_page(outcome: Outcome, folder: Path) -> None:
    """Write `report.html`, or say what it needs."""
    try:
        from loadtest.html import write_html  # noqa: PLC0415 - matplotlib is not always there
    except ImportError:
        print("no report.html: `pip install astradio-stream[load]` brings matplotlib")
        return
    write_html(outcome, folder / "report.html")
