"""Quanta as bytes: the shared vectors in both directions, and every malformed message refused."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astradio_stream import units
from astradio_stream.wire.quantum import (
    PCM_BYTES,
    Codec,
    MalformedQuantum,
    Quantum,
    pack_quantum,
    pack_run,
    unpack_quantum,
    with_epoch,
    without_viz,
)

VECTORS = json.loads((Path(__file__).parent / "vectors" / "quantum.json").read_text())


def byte_string(written: Any) -> bytes:
    """Return a byte string that a vector gives as hex or as a rule."""
    if isinstance(written, str):
        return bytes.fromhex(written)
    start, step = written["start"], written["step"]
    return bytes((start + step * i) % 256 for i in range(written["length"]))


def message_of(vector: Any) -> bytes:
    return b"".join(byte_string(part) for part in vector["bytes"])


def meaning_of(vector: Any) -> Quantum:
    meaning = vector["meaning"]
    return Quantum(
        codec=Codec[meaning["codec"].upper()],
        epoch=meaning["epoch"],
        crc32=meaning["crc32"],
        index=meaning["index"],
        packets=tuple(map(byte_string, meaning["packets"])),
        viz_frames=tuple(map(byte_string, meaning["vizFrames"])),
    )


def packed(quantum: Quantum) -> bytes:
    return pack_quantum(
        quantum.codec,
        quantum.epoch,
        quantum.crc32,
        quantum.index,
        quantum.packets,
        quantum.viz_frames,
    )


@pytest.mark.parametrize("vector", VECTORS["quanta"], ids=lambda v: v["name"])
def test_vector_in_both_directions(vector: Any) -> None:
    assert unpack_quantum(message_of(vector)) == meaning_of(vector)
    assert packed(meaning_of(vector)) == message_of(vector)


@pytest.mark.parametrize("vector", VECTORS["malformed"], ids=lambda v: v["why"])
def test_malformed_vector_is_refused(vector: Any) -> None:
    with pytest.raises(MalformedQuantum):
        unpack_quantum(message_of(vector))


def test_the_crc_of_a_pcm_vector_is_that_of_its_packet() -> None:
    quantum = next(meaning_of(v) for v in VECTORS["quanta"] if v["meaning"]["codec"] != "opus")
    assert zlib.crc32(quantum.packets[0]) == quantum.crc32


@st.composite
def quanta(draw: st.DrawFn) -> Quantum:
    codec = draw(st.sampled_from(Codec))
    packet = st.binary(min_size=1, max_size=40)
    if codec is Codec.PCM_S16LE:
        packet = st.integers(0, 255).map(lambda b: bytes([b]) * PCM_BYTES)
    n_bytes = draw(st.integers(1, 30))
    frame = st.binary(min_size=n_bytes, max_size=n_bytes)
    n = units.VIZ_FRAMES_PER_QUANTUM
    return Quantum(
        codec=codec,
        epoch=draw(st.integers(0, 65_535)),
        crc32=draw(st.integers(0, 2**32 - 1)),
        index=units.QUANTUM_SAMPLES * draw(st.integers(0, units.LAST_INDEX // 4_800)),
        packets=tuple(draw(st.lists(packet, min_size=codec.n_packets, max_size=codec.n_packets))),
        viz_frames=tuple(draw(st.just([]) | st.lists(frame, min_size=n, max_size=n))),
    )


@given(quanta())
def test_unpack_undoes_pack(quantum: Quantum) -> None:
    assert unpack_quantum(packed(quantum)) == quantum


@given(quanta(), st.integers(0, 65_535))
def test_with_epoch_changes_the_epoch_alone(quantum: Quantum, epoch: int) -> None:
    changed = unpack_quantum(with_epoch(packed(quantum), epoch))
    assert changed.epoch == epoch
    assert with_epoch(packed(changed), quantum.epoch) == packed(quantum)


@given(st.lists(quanta(), min_size=1, max_size=3), st.integers(0, 10**6))
def test_a_run_is_its_quanta_one_after_the_other(made: list[Quantum], first: int) -> None:
    codec, n_frames = made[0].codec, len(made[0].viz_frames)
    alike = [
        q
        for q in made
        if q.codec is codec and list(map(len, q.viz_frames)) == list(map(len, made[0].viz_frames))
    ]
    index = first * units.QUANTUM_SAMPLES
    run = pack_run(
        codec,
        index,
        [q.crc32 for q in alike],
        [packet for q in alike for packet in q.packets],
        b"".join(frame for q in alike for frame in q.viz_frames),
    )
    for n, (message, quantum) in enumerate(zip(run, alike, strict=True)):
        at = index + n * units.QUANTUM_SAMPLES
        expected = pack_quantum(codec, 0, quantum.crc32, at, quantum.packets, quantum.viz_frames)
        assert message == expected
        assert len(quantum.viz_frames) == n_frames


def test_epoch_0_of_a_cached_quantum_costs_no_copy() -> None:
    message = pack_quantum(Codec.OPUS, 0, 0, 0, [b"\xf8"] * 5, [])
    assert with_epoch(message, 0) is message


@given(st.binary(max_size=200))
def test_any_bytes_are_a_quantum_or_refused(data: bytes) -> None:
    try:
        quantum = unpack_quantum(data)
    except MalformedQuantum:
        return
    assert packed(quantum) == data


@given(quanta(), st.data())
def test_a_damaged_quantum_is_another_quantum_or_refused(quantum: Quantum, data: Any) -> None:
    message = bytearray(packed(quantum)[:200])
    message[data.draw(st.integers(0, len(message) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        other = unpack_quantum(bytes(message))
    except MalformedQuantum:
        return
    assert packed(other) == bytes(message)


FIVE = [b"\xf8"] * 5


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((Codec.OPUS, -1, 0, 0, FIVE, []), "epoch"),
        ((Codec.OPUS, 65_536, 0, 0, FIVE, []), "epoch"),
        ((Codec.OPUS, 0, -1, 0, FIVE, []), "crc32"),
        ((Codec.OPUS, 0, 2**32, 0, FIVE, []), "crc32"),
        ((Codec.OPUS, 0, 0, 4_801, FIVE, []), "multiple of 4800"),
        ((Codec.OPUS, 0, 0, -4_800, FIVE, []), "multiple of 4800"),
        ((Codec.OPUS, 0, 0, 0, FIVE[:4], []), "5 packets, got 4"),
        ((Codec.OPUS, 0, 0, 0, [b"x" * 65_536, *FIVE[:4]], []), "65535"),
        ((Codec.PCM_S16LE, 0, 0, 0, [b"x" * 19_198], []), "19200"),
        ((Codec.OPUS, 0, 0, 0, FIVE, [b"1"] * 5), "6 viz frames or none, got 5"),
        ((Codec.OPUS, 0, 0, 0, FIVE, [b"1"] * 5 + [b"22"]), "one length"),
        ((Codec.OPUS, 0, 0, 0, FIVE, [b""] * 6), "0 bytes"),
    ],
)
def test_parts_that_do_not_fit_are_refused(arguments: Any, sentence: str) -> None:
    with pytest.raises(MalformedQuantum, match=sentence):
        pack_quantum(*arguments)


@pytest.mark.parametrize("epoch", [-1, 65_536])
def test_with_epoch_refuses_what_16_bits_cannot_hold(epoch: int) -> None:
    with pytest.raises(MalformedQuantum, match="16 bits"):
        with_epoch(pack_quantum(Codec.OPUS, 0, 0, 0, FIVE, []), epoch)


@given(quanta())
def test_without_viz_leaves_the_sound_alone(quantum: Quantum) -> None:
    bare = unpack_quantum(without_viz(packed(quantum)))
    assert bare == replace(quantum, viz_frames=())
