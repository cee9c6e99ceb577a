"""One virtual listener: what it does over its life, whatever its role."""

from __future__ import annotations

import random
import select
from typing import TYPE_CHECKING, Any, Final

from loadtest.abuse import ABUSES, Abuser
from loadtest.client import CUT, Client
from loadtest.listener import ANSWER_S, CheckingListener, Wish

if TYPE_CHECKING:
    from loadtest.generator import Generator
    from loadtest.plan import Plan

STORMS: Final = 3
_SLOW_BYTES_PER_S: Final = (6_400, 0)
"""Half of what a listener is sent, or nothing."""
_SLOW_KERNEL_BYTES: Final = 16_384
_MAX_TRIES: Final = 8
_LIFE_S: Final = 60.0
_STEER_S: Final = (2.0, 5.0)
_CONTROLS: Final = ("tempoNorm", "density", "brightness", "tension", "space", "drums")
_SLOW_CLOSES: Final = frozenset({4102, 4103, CUT})
_OVERLOADED: Final = 4100
_COME_BACK: Final = frozenset({1012})
_BACK_OFF: Final = frozenset({CUT, 1006, 1011, 1013})
"""The contract: reconnect with full-jitter back-off, 1 s doubling to 30 s."""
_MOST_BACK_OFF_S: Final = 30.0
_AFTER_BYE: Final = frozenset({1000})


def role_of(plan: Plan, number: int) -> str:
    """Return the role of a listener: those of the scenario's role are spread evenly."""
    row = plan.row
    return row.role if is_chosen(number, row.share) else "well"


def is_chosen(number: int, share: float) -> bool:
    """Return whether a number is one of a share (0-1) of all, spread evenly over them."""
    return int((number + 1) * share + 1e-9) > int(number * share + 1e-9)


def programme_of(plan: Plan, number: int, turn: int) -> dict[str, Any]:
    """Return what a listener asks for."""
    kind = plan.row.programme
    if kind == "station" or (kind == "mixed" and number % 2):
        return {"station": "now"}
    place = number // 2 if kind == "mixed" else number
    n = place + turn * plan.listeners
    if not turn or plan.programmes < plan.listeners:
        n %= max(plan.programmes, 1)
    seed = plan.seed * 1_000_003 + n
    return {"seed": seed, "at": f"{1900 + n % 150}-{1 + n % 12:02d}-{1 + n % 28:02d}T12:00:00Z"}


class Virtual:
    """A listener and its role."""

    __slots__ = (
        "_chance", "_file", "_generator", "_has_begun", "_has_said_bye", "_is_in", "_n_tries",
        "_turn", "client", "is_prompt", "number", "role",
    )  # fmt: skip

    def __init__(
        self,
        generator: Generator,
        number: int,
        turn: int,
        role: str,
        due_s: float,
        *,
        is_prompt: bool,
    ) -> None:
        """Come for the first time, at the moment planned for it or as soon as may be after it."""
        plan = generator.plan
        self.number = number
        self.role = role
        self.is_prompt = is_prompt
        self._generator = generator
        self._turn = turn
        self._chance = random.Random(f"listener {plan.seed} {number} {turn}")
        self._file = -1
        self._n_tries = 0
        self._is_in = self._has_begun = self._has_said_bye = False
        tally = generator.tally(role)
        tally.counts["listeners"] += 1
        if role == "abuse":
            names = tuple(ABUSES)
            name = names[(number + turn * 5) % len(names)]
            hearer: Any = Abuser(name, tally, due_s)
        else:
            wish = Wish(
                programme_of(plan, number, turn), plan.buffer_ms,
                is_prompt=is_prompt, is_slow=role == "slow",
            )  # fmt: skip
            hearer = CheckingListener(wish, tally, generator.reservoir, due_s)
        kernel = _SLOW_KERNEL_BYTES if role == "slow" else 0
        self.client = Client(generator.target, number, hearer, kernel)

    @property
    def _listener(self) -> CheckingListener:
        """What stands behind the client of any role but abuse."""
        return self.client.listener  # type: ignore[return-value]

    def record_delays(self) -> list[tuple[float, float]]:
        """Return the list to which the delays of its quanta will be added."""
        delays: list[tuple[float, float]] = []
        self._listener.delays = delays
        return delays

    # Its connection -------------------------------------------------------------------------------

    def connect(self) -> None:
        """Connect, for the first time or again."""
        now_s = self._generator.now_s
        if now_s >= self._generator.end_s:
            return
        if self._has_said_bye:
            self._generator.leave(self)
            return
        self._n_tries += 1
        try:
            self._file = self.client.connect(now_s)
        except OSError as error:
            self._unconnected(str(error), now_s)
            return
        self._generator.watch_connect(self._file, self)

    def ready(self, mask: int, now_s: float) -> None:
        """Go on with a socket that can be read or written."""
        if mask & select.EPOLLOUT:
            if not self.client.connected():
                self._unconnected(f"a {self.role} listener", now_s)
                return
            self._generator.watch(self._file)
            return
        was_upgraded = self.client.is_upgraded
        self.client.read(now_s)
        if not self.client.is_open:
            self._gone(now_s)
            return
        if self.client.is_upgraded and not was_upgraded:
            self._inside(now_s)
        if self.is_prompt or self.role == "abuse":
            return
        if not self._listener.is_hungry(now_s, self._generator.turn_s):
            self._generator.unwatch(self._file)

    def take_turn(self, now_s: float) -> None:
        """Read, unless it is read at once; heed what came of it."""
        client = self.client
        if not self._is_in:
            if client.is_unanswered(now_s):
                client.listener.tally.find("unanswered", f"a {self.role} listener")
                client.give_up()
                self._gone(now_s)
            return
        if self.role == "abuse":
            self._abuse(now_s)
            return
        if self.role == "slow":
            share = _SLOW_BYTES_PER_S[self.number // 5 % 2]
            if share:
                client.read(now_s, round(share * self._generator.turn_s))
        elif not self.is_prompt:
            client.read(now_s)
        if not client.is_open:
            self._gone(now_s)

    def end(self, now_s: float) -> None:
        """Look a last time, and go without a word."""
        client = self.client
        if self.role == "abuse":
            client.cut(now_s)
            return
        if self._is_in:
            if self.role != "slow":
                client.read(now_s)
            if not client.is_open:
                self._gone(now_s)
        if not self._has_said_bye:
            self._listener.end(now_s)
        client.cut(now_s)

    def _inside(self, now_s: float) -> None:
        """Begin its role: the WebSocket is there."""
        self._is_in = True
        self._generator.n_open += self.role != "abuse"
        self._n_tries = 1
        if self.role == "slow":
            self._generator.unwatch(self._file)
        if not self._has_begun:
            self._has_begun = True
            _BEGIN.get(self.role, Virtual._begin_well)(self, now_s)

    def _unconnected(self, words: str, now_s: float) -> None:
        """Heed that there is no connection at all."""
        self.client.listener.tally.find("unconnected", words)
        self._gone(now_s)

    def _gone(self, now_s: float) -> None:
        """Heed that the connection is over, and do what a client of the contract does."""
        self._generator.unwatch(self._file)
        if self._is_in:
            self._is_in = False
            self._generator.n_open -= self.role != "abuse"
        client, tally = self.client, self.client.listener.tally
        if client.refused is not None:
            self._refused(now_s)
            return
        code = client.closed
        if code is None:
            self._again(now_s, 1.0)
            return
        tally.counts[f"close_{code}"] += 1
        if self.role == "abuse":
            self._judged(code)
        elif code in _COME_BACK:
            drain_ms = getattr(client.listener, "drain_ms", None) or 1_000
            self._again(now_s, drain_ms / 1e3)
        elif code == _OVERLOADED:
            tally.find("shed" if self._listener.playout.is_playing else "refused", str(code))
            self._again(now_s, 1.0)
        elif code in self._expected():
            self._generator.leave(self)
        else:
            tally.find("unexpected_close", f"{code} of a {self.role} listener")
            if code in _BACK_OFF:
                self._back_off(now_s)  # who may not come again suffers, and counts so at the end

    def _expected(self) -> frozenset[int]:
        """Return the closes that this listener calls for."""
        if self._has_said_bye:
            return _AFTER_BYE
        return _SLOW_CLOSES if self.role == "slow" else frozenset()

    def _refused(self, now_s: float) -> None:
        tally, status = self.client.listener.tally, self.client.refused
        tally.counts[f"status_{status}"] += 1
        if self.role == "abuse" and status not in (429, 503):
            self._judged(status)
            return
        if status not in (429, 503):
            tally.find("unexpected_error", f"HTTP {status} at the handshake")
            return
        tally.find("refused", f"HTTP {status}")
        self._again(now_s, self.client.retry_after_s)

    def _again(self, now_s: float, after_s: float) -> None:
        """Come again, some time after a delay: full jitter keeps a crowd apart."""
        if self.role == "abuse":
            self._generator.leave(self)
        elif self._n_tries < _MAX_TRIES:  # else it waits in vain until the end, and counts so
            self._generator.at(now_s + after_s * (1.0 + self._chance.random()), self.connect)

    def _back_off(self, now_s: float) -> None:
        most_s = min(_MOST_BACK_OFF_S, 2.0 ** (self._n_tries - 1))
        if self._n_tries < _MAX_TRIES:
            self._generator.at(now_s + most_s * self._chance.random(), self.connect)

    # Roles ----------------------------------------------------------------------------------------

    def _begin_well(self, _now_s: float) -> None:
        """Listen, and no more."""

    def _begin_storm(self, _now_s: float) -> None:
        plan = self._generator.plan
        for n in range(1, STORMS + 1):
            moment_s = plan.start_s + plan.duration_s * n / (STORMS + 1)
            self._generator.at(moment_s + 0.1 * self._chance.random(), self._lose)

    def _lose(self) -> None:
        if not self._is_in:
            return
        self._generator.unwatch(self._file)
        self.client.cut(self._generator.now_s)
        self._is_in = False
        self._generator.n_open -= 1
        self.client.listener.tally.counts["cuts"] += 1
        self._n_tries = 1
        self._generator.at(self._generator.now_s + self._chance.random(), self.connect)

    def _begin_steer(self, now_s: float) -> None:
        self._generator.at(now_s + self._chance.uniform(*_STEER_S), self._steer)

    def _steer(self) -> None:
        now_s = self._generator.now_s
        listener = self._listener
        if self._is_in and listener.is_ready and now_s < self._generator.end_s - ANSWER_S:
            controls = {self._chance.choice(_CONTROLS): round(self._chance.random(), 2)}
            quantise = self._chance.choice(("now", "now", "beat", "bar"))
            self.client.say(listener.steer(controls, quantise, now_s))
            listener.tally.counts["steers"] += 1
        self._begin_steer(now_s)

    def _begin_churn(self, now_s: float) -> None:
        self._generator.at(now_s + self._chance.expovariate(1.0 / _LIFE_S), self._bye)

    def _bye(self) -> None:
        if self._is_in:
            self.client.say('{"type":"bye"}')
            self.client.listener.tally.counts["byes"] += 1
        self._has_said_bye = True
        self._generator.come(self.number, self._generator.now_s, self._turn + 1)

    def _abuse(self, now_s: float) -> None:
        """See whether the close is overdue."""
        if self.client.listener.is_over(now_s):  # type: ignore[attr-defined]
            self.client.cut(now_s)
            self._generator.unwatch(self._file)
            self._is_in = False
            self._judged(None)

    def _judged(self, code: int | None) -> None:
        self.client.listener.judge(code)  # type: ignore[attr-defined]
        self._generator.leave(self)
        number, turn, due_s = self.number, self._turn + 1, self._generator.now_s + 1.0
        if due_s < self._generator.end_s:
            self._generator.at(due_s, lambda: self._generator.come(number, due_s, turn))


_BEGIN: Final = {
    "storm": Virtual._begin_storm,
    "steer": Virtual._begin_steer,
    "churn": Virtual._begin_churn,
}
