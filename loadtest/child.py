"""What a process of the generator hears and tells; `driver` is at the other end.

It hears a plan, says that it is prepared, and hears when to begin: nobody is late because another
process took long to start.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from loadtest.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable


def asked() -> Plan:
    """Return the plan on standard input; this process stays on its cores from now on."""
    plan = Plan.from_json(sys.stdin.readline())
    if plan.cores:
        os.sched_setaffinity(0, plan.cores)
    return plan


def begun(plan: Plan) -> Plan:
    """Say that all is prepared; return the plan with its start, once that is told."""
    tell({"prepared": True})
    start_s = sys.stdin.readline()
    if not start_s:
        sys.exit("there is nobody to tell it to")
    return replace(plan, start_s=float(start_s))


def alone(main: Callable[[], None]) -> None:
    """Do what a process of the generator does; one that nobody listens to any more ends."""
    try:
        main()
    except (BrokenPipeError, KeyboardInterrupt):
        os._exit(1)  # without a word: there is nobody to say it to


def tell(message: dict[str, Any]) -> None:
    """Tell a line of JSON."""
    print(json.dumps(message), flush=True)
