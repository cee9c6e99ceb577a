"""What a slow listener gets: first no picture, then announced skips, at last a close.

Slow is who does not take what is written while something is due; how long that lasted decides.
Only times go in and a step comes out, so an hour of slowness is tested in a moment.

==================  =============================================================================
waited              what follows
==================  =============================================================================
0.5 s               no picture for ten seconds: an eighth fewer bytes
2 s                 what was missed is skipped, and said to be
10 s at once, or    4102: it would hear little but gaps
10 s more than half
of the time
==================  =============================================================================
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from astradio_stream.wire.bucket import NS_PER_S

DARK_AFTER_NS: Final = NS_PER_S // 2
DARK_FOR_NS: Final = 10 * NS_PER_S
SKIP_AFTER_NS: Final = 2 * NS_PER_S
"""The default buffer: who waits less may still have something to play."""
HOPELESS_NS: Final = 10 * NS_PER_S
"""With the seconds until the close frame is given up, less than the contract's 15 s."""


class Step(Enum):
    """What a wait leads to."""

    GO_ON = "all is sent"
    SKIP = "what was missed is left out, announced"
    GIVE_UP = "closed with 4102"


class Patience:
    """How slow one listener was lately."""

    __slots__ = ("_dark_until_ns", "_debt_at_ns", "_debt_ns")

    def __init__(self) -> None:
        self._dark_until_ns = 0
        self._debt_ns = 0
        self._debt_at_ns = 0

    def is_dark(self, now_ns: int) -> bool:
        """Return whether the listener does without the picture."""
        return now_ns < self._dark_until_ns

    def waited(self, wait_ns: int, now_ns: int) -> Step:
        """Heed that something was due for a while until there was room for it."""
        if wait_ns >= DARK_AFTER_NS:
            self._dark_until_ns = now_ns + DARK_FOR_NS
        if wait_ns < SKIP_AFTER_NS:
            return Step.GO_ON
        paid_ns = (now_ns - self._debt_at_ns) // 2
        self._debt_ns = max(0, self._debt_ns - paid_ns) + wait_ns
        self._debt_at_ns = now_ns
        return Step.GIVE_UP if max(wait_ns, self._debt_ns) >= HOPELESS_NS else Step.SKIP
