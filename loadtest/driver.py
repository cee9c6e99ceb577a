"""A run from outside: starts the processes, watches the server, gathers what they tell."""

from __future__ import annotations

import json
import math
import queue
import signal
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
from loadtest.watch import TIMEOUT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from loadtest.plan import Plan
    from loadtest.watch import Watch

_ASKS: Final = "asks"
_WATCH: Final = "watch"
_AHEAD_S: Final = 0.2
"""From when all processes are prepared until the first arrival (seconds)."""
_PREPARE_S: Final = 60.0
"""How long they may take to prepare (seconds)."""
_STOP_S: Final = 10.0
"""How long it may take to tell what was seen until one was stopped (seconds)."""
_GRACE_S: Final = 60.0
"""Beyond its time and that of verifying, a process is ended (seconds)."""

Inbox = queue.Queue[tuple[str, dict[str, Any]]]


class _Process:
    """One process of ours, and a thread that reads what it tells."""

    def __init__(self, name: str, args: list[str], plan: Plan, inbox: Inbox) -> None:
        self.name = name
        self.process = subprocess.Popen(  # noqa: S603 - our own generator
            [sys.executable, "-m", *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            process_group=0,  # what is said to us at a terminal is ours to pass on
        )  # fmt: skip
        self._say(plan.to_json())
        self._thread = threading.Thread(target=self._read, args=(inbox,), daemon=True)
        self._thread.start()

    def begin(self, start_s: float) -> None:
        """Let it begin at a moment (seconds)."""
        self._say(str(start_s))

    def stop(self) -> None:
        """Let it listen no longer, and tell what it has seen."""
        self.process.send_signal(signal.SIGINT)

    def _say(self, line: str) -> None:
        assert self.process.stdin is not None  # noqa: S101
        with suppress(BrokenPipeError):  # it has ended, and that is told
            self.process.stdin.write(f"{line}\n")
            self.process.stdin.flush()

    def _read(self, inbox: Inbox) -> None:
        assert self.process.stdout is not None  # noqa: S101
        for line in self.process.stdout:
            try:
                inbox.put((self.name, json.loads(line)))
            except ValueError:  # torn by its death; one that lives on tells nothing that counts
                self.process.kill()
                break
        inbox.put((self.name, {"ended": self.process.wait()}))

    def end(self) -> None:
        """End it if it has not ended by itself."""
        if self.process.poll() is None:
            self.process.kill()
        self._thread.join()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None  # noqa: S101
            with suppress(BrokenPipeError):
                pipe.close()


class _Watching:
    """A thread that looks at the server: one that answers slowly must not keep us from the rest."""

    def __init__(self, watch: Watch, start_s: float, inbox: Inbox) -> None:
        self._watch = watch
        self._start_s = start_s
        self._inbox = inbox
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Look a last time: the listening is over."""
        self._is_over.set()

    def _work(self) -> None:
        number = 0
        while not self._is_over.wait(max(0.0, self._start_s + number - time.monotonic())):
            looked = self._watch.look()
            self._tell({"looked": looked})
            number = max(number + 1, self._at_s())
        told = self._watch.told()
        self._tell({"told": told, "bounds": self._watch.bounds_ms, "looked": self._watch.last_look})

    def _at_s(self) -> int:
        return round(time.monotonic() - self._start_s)

    def _tell(self, told: dict[str, Any]) -> None:
        """Tell what was seen, when, and how the server ended if it did."""
        at = {"atS": self._at_s(), "end": self._watch.end()}
        self._inbox.put((_WATCH, at | told))


class _Gathering:
    """What the processes have told so far."""

    def __init__(self, plan: Plan, names: Iterable[str], show: Callable[[dict[str, Any]], None]):
        self.outcome = Outcome(plan, machine())
        self.left = {*names, _WATCH}
        """Who has still something to tell."""
        self.listening = {*names} - {_ASKS}
        """Processes whose listeners still listen."""
        self.unprepared = {*names}
        """Processes that cannot begin yet."""
        self.seconds: dict[int, dict[str, Any]] = {}
        self._show = show
        self._has_server_ended = False

    def heed(self, name: str, told: dict[str, Any]) -> None:
        """Heed what somebody tells."""
        outcome = self.outcome
        if "prepared" in told:
            self.unprepared.discard(name)
        elif name == _WATCH:
            self._look(told)
        elif "ended" in told:
            if told["ended"]:
                outcome.mishaps.append(f"process {name} of the generator failed")
            self.left.discard(name)
            self.listening.discard(name)
            self.unprepared.discard(name)
        elif "listened" in told:
            self.listening.discard(name)
        elif "delays" in told:
            outcome.delays = outcome.delays or told["delays"]  # of one listener, not of each
        elif "groups" in told:
            _gather(outcome, told["groups"])
        else:
            _add_second(self.seconds, told)

    def _look(self, told: dict[str, Any]) -> None:
        """Heed what was seen of the server; show the last second that all have told of."""
        outcome, at_s = self.outcome, told["atS"]
        if told["end"] and not self._has_server_ended:
            self._has_server_ended = True
            outcome.mishaps.append(f"the server ended after {at_s} s: {told['end']}")
        if "told" in told:
            outcome.server, outcome.bounds_ms = told["told"], told["bounds"]
            self.left.discard(_WATCH)
            row = _second(self.seconds, at_s)
            if math.isnan(row["serverCpu"]):  # the end of the listening came before its look
                row.update(told["looked"])
            return
        if at_s > 0:
            _second(self.seconds, at_s).update(told["looked"])
        if at_s - 1 in self.seconds:
            self._show(_finished(self.seconds[at_s - 1]))


def drive(plan: Plan, watch: Watch, show: Callable[[dict[str, Any]], None]) -> Outcome:
    """Make a run and return its outcome; `show` is told each second as it passes.

    What breaks on the way, a process of ours or the server, is one of its mishaps: what was
    measured is kept.
    """
    commands = {str(n): ["loadtest.generator", str(n)] for n in range(plan.processes)}
    if plan.row.asks:
        commands[_ASKS] = ["loadtest.asking"]
    inbox: Inbox = queue.Queue()
    gathering = _Gathering(plan, commands, show)
    with ExitStack() as stack:
        processes = [_Process(name, command, plan, inbox) for name, command in commands.items()]
        for one in processes:
            stack.callback(one.end)
        _heed_while(gathering, inbox, lambda: gathering.unprepared, time.monotonic() + _PREPARE_S)
        plan = gathering.outcome.plan = replace(plan, start_s=time.monotonic() + _AHEAD_S)
        for one in processes:
            one.begin(plan.start_s)
        watching = _Watching(watch, plan.start_s, inbox)
        limit_s = plan.start_s + plan.duration_s + _GRACE_S
        try:
            _heed_while(gathering, inbox, lambda: gathering.listening, limit_s)
            watching.finish()
            limit_s += plan.verify_s
            _heed_while(gathering, inbox, lambda: gathering.left - {_WATCH}, limit_s)
        except KeyboardInterrupt:
            gathering.outcome.mishaps.append("it was stopped before its time")
            for one in processes:
                one.stop()
            watching.finish()
            limit_s = time.monotonic() + _STOP_S
            _heed_while(gathering, inbox, lambda: gathering.left - {_WATCH}, limit_s)
        limit_s = time.monotonic() + 2 * TIMEOUT_S  # a look under way, and the last
        _heed_while(gathering, inbox, lambda: gathering.left & {_WATCH}, limit_s)
    told = [row for _, row in sorted(gathering.seconds.items()) if row["told"]]
    gathering.outcome.seconds = [_finished(row) for row in told]
    return gathering.outcome


def _heed_while(
    gathering: _Gathering, inbox: Inbox, waits: Callable[[], set[str]], limit_s: float
) -> None:
    """Heed what comes while somebody is waited for, until a moment at the latest (seconds)."""
    while waits():
        try:
            told = inbox.get(timeout=max(0.0, limit_s - time.monotonic()))
        except queue.Empty:
            late = ", ".join(sorted(waits()))
            gathering.outcome.mishaps.append(f"there was no end to wait for: {late}")
            return
        gathering.heed(*told)


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
            "cpuS": 0.0, "late": Histogram(), "lag": Histogram(), "serverCpu": math.nan,
            "serverRssMb": math.nan,
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
