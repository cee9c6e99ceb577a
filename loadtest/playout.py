"""A player without a loudspeaker: what is heard at any moment, and when there was nothing to hear.

It begins to play with the first quantum and stands still when it has none, as a sound card does;
times are handed in::

    heard ........ held ........ end
    playhead                     first index not yet received
"""

from __future__ import annotations

from collections import deque

from astradio_stream.units import QUANTUM_SAMPLES, SAMPLE_RATE_HZ


class Playout:
    """The playhead of one listener."""

    __slots__ = ("_anchor_index", "_anchor_s", "_holes", "end")

    def __init__(self) -> None:
        self.end = -1
        """First index not yet received; -1 before anything is played."""
        self._anchor_index = 0
        self._anchor_s = 0.0
        self._holes: deque[tuple[int, int]] = deque()

    @property
    def is_playing(self) -> bool:
        """Whether anything has come."""
        return self.end >= 0

    def start(self, index: int, now_s: float) -> None:
        """Begin at an index, now; what was held is thrown away."""
        self.end = self._anchor_index = index
        self._anchor_s = now_s
        self._holes.clear()

    def arrived(self, end: int, now_s: float) -> float:
        """Take sound up to an index; return for how long there was none to play (seconds)."""
        dry_s = self.dry_s(now_s)
        if dry_s:
            self._anchor_index, self._anchor_s = self.end, now_s
        self.end = end
        return dry_s

    def dry_s(self, now_s: float) -> float:
        """Return for how long there has been nothing to play (seconds)."""
        return max(0.0, (self._carried_on(now_s) - self.end) / SAMPLE_RATE_HZ)

    def playhead(self, now_s: float) -> int:
        """Return the index that is heard."""
        return min(self.end, int(self._carried_on(now_s)))

    def ahead_s(self, now_s: float) -> float:
        """Return how long what is held lasts (seconds)."""
        missing = sum(to - start for start, to in self._holes)
        return max(0.0, (self.end - missing - self._carried_on(now_s)) / SAMPLE_RATE_HZ)

    def skip(self, to_index: int) -> None:
        """Leave out what lies from the end to an index: it will be jumped over when it is due."""
        self._holes.append((self.end, to_index))
        self.end = to_index

    def splice(self, index: int) -> None:
        """Give up what is held from an index on: it will come again, changed, holes as well."""
        while self._holes and self._holes[-1][1] > index:
            start, _ = self._holes.pop()
            if start < index:
                self._holes.append((start, index))
        self.end = min(self.end, index)

    def intended_s(self, index: int, buffer_samples: int) -> float:
        """Return when there is room for the quantum at an index: when it should come (seconds)."""
        room = index + QUANTUM_SAMPLES - buffer_samples - self._anchor_index
        return self._anchor_s + room / SAMPLE_RATE_HZ

    def _carried_on(self, now_s: float) -> float:
        """Return where the playhead were if nothing had ever been missing (index)."""
        while True:
            index = self._anchor_index + (now_s - self._anchor_s) * SAMPLE_RATE_HZ
            if not self._holes or index < self._holes[0][0]:
                return index
            start, to = self._holes.popleft()
            self._anchor_index += to - start
