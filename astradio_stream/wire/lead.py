"""How far ahead of what is heard a change can still come.

::

    heard ............ lead ............ first open quantum
                                         the change, at the earliest
    heard, later ..... margin .......... it is at hand: has it come in time?
"""

from __future__ import annotations

from typing import Final

from astradio_stream import units
from astradio_stream.errors import RETRY_AFTER_S, Overloaded

ANSWER_MS: Final = 60
"""What composing and rendering a change is thought to take before the listener has made one."""
QUICKEST_MS: Final = 30
"""No answer is thought to be quicker than this: one busy moment more makes it so."""
SLOWEST_MS: Final = 400
"""What takes longer is no guide for the next."""
MARGIN_MS: Final = 90
"""What must be left when the quanta are at hand, for the way and the decoder."""
TRIES: Final = 6
"""Each has twice the time that the one before took. Then the server has too much to do, and says
so: a change is told where it can still be heard, or not at all."""
_SAFETY: Final = 1.5
"""How much longer than the last the next answer may take."""
_FADING: Final = 0.8
"""A slow answer is forgotten by so much with each quicker one."""
NS_PER_MS: Final = 1_000_000
MAX_OUTPUT_LATENCY_MS: Final = 1_000.0
"""What a listener may say lies between its player and the ear; the player is ahead by so much."""


class Lead:
    """The lead of one listener's changes."""

    def __init__(self) -> None:
        self.output_latency_ms = 0
        """What lies between the player and the ear (milliseconds)."""
        self._answer_ms = ANSWER_MS
        self._asked_ns = 0
        self._wanted_ms = 0
        self._n_tries = 0

    def report(self, output_latency_ms: float | None) -> None:
        """Heed what a listener says lies between its player and the ear (milliseconds)."""
        if output_latency_ms is not None:
            self.output_latency_ms = int(min(output_latency_ms, MAX_OUTPUT_LATENCY_MS))

    def first_open(self, heard: int, now_ns: int) -> int:
        """Return the first sample of the first quantum that can be replaced while `heard` is."""
        self._asked_ns = now_ns
        lead_ms = max(self._answer_ms, self._wanted_ms) + MARGIN_MS + self.output_latency_ms
        ahead = heard + units.milliseconds_to_samples(lead_ms)
        return units.floor_to_quantum(ahead + units.QUANTUM_SAMPLES - 1)

    def is_in_time(self, first_index: int, heard: int, now_ns: int) -> bool:
        """Return whether a change that is at hand comes in time; if not, the next has more time.

        Raises:
            Overloaded: It came too late however much time it was given.
        """
        needed_ms = MARGIN_MS + self.output_latency_ms
        took_ms = (now_ns - self._asked_ns) // NS_PER_MS
        if first_index >= heard + units.milliseconds_to_samples(needed_ms):
            fading_ms = max(_SAFETY * took_ms, _FADING * self._answer_ms)
            self._answer_ms = int(min(max(fading_ms, QUICKEST_MS), SLOWEST_MS))
            self.begin()
            return True
        self._wanted_ms = 2 * took_ms
        self._n_tries += 1
        if self._n_tries == TRIES:
            raise Overloaded("this server is too busy to change the music in time", RETRY_AFTER_S)
        return False

    def begin(self) -> None:
        """Begin with another change."""
        self._n_tries = self._wanted_ms = 0
