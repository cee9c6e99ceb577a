"""When the next quantum of an epoch is due: the arithmetic of waiting, without the waiting.

The listener is kept `buffer_ms` ahead of its playhead and never further::

    first ......... playhead ...................... next ........ playhead + buffer
                    what is heard now               first sample not yet sent

The playhead is what the listener last reported, carried on at 48 000 samples per second, and never
beyond what was sent: whoever has nothing to play stands still. Therefore a stall, ours or theirs,
is followed by one buffer and not by all that was missed. Times are integer nanoseconds of a
monotonic clock, deadlines are absolute, so nothing accumulates.
"""

from __future__ import annotations

from typing import Final

from astradio_stream import units

# 1 000 000 000 ns are 48 000 samples: 62 500 ns are 3.
_NS: Final = 62_500
_SAMPLES: Final = 3


_FASTEST: Final = (1_001, 1_000)
"""No sound card runs more than 0.1 % fast, so nobody has heard more than this much of the time."""


def samples_to_ns(n_samples: int) -> int:
    """Return how long samples last (nanoseconds, rounded up)."""
    return -(-n_samples * _NS // _SAMPLES)


def ns_to_samples(duration_ns: int) -> int:
    """Return how many whole samples a duration (nanoseconds) holds."""
    return duration_ns * _SAMPLES // _NS


class Pacer:
    """The playhead and the next quantum of one epoch of one listener."""

    __slots__ = (
        "_anchor_index",
        "_anchor_ns",
        "_buffer_samples",
        "_due_ns",
        "_first_index",
        "_lowest_played",
        "_paused_ns",
        "_started_ns",
        "next_index",
    )

    def __init__(self, first_index: int, buffer_ms: int, now_ns: int, *, may_hold: bool) -> None:
        """Begin an epoch.

        Args:
            first_index: First sample to send, a multiple of 4 800.
            buffer_ms: How far ahead of what is heard the listener can hold (milliseconds).
            now_ns: The moment from which the first quantum is due.
            may_hold: Whether the listener may still hold sound from before `first_index`,
                as one that resumes does.
        """
        self.next_index = first_index
        """First sample not yet sent."""
        self._buffer_samples = units.milliseconds_to_samples(buffer_ms)
        self._first_index = first_index
        self._lowest_played = first_index - (self._buffer_samples if may_hold else 0)
        self._anchor_index = first_index
        self._anchor_ns = now_ns
        self._started_ns: int | None = None
        self._paused_ns: int | None = None
        self._due_ns = now_ns

    @property
    def is_paused(self) -> bool:
        """Whether time stands still."""
        return self._paused_ns is not None

    @property
    def has_ended(self) -> bool:
        """Whether all that exists has been sent."""
        return self.next_index >= units.END_INDEX

    def playhead(self, now_ns: int) -> int:
        """Return the sample that the listener hears, as far as we can know."""
        if self._started_ns is None or self._paused_ns is not None:
            return self._anchor_index
        carried_on = self._anchor_index + ns_to_samples(now_ns - self._anchor_ns)
        return min(self.next_index, carried_on)

    def due(self, now_ns: int) -> int | None:
        """Return the index of the quantum to send now, or None if it is not yet time."""
        if self.is_paused or self.has_ended:
            return None
        if self._has_run_dry(now_ns):
            self._anchor(self.next_index, now_ns)
        return self.next_index if self._due_ns <= now_ns else None

    def due_ns(self) -> int | None:
        """Return when the next quantum is due, or None while there will be none."""
        return None if self.is_paused or self.has_ended else self._due_ns

    def n_due(self, now_ns: int, at_most: int) -> int:
        """Return how many quanta are due now, from `next_index` on: as many as there is room for.

        It is what asking `due` and telling `quantum_sent` in turn would come to, at one moment.
        """
        if at_most < 1 or self.due(now_ns) is None:
            return 0
        since_ns = 0 if self._started_ns is None else now_ns - self._anchor_ns
        until = self._anchor_index + ns_to_samples(since_ns) + self._buffer_samples
        until = min(until, units.END_INDEX)
        # The first is due even where there is no room for it: it was late before the last report.
        return max(1, min(at_most, (until - self.next_index) // units.QUANTUM_SAMPLES))

    def quantum_sent(self, now_ns: int, n_quanta: int = 1) -> int:
        """Move on by a quantum or some; return how late the first was (nanoseconds)."""
        if self._started_ns is None:
            self._started_ns = now_ns
            self._anchor_ns = now_ns
        late_ns = max(0, now_ns - self._due_ns)
        self.next_index += n_quanta * units.QUANTUM_SAMPLES
        self._due_ns = self._next_due_ns()
        return late_ns

    def report(self, played: int, received: int, now_ns: int) -> None:
        """Heed what the listener says it hears; more than is possible is read as all that is."""
        if self._started_ns is None:
            return
        until_ns = now_ns if self._paused_ns is None else self._paused_ns
        times, by = _FASTEST
        heard = self._first_index + ns_to_samples(until_ns - self._started_ns) * times // by
        possible = min(received, self.next_index, heard)
        self._lowest_played = max(self._lowest_played, min(played, possible))
        self._anchor(self._lowest_played, now_ns)

    def splice(self, index: int, now_ns: int) -> None:
        """Go back to a quantum that was sent, to send what lies from there on again.

        Args:
            index: First sample of the quantum; one that was not sent yet changes nothing.
            now_ns: The moment from which it is due: it could not be late before.
        """
        heard = self.playhead(now_ns)
        self.next_index = min(self.next_index, index)
        self._anchor_index = min(heard, self.next_index)
        self._anchor_ns = now_ns
        self._due_ns = self._next_due_ns()

    def pause(self, now_ns: int) -> None:
        """Let time stand still."""
        if self._paused_ns is None:
            self._anchor_index = self.playhead(now_ns)
            self._paused_ns = now_ns

    def play(self, now_ns: int) -> None:
        """Let time go on from where it stood."""
        if self._paused_ns is not None:
            if self._started_ns is not None:
                self._started_ns += now_ns - self._paused_ns
            self._paused_ns = None
            self._anchor_ns = now_ns
            self._due_ns = self._next_due_ns()

    def _has_run_dry(self, now_ns: int) -> bool:
        """Return whether the listener must have played all that was sent."""
        if self._started_ns is None:
            return False
        return self._anchor_index + ns_to_samples(now_ns - self._anchor_ns) > self.next_index

    def _anchor(self, playhead: int, now_ns: int) -> None:
        """Carry the playhead on from here; a quantum that is late already stays as late."""
        was_due_ns = self._due_ns
        self._anchor_index = playhead
        self._anchor_ns = now_ns
        self._due_ns = self._next_due_ns()
        if self._due_ns <= now_ns:
            self._due_ns = min(self._due_ns, was_due_ns)

    def _next_due_ns(self) -> int:
        """Return when the playhead will leave room for one more quantum."""
        wanted = self.next_index + units.QUANTUM_SAMPLES - self._buffer_samples
        return self._anchor_ns + samples_to_ns(max(0, wanted - self._anchor_index))
