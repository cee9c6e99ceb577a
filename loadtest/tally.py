"""What listeners went through, counted so that it adds up over processes.

A **fault** is something that a right server never does, however busy. **Quality** is what a
listener suffers when a server is too slow. The two are counted apart: load may cost quality, never
rightness.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from loadtest.histogram import Histogram

if TYPE_CHECKING:
    from collections.abc import Mapping

# fmt: off
FAULTS: Final = {
    # kind              what was seen
    "gap":              "a quantum lies further than the one before it, and nobody announced it",
    "duplicate":        "a quantum that had come already",
    "wrong_epoch":      "a quantum of an epoch that is not the present one",
    "malformed":        "bytes that are no message of the protocol",
    "before_ready":     "a quantum came before `ready`",
    "wrong_discontinuity": "an announced gap that does not begin where the stream is",
    "not_resumed":      "a listener that came back was not served from where it was",
    "wrong_start":      "a programme that does not begin at its first sample",
    "wrong_programme":  "the id of a programme is not that of the programme",
    "wrong_crc":        "the CRC-32 of a quantum is not that of a local render",
    "bad_opus":         "a packet that libopus does not decode",
    "wrong_packet":     "a packet of the same libopus that differs from the local encode",
    "wrong_sound":      "a packet of another libopus that decodes to something else",
    "wrong_picture":    "viz frames that are not those of a local render",
    "silent":           "nothing came for three seconds, with the connection open",
    "no_answer":        "a message that wants an answer got none within five seconds",
    "unexpected_close": "a close that nobody caused",
    "unexpected_error": "an `error` for a message that was right, or a refusal that is none",
    "not_closed":       "an abuse that was not answered by its close",
}

QUALITY: Final = {
    "late":      "a quantum came more than 0.1 s after its intended time",
    "underrun":  "the simulated player had nothing to play",
    "skip":      "an announced gap",
    "refused":   "a newcomer was refused: 429, 503 or a close 4100",
    "shed":      "a listener inside was closed with 4100",
    "unconnected": "a connection could not be opened at all",
    "unanswered": "a handshake that got no answer within ten seconds",
    "unserved":  "a listener that waited for sound until the end, and for more than three seconds",
}

LATENCIES: Final = {
    "late":       "quantum against its intended time",
    "first_audio": "intended arrival to first quantum, or to the end where none came",
    "hello":      "hello to first quantum",
    "fill":       "hello to a full buffer",
    "resume":     "connection lost to first quantum after it, or to the end where none came",
    "lead":       "sound still held when a quantum comes, once the first burst is over",
    "underrun":   "length of an underrun",
    "steer":      "steer `now` to audible change",
    "answer":     "HTTP request, from its intended time to the end of the answer",
    "lag":        "how late the generator's own loop was, that of a network between included",
}
# fmt: on

_EXAMPLES: Final = 3


class Tally:
    """Counts of one group of listeners."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        """Figures by name: quanta, bytes, viz frames, listeners, seconds, closes by code."""
        self.findings: Counter[str] = Counter()
        """By kind of FAULTS or QUALITY."""
        self.examples: dict[str, list[str]] = {}
        """The first of each kind, in words."""
        self.latencies: dict[str, Histogram] = {}
        """By name of LATENCIES."""

    def find(self, kind: str, words: str = "") -> None:
        """Count a finding; the first few are kept in words."""
        if kind not in FAULTS and kind not in QUALITY:
            raise KeyError(kind)
        self.findings[kind] += 1
        kept = self.examples.setdefault(kind, [])
        if words and len(kept) < _EXAMPLES:
            kept.append(words)

    def record(self, name: str, value_s: float) -> None:
        """Record a latency (seconds)."""
        histogram = self.latencies.get(name)
        if histogram is None:
            if name not in LATENCIES:
                raise KeyError(name)
            histogram = self.latencies[name] = Histogram()
        histogram.record_s(value_s)

    def latency(self, name: str) -> Histogram:
        """Return the record of a latency, empty if there is none."""
        return self.latencies.get(name) or Histogram()

    @property
    def faults(self) -> dict[str, int]:
        """Faults by kind."""
        return {kind: n for kind, n in self.findings.items() if kind in FAULTS}

    def add(self, other: Tally) -> None:
        """Take in another group."""
        self.counts.update(other.counts)
        self.findings.update(other.findings)
        for kind, words in other.examples.items():
            self.examples[kind] = (self.examples.get(kind, []) + words)[:_EXAMPLES]
        for name, histogram in other.latencies.items():
            self.latencies.setdefault(name, Histogram()).add(histogram)

    def to_json(self) -> dict[str, Any]:
        """Return all of it for a file or another process."""
        return {
            "counts": dict(self.counts),
            "findings": dict(self.findings),
            "examples": self.examples,
            "latencies": {name: one.to_json() for name, one in self.latencies.items()},
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Tally:
        """Return what `to_json` told."""
        made = cls()
        made.counts.update(told["counts"])
        made.findings.update(told["findings"])
        made.examples = {kind: list(words) for kind, words in told["examples"].items()}
        made.latencies = {name: Histogram.from_json(one) for name, one in told["latencies"].items()}
        return made
