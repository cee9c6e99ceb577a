"""Networks as functions of time: how much later than it was sent something arrives.

A trace holds a delay for each tenth of a second, and begins anew when it is over. One is recorded
from what a listener saw (`--record-trace`), replayed by a proxy in between (`--trace`), or shipped
in loadtest/traces: those are synthetic, made by the functions here and described in words, for
nobody's network is everybody's.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from loadtest.target import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FOLDER: Final = Path(__file__).parent / "traces"
STEP_MS: Final = 100
MAX_DELAY_MS: Final = 60_000
MAX_STEPS: Final = 864_000
"""A day."""
SETTLED_S: Final = 3.0
"""A report is due after one second, its answer under way for two at the most."""
_STEPS_PER_MINUTE: Final = 600


@dataclass(frozen=True, slots=True)
class Trace:
    """Delays over time."""

    what: str
    """Where it comes from, in words."""
    delays_ms: tuple[int, ...]
    """One for each tenth of a second (milliseconds)."""

    def delay_s(self, moment_s: float) -> float:
        """Return the delay at a moment since the start (seconds), between its neighbours."""
        place = moment_s * 1_000 / STEP_MS
        n = int(place)
        here, there = (self.delays_ms[(n + step) % len(self.delays_ms)] for step in (0, 1))
        return (here + (there - here) * (place - n)) / 1_000

    def to_json(self) -> str:
        """Return the text of its file."""
        told = {"what": self.what, "stepMs": STEP_MS, "delaysMs": list(self.delays_ms)}
        return json.dumps(told) + "\n"


def load_trace(name: str) -> Trace:
    """Return a shipped trace by its name, or one from a file.

    Raises:
        Refused: There is none, or it is none.
    """
    path = FOLDER / f"{name}.json" if name in SYNTHETIC else Path(name)
    try:
        told = json.loads(path.read_text())
        delays = tuple(_delay_ms(delay) for delay in _list(told["delaysMs"]))
        what, step_ms = str(told["what"]), told["stepMs"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        names = ", ".join(SYNTHETIC)
        raise Refused(f"--trace must be one of {names}, or the file of a trace: {error}") from None
    is_bounded = 0 < len(delays) <= MAX_STEPS and all(0 <= one <= MAX_DELAY_MS for one in delays)
    if step_ms != STEP_MS or not is_bounded:
        raise Refused(f"--trace {name}: delays must be 0 to {MAX_DELAY_MS}, each of {STEP_MS} ms")
    return Trace(what, delays)


def _list(value: object) -> list[object]:
    """Return a list.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(value, list):
        raise TypeError(f"delaysMs must be a list, got {value!r}"[:80])
    return value


def _delay_ms(value: object) -> int:
    """Return a whole number.

    Raises:
        TypeError: It is none.
    """
    if type(value) is not int:
        raise TypeError(f"a delay must be a whole number, got {value!r}"[:80])
    return value


def settled(delays: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """Return what a listener saw from when lateness is the delay of the network.

    Before the first report a server can but guess when its sound began to be heard, and guesses too
    early by just that delay; what comes then seems to have none. What was heard for no longer than
    that is kept as it is.
    """
    return [one for one in delays if one[0] >= delays[0][0] + SETTLED_S] or delays


def recorded(delays: Sequence[tuple[float, float]], what: str) -> Trace:
    """Return the trace of what a listener saw: moments and lateness (seconds).

    The worst of each tenth of a second counts; where nothing came the delay before goes on.

    Raises:
        Refused: Nothing was seen.
    """
    if not delays:
        raise Refused(
            "--record-trace: nothing came to a listener that was read at once, so no delay was seen"
        )
    first_s = delays[0][0]
    n_steps = int((delays[-1][0] - first_s) * 1_000 / STEP_MS) + 1
    worst: list[int | None] = [None] * n_steps
    for at_s, late_s in delays:
        delay_s = max(late_s, 0.0)
        # It was sent when it was due, and the delay at that moment is what made it late.
        n = max(0, int((at_s - delay_s - first_s) * 1_000 / STEP_MS))
        worst[n] = max(worst[n] or 0, min(MAX_DELAY_MS, round(delay_s * 1_000)))
    steps, last = [], 0
    for delay in worst:
        last = last if delay is None else delay
        steps.append(last)
    return Trace(what, tuple(steps))


def _good_wifi() -> Trace:
    chance = random.Random("good-wifi")
    delays = []
    for _ in range(_STEPS_PER_MINUTE):
        jitter_ms = chance.expovariate(1 / 3)
        retry_ms = chance.uniform(20, 60) if chance.random() < 0.01 else 0
        delays.append(round(min(100, 4 + jitter_ms + retry_ms)))
    return Trace(
        "Synthetic. Wi-Fi in the same room: 4 ms and an exponential jitter of 3 ms in the mean; in "
        "one tenth of a second of a hundred the air is taken, which costs 20 to 60 ms. A minute.",
        tuple(delays),
    )


def _bad_mobile() -> Trace:
    chance = random.Random("bad-mobile")
    delays, level_ms, handover = [], 120.0, 0
    for _ in range(2 * _STEPS_PER_MINUTE):
        level_ms = min(400, max(60, level_ms + chance.gauss(0, 15)))
        if handover == 0 and chance.random() < 1 / 200:
            handover = chance.randint(8, 18)
        # What waits for a handover arrives together when it is over.
        delays.append(round(level_ms + chance.expovariate(1 / 20) + 100 * handover))
        handover = max(0, handover - 1)
    return Trace(
        "Synthetic. A phone in a moving train: a delay that wanders between 60 and 400 ms, an "
        "exponential jitter of 20 ms in the mean, and about every 20 s a handover in which nothing "
        "arrives for 0.8 to 1.8 s, and then all of it. Two minutes.",
        tuple(delays),
    )


def _stall_every_minute() -> Trace:
    stall = 30  # tenths of a second
    quiet = [20] * (_STEPS_PER_MINUTE - stall)
    return Trace(
        "Synthetic. 20 ms, and at the end of every minute nothing arrives for 3 s, and then all of "
        "it: longer than the default buffer of 2 s, so that a listener must run dry. A minute.",
        (*quiet, *(20 + 100 * (stall - n) for n in range(stall))),
    )


SYNTHETIC: Final[dict[str, Callable[[], Trace]]] = {
    "good-wifi": _good_wifi,
    "bad-mobile": _bad_mobile,
    "stall-every-minute": _stall_every_minute,
}
