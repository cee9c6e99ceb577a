"""The checking listener: every fault is found and named once, and nothing is made up."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from astradio_stream.wire.quantum import Codec, pack_quantum
from loadtest.generator import TICK_S, n_slots_of
from loadtest.listener import CheckingListener, Wish
from loadtest.sampling import Reservoir
from loadtest.tally import FAULTS, Tally
from loadtest.virtual import is_chosen
from tests.serving import VIZ_FRAMES

QUANTUM = 4_800
BUFFER_MS = 500
PROGRAMME: dict[str, Any] = {"seed": 1, "rate": 1, "changes": []}
CHANGE = {"index": 39_000, "controls": {"density": 0.1}}


def quantum(n: int, epoch: int = 0) -> bytes:
    return pack_quantum(Codec.OPUS, epoch, 1, n * QUANTUM, [b"\xf8\xff\xfe"] * 5, VIZ_FRAMES)


class Told:
    """A listener, and a server that does what a test says; the clock is an argument."""

    def __init__(self) -> None:
        self.tally = Tally()
        reservoir = Reservoir(10, random.Random(1))
        wish = Wish({"seed": 1}, BUFFER_MS)
        self.listener = CheckingListener(wish, self.tally, reservoir, 0.0)
        self.now_s = 0.0

    def ready(self, from_n: int = 0, epoch: int = 0, **changes: Any) -> None:
        self.tell(
            type="ready",
            **{
                "epoch": epoch, "programme": PROGRAMME, "programmeId": "ab" * 32,
                "codec": {"name": "opus", "version": "1", "bitrate": 96_000},
                "from": from_n * QUANTUM,
            } | changes,
        )  # fmt: skip

    def join(self) -> None:
        self.listener.greeting(self.now_s)
        self.ready()

    def join_again(self, **changes: Any) -> None:
        self.listener.greeting(self.now_s)
        self.ready(self.listener.playout.end // QUANTUM, **changes)

    def tell(self, **message: Any) -> None:
        self.listener.take_text(json.dumps(message).encode(), self.now_s)

    def send(self, *numbers: int, epoch: int = 0) -> None:
        for n in numbers:
            self.listener.take_binary(quantum(n, epoch), self.now_s)

    def play(self, first: int, last: int, late_s: float = 0.0, epoch: int = 0) -> None:
        """Send quanta as a server does that keeps the buffer full; the clock goes on."""
        for n in range(first, last):
            self.now_s = max(self.now_s, (n + 1) / 10 - BUFFER_MS / 1e3) + late_s
            self.send(n, epoch=epoch)
            self.listener.report(self.now_s)


@pytest.fixture
def told() -> Told:
    made = Told()
    made.join()
    return made


def steered(told: Told, change: dict[str, Any] = CHANGE, **others: Any) -> None:
    told.play(0, 10)
    told.listener.steer({"density": 0.1}, "now", told.now_s)
    effective = 8 * QUANTUM + 100
    programme = PROGRAMME | {"changes": [change]} | others
    tell = {"programme": programme, "programmeId": "cd" * 32}
    told.tell(type="steered", epoch=1, effective=effective, **tell)


def a_gap(told: Told) -> None:
    told.play(0, 10)
    told.send(11)


def a_duplicate(told: Told) -> None:
    told.play(0, 10)
    told.send(9)


def an_old_epoch_after_a_steer(told: Told) -> None:
    steered(told)
    told.send(10)


def a_message_cut_short(told: Told) -> None:
    told.listener.take_binary(quantum(0)[:-1], 0.0)


def no_json(told: Told) -> None:
    told.listener.take_text(b"{", 0.0)


def a_quantum_before_ready(told: Told) -> None:
    told.listener.greeting(0.0)
    told.send(0)


def a_gap_announced_elsewhere(told: Told) -> None:
    told.play(0, 10)
    told.tell(type="discontinuity", reason="slow", to=30 * QUANTUM, **{"from": 11 * QUANTUM})


def a_resume_from_elsewhere(told: Told) -> None:
    told.play(0, 10)
    told.listener.lost(told.now_s)
    told.join()


def nothing_any_more(told: Told) -> None:
    told.play(0, 10)
    told.listener.report(told.now_s + 3.1)
    told.listener.report(told.now_s + 4.1)


def nothing_from_the_start(told: Told) -> None:
    told.listener.report(3.1)


def a_steer_unanswered(told: Told) -> None:
    told.play(0, 10)
    told.listener.steer({"density": 0.1}, "now", told.now_s)
    told.play(10, 70)


def silence_after_a_resume(told: Told) -> None:
    told.play(0, 10)
    told.listener.lost(told.now_s)
    told.join_again()
    told.listener.report(told.now_s + 3.1)


def no_ready_after_a_resume(told: Told) -> None:
    told.play(0, 10)
    told.listener.lost(told.now_s)
    told.listener.greeting(told.now_s)
    told.listener.report(told.now_s + 3.1)


def the_programme_of_another(told: Told) -> None:
    told.ready(programme=PROGRAMME | {"seed": 999})


def another_programme_after_a_resume(told: Told) -> None:
    told.play(0, 10)
    told.listener.lost(told.now_s)
    told.join_again(programmeId="ef" * 32)


def a_steer_that_changes_something_else(told: Told) -> None:
    steered(told, CHANGE | {"controls": {"density": 0.2}})


def a_steer_that_changes_more(told: Told) -> None:
    steered(told, rate=2)


def a_steer_that_nobody_asked_for(told: Told) -> None:
    programme = PROGRAMME | {"changes": [CHANGE]}
    tell = {"programme": programme, "programmeId": "cd" * 32}
    told.tell(type="steered", epoch=1, effective=QUANTUM, **tell)


def a_quantum_without_a_picture(told: Told) -> None:
    told.listener.take_binary(pack_quantum(Codec.OPUS, 0, 1, 0, [b"\xf8\xff\xfe"] * 5, []), 0.0)


def a_stream_that_begins_elsewhere_than_it_says(told: Told) -> None:
    told.send(100)


def a_programme_that_begins_elsewhere(told: Told) -> None:
    told.ready(500)
    told.send(500)


def an_error_out_of_nothing(told: Told) -> None:
    told.tell(type="error", error={"code": "INTERNAL", "message": "oh"}, fatal=False)


# fmt: off
WRONGS = [
    (a_gap,                     "gap"),
    (a_duplicate,               "duplicate"),
    (an_old_epoch_after_a_steer, "wrong_epoch"),
    (a_message_cut_short,       "malformed"),
    (no_json,                   "malformed"),
    (a_quantum_before_ready,    "before_ready"),
    (a_gap_announced_elsewhere, "wrong_discontinuity"),
    (a_resume_from_elsewhere,   "not_resumed"),
    (nothing_any_more,          "silent"),
    (nothing_from_the_start,    "silent"),
    (silence_after_a_resume,    "silent"),
    (no_ready_after_a_resume,   "silent"),
    (the_programme_of_another,  "wrong_programme"),
    (another_programme_after_a_resume, "wrong_programme"),
    (a_steer_that_changes_something_else, "wrong_programme"),
    (a_steer_that_changes_more, "wrong_programme"),
    (a_steer_that_nobody_asked_for, "wrong_programme"),
    (a_quantum_without_a_picture, "wrong_picture"),
    (a_steer_unanswered,        "no_answer"),
    (a_stream_that_begins_elsewhere_than_it_says, "gap"),
    (a_programme_that_begins_elsewhere, "wrong_start"),
    (an_error_out_of_nothing,   "unexpected_error"),
]
# fmt: on


@pytest.mark.parametrize(("does", "kind"), WRONGS)
def test_a_fault_is_found_once_and_only_it(
    told: Told, does: Callable[[Told], None], kind: str
) -> None:
    does(told)
    assert told.tally.faults == {kind: 1}
    assert told.tally.examples[kind] or kind == "silent"
    assert kind in FAULTS


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"ready"}', '{"type":["x"]}', '{"type":{}}', "[]", "1", "null", '"ready"',
        '{"type":"error"}', '{"type":"error","error":"oh"}', '{"type":"discontinuity","from":0}',
        '{"type":"discontinuity","from":"0","to":4800,"reason":"slow"}', '{"type":"drain"}',
        '{"type":"drain","reconnectAfterMs":-1}', '{"type":"drain","reconnectAfterMs":true}',
        '{"type":"steered"}', '{"type":"steered","epoch":1,"effective":0.5}',
        '{"type":"steered","epoch":1,"effective":1,"programme":7,"programmeId":"x"}',
        '{"type":"ready","from":0,"epoch":0,"programme":7,"programmeId":"x","codec":[]}',
        '{"type":' + "[" * 30_000,
        '{"type":"discontinuity","from":96000,"to":1' + "0" * 400 + ',"reason":"slow"}',
        '{"type":"event"}', '{"type":"event", garbage',
        '{"type":"event","index":-1,"kind":"note","text":"","bodies":[]}',
        '{"type":"event","index":1,"kind":"note","text":"","bodies":"sun"}',
        '{"type":"event","index":1,"kind":"note","text":null,"bodies":[]}',
    ],
)  # fmt: skip
def test_text_that_is_no_message_of_the_protocol_is_a_fault_and_no_more(
    told: Told, text: str
) -> None:
    told.play(0, 10)
    told.listener.take_text(text.encode(), told.now_s)
    told.play(10, 20)
    assert told.tally.faults == {"malformed": 1}
    assert told.tally.counts["quanta"] == 20


@pytest.mark.parametrize("wrong", [
    {"bitrate": "96000"}, {"bitrate": 0}, {"bitrate": 96_000.5}, {"bitrate": 10**9}, {"version": 5},
    {"name": None, "bitrate": "x"},
])  # fmt: skip
def test_an_encoder_that_cannot_be_is_a_fault(told: Told, wrong: dict[str, Any]) -> None:
    told.ready(codec={"name": "opus", "version": "1", "bitrate": 96_000} | wrong)
    assert told.tally.faults == {"malformed": 1}


def test_what_stands_still_for_longer_than_a_buffer_is_late_by_all_of_it(told: Told) -> None:
    """Where the player runs dry, what was due meanwhile is late, however little came then."""
    for still_s in (2.0, 8.0):
        told.play(0, 20)
        told.now_s += still_s
        told.send(20)
        assert told.tally.findings["late"] == pytest.approx(10 * still_s, abs=2)
        assert told.tally.latency("late").quantile_ms(0.75) >= 300 * still_s
        told = Told()
        told.join()


def test_a_steer_lasts_until_its_first_quantum_comes(told: Told) -> None:
    steered(told)
    told.now_s += 2.5
    assert not told.tally.latency("steer").n
    told.send(8, epoch=1)
    assert told.tally.latency("steer").max_us == 2_500_000


def test_a_steer_that_nothing_follows_lasts_until_the_end(told: Told) -> None:
    steered(told)
    told.listener.end(told.now_s + 1.5)
    assert told.tally.latency("steer").max_us == 1_500_000


def test_what_is_held_when_a_quantum_comes_tells_how_near_the_end_was(told: Told) -> None:
    told.play(0, 20)
    assert told.tally.latency("lead").min_us >= 1e3 * (BUFFER_MS - 110)
    for n in range(20, 60):  # at half the speed the player has nothing left each time
        told.now_s += 0.2
        told.send(n)
    assert told.tally.latency("lead").min_us == 0


def test_an_announced_gap_that_a_steer_takes_back_is_played(told: Told) -> None:
    steered(told, CHANGE)
    told.tell(type="discontinuity", reason="slow", to=12 * QUANTUM, **{"from": 8 * QUANTUM})
    told.listener.steer({"tension": 0.7}, "now", told.now_s)
    both = CHANGE | {"controls": {"density": 0.1, "tension": 0.7}}
    told.tell(type="steered", epoch=2, effective=8 * QUANTUM + 100,
              programme=PROGRAMME | {"changes": [both]}, programmeId="ef" * 32)  # fmt: skip
    told.send(8, 9, 10, 11, epoch=2)
    told.play(12, 30, epoch=2)
    assert not told.tally.faults
    assert told.listener.n_underruns == 0


@pytest.mark.parametrize("is_slow", [False, True])
def test_only_who_is_slow_may_be_spared_the_picture(is_slow: bool) -> None:
    told = Told()
    wish = Wish({"seed": 1}, BUFFER_MS, is_slow=is_slow)
    told.listener = CheckingListener(wish, told.tally, Reservoir(1, random.Random(1)), 0.0)
    told.join()
    a_quantum_without_a_picture(told)
    assert told.tally.faults == ({} if is_slow else {"wrong_picture": 1})


def test_two_steers_of_one_instant_are_one_change(told: Told) -> None:
    steered(told)
    told.listener.steer({"tension": 0.7}, "now", told.now_s)
    both = CHANGE | {"controls": {"density": 0.1, "tension": 0.7}}
    programme = PROGRAMME | {"changes": [both]}
    tell = {"programme": programme, "programmeId": "ef" * 32}
    told.tell(type="steered", epoch=2, effective=8 * QUANTUM + 100, **tell)
    assert not told.tally.faults


def test_a_right_server_is_found_right(told: Told) -> None:
    told.play(0, 100)
    told.listener.end(told.now_s)
    assert not told.tally.findings
    assert told.tally.counts["quanta"] == 100
    assert told.tally.counts["viz_frames"] == 600


def test_seek_steer_skip_and_resume_are_no_faults(told: Told) -> None:
    steered(told)
    told.send(8, 9, 10, epoch=1)
    told.play(11, 20, epoch=1)
    told.tell(type="discontinuity", reason="slow", to=30 * QUANTUM, **{"from": 20 * QUANTUM})
    told.send(30, 31, epoch=1)
    told.listener.lost(told.now_s)
    greeting = told.listener.greeting(told.now_s)
    assert json.loads(greeting[8:])["from"] == 32 * QUANTUM
    programme = PROGRAMME | {"changes": [CHANGE]}
    told.ready(32, resumed=True, programme=programme, programmeId="cd" * 32)
    told.send(32, 33)
    assert not told.tally.faults
    assert told.tally.findings == {"skip": 1}
    assert told.tally.counts["skipped_samples"] == 10 * QUANTUM
    assert told.tally.latency("resume").n == 1


def test_lateness_is_measured_against_what_is_heard_not_against_the_quantum_before(
    told: Told,
) -> None:
    """Half a second of standing still makes five quanta late, each by what it missed."""
    told.play(0, 20)
    told.now_s += 0.45
    told.send(20, 21, 22, 23, 24)
    late = told.tally.latency("late")
    assert late.max_us == pytest.approx(350_000, abs=2)
    assert told.tally.findings == {"late": 3}  # by 0.35, 0.25, 0.15 s; two by less than 0.1 s


def test_the_burst_is_not_late_where_the_end_comes_in_the_middle_of_it(told: Told) -> None:
    """Someone who comes two seconds after a stream began is sent what there was room for."""
    told.now_s = 2.0
    told.send(0, 1)
    told.listener.end(told.now_s + 0.002)
    assert not told.tally.findings


def test_who_waits_in_vain_is_part_of_the_figures() -> None:
    told = Told()
    told.listener.greeting(0.1)
    told.listener.end(2.9)
    assert told.tally.latency("first_audio").max_us == 2_900_000
    assert not told.tally.findings
    told = Told()
    told.listener.end(3.1)  # no connection, all the time
    assert told.tally.findings == {"unserved": 1}
    assert told.tally.latency("first_audio").max_us == 3_100_000


def test_who_is_still_outside_at_the_end_has_run_dry(told: Told) -> None:
    told.play(0, 20)
    told.listener.lost(told.now_s)
    held_s = told.listener.playout.ahead_s(told.now_s)
    told.listener.end(told.now_s + held_s + 0.3)
    assert told.tally.findings == {"underrun": 1}
    assert told.tally.latency("underrun").max_us == pytest.approx(300_000, abs=2)
    assert told.tally.latency("resume").max_us == pytest.approx((held_s + 0.3) * 1e6, abs=2)


def test_what_never_came_is_late_too(told: Told) -> None:
    told.play(0, 20)
    told.listener.end(told.now_s + 0.45)
    assert told.tally.findings["late"] == 3


def test_an_underrun_is_counted_with_its_length_and_the_player_stands_still(told: Told) -> None:
    told.play(0, 20)
    held_s = told.listener.playout.ahead_s(told.now_s)
    told.now_s += held_s + 0.25
    told.send(20)
    assert told.tally.findings["underrun"] == 1
    assert told.tally.latency("underrun").max_us == pytest.approx(250_000, abs=2)
    assert told.listener.playout.ahead_s(told.now_s) == pytest.approx(0.1)
    told.listener.end(told.now_s + 0.2)
    assert told.tally.findings["underrun"] == 2


def test_first_audio_counts_from_when_the_listener_was_due() -> None:
    told = Told()
    told.now_s = 0.7  # it was due at 0.0, and something held it up
    told.join()
    told.now_s = 0.8
    told.send(0)
    assert told.tally.latency("first_audio").max_us == 800_000
    assert told.tally.latency("hello").max_us == 100_000


def test_the_report_says_what_is_heard(told: Told) -> None:
    told.send(0, 1, 2)
    report = told.listener.report(0.15)
    assert report is not None
    assert json.loads(report) == {
        "type": "report", "played": 7_200, "received": 14_400, "underruns": 0,
    }  # fmt: skip


def test_who_holds_little_is_read_as_things_come(told: Told) -> None:
    """A burst may come in two pieces: who is read a turn later seems to have run dry between."""
    listener = told.listener
    assert listener.is_hungry(0.0, 0.2)
    told.send(0)
    assert listener.is_hungry(0.0, 0.2)
    told.send(1, 2, 3)
    assert not listener.is_hungry(0.0, 0.2)
    assert listener.is_hungry(0.1, 0.2)
    listener.lost(0.0)
    assert listener.is_hungry(0.0, 0.2)


@pytest.mark.parametrize(("n", "share"), [(100, 0.2), (1_000, 0.2), (7, 1.0), (3, 0.34), (50, 0.0)])
def test_a_share_is_spread_evenly_over_all_who_come(n: int, share: float) -> None:
    chosen = [number for number in range(n) if is_chosen(number, share)]
    assert len(chosen) == int(n * share + 1e-9)
    if len(chosen) > 1:
        apart = {later - sooner for sooner, later in pairwise(chosen)}
        assert max(apart) - min(apart) <= 1


@pytest.mark.parametrize("buffer_ms", [200, 250, 500, 800, 1_000, 2_000, 20_000])
def test_who_is_read_by_turns_is_read_four_times_while_it_plays_what_it_holds(
    buffer_ms: int,
) -> None:
    turn_ms = n_slots_of(buffer_ms) * TICK_S * 1e3
    assert turn_ms <= buffer_ms / 4
    assert turn_ms <= 250
