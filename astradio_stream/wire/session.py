"""One listener's conversation, from connection to close, without a socket, a loop or a clock.

What arrived and the time go in; what is to be done comes out, as a list of actions::

                 hello               joined               pause
    CONNECTED ----------> JOINING ----------> STREAMING <-------> PAUSED
        |                    ^                    |        play      |
        |                    +------- seek -------+------------------+
        |                                         (a steer leaves the state as it is)
        +------ anything fatal, bye, a time-out, a lost connection ------> CLOSED

The shell carries the actions out, asks `due` for the next quantum, and sleeps until `next_wake_ns`.
Times are integer nanoseconds of a monotonic clock; `unix_us` is only what the client is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from astradio_stream import errors, fields, units
from astradio_stream.strict_json import parse_json
from astradio_stream.wire import answers, messages
from astradio_stream.wire.actions import Action, Close, Join, Seek, SendText, Steer
from astradio_stream.wire.bucket import DEFAULT_RATE, Bucket, Rate
from astradio_stream.wire.closing import Closing
from astradio_stream.wire.faults import closing_of, details_of, told_of
from astradio_stream.wire.lead import Lead
from astradio_stream.wire.pacer import Pacer
from astradio_stream.wire.quantum import MAX_U16
from astradio_stream.wire.timings import Timings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from astradio_stream.wire.answers import ReadyParts, SteeredParts
    from astradio_stream.wire.messages import CheckProgramme, Hello, JsonObject


class State(Enum):
    """Where a conversation stands."""

    CONNECTED = "no hello yet"
    JOINING = "a hello or a seek waits for its ready"
    STREAMING = "quanta are sent as they fall due"
    PAUSED = "no quanta until play"
    CLOSED = "nothing more is said or heard"


class Session:
    """The state of one conversation and the rules by which it moves."""

    def __init__(
        self,
        session_id: str,
        now_ns: int,
        *,
        request_id: str = "",
        timings: Timings | None = None,
        rate: Rate = DEFAULT_RATE,
        check_programme: CheckProgramme = messages.no_details,
    ) -> None:
        """Begin when a connection was accepted.

        Args:
            session_id: Told in `ready`.
            now_ns: When it began; the hello must come within `timings.hello_ns`.
            request_id: Told in every `error`; made from the session id where none is given.
            timings: How long to wait for the peer.
            rate: How many messages the peer may send.
            check_programme: Names the mistakes in a programme, to be told with those of the hello.
        """
        self.session_id = session_id
        self.request_id = request_id or f"req_{session_id}"
        self.hello: Hello | None = None
        """What the listener asked for, once it did."""
        self.viz = False
        """Whether the listener wants the picture now."""
        self.epoch = 0
        """The epoch of the quanta that are sent now."""
        self.last_report: messages.Report | None = None
        """What the listener last said it hears."""
        self.closing: Closing | None = None
        """How we closed, once we did."""
        self.n_bytes_sent = 0
        """Bytes of quanta sent in all."""
        self._timings = timings or Timings()
        self._check_programme = check_programme
        self._state = State.CONNECTED
        self._deadline_ns = now_ns + self._timings.hello_ns
        self._wants_pause = False
        self._n_unanswered = 0
        self._bucket = Bucket(rate)
        self._is_warned = False
        self._lead = Lead()
        self._pacer: Pacer | None = None
        self._actions: list[Action] = []

    @property
    def state(self) -> State:
        """Where the conversation stands."""
        return self._state

    @property
    def has_actions(self) -> bool:
        """Whether there is something to be done."""
        return bool(self._actions)

    def take_actions(self) -> list[Action]:
        """Return what is to be done, in order, and forget it."""
        actions, self._actions = self._actions, []
        return actions

    def limit(self, rate: Rate, now_ns: int) -> None:
        """Let the peer send more or less than so far, from now on."""
        self._bucket.change(rate, now_ns)

    # What arrives -------------------------------------------------------------------------------

    def receive_text(self, data: bytes | str, now_ns: int, unix_us: int) -> None:
        """Heed a text message.

        Args:
            data: The whole message.
            now_ns: When it arrived, on the monotonic clock.
            unix_us: The same moment as Unix time (microseconds), for `pong`.
        """
        if not self._pays(now_ns):
            return
        n_bytes = len(data)
        if isinstance(data, str) and not data.isascii():
            n_bytes = len(data.encode("utf-8", "replace"))
        if n_bytes > messages.MAX_MESSAGE_BYTES:
            self.close(Closing.TOO_BIG)
            return
        try:
            message = parse_json(data, messages.MAX_MESSAGE_BYTES)
        except errors.BadJson as error:
            self.failed(error)
            return
        kind = message.get("type") if isinstance(message, dict) else None
        if not isinstance(message, dict) or not isinstance(kind, str):
            sentence = "a message must be a JSON object with a string `type`"
            self._end("BAD_MESSAGE", sentence, Closing.BAD_MESSAGE)
            return
        reaction = REACTIONS.get(kind, UNKNOWN)[_COLUMN[self._state]]
        reaction(self, message, now_ns, unix_us)

    def receive_binary(self, n_bytes: int) -> None:
        """Heed a binary message: clients send none."""
        self.close(Closing.TOO_BIG if n_bytes > messages.MAX_MESSAGE_BYTES else Closing.WRONG_KIND)

    def receive_control(self, now_ns: int) -> None:
        """Heed a control frame, which costs what a message costs and says nothing else."""
        self._pays(now_ns)

    def disconnected(self) -> None:
        """Heed that the connection is gone."""
        self._state = State.CLOSED

    # What the shell found out -------------------------------------------------------------------

    def joined(self, parts: ReadyParts, now_ns: int, unix_us: int) -> None:
        """Answer a `Join` or a `Seek`: a new epoch begins, with a burst that fills the buffer."""
        if self._state is State.CLOSED or self.hello is None or not self._n_unanswered:
            return
        is_first = self._pacer is None
        if not is_first:
            self.epoch = (self.epoch + 1) & MAX_U16
        first_index = units.floor_to_quantum(parts.from_index)
        self._pacer = Pacer(first_index, self.hello.buffer_ms, now_ns, may_hold=is_first)
        if self._wants_pause:
            self._pacer.pause(now_ns)
        self._say(answers.ready(self.session_id, self.epoch, parts, unix_us))
        self._answered()

    def refused(self, error: Exception) -> None:
        """Answer a `Join` or a `Seek` that cannot be: a hello ends with it, a stream goes on."""
        if self._state is State.CLOSED:
            return
        if self._pacer is None:
            if isinstance(error, errors.ValidationFailed):
                error = errors.ValidationFailed(messages.inside_programme(error.details))
            self.failed(error)
        else:
            self._refuse_or_fail(error)
            self._answered()

    def first_open(self, now_ns: int) -> int:
        """Return the first sample of the first quantum that a change can still replace.

        What lies before has been heard, or will be before anything else could arrive.
        """
        if self._pacer is None:
            raise RuntimeError("a steer before ready")
        return self._lead.first_open(self._pacer.playhead(now_ns), now_ns)

    def steered(self, parts: SteeredParts, now_ns: int) -> bool:
        """Answer a `Steer`: from `first_index` on a new epoch replaces what was sent.

        To be called when its first quantum is at hand. Returns whether it came in time; if not, all
        is as it was, and the shell asks `first_open` again, or hears that we are `Overloaded`.
        """
        if self._state is State.CLOSED or self._pacer is None:
            return True
        if not self._lead.is_in_time(parts.first_index, self._pacer.playhead(now_ns), now_ns):
            return False
        self.epoch = (self.epoch + 1) & MAX_U16
        self._pacer.splice(parts.first_index, now_ns)
        self._say(answers.steered(self.epoch, parts))
        return True

    def not_steered(self, error: Exception) -> None:
        """Answer a `Steer` that cannot be: the stream goes on as it was."""
        self._lead.begin()
        if self._state is not State.CLOSED:
            self._refuse_or_fail(error)

    def failed(self, error: Exception) -> None:
        """End the conversation because of an error; what is our fault is told without detail."""
        told = told_of(error)
        if told is not None:
            self._end(told.code, told.message, closing_of(told), details_of(told))
        else:
            sentence = "something went wrong on our side; the request id finds it in our log"
            self._end("INTERNAL", sentence, Closing.INTERNAL)

    def close(self, closing: Closing) -> None:
        """End the conversation without a word beyond the close frame."""
        if self._state is not State.CLOSED:
            self._state = State.CLOSED
            self.closing = closing
            self._actions.append(Close(closing))

    def tell(self, message: JsonObject) -> None:
        """Say something that changes nothing here: an `event`, a `drain`."""
        if self._state is not State.CLOSED:
            self._say(message)

    # Time ---------------------------------------------------------------------------------------

    def due(self, now_ns: int) -> int | None:
        """Return the index of the quantum to send now, or None.

        Whoever awaits anything before sending it must ask again: a seek may have come in between.
        """
        if self._state is not State.STREAMING or self._pacer is None:
            return None
        return self._pacer.due(now_ns)

    def n_due(self, now_ns: int, at_most: int) -> int:
        """Return how many quanta are due now, some at most."""
        return self._pacer.n_due(now_ns, at_most) if self._pacer else 0

    def quantum_sent(self, n_bytes: int, now_ns: int, n_quanta: int = 1) -> int:
        """Move on by a quantum or some; return how late the first was (nanoseconds).

        To be called as the bytes are handed over: later a seek may have begun another epoch.
        """
        if self._pacer is None:
            raise RuntimeError("a quantum was sent before ready")
        self.n_bytes_sent += n_bytes
        return self._pacer.quantum_sent(now_ns, n_quanta)

    def skip(self, to_index: int, reason: str, now_ns: int) -> None:
        """Leave out what the listener missed, and say so; the buffer is filled anew from there."""
        if self._state is State.STREAMING and self._pacer is not None and self.hello is not None:
            from_index = self._pacer.next_index
            if from_index < to_index <= units.LAST_PLAYED_INDEX:
                self._say(answers.discontinuity(from_index, to_index, reason))
                self._pacer = Pacer(to_index, self.hello.buffer_ms, now_ns, may_hold=False)

    def playhead(self, now_ns: int) -> int | None:
        """Return the sample that the listener hears, as far as we can know."""
        return None if self._pacer is None else self._pacer.playhead(now_ns)

    def next_wake_ns(self) -> int | None:
        """Return when something will be due or a wait will be over; None once closed."""
        if self._state is State.CLOSED:
            return None
        due_ns = None
        if self._state is State.STREAMING and self._pacer is not None:
            due_ns = self._pacer.due_ns()
        return self._deadline_ns if due_ns is None else min(due_ns, self._deadline_ns)

    def advance(self, now_ns: int) -> None:
        """Close if the peer has kept us waiting too long."""
        if now_ns >= self._deadline_ns:
            waiting = self._state is State.CONNECTED
            self.close(Closing.HELLO_TIMEOUT if waiting else Closing.HEARTBEAT_TIMEOUT)

    # Reactions: one per cell of the table below ---------------------------------------------------

    def _on_hello(self, message: Mapping[str, Any], now_ns: int, _unix_us: int) -> None:
        try:
            self.hello = messages.parse_hello(message, self._check_programme)
        except errors.AstradioError as error:
            self.failed(error)
            return
        self.viz = self.hello.viz
        self._heard(now_ns)
        self._ask(Join(self.hello))

    def _on_report(self, message: Mapping[str, Any], now_ns: int, _unix_us: int) -> None:
        report = self._read("report", message)
        if isinstance(report, messages.Report):
            self._heard(now_ns)
            self.last_report = report
            self._lead.report(report.output_latency_ms)
            if self._pacer is not None:
                self._pacer.report(report.played, report.received, now_ns)

    def _on_steer(self, message: Mapping[str, Any], _now_ns: int, _unix_us: int) -> None:
        steer = self._read("steer", message)
        if isinstance(steer, messages.Steer):
            self._actions.append(Steer(steer.controls, steer.quantise))

    def _on_seek(self, message: Mapping[str, Any], _now_ns: int, _unix_us: int) -> None:
        seek = self._read("seek", message)
        if isinstance(seek, messages.SeekTo):
            self._ask(Seek(seek.to_index))

    def _on_play(self, _message: Mapping[str, Any], now_ns: int, _unix_us: int) -> None:
        self._wants_pause = False
        if self._pacer is not None:
            self._pacer.play(now_ns)
        self._settle()

    def _on_pause(self, _message: Mapping[str, Any], now_ns: int, _unix_us: int) -> None:
        self._wants_pause = True
        if self._pacer is not None:
            self._pacer.pause(now_ns)
        self._settle()

    def _on_viz(self, message: Mapping[str, Any], _now_ns: int, _unix_us: int) -> None:
        switch = self._read("viz", message)
        if isinstance(switch, messages.VizSwitch):
            self.viz = switch.on

    def _on_ping(self, message: Mapping[str, Any], now_ns: int, unix_us: int) -> None:
        ping = self._read("ping", message)
        if isinstance(ping, messages.Ping):
            self._heard(now_ns)
            self._say(answers.pong(ping.t, unix_us))

    def _on_bye(self, _message: Mapping[str, Any], _now_ns: int, _unix_us: int) -> None:
        self.close(Closing.DONE)

    def _on_early(self, _message: Mapping[str, Any], _now_ns: int, _unix_us: int) -> None:
        self._end("OUT_OF_ORDER", "the first message must be hello", Closing.OUT_OF_ORDER)

    def _on_second_hello(self, _message: Mapping[str, Any], _now_ns: int, _unix_us: int) -> None:
        self._end("OUT_OF_ORDER", "hello was said already", Closing.OUT_OF_ORDER)

    def _on_unknown(self, message: Mapping[str, Any], _now_ns: int, _unix_us: int) -> None:
        kind = fields.shown(message["type"])
        self._refuse("UNKNOWN_TYPE", f"there is no message of type {kind}")

    # Small steps ----------------------------------------------------------------------------------

    def _read(self, kind: str, message: Mapping[str, Any]) -> messages.ClientMessage | None:
        """Return the message, or None after refusing it."""
        try:
            return messages.parse_message(kind, message)
        except errors.ValidationFailed as error:
            self._refuse(error.code, error.message, error.details)
            return None

    def _pays(self, now_ns: int) -> bool:
        """Return whether the peer may say something more: once it is warned, then it is closed."""
        if self._state is State.CLOSED:
            return False
        if self._bucket.take(now_ns):
            return True
        sentence = "too many messages: this one was not heeded"
        if self._is_warned:
            self._end("RATE_LIMITED", sentence, Closing.RATE_LIMITED)
        else:
            self._is_warned = True
            self._refuse("RATE_LIMITED", f"{sentence}, and the next too many ends it")
        return False

    def _heard(self, now_ns: int) -> None:
        """Begin the wait for the next sign of life."""
        self._deadline_ns = now_ns + self._timings.heartbeat_ns

    def _ask(self, action: Join | Seek) -> None:
        self._n_unanswered += 1
        self._settle()
        self._actions.append(action)

    def _answered(self) -> None:
        self._n_unanswered -= 1
        if self._state is not State.CLOSED:
            self._settle()

    def _settle(self) -> None:
        """Take the state that follows from what is unanswered and what is wanted."""
        if self._n_unanswered:
            self._state = State.JOINING
        else:
            self._state = State.PAUSED if self._wants_pause else State.STREAMING

    def _say(self, message: JsonObject) -> None:
        self._actions.append(SendText(message))

    def _refuse(self, code: str, sentence: str, details: Iterable[errors.Detail] = ()) -> None:
        """Refuse one message; the stream goes on."""
        self._say(answers.error(code, sentence, details, request_id=self.request_id, fatal=False))

    def _refuse_or_fail(self, error: Exception) -> None:
        """Refuse one message because of an error, unless it is our fault: that ends it all."""
        told = told_of(error)
        if told is not None:
            self._refuse(told.code, told.message, details_of(told))
        else:
            self.failed(error)

    def _end(
        self, code: str, sentence: str, closing: Closing, details: Iterable[errors.Detail] = ()
    ) -> None:
        """Refuse to go on."""
        said = answers.error(code, sentence, details, request_id=self.request_id, fatal=True)
        if self._state is not State.CLOSED:
            self._say(said)
            self.close(closing)


Reaction: TypeAlias = Callable[[Session, Mapping[str, Any], int, int], None]

_COLUMN: Final = {State.CONNECTED: 0, State.JOINING: 1, State.STREAMING: 2, State.PAUSED: 3}

# What each message does in each state; a closed session hears nothing.
# fmt: off
_S = Session
REACTIONS: Final[Mapping[str, tuple[Reaction, Reaction, Reaction, Reaction]]] = {
    #         CONNECTED     JOINING              STREAMING            PAUSED
    "hello":  (_S._on_hello, _S._on_second_hello, _S._on_second_hello, _S._on_second_hello),
    "report": (_S._on_early, _S._on_report,       _S._on_report,       _S._on_report),
    "steer":  (_S._on_early, _S._on_steer,        _S._on_steer,        _S._on_steer),
    "seek":   (_S._on_early, _S._on_seek,         _S._on_seek,         _S._on_seek),
    "play":   (_S._on_early, _S._on_play,         _S._on_play,         _S._on_play),
    "pause":  (_S._on_early, _S._on_pause,        _S._on_pause,        _S._on_pause),
    "viz":    (_S._on_early, _S._on_viz,          _S._on_viz,          _S._on_viz),
    "ping":   (_S._on_early, _S._on_ping,         _S._on_ping,         _S._on_ping),
    "bye":    (_S._on_early, _S._on_bye,          _S._on_bye,          _S._on_bye),
}
UNKNOWN: Final = (_S._on_early, _S._on_unknown, _S._on_unknown, _S._on_unknown)
# fmt: on
