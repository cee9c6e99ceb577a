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
import secrets
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import orjson

from loadtest.arrivals import arrivals
from loadtest.child import alone, asked, begun, tell
from loadtest.client import source_of
from loadtest.tally import Tally
from loadtest.target import Target, target_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from loadtest.plan import Plan

MOST_UNDER_WAY: Final = 128
"""Each has a thread here, which waits."""
_TIMEOUT_S: Final = 60.0
_TICK_S: Final = 0.005
_FIRST_SOURCE: Final = 3_000_000
"""Requests come from other loopback addresses than listeners."""
_FACETS: Final = ("friends", "lovers", "creative", "mentor", "conflict", "overall")
_TOWNS: Final = (
    ("Europe/Berlin", 52.5, 13.4), ("America/New_York", 40.7, -74.0), ("Asia/Tokyo", 35.7, 139.7),
    ("Australia/Sydney", -33.9, 151.2), ("Africa/Nairobi", -1.3, 36.8),
)  # fmt: skip


def _piece(chance: random.Random) -> tuple[str, dict[str, Any]]:
    """Return an order of a minute that nobody has had, whatever runs there were before.

    Its seed is new each time; else another run would measure what a server kept of the first.
    """
    year, month, day = chance.randint(1900, 2049), chance.randint(1, 12), chance.randint(1, 28)
    at = f"{year}-{month:02d}-{day:02d}T12:00:00Z"
    return "/api/compose", {"mode": "transit", "seed": secrets.randbelow(2**50), "at": at}


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


def _ask(target: Target, number: int, path: str, body: dict[str, Any]) -> tuple[int, bytes]:
    """Return status and body for one request on a connection of its own; 0 if no answer came."""
    source = (source_of(_FIRST_SOURCE + number), 0) if target.has_sources else None
    connection = http.client.HTTPConnection(
        *target.address, timeout=_TIMEOUT_S, source_address=source
    )
    headers = {"Content-Type": "application/json", "Host": target.host}
    try:
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        told = answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()
    return answer.status, told


def ask_all(plan: Plan) -> tuple[Tally, Tally]:
    """Send all requests of a plan; return what became of them, and how this process kept up."""
    tally, own, lock = Tally(), Tally(), threading.Lock()
    began_s, began_cpu_s = time.monotonic(), time.process_time()
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
            status, told = _ask(target, number, *ASKS[plan.row.asks](chance))
            with lock:
                _judge(tally, status, time.monotonic() - intended_s)
                if plan.row.asks == "compat":
                    tally.counts["matches"] += _n_matches(told)

    with ThreadPoolExecutor(MOST_UNDER_WAY) as executor:
        working = [executor.submit(work) for _ in range(MOST_UNDER_WAY)]
        try:
            _beat_while(working, own)
        except KeyboardInterrupt:  # nobody is asked any more; who was, is waited for
            with lock:
                due.clear()
        for done in working:
            done.result()
    own.counts["cpu_us"] = round((time.process_time() - began_cpu_s) * 1e6)
    own.counts["wall_us"] = round((time.monotonic() - began_s) * 1e6)
    return tally, own


def _beat_while(working: list[Future[None]], own: Tally) -> None:
    """Record how late this process is, a beat that it missed included, until the work is done."""
    due_s = time.monotonic()
    while not all(one.done() for one in working):
        due_s += _TICK_S
        time.sleep(max(0.0, due_s - time.monotonic()))
        while (late_s := time.monotonic() - due_s) > _TICK_S:
            own.record("lag", late_s)
            due_s += _TICK_S
        own.record("lag", max(0.0, late_s))


def _n_matches(told: bytes) -> int:
    """Return how many people a search found: of the listing that it answered, if it is one."""
    try:
        return len(orjson.loads(told)["matches"])
    except (ValueError, KeyError, TypeError):
        return 0


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
    tally, own = ask_all(begun(asked()))
    tell({"groups": {"asks": tally.to_json(), "generator": own.to_json()}})


if __name__ == "__main__":
    alone(main)
