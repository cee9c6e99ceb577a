"""A run from outside: starts the processes, watches the server, gathers what they tell."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from loadtest.histogram import Histogram
from loadtest.outcome import Outcome
from loadtest.table import machine
from loadtest.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from loadtest.plan import Plan
    from loadtest.watch import Watch

START_S: Final = 1.5
"""Until all processes have read their plan (seconds)."""
_ASKS: Final = "asks"
_GRACE_S: Final = 60.0
"""Beyond its time and that of verifying, a process is ended (seconds)."""


class _Process:
    """One process of ours, and a thread that reads what it tells."""

    def __init__(
        self, name: str, args: list[str], plan: Plan, inbox: queue.Queue[tuple[str, dict[str, Any]]]
    ) -> None:
        self.name = name
        self.process = subprocess.Popen(  # noqa: S603 - our own generator
            [sys.executable, "-m", *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdin is not None  # noqa: S101
        self.process.stdin.write(plan.to_json())
        self.process.stdin.close()
        self._thread = threading.Thread(target=self._read, args=(inbox,), daemon=True)
        self._thread.start()

    def _read(self, inbox: queue.Queue[tuple[str, dict[str, Any]]]) -> None:
        assert self.process.stdout is not None  # noqa: S101
        for line in self.process.stdout:
            inbox.put((self.name, json.loads(line)))
        inbox.put((self.name, {"ended": self.process.wait()}))

    def end(self) -> None:
        """End it if it has not ended by itself."""
        if self.process.poll() is None:
            self.process.kill()
        self._thread.join()
        assert self.process.stdout is not None  # noqa: S101
        self.process.stdout.close()


class _Gathering:
    """What the processes have told so far."""

    def __init__(self, plan: Plan, watch: Watch, names: Iterable[str]) -> None:
        self.outcome = Outcome(plan, machine())
        self.left = set(names)
        """Processes that have not ended."""
        self.listening = self.left - {_ASKS}
        """Processes whose listeners still listen."""
        self.seconds: dict[int, dict[str, Any]] = {}
        self._watch = watch

    def heed(self, name: str, told: dict[str, Any]) -> None:
        """Heed what one process tells."""
        if "ended" in told:
            if told["ended"]:
                raise RuntimeError(f"process {name} of the generator failed")
            self.left.discard(name)
        elif "listened" in told:
            self.listening.discard(name)
            if not self.listening:
                self.outcome.server = self._watch.told()
        elif "delays" in told:
            self.outcome.delays += told["delays"]
        elif "groups" in told:
            _gather(self.outcome, told["groups"])
        else:
            _add_second(self.seconds, told)

    def look(self, show: Callable[[dict[str, Any]], None]) -> None:
        """Look at the server, and show the last second that all have told of."""
        at_s = round(time.monotonic() - self.outcome.plan.start_s)
        looked = self._watch.look()
        if at_s > 0:
            _second(self.seconds, at_s).update(looked)
        if at_s - 1 in self.seconds:
            show(_finished(self.seconds[at_s - 1]))


def drive(plan: Plan, watch: Watch, show: Callable[[dict[str, Any]], None]) -> Outcome:
    """Make a run and return its outcome; `show` is told each second as it passes.

    Raises:
        RuntimeError: A process of the generator failed, or did not end in time.
    """
    plan = replace(plan, start_s=time.monotonic() + START_S)
    commands = {str(n): ["loadtest.generator", str(n)] for n in range(plan.processes)}
    if plan.row.asks:
        commands[_ASKS] = ["loadtest.asking"]
    inbox: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
    limit_s = plan.start_s + plan.duration_s + plan.verify_s + _GRACE_S
    next_look_s = plan.start_s
    gathering = _Gathering(plan, watch, commands)
    with ExitStack() as stack:
        for name, command in commands.items():
            stack.callback(_Process(name, command, plan, inbox).end)
        while gathering.left:
            if time.monotonic() > limit_s:
                raise RuntimeError("the generator did not end in time")
            with suppress(queue.Empty):
                gathering.heed(*inbox.get(timeout=max(0.01, next_look_s - time.monotonic())))
            if gathering.listening and time.monotonic() >= next_look_s:
                gathering.look(show)
                next_look_s += 1.0
    told = [row for _, row in sorted(gathering.seconds.items()) if row["told"] == plan.processes]
    gathering.outcome.seconds = [_finished(row) for row in told]
    return gathering.outcome


def _gather(outcome: Outcome, groups: dict[str, Any]) -> None:
    for name, told in groups.items():
        tally = Tally.from_json(told)
        if name == "generator":
            outcome.generators.append(tally)
        else:
            outcome.groups.setdefault(name, Tally()).add(tally)


def _second(seconds: dict[int, dict[str, Any]], at_s: int) -> dict[str, Any]:
    return seconds.setdefault(
        at_s,
        {
            "atS": at_s, "told": 0, "open": 0, "quanta": 0, "vizFrames": 0, "underruns": 0,
            "cpuS": 0.0, "late": Histogram(), "lag": Histogram(), "serverCpu": 0.0,
            "serverRssMb": 0.0,
        },
    )  # fmt: skip


def _add_second(seconds: dict[int, dict[str, Any]], told: dict[str, Any]) -> None:
    """Add what one process tells of a second."""
    row = _second(seconds, told["atS"])
    row["told"] += 1
    for name in ("open", "quanta", "vizFrames", "underruns", "cpuS"):
        row[name] += told[name]
    for name in ("late", "lag"):
        row[name].add(Histogram.from_json(told[name]))


def _finished(row: dict[str, Any]) -> dict[str, Any]:
    """Return a second with figures in place of histograms."""
    late, lag = row["late"], row["lag"]
    return row | {
        "late": late.quantile_ms(0.5),
        "lateP99": late.quantile_ms(0.99),
        "lateMax": late.max_us / 1e3,
        "lag": lag.quantile_ms(0.99),
        "fps": row["vizFrames"] / row["quanta"] * 10 if row["quanta"] else 0.0,
    }
