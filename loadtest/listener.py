"""A listener that checks everything it is sent: messages and a time go in, findings come out.

It knows no socket and no clock. What it is told to say is returned; what it sees is counted in a
tally: whether indices follow each other, how late each quantum is against its **intended** time,
what a player would have heard. The intended time of a quantum follows from what is heard (there is
room for it), never from when the one before it came; so a server that stands still for a second is
late by a second once, by 0.9 s once, and so on, and where the player runs dry over it, each quantum
is late for which there was room by then: no omission is coordinated with it.

Sound and picture are not judged here but sampled, for `verify` to compare with a local render when
nobody is disturbed by it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from astradio_stream.stream.steering import first_replaced
from astradio_stream.units import QUANTUM_SAMPLES, milliseconds_to_samples, samples_to_seconds
from loadtest.frames import TEXT, frame, handshake
from loadtest.parts import HEAD, codec_of, index_of, is_whole, named
from loadtest.playout import Playout
from loadtest.sampling import Reservoir, Sample

if TYPE_CHECKING:
    from loadtest.tally import Tally

LATE_S: Final = 0.1
SILENT_S: Final = 3.0
"""Nothing for so long, with the connection open, is silence."""
N_VIZ_FRAMES: Final = 6
"""With each quantum, for who wants the picture."""
ANSWER_S: Final = 5.0
"""A `steer` is answered within this, late or not."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a listener asks for."""

    programme: dict[str, Any]
    """As a client writes it."""
    buffer_ms: int = 2_000
    """How far ahead it can hold (milliseconds)."""
    codec: str = "opus"
    """`opus` or `pcm_s16le`."""
    viz: bool = True
    """Whether it wants the picture."""
    is_prompt: bool = True
    """Whether it is read as soon as something comes; else its lateness is not recorded."""
    is_slow: bool = False
    """Whether it takes less than it is sent: then silence is its own."""


@dataclass(frozen=True, slots=True)
class _Steer:
    """A change that was asked for, and is not answered yet."""

    said_s: float
    heard: int
    quantise: str
    controls: dict[str, Any]

    def is_granted(self, before: dict[str, Any], after: dict[str, Any]) -> bool:
        """Return whether a programme is the one before with just this change behind it."""
        *kept, last = after["changes"]
        others = {name: value for name, value in after.items() if name != "changes"}
        if others != {name: value for name, value in before.items() if name != "changes"}:
            return False
        *earlier, latest = before["changes"] or [{"index": -1}]
        if last["index"] == latest["index"]:  # two changes of one instant are one
            return bool(kept == earlier and last["controls"] == latest["controls"] | self.controls)
        return bool(kept == before["changes"] and last["controls"] == self.controls)


class CheckingListener:
    """One listener, over all its connections."""

    def __init__(self, wish: Wish, tally: Tally, reservoir: Reservoir, intended_s: float) -> None:
        """Listen.

        Args:
            wish: What it asks for.
            tally: Where findings are counted.
            reservoir: Where quanta are sampled for `verify`.
            intended_s: When it should have come, whatever delayed it.
        """
        self.tally = tally
        self.playout = Playout()
        self.programme_id = ""
        """Of what is played, once known."""
        self.is_ready = False
        """Whether this connection has said `ready`."""
        self.n_underruns = 0
        """Times the player had nothing to play."""
        self.drain_ms: int | None = None
        """When it was told to come back (milliseconds), if it was."""
        self.delays: list[tuple[float, float]] | None = None
        """Moment and lateness of each quantum (seconds), if they are wanted."""
        self._wish = wish
        self._reservoir = reservoir
        self._buffer = milliseconds_to_samples(wish.buffer_ms)
        self._intended_s = intended_s
        self._epoch = 0
        self._run_began_s = -1.0
        self._hello_s = intended_s
        self._lost_s: float | None = None
        self._is_inside = False
        self._heard_of_s = intended_s
        self._is_silent = False
        self._is_filled = False
        self._steered: list[_Steer] = []
        self._codec = ("", 0)
        self._first = 0
        self._turning: list[tuple[float, float]] = []
        self._programme: dict[str, Any] = wish.programme

    def is_hungry(self, now_s: float, turn_s: float) -> bool:
        """Whether it must be read as things come, as it holds less than two turns of reading last.

        So it does before the first quantum, and while the burst behind it is under way.
        """
        is_waiting = self._intended_s >= 0 or self._lost_s is not None
        return is_waiting or self.playout.ahead_s(now_s) < 2 * turn_s

    # What it says -------------------------------------------------------------------------------

    def handshake(self, host: str, path: str) -> bytes:
        """Return the request for a WebSocket."""
        return handshake(host, path)

    def greeting(self, now_s: float) -> bytes:
        """Return `hello`, the first frame of a connection; a later one resumes."""
        self.is_ready = False
        self._is_inside = True
        self._steered.clear()
        self._hello_s = self._heard_of_s = now_s
        message = {
            "type": "hello", "protocol": 1, "programme": self._programme,
            "codecs": [self._wish.codec], "viz": self._wish.viz,
            "bufferMs": self._wish.buffer_ms, "client": "loadtest",
        }  # fmt: skip
        if self.playout.is_playing:
            message["from"] = self.playout.end
        return frame(TEXT, json.dumps(message).encode())

    def report(self, now_s: float) -> str | None:
        """Return what it tells once a second, and look whether all is well; None before sound."""
        self._look(now_s)
        if not self.is_ready or not self.playout.is_playing:
            return None
        heard, end = self.playout.playhead(now_s), self.playout.end
        return (
            f'{{"type":"report","played":{heard},"received":{end},"underruns":{self.n_underruns}}}'
        )

    def steer(self, controls: dict[str, Any], quantise: str, now_s: float) -> str:
        """Return a `steer`; its answer is awaited."""
        self._steered.append(_Steer(now_s, self.playout.playhead(now_s), quantise, controls))
        return json.dumps({"type": "steer", "controls": controls, "quantise": quantise})

    # What it hears ------------------------------------------------------------------------------

    def take_binary(self, message: bytes, now_s: float) -> None:
        """Take a binary message."""
        tally = self.tally
        if not is_whole(message):
            tally.find("malformed", f"a binary message of {len(message)} bytes")
            return
        _, _, epoch, _, index, _, n_frames, _ = HEAD.unpack_from(message)
        if not self.is_ready:
            tally.find("before_ready", f"index {index}")
            return
        playout = self.playout
        if epoch != self._epoch:
            tally.find("wrong_epoch", f"epoch {epoch} at {index}, not {self._epoch}")
            return
        self._heard_of_s = now_s
        self._is_silent = False
        if not playout.is_playing:
            playout.start(self._first, now_s)
        if index != playout.end:
            self._misplaced(index)
            if index < playout.end:
                return
            playout.skip(index)
        self._time(index, now_s)
        counts = tally.counts
        counts["quanta"] += 1
        counts["viz_frames"] += n_frames
        # Who is slow is spared the picture first.
        is_spared = self._wish.is_slow and not n_frames
        if n_frames != (N_VIZ_FRAMES if self._wish.viz else 0) and not is_spared:
            tally.find("wrong_picture", f"{n_frames} frames with {index}")
        self._reservoir.offer(lambda: self._sample(message))

    def take_text(self, payload: bytes, now_s: float) -> None:
        """Take a text message."""
        try:
            message = orjson.loads(payload)
            heed = _HEEDED.get(message["type"])
            if heed is not None:
                heed(self, message, now_s)
        except (ValueError, KeyError, TypeError, AttributeError):
            self.tally.find("malformed", payload[:80].decode(errors="replace"))

    def lost(self, now_s: float) -> None:
        """Heed that the connection is gone; the player plays on what it holds."""
        self.is_ready = self._is_inside = False
        if self.playout.is_playing and self._lost_s is None:
            self._lost_s = now_s

    def end(self, now_s: float) -> None:
        """Look a last time: what is overdue is late, what is dry is dry, who waits has waited.

        Who waits in vain is part of the latencies, with the time until now: what is recorded of
        those alone who were served would be the better the worse a server is.
        """
        self._look(now_s)
        if self._lost_s is not None:
            self.tally.record("resume", now_s - self._lost_s)
        if not self.playout.is_playing:
            self._unserved(now_s)
            return
        for said_s, _ in self._turning:
            self.tally.record("steer", now_s - said_s)
        dry_s = self.playout.dry_s(now_s)
        if dry_s:
            self._underrun(dry_s)
        if self.is_ready and self._run_began_s >= 0 and self._wish.is_prompt:
            self._overdue(self.playout.end, now_s)

    # Reactions to messages ------------------------------------------------------------------------

    def _on_ready(self, ready: dict[str, Any], now_s: float) -> None:
        first, epoch = index_of(ready, "from"), index_of(ready, "epoch")
        programme, programme_id = named(ready)
        codec = codec_of(ready, self._wish.codec)
        self._compare(programme, programme_id)
        if self.playout.is_playing and not self.is_ready and first != self.playout.end:
            self.tally.find("not_resumed", f"from {first}, not {self.playout.end}")
            self.playout.skip(first)
        elif not self.playout.is_playing and first and "station" not in self._wish.programme:
            self.tally.find("wrong_start", f"from {first}")
        self._first = first
        self.is_ready = True
        self._epoch, self._codec = epoch, codec
        self._programme, self.programme_id = programme, programme_id
        self._heard_of_s = now_s
        self._run_began_s = -1.0

    def _on_steered(self, steered: dict[str, Any], _now_s: float) -> None:
        epoch, effective = index_of(steered, "epoch"), index_of(steered, "effective")
        programme, programme_id = named(steered)
        wish = self._steered.pop(0) if self._steered else None
        if wish is None or not wish.is_granted(self._programme, programme):
            self.tally.find("wrong_programme", f"steered, but not as {wish and wish.controls}")
        self._epoch = epoch
        self._programme, self.programme_id = programme, programme_id
        self._run_began_s = -1.0
        self.playout.splice(first_replaced(effective))
        self.tally.counts["steered"] += 1
        if wish is not None and wish.quantise == "now":
            # The others wait for the music, as they were asked to.
            self._turning.append((wish.said_s, samples_to_seconds(effective - wish.heard)))

    def _on_discontinuity(self, gap: dict[str, Any], _now_s: float) -> None:
        start, to = index_of(gap, "from"), index_of(gap, "to")
        self.tally.find("skip", f"{start} to {to}: {gap['reason']}")
        self.tally.counts["skipped_samples"] += max(0, to - start)
        due = self.playout.end if self.playout.is_playing else self._first
        if start != due or to <= start:
            self.tally.find("wrong_discontinuity", f"{start} to {to} at {due}")
            return
        if not self.playout.is_playing:
            self._first = to
            return
        self.playout.skip(to)
        self._run_began_s = -1.0

    def _on_event(self, event: dict[str, Any], _now_s: float) -> None:
        words = event["kind"], event["text"]
        if not (all(isinstance(word, str) for word in words) and isinstance(event["bodies"], list)):
            raise ValueError("event")
        index_of(event, "index")
        self.tally.counts["events"] += 1

    def _on_drain(self, drain: dict[str, Any], _now_s: float) -> None:
        self.drain_ms = index_of(drain, "reconnectAfterMs")
        self.tally.counts["drains"] += 1

    def _on_error(self, error: dict[str, Any], _now_s: float) -> None:
        told = error["error"]
        if self._steered and told["code"] == "VALIDATION_FAILED":
            self._steered.pop(0)  # a change that came behind another's place: refused, as it may be
            self.tally.counts["steers_refused"] += 1
        elif told["code"] not in ("OVERLOADED", "DRAINING"):
            self.tally.find("unexpected_error", f"{told['code']}: {told['message']}")

    # Small steps ----------------------------------------------------------------------------------

    def _compare(self, programme: dict[str, Any], programme_id: str) -> None:
        """Compare what is played with what was wished, or with what was played before."""
        known = self.programme_id
        wished = self._programme
        if {name: programme.get(name) for name in wished} != wished:
            self.tally.find("wrong_programme", f"{programme} for {wished}")
        elif known and programme_id != known:
            self.tally.find("wrong_programme", f"{programme_id} was {known}")

    def _misplaced(self, index: int) -> None:
        end = self.playout.end
        kind = "gap" if index > end else "duplicate"
        self.tally.find(kind, f"{index} where {end} was due")

    def _time(self, index: int, now_s: float) -> None:
        """Record how late a quantum is and what the player went through; it is held from now on."""
        playout, tally = self.playout, self.tally
        intended_s = playout.intended_s(index, self._buffer)
        if self._run_began_s < 0:
            self._run_began_s = now_s
        # What there was room for as the run began comes in one burst; the rhythm begins behind it.
        if self._wish.is_prompt and intended_s > self._run_began_s:
            self._late(index, now_s - intended_s)
            tally.record("lead", playout.ahead_s(now_s))
            if self.delays is not None:
                self.delays.append((now_s, now_s - intended_s))
        for said_s, wait_s in self._turning:
            tally.record("steer", max(wait_s, now_s - said_s))
        self._turning.clear()
        if playout.dry_s(now_s) and self._wish.is_prompt:
            self._overdue(index + QUANTUM_SAMPLES, now_s)  # the player waits, and all is due later
        dry_s = playout.arrived(index + QUANTUM_SAMPLES, now_s)
        if dry_s:
            self._underrun(dry_s)
        if self._lost_s is not None:
            tally.record("resume", now_s - self._lost_s)
            self._lost_s = None
        elif self._intended_s >= 0:
            tally.record("first_audio", now_s - self._intended_s)
            tally.record("hello", now_s - self._hello_s)
            self._intended_s = -1.0
        if not self._is_filled and playout.ahead_s(now_s) * 1e3 >= self._wish.buffer_ms - 200:
            self._is_filled = True
            tally.record("fill", now_s - self._hello_s)

    def _late(self, index: int, late_s: float) -> None:
        self.tally.record("late", late_s)
        if late_s > LATE_S:
            self.tally.find("late", f"{index} by {late_s:.3f} s")

    def _overdue(self, index: int, now_s: float) -> None:
        """Heed that the quanta from an index on, for which there is room, are late by now."""
        while (late_s := now_s - self.playout.intended_s(index, self._buffer)) > LATE_S:
            if now_s - late_s > self._run_began_s:  # else it is of the burst that comes at first
                self._late(index, late_s)
            index += QUANTUM_SAMPLES

    def _unserved(self, now_s: float) -> None:
        """Heed that somebody waited for sound until the end, and there was none."""
        waited_s = now_s - self._intended_s
        self.tally.record("first_audio", waited_s)
        if waited_s > SILENT_S:
            self.tally.find("unserved", f"for {waited_s:.1f} s")

    def _underrun(self, dry_s: float) -> None:
        self.n_underruns += 1
        self.tally.find("underrun", f"{dry_s:.3f} s at {self.playout.end}")
        self.tally.record("underrun", dry_s)

    def _look(self, now_s: float) -> None:
        """Look for what did not come."""
        is_watched = self._is_inside and not (self._is_silent or self._wish.is_slow)
        if is_watched and now_s - self._heard_of_s > SILENT_S:
            self._is_silent = True
            self.tally.find("silent", f"nothing since {self.playout.end}")
        while self._steered and now_s - self._steered[0].said_s > ANSWER_S:
            self._steered.pop(0)
            self.tally.find("no_answer", "steer")

    def _sample(self, message: bytes) -> tuple[Sample, dict[str, Any]]:
        version, bitrate = self._codec
        return Sample(self.programme_id, version, bitrate, bytes(message)), self._programme


_HEEDED: Final = {
    "ready": CheckingListener._on_ready,
    "steered": CheckingListener._on_steered,
    "event": CheckingListener._on_event,
    "discontinuity": CheckingListener._on_discontinuity,
    "drain": CheckingListener._on_drain,
    "error": CheckingListener._on_error,
}
