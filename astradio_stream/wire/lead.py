"""How far ahead of what is heard a change can still come.

::

    heard ............ lead ............ first open quantum
                                         the change, at the earliest
    heard, later ..... margin .......... it is at hand: has it come in time?
"""

from __future__ import annotations

from typing import Final

from astradio_stream import units

LEAD_MS: Final = 150
"""Composing, rendering and the way to the listener must fit in (milliseconds). Doubled each time
that they did not."""
MARGIN_MS: Final = 40
"""What must be left of it when the quanta are at hand, for the way and the decoder."""
TRIES: Final = 4
"""Then a change comes as late as it comes."""
MAX_OUTPUT_LATENCY_MS: Final = 1_000.0
"""What a listener may say lies between its player and the ear; the player is ahead by so much."""


class Lead:
    """The lead of one listener's changes."""

    def __init__(self) -> None:
        self.output_latency_ms = 0
        """What lies between the player and the ear (milliseconds)."""
        self._n_tries = 0

    def report(self, output_latency_ms: float | None) -> None:
        """Heed what a listener says lies between its player and the ear (milliseconds)."""
        if output_latency_ms is not None:
            self.output_latency_ms = int(min(output_latency_ms, MAX_OUTPUT_LATENCY_MS))

    def first_open(self, heard: int) -> int:
        """Return the first sample of the first quantum that can be replaced while `heard` is."""
        lead_ms = (LEAD_MS << self._n_tries) + self.output_latency_ms
        ahead = heard + units.milliseconds_to_samples(lead_ms)
        return units.floor_to_quantum(ahead + units.QUANTUM_SAMPLES - 1)

    def is_in_time(self, first_index: int, heard: int) -> bool:
        """Return whether a change that is at hand comes in time; if not, the next has more time."""
        needed_ms = MARGIN_MS + self.output_latency_ms
        self._n_tries += 1
        if first_index < heard + units.milliseconds_to_samples(needed_ms) and self._n_tries < TRIES:
            return False
        self.begin()
        return True

    def begin(self) -> None:
        """Begin with another change."""
        self._n_tries = 0
