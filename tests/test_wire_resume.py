"""Losing connections and going on: whatever happens, what is heard has no gap and no double."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from astradio_stream import units
from astradio_stream.server.clock import ManualClock
from astradio_stream.stream.steering import FORE_SAMPLES, first_replaced
from astradio_stream.wire.actions import Action, Close, Join, Seek, SendText, Steer
from astradio_stream.wire.answers import ReadyParts, SteeredParts
from astradio_stream.wire.bucket import NS_PER_S, Rate
from astradio_stream.wire.session import Session, State

QUANTUM = units.QUANTUM_SAMPLES


class Player:
    """What a listener does with what arrives: the last quantum of an index is the one it plays."""

    def __init__(self, first: int) -> None:
        self.first = self.end = first
        self.heard: dict[int, int] = {}
        """index -> version of the programme that it was made of."""
        self.epoch = -1


class AnyConnection(RuleBasedStateMachine):
    """A listener and a server that share a line which holds some quanta, and breaks at any time.

    The programme is a number: each steer makes it one more, from its effective index on. Whatever
    was lost on the line, the player must end up with every quantum once, each of the version that
    holds at its index.
    """

    @initialize(first=st.integers(0, 10**9), buffer_ms=st.integers(200, 5_000))
    def begin(self, first: int, buffer_ms: int) -> None:
        self.clock = ManualClock()
        self.buffer_ms = buffer_ms
        self.changes: list[int] = []
        """Effective indices of the steers that the player has heard of, rising."""
        self.announced: list[int] = []
        """Those of the session, the player's own included."""
        self.player = Player(units.floor_to_quantum(first))
        self.connect()

    def connect(self) -> None:
        """Say hello with the first index not yet received, and be answered."""
        now_ns = self.clock.now_ns()
        self.line: list[tuple[str, Any]] = []
        self.announced = list(self.changes)
        self.session = Session("ses_1", now_ns, rate=Rate(1_000, 1))
        hello = {"type": "hello", "protocol": 1, "programme": {}, "bufferMs": self.buffer_ms}
        self.say(hello | {"from": self.player.end})
        self.player.epoch = -1

    def say(self, message: dict[str, Any]) -> None:
        self.session.receive_text(json.dumps(message), self.clock.now_ns(), 0)
        self.perform()

    def perform(self) -> None:
        """Do what a shell does: answer questions, put words on the line."""
        while actions := self.session.take_actions():
            for action in actions:
                self.perform_one(action)

    def perform_one(self, action: Action) -> None:
        now_ns = self.clock.now_ns()
        if isinstance(action, SendText):
            self.line.append(("text", action.message))
        elif isinstance(action, Join):
            index = action.hello.from_index or 0
            self.session.joined(parts_from(index), now_ns, 0)
        elif isinstance(action, Seek):
            self.session.joined(parts_from(action.to_index), now_ns, 0)
        elif isinstance(action, Steer):
            self.steer(action.quantise)
        else:
            assert isinstance(action, Close)

    def steer(self, quantise: str) -> None:
        """Answer a steer as the engine does: later than what is heard, never before the last."""
        now_ns = self.clock.now_ns()
        apart = {"now": 0, "beat": 24_000, "bar": 96_000}[quantise]
        while True:
            first_open = self.session.first_open(now_ns)
            effective = max(first_open + FORE_SAMPLES + apart, *self.announced[-1:], 0)
            change = SteeredParts({}, "1" * 64, first_replaced(effective), effective)
            if self.session.steered(change, now_ns):
                self.announced.append(effective)
                return

    def version_at(self, index: int, changes: list[int]) -> int:
        """Return how many changes hold within the quantum at `index`."""
        return sum(first_replaced(effective) <= index for effective in changes)

    def send(self) -> None:
        now_ns = self.clock.now_ns()
        while (index := self.session.due(now_ns)) is not None:
            self.session.quantum_sent(1, now_ns)
            version = self.version_at(index, self.announced)
            self.line.append(("quantum", (self.session.epoch, index, version)))

    # What the world does

    @rule(duration_ns=st.integers(0, 3 * NS_PER_S))
    def let_pass(self, duration_ns: int) -> None:
        self.clock.pass_ns(duration_ns)
        self.session.advance(self.clock.now_ns())
        self.perform()
        self.send()

    @rule(n_turns=st.integers(1, 10), turn_ns=st.integers(1, NS_PER_S))
    def listen(self, n_turns: int, turn_ns: int) -> None:
        """Let all arrive for a while, with a report now and then."""
        for _ in range(n_turns):
            self.let_pass(turn_ns)
            self.arrive(len(self.line))
            self.say({"type": "ping", "t": 1})
        self.report(0)

    @rule(n_items=st.integers(0, 60))
    def arrive(self, n_items: int) -> None:
        """Let some of what is on the line reach the player."""
        for _ in range(min(n_items, len(self.line))):
            kind, item = self.line.pop(0)
            if kind == "text":
                self.heed(item)
            else:
                self.take(*item)

    def heed(self, text: dict[str, Any]) -> None:
        player = self.player
        if text["type"] == "ready":
            if player.epoch < 0:
                assert text["from"] == player.end, "it did not go on where it was"
            else:
                player.first = player.end = text["from"]
                player.heard = {}
            player.epoch = text["epoch"]
        elif text["type"] == "pong":
            pass
        elif text["type"] == "steered":
            assert text["epoch"] == player.epoch + 1
            player.epoch = text["epoch"]
            self.changes.append(text["effective"])
            player.end = min(player.end, first_replaced(text["effective"]))

    def take(self, epoch: int, index: int, version: int) -> None:
        player = self.player
        assert epoch == player.epoch
        assert index == player.end, "a gap or a double"
        player.heard[index] = version
        player.end += QUANTUM

    @rule(n_arrived=st.integers(0, 60))
    def break_and_resume(self, n_arrived: int) -> None:
        """Some of what is on the way still arrives, the rest is lost."""
        self.arrive(n_arrived)
        self.session.disconnected()
        assert self.session.due(self.clock.now_ns()) is None
        self.connect()
        self.send()

    @rule(ahead=st.integers(0, 5 * 48_000))
    def report(self, ahead: int) -> None:
        end = self.player.end
        played = max(self.player.first, end - ahead)
        self.say({"type": "report", "played": played, "received": end, "underruns": 0})

    @precondition(lambda self: self.session.state in (State.STREAMING, State.PAUSED))
    @rule(quantise=st.sampled_from(["now", "beat", "bar"]))
    def wish(self, quantise: str) -> None:
        self.say({"type": "steer", "controls": {"tension": 1}, "quantise": quantise})
        self.send()

    @rule(kind=st.sampled_from(["pause", "play"]))
    def hold(self, kind: str) -> None:
        self.say({"type": kind})
        self.send()

    @rule(ahead=st.integers(0, 10**9))
    def seek_on(self, ahead: int) -> None:
        """Jump ahead, where no later change waits."""
        to = max([self.player.end, *self.announced]) + ahead
        self.say({"type": "seek", "to": to})
        self.send()

    @invariant()
    def each_index_is_heard_once_in_its_version(self) -> None:
        if not hasattr(self, "player"):
            return
        player = self.player
        for index in range(player.first, player.end, QUANTUM):
            assert player.heard[index] == self.version_at(index, self.changes)


def parts_from(index: int) -> ReadyParts:
    return ReadyParts({}, "0" * 64, index, {}, None, {}, {}, {}, {})


AnyConnection.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestAnyConnection = AnyConnection.TestCase
