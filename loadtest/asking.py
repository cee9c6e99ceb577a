"""HTTP requests beside the listeners: sent when they are due, whether others were answered or not.

No more than some can be under way. One that has to wait for that is measured from when it was due;
one whose turn does not come until the end of the run has waited until then, and is counted. A
process of its own, as the generators are: ``python -m loadtest.asking`` takes a plan on its
standard input.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from loadtest.arrivals import arrivals
from loadtest.child import asked, begun, tell
from loadtest.client import source_of
from loadtest.tally import Tally
from loadtest.target import Target, target_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from loadtest.plan import Plan

MOST_UNDER_WAY: Final = 128
"""Each has a thread here, which waits."""
_TIMEOUT_S: Final = 60.0
_FIRST_SOURCE: Final = 3_000_000
"""Requests come from other loopback addresses than listeners."""
_FACETS: Final = ("friends", "lovers", "creative", "mentor", "conflict", "overall")
_TOWNS: Final = (
    ("Europe/Berlin", 52.5, 13.4), ("America/New_York", 40.7, -74.0), ("Asia/Tokyo", 35.7, 139.7),
    ("Australia/Sydney", -33.9, 151.2), ("Africa/Nairobi", -1.3, 36.8),
)  # fmt: skip


def _piece(chance: random.Random) -> tuple[str, dict[str, Any]]:
    """Return an order of a minute that nobody has had."""
    year, month, day = chance.randint(1900, 2049), chance.randint(1, 12), chance.randint(1, 28)
    at = f"{year}-{month:02d}-{day:02d}T12:00:00Z"
    return "/api/compose", {"mode": "transit", "seed": chance.randrange(2**50), "at": at}


def _search(chance: random.Random) -> tuple[str, dict[str, Any]]:
    """Return a search for the matches of somebody."""
    tz, lat, lon = chance.choice(_TOWNS)
    year, month, day = chance.randint(1940, 2009), chance.randint(1, 12), chance.randint(1, 28)
    moment = f"{year}-{month:02d}-{day:02d}T{chance.randint(4, 23):02d}:30"
    chart = {"datetime": moment, "tz": tz, "lat": lat, "lon": lon}
    return "/api/compat/search", {"chart": chart, "facet": chance.choice(_FACETS), "limit": 20}


ASKS: Final[dict[str, Callable[[random.Random], tuple[str, dict[str, Any]]]]] = {
    "compose": _piece,
    "compat": _search,
}


def _ask(target: Target, number: int, path: str, body: dict[str, Any]) -> int:
    """Return the status of one request on a connection of its own; 0 if there was no answer."""
    source = (source_of(_FIRST_SOURCE + number), 0) if target.has_sources else None
    connection = http.client.HTTPConnection(
        *target.address, timeout=_TIMEOUT_S, source_address=source
    )
    headers = {"Content-Type": "application/json", "Host": target.host}
    try:
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
    return answer.status


def ask_all(plan: Plan) -> Tally:
    """Send all requests of a plan; return what became of them."""
    tally, lock = Tally(), threading.Lock()
    target = target_of(plan.url, is_owned=plan.is_owned)
    n = max(1, int(plan.duration_s * plan.asks_per_s))
    moments = arrivals("poisson", n, plan.asks_per_s, plan.duration_s, plan.seed + 1)
    due = deque((number, at_s) for number, at_s in enumerate(moments) if at_s < plan.duration_s)
    end_s = plan.start_s + plan.duration_s

    def work() -> None:
        while True:
            with lock:
                if not due:
                    return
                number, at_s = due.popleft()
            intended_s = plan.start_s + at_s
            time.sleep(max(0.0, intended_s - time.monotonic()))
            if time.monotonic() > end_s:
                with lock:
                    tally.counts["unasked"] += 1
                    tally.record("answer", end_s - intended_s)
                continue
            chance = random.Random(f"ask {plan.seed} {number}")
            status = _ask(target, number, *ASKS[plan.row.asks](chance))
            with lock:
                _judge(tally, status, time.monotonic() - intended_s)

    with ThreadPoolExecutor(MOST_UNDER_WAY) as executor:
        for done in [executor.submit(work) for _ in range(MOST_UNDER_WAY)]:
            done.result()
    return tally


def _judge(tally: Tally, status: int, answer_s: float) -> None:
    """Count an answer: to be refused is no fault; to be told anything but 200 otherwise is.

    Where none came, what was waited for it is the least that it would have taken.
    """
    tally.counts["asked"] += 1
    tally.counts[f"status_{status}"] += 1
    if status in (200, 0):
        tally.record("answer", answer_s)
    if status == 200:
        return
    if status in (429, 503):
        tally.find("refused", f"HTTP {status}")
    else:
        tally.find("unexpected_error", f"HTTP {status}" if status else "no answer")


def main() -> None:
    """Ask as the plan says that `driver` tells."""
    tell({"groups": {"asks": ask_all(begun(asked())).to_json()}})


if __name__ == "__main__":
    main()
