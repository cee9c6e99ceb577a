"""Samples against a local render: what differs is found, every time; what is equal is not."""

from __future__ import annotations

import dataclasses
import random
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from astradio_stream.audio import opus
from astradio_stream.server.renderer import ready_made, sound_of
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.segment import Rendition
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.wire.quantum import Codec, Quantum, pack_quantum, unpack_quantum
from loadtest.outcome import Outcome
from loadtest.plan import Plan
from loadtest.report import summary_rows
from loadtest.sampling import Reservoir, Sample
from loadtest.tally import Tally
from loadtest.verify import Verifier, in_turn

RAW = {"seed": 5, "at": "2026-03-20T12:00:00Z"}
SEGMENTS = range(40, 44)
BITRATE = 96_000
HERE = opus.library().version


@pytest.fixture(scope="module")
def programme() -> Any:
    return resolve(RAW, Moment(0), ModelVersions())


@pytest.fixture(scope="module")
def quanta(programme: Any, bank: Any) -> list[Quantum]:
    rendition = Rendition(programme, bank)
    made = []
    for k in SEGMENTS:
        segment = rendition.segment(k)
        packets = sound_of(segment, Codec.OPUS, BITRATE)
        made += map(unpack_quantum, ready_made(segment, Codec.OPUS, packets).with_viz)
    return made


@pytest.fixture(scope="module")
def plain(programme: Any, bank: Any) -> list[Quantum]:
    """A second as PCM."""
    segment = Rendition(programme, bank).segment(SEGMENTS[0])
    pcm = sound_of(segment, Codec.PCM_S16LE, BITRATE)
    return [*map(unpack_quantum, ready_made(segment, Codec.PCM_S16LE, pcm).with_viz)]


def message_of(one: Quantum) -> bytes:
    return pack_quantum(one.codec, one.epoch, one.crc32, one.index, one.packets, one.viz_frames)


def sampled(
    quanta: Iterable[Quantum], programme: Any, version: str = HERE, size: int = 10_000,
    programme_id: str = "",
) -> Reservoir:  # fmt: skip
    """Return a fair sample of quanta, all of them if they are few."""
    reservoir = Reservoir(size, random.Random(1))
    name = programme_id or programme.programme_id
    for one in quanta:
        sample = Sample(name, version, BITRATE, message_of(one))
        reservoir.offer(lambda sample=sample: (sample, programme.to_json()))  # type: ignore[misc]
    return reservoir


@pytest.fixture(scope="module")
def judged(data_dir: Path) -> Callable[[Reservoir], Tally]:
    def judge(reservoir: Reservoir, limit_s: float = 120.0) -> Tally:
        tally = Tally()
        Verifier(data_dir, tally).verify(reservoir, limit_s)
        return tally

    return judge


@pytest.fixture(scope="module")
def found(programme: Any, judged: Callable[[Reservoir], Tally]) -> Any:
    def judge(quanta: list[Quantum], version: str = HERE, programme_id: str = "") -> Tally:
        return judged(sampled(quanta, programme, version, programme_id=programme_id))

    return judge


def test_what_was_rendered_here_is_found_right(found: Any, quanta: list[Quantum]) -> None:
    tally = found(quanta)
    assert not tally.findings
    assert tally.counts["verified"] == tally.counts["sampled"] == len(quanta) == 40
    assert tally.counts["decoded"] == 200


def test_each_corrupted_packet_of_one_in_a_hundred_is_found(
    found: Any, quanta: list[Quantum]
) -> None:
    chance = random.Random(3)
    places = chance.sample(range(200), 2)
    changed = list(quanta)
    for place in places:
        one, n = changed[place // 5], place % 5
        packet = bytearray(one.packets[n])
        packet[chance.randrange(1, len(packet))] ^= 1 << chance.randrange(8)
        packets = (*one.packets[:n], bytes(packet), *one.packets[n + 1 :])
        changed[place // 5] = dataclasses.replace(one, packets=packets)
    tally = found(changed)
    assert tally.findings == {"wrong_packet": 2}


N_LISTENERS = 100
CORRUPTED = 0.01


def flipped(packet: bytes, chance: random.Random) -> bytes:
    """Return a packet with one wrong bit; its first byte, which says what it is, stays."""
    changed = bytearray(packet)
    changed[chance.randrange(1, len(packet))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def with_wrong_packets(one: Quantum, chance: random.Random) -> Quantum:
    packets = tuple(
        flipped(packet, chance) if chance.random() < CORRUPTED else packet for packet in one.packets
    )
    return dataclasses.replace(one, packets=packets)


def with_wrong_crc(one: Quantum, chance: random.Random) -> Quantum:
    if chance.random() >= CORRUPTED:
        return one
    return dataclasses.replace(one, crc32=one.crc32 ^ (1 << chance.randrange(32)))


def with_wrong_picture(one: Quantum, chance: random.Random) -> Quantum:
    if chance.random() >= CORRUPTED:
        return one
    n = chance.randrange(len(one.viz_frames))
    frame = flipped(one.viz_frames[n], chance)
    return dataclasses.replace(
        one, viz_frames=(*one.viz_frames[:n], frame, *one.viz_frames[n + 1 :])
    )


Spoiling = tuple[Callable[[Quantum, random.Random], Quantum], str, int]

# fmt: off
SPOILING: list[Spoiling] = [
    # how it is done       what is found     of how many things in a quantum
    (with_wrong_packets,   "wrong_packet",  5),
    (with_wrong_crc,       "wrong_crc",     1),
    (with_wrong_picture,   "wrong_picture", 1),
]
# fmt: on


def n_wrong(sample: Sample, right: dict[int, Quantum]) -> int:
    """Return how many things of a sampled quantum are not as they were rendered."""
    one = unpack_quantum(sample.message)
    good = right[one.index]
    return (
        sum(a != b for a, b in zip(one.packets, good.packets, strict=True))
        + (one.crc32 != good.crc32)
        + (one.viz_frames != good.viz_frames)
    )


@pytest.mark.parametrize("spoiling", SPOILING, ids=[row[1] for row in SPOILING])
def test_the_corrupted_share_of_what_all_listeners_heard_is_found_in_a_sample(
    judged: Any, programme: Any, quanta: list[Quantum], spoiling: Spoiling
) -> None:
    spoil, kind, n_each = spoiling
    chance = random.Random(11)
    heard = (spoil(one, chance) for _ in range(N_LISTENERS) for one in quanta)
    reservoir = sampled(heard, programme, size=600)
    right = {one.index: one for one in quanta}
    n_there = sum(n_wrong(sample, right) for sample in reservoir.samples)
    tally = judged(reservoir)
    # Whatever of it was sampled is found, and nothing else ...
    assert tally.findings == {kind: n_there}
    # ... and there is as much as four standard deviations (Poisson) allow of one in a hundred.
    expected = CORRUPTED * 600 * n_each
    assert n_there >= 1
    assert abs(n_there - expected) <= 4 * expected**0.5


def test_other_sound_with_a_crc_that_is_right_for_it_is_found(
    found: Any, quanta: list[Quantum]
) -> None:
    """A server that serves another second: all of it consistent with itself, and wrong here."""
    other = quanta[20]
    wrong = dataclasses.replace(quanta[3], packets=other.packets, crc32=other.crc32)
    assert found([*quanta[:3], wrong]).findings == {"wrong_crc": 1, "wrong_packet": 5}


def test_pcm_as_rendered_here_is_found_right(found: Any, plain: list[Quantum]) -> None:
    tally = found(plain)
    assert not tally.findings
    assert tally.counts["verified"] == len(plain) == 10


@pytest.mark.parametrize("is_crc_of_it", [False, True])
def test_one_wrong_bit_of_pcm_is_found_whatever_its_crc(
    found: Any, plain: list[Quantum], is_crc_of_it: bool
) -> None:
    pcm = flipped(plain[4].packets[0], random.Random(2))
    crc32 = zlib.crc32(pcm) if is_crc_of_it else plain[4].crc32
    wrong = dataclasses.replace(plain[4], packets=(pcm,), crc32=crc32)
    expected = {"wrong_sound": 1} | ({"wrong_crc": 1} if is_crc_of_it else {})
    assert found([*plain[:4], wrong]).findings == expected


def programmes_of(n: int) -> Iterator[Any]:
    for seed in range(n):
        yield resolve(RAW | {"seed": seed}, Moment(0), ModelVersions())


def test_programmes_take_turns_and_a_segment_is_rendered_once() -> None:
    samples = [
        Sample(name, "", 0, bytes(8) + (k * 48_000 + n * 4_800).to_bytes(8) + bytes([n]))
        for name in "abc"
        for k in (5, 9)
        for n in range(3)
    ]
    random.Random(4).shuffle(samples)
    order = [(one.programme_id, int.from_bytes(one.message[8:16]) // 48_000)
             for one in in_turn(samples)]  # fmt: skip
    assert len(order) == len(samples)
    runs = [key for n, key in enumerate(order) if n == 0 or order[n - 1] != key]
    assert len(runs) == len(set(runs)) == 6
    assert {name for name, _ in runs[:3]} == {name for name, _ in runs[3:]} == set("abc")
    assert [k for _, k in runs] == [5, 5, 5, 9, 9, 9]


def test_what_is_left_out_for_want_of_time_differs_from_run_to_run() -> None:
    firsts = set()
    for run in range(20):
        head = run.to_bytes(8)
        samples = [Sample(name, "", 0, head + bytes(8)) for name in "abcd"]
        firsts.add(next(in_turn(samples)).programme_id)
    assert firsts == set("abcd")


def test_what_time_was_too_short_for_is_told(judged: Any, quanta: list[Quantum]) -> None:
    reservoir = Reservoir(100, random.Random(1))
    for programme in programmes_of(3):
        for one in quanta[:4]:
            sample = Sample(programme.programme_id, HERE, BITRATE, message_of(one))
            reservoir.offer(lambda sample=sample, to=programme: (sample, to.to_json()))  # type: ignore[misc]
    tally = judged(reservoir, 0.0)
    assert tally.counts["sampled"] == 12
    assert tally.counts["verified"] < 12
    plan = Plan(
        scenario="steady", url="", is_owned=False, listeners=1, programmes=1, duration_s=1.0,
        per_s=1.0, processes=1, buffer_ms=2_000, seed=1, samples=100, prompt=1, asks_per_s=0.0,
        verify_s=0.0, folder="",
    )  # fmt: skip
    outcome = Outcome(plan, "", {"well": tally})
    assert outcome.figures()["sampled"] == 12
    told = dict(row[:2] for row in summary_rows(outcome))
    expected = f"{tally.counts['verified']} of 12 samples"
    assert told["verified against a local render"] == expected


def test_a_wrong_crc_is_found(found: Any, quanta: list[Quantum]) -> None:
    wrong = [dataclasses.replace(one, crc32=one.crc32 ^ 1) for one in quanta[:3]]
    assert found(wrong + quanta[3:]).findings == {"wrong_crc": 3}


def test_a_wrong_picture_is_found(found: Any, quanta: list[Quantum]) -> None:
    frames = (bytes([quanta[0].viz_frames[0][0] ^ 1]) + quanta[0].viz_frames[0][1:],)
    wrong = dataclasses.replace(quanta[0], viz_frames=frames + quanta[0].viz_frames[1:])
    assert found([wrong]).findings == {"wrong_picture": 1}


def test_a_packet_that_is_no_opus_is_found(found: Any, quanta: list[Quantum]) -> None:
    wrong = dataclasses.replace(quanta[0], packets=(b"\xff\x00", *quanta[0].packets[1:]))
    assert found([wrong]).findings == {"bad_opus": 1}


def test_another_libopus_may_write_other_bytes_but_no_other_sound(
    found: Any, quanta: list[Quantum], programme: Any, bank: Any
) -> None:
    segment = Rendition(programme, bank).segment(SEGMENTS[0])
    packets = sound_of(segment, Codec.OPUS, 110_000)  # other bytes of the same sound
    other = [*map(unpack_quantum, ready_made(segment, Codec.OPUS, packets).with_viz)]
    assert not found(other, "libopus 9.9.9").findings
    # Sound of another second in the place of this one is another sound.
    swapped = [
        dataclasses.replace(one, packets=quanta[n + 20].packets) for n, one in enumerate(other)
    ]
    assert set(found(swapped, "libopus 9.9.9").findings) == {"wrong_sound"}


def test_an_id_that_is_not_that_of_the_programme_is_found(
    found: Any, quanta: list[Quantum]
) -> None:
    assert found(quanta[:2], programme_id="0" * 64).findings == {"wrong_programme": 1}


def test_a_reservoir_keeps_all_until_it_is_full_then_a_fair_share() -> None:
    kept = [0] * 10
    for seed in range(300):
        reservoir = Reservoir(5, random.Random(seed))
        for n in range(100):
            sample = Sample(str(n), "", 0, b"")
            reservoir.offer(lambda sample=sample: (sample, {}))  # type: ignore[misc]
        assert len(reservoir.samples) == 5
        for sample in reservoir.samples:
            kept[int(sample.programme_id) // 10] += 1
    assert sum(kept) == 1_500
    # A tenth of all each: 150, give or take four standard deviations (binomial, 11.6).
    assert all(104 <= n <= 196 for n in kept), kept
