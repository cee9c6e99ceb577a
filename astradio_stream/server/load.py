"""Whether there is room for more: what segments cost, how late they come, how late the loop is.

Newcomers are refused while those inside still hear every sample in time; that is the point. Times
go in and a judgement comes out; nothing here reads a clock.

::

    full   for two seconds on end: the cores are four fifths busy, or one segment in twenty came
           late, or the loop did
    free   for three seconds on end: two thirds busy at the most, and none of that
"""

from __future__ import annotations

from typing import Final

from astradio_stream.wire.bucket import NS_PER_S

BUSY_FULL: Final = 0.80
"""Share of the cores that rendering and sending may take before newcomers are refused …"""
BUSY_FREE: Final = 0.65
"""… and at which they are welcome again."""
LAG_FULL_NS: Final = 100_000_000
"""One quantum: a loop that is later than this makes everybody late …"""
LAG_FREE_NS: Final = 25_000_000
"""… and at this it keeps its promise."""
LATE_FULL: Final = 0.05
"""Share of segments that come late when there is too much to do, not when something hiccups."""
TROUBLED_JUDGEMENTS: Final = 2
"""Seconds of trouble on end before newcomers are refused."""
CALM_JUDGEMENTS: Final = 3
"""Seconds without trouble on end before they are welcome again."""
LIVE_NS: Final = 3 * NS_PER_S // 2
"""A programme nobody asked a segment of for so long is played no more: who plays asks each second.
"""
_SMOOTHING: Final = 0.05
"""Weight of one segment in the mean cost: of the last twenty or so."""


class Load:
    """What one server's streams cost."""

    def __init__(self, n_cores: int) -> None:
        """Judge by the cores that this process may use."""
        self._capacity_ns = n_cores * NS_PER_S
        self._asked_ns: dict[str, int] = {}
        self._spent_ns = 0
        self._n_made = self._n_late = 0
        self._judged_ns: int | None = None
        self._n_troubled = self._n_calm = 0
        self.cost_ns = 0.0
        """Mean CPU time of a segment (nanoseconds); 0 until one was made."""
        self.busy = 0.0
        """Share of the cores that rendering and sending took in the last judged span (0-1)."""
        self.is_full = False
        """Whether newcomers are refused."""

    @property
    def n_programmes(self) -> int:
        """Distinct programmes played now."""
        return len(self._asked_ns)

    def asked(self, programme_id: str, now_ns: int) -> None:
        """Heed that a segment of a programme is wanted."""
        self._asked_ns[programme_id] = now_ns

    def rendered(self, cpu_ns: int, *, is_late: bool) -> None:
        """Heed a segment: what it cost, and whether it was ready after its moment."""
        weight = _SMOOTHING if self.cost_ns else 1.0
        self.cost_ns += weight * (cpu_ns - self.cost_ns)
        self._spent_ns += cpu_ns
        self._n_made += 1
        self._n_late += is_late

    def has_room_for(self, programme_id: str, now_ns: int) -> bool:
        """Return whether one more programme can be rendered beside those that are played."""
        if programme_id in self._asked_ns:
            return True
        if self._fits_one_more():
            return True
        self._forget(now_ns)
        return self._fits_one_more()

    def judge(self, now_ns: int, lag_ns: int, sending_ns: int) -> None:
        """Judge the span since the last judgement, about a second.

        Args:
            now_ns: On the monotonic clock.
            lag_ns: By how much the loop was late in it.
            sending_ns: Time that the loop spent sending in it.
        """
        self._forget(now_ns)
        spent_ns, self._spent_ns = self._spent_ns + sending_ns, 0
        late_share = self._n_late / max(self._n_made, 1)
        self._n_made = self._n_late = 0
        if self._judged_ns is not None and now_ns > self._judged_ns:
            self.busy = spent_ns / (now_ns - self._judged_ns) * NS_PER_S / self._capacity_ns
        self._judged_ns = now_ns
        is_troubled = self.busy >= BUSY_FULL or lag_ns >= LAG_FULL_NS or late_share >= LATE_FULL
        is_calm = self.busy <= BUSY_FREE and lag_ns <= LAG_FREE_NS and not is_troubled
        self._n_troubled = self._n_troubled + 1 if is_troubled else 0
        self._n_calm = self._n_calm + 1 if is_calm else 0
        if self._n_troubled >= TROUBLED_JUDGEMENTS:
            self.is_full = True
        elif self._n_calm >= CALM_JUDGEMENTS:
            self.is_full = False

    def _fits_one_more(self) -> bool:
        return (self.n_programmes + 1) * self.cost_ns <= BUSY_FULL * self._capacity_ns

    def _forget(self, now_ns: int) -> None:
        """Forget the programmes that nobody listens to."""
        self._asked_ns = {
            name: at_ns for name, at_ns in self._asked_ns.items() if now_ns - at_ns < LIVE_NS
        }
