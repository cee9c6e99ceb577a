"""Samples against a local render: what differs is found, every time; what is equal is not."""

from __future__ import annotations

import dataclasses
import random
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
from loadtest.sampling import Reservoir, Sample
from loadtest.tally import Tally
from loadtest.verify import Verifier

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
def found(programme: Any, data_dir: Path) -> Any:
    def judge(quanta: list[Quantum], version: str = HERE, programme_id: str = "") -> Tally:
        tally, reservoir = Tally(), Reservoir(10_000, random.Random(1))
        name = programme_id or programme.programme_id
        for one in quanta:
            message = pack_quantum(
                one.codec, one.epoch, one.crc32, one.index, one.packets, one.viz_frames
            )
            sample = Sample(name, version, BITRATE, message)
            reservoir.offer(lambda sample=sample: (sample, programme.to_json()))
        Verifier(data_dir, tally).verify(reservoir, 60.0)
        return tally

    return judge


def test_what_was_rendered_here_is_found_right(found: Any, quanta: list[Quantum]) -> None:
    tally = found(quanta)
    assert not tally.findings
    assert tally.counts["verified"] == len(quanta) == 40
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
