"""What load is made: one row for each scenario, and the roles that listeners play in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of load; every number is a default that an option changes."""

    what: str
    """What it asks of a server."""
    listeners: int
    """How many come."""
    duration_s: float
    """From the first arrival to the end (seconds)."""
    per_s: float
    """Arrivals per second."""
    arrival: str = "poisson"
    """`poisson`: independent of each other; `ramp`: evenly over three quarters of the time; `herd`:
    all at one instant."""
    programme: str = "station"
    """`station`, `distinct` (a seed for each), or `mixed` (every other one)."""
    role: str = "well"
    """What a share of the listeners does besides listening."""
    share: float = 1.0
    """Of the listeners that play the role (0-1); the others are well."""
    asks: str = ""
    """HTTP requests beside them: `compose` or `compat`."""
    asks_per_s: float = 0.0
    """How many (1/s), whether the ones before are answered or not."""
    also: tuple[str, ...] = ()
    """What must hold beside SERVED."""

    @property
    def thresholds(self) -> tuple[str, ...]:
        """What must hold; `--assert` adds to it."""
        return (*SERVED, *self.also)


ROLES: Final = {
    "well": "reads at once, reports once a second, comes back when it is told to or refused",
    "storm": "loses its connection three times, with all others of its role, and resumes",
    "slow": "takes half of what it is sent, or nothing at all",
    "steer": "changes a wish every few seconds",
    "churn": "leaves after a minute or so, and another comes",
    "abuse": "breaks the protocol in each way there is, again and again",
}

SERVED: Final = ("faults<=0", "quanta>0", "unconnected<=0", "unanswered<=0", "unserved<=0")
"""What every scenario wants: nothing wrong, and everybody hears something."""
_CALM: Final = ("underrun<=0", "refused<=0", "shed<=0")

# fmt: off
SCENARIOS: Final = {
    "steady": Scenario(
        "listeners of the station come and stay", 500, 30, 100, also=_CALM),
    "ramp": Scenario(
        "more and more listeners of the station", 2_000, 60, 0, arrival="ramp", also=_CALM),
    "thundering-herd": Scenario(
        "all listeners of the station at one instant, as when a stream is announced",
        1_000, 30, 0, arrival="herd"),
    "reconnect-storm": Scenario(
        "all connections are lost at once, three times, and come back within a second",
        500, 40, 200, role="storm", also=_CALM),
    "slow-readers": Scenario(
        "a fifth takes half of what it is sent or nothing; the others must not notice",
        100, 40, 50, role="slow", share=0.2, also=_CALM),
    "distinct": Scenario(
        "every listener has a programme of its own", 60, 40, 10, programme="distinct",
        also=_CALM),
    "steer-storm": Scenario(
        "every listener has a programme of its own and changes it every few seconds",
        20, 40, 10, programme="distinct", role="steer", also=("steered>0",)),
    "mixed-abuse": Scenario(
        "a third breaks the protocol in every way; the others must not notice",
        60, 30, 30, programme="mixed", role="abuse", share=0.33, also=_CALM),
    "compose-storm": Scenario(
        "pieces of a minute are ordered while others listen",
        20, 40, 10, programme="mixed", asks="compose", asks_per_s=2),
    "compat-storm": Scenario(
        "matches are searched while others listen",
        20, 30, 10, programme="mixed", asks="compat", asks_per_s=20, also=("matches>0",)),
    "soak": Scenario(
        "hours of coming and going: station and own programmes",
        100, 7_200, 5, programme="mixed", role="churn", also=_CALM),
}
# fmt: on
