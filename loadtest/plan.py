"""One run, decided: what every process of the generator needs to know, bounded in every number."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from loadtest.scenarios import SCENARIOS, Scenario
from loadtest.target import Refused

if TYPE_CHECKING:
    from argparse import Namespace

# fmt: off
BOUNDS: Final = {
    # option           least  most
    "listeners":       (1,    50_000),
    "programmes":      (1,    50_000),
    "duration":        (1,    86_400),
    "rate":            (0.01, 5_000),
    "processes":       (1,    16),
    "buffer_ms":       (200,  20_000),
    "seed":            (0,    2**31),
    "samples":         (0,    200_000),
    "prompt":          (0,    5_000),
    "asks_per_s":      (0.01, 1_000),
    "verify_s":        (0,    3_600),
}
"""What each option of `run` may be: a load test ends."""


BOUNDS_OF_OTHERS: Final = {
    "hours":           (0.001, 168),
    "minutes":         (0.05, 1_440),
    "charts":          (1, 100_000),
    "seconds":         (4, 86_400),
}
"""Those of the other commands."""
# fmt: on


@dataclass(frozen=True, slots=True)
class Plan:
    """A run."""

    scenario: str
    """By name."""
    url: str
    """Of the stream; of the proxy where there is one."""
    is_owned: bool
    """Whether the target may be another machine."""
    listeners: int
    """How many come in all."""
    programmes: int
    """How many distinct programmes there are among those that are not the station's."""
    duration_s: float
    """From the first arrival to the end (seconds)."""
    per_s: float
    """Arrivals per second; 0 where the scenario decides."""
    processes: int
    """That share the listeners."""
    buffer_ms: int
    """How far ahead a listener can hold (milliseconds)."""
    seed: int
    """Of everything that is left to chance."""
    samples: int
    """Quanta that are verified, over all processes."""
    prompt: int
    """Listeners of each process that are read at once and whose lateness is recorded."""
    asks_per_s: float
    """HTTP requests per second."""
    verify_s: float
    """How long verifying may take (seconds)."""
    folder: str
    """Where note banks lie or are made."""
    cores: tuple[int, ...] = ()
    """That the generator stays on; all if empty."""
    start_s: float = 0.0
    """When it begins, on the monotonic clock of this machine (seconds)."""

    @property
    def row(self) -> Scenario:
        """The scenario."""
        return SCENARIOS[self.scenario]

    def to_json(self) -> str:
        """Return it for another process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Return what `to_json` told."""
        told: dict[str, Any] = json.loads(text)
        told["cores"] = tuple(told["cores"])
        return cls(**told)


def bounded(args: Namespace) -> None:
    """Look at every number that was given.

    Raises:
        Refused: One is out of bounds; the sentence names it.
    """
    for name, (least, most) in (BOUNDS | BOUNDS_OF_OTHERS).items():
        value = getattr(args, name, None)
        if value is not None and not least <= value <= most:
            option = "--" + name.replace("_", "-")
            raise Refused(f"{option} must be from {least} to {most}, got {str(value)[:20]}")


def _require_use(args: Namespace, row: Scenario) -> None:
    """Refuse what the scenario has no use for: it would be thought to have an effect."""
    useless = {
        "rate": row.arrival != "poisson",
        "programmes": row.programme == "station",
        "asks_per_s": not row.asks,
    }
    if args.i_own_this_server and args.url is None:
        raise Refused("--i-own-this-server has no meaning without --url: a server is started here")
    if args.record_trace and not args.prompt:
        raise Refused("--record-trace needs a listener that is read at once, got --prompt 0")
    for name, is_useless in useless.items():
        if is_useless and getattr(args, name) is not None:
            option = "--" + name.replace("_", "-")
            raise Refused(f"{option} has no meaning in {args.scenario}: {row.what}")


def plan_of(args: Namespace, url: str, folder: str, cores: tuple[int, ...]) -> Plan:
    """Return the run that options ask for.

    Raises:
        Refused: They do not fit together.
    """
    bounded(args)
    row = SCENARIOS[args.scenario]
    _require_use(args, row)

    def or_else(given: Any, default: Any) -> Any:
        return default if given is None else given

    listeners = or_else(args.listeners, row.listeners)
    if listeners * row.share + 1e-9 < 1:
        raise Refused(
            f"--listeners {listeners}: of so few nobody is {row.role}, which {args.scenario} is for"
        )
    duration_s = float(or_else(args.duration, row.duration_s))
    per_s = float(or_else(args.rate, row.per_s))
    if row.arrival == "poisson" and listeners / per_s > 0.9 * duration_s:
        raise Refused(
            f"{listeners} listeners at {per_s:g}/s come in {listeners / per_s:.0f} s: --duration "
            f"{duration_s:g} leaves no time to listen; raise --rate or --duration"
        )
    return Plan(
        scenario=args.scenario,
        url=url,
        is_owned=args.i_own_this_server,
        listeners=listeners,
        programmes=or_else(args.programmes, listeners),
        duration_s=duration_s,
        per_s=per_s,
        processes=min(args.processes, listeners),
        buffer_ms=args.buffer_ms,
        seed=args.seed,
        samples=args.samples,
        prompt=args.prompt,
        asks_per_s=float(or_else(args.asks_per_s, row.asks_per_s)),
        verify_s=args.verify_s,
        folder=folder,
        cores=cores,
    )
