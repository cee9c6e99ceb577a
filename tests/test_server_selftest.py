"""The self-test hears every way in which what is sent could not be what was made."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest

from astradio_stream.errors import SelfTestFailed
from astradio_stream.server.renderer import ReadyMade, ready_made, sound_of
from astradio_stream.server.selftest import LIKENESS, check_second, likeness
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.segment import Rendition, Segment
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.wire.quantum import Codec

if TYPE_CHECKING:
    from astradio_stream.audio.bank import Bank

K = 1_795_000_000


@pytest.fixture(scope="module")
def rendition(bank: Bank) -> Rendition:
    return Rendition(resolve({"station": "now"}, Moment(0), ModelVersions()), bank)


def made_of(segment: Segment, bitrate: int = 96_000, codec: Codec = Codec.OPUS) -> ReadyMade:
    return ready_made(segment, codec, sound_of(segment, codec, bitrate))


@pytest.mark.parametrize("bitrate", [16_000, 96_000, 510_000])
def test_a_sound_server_passes_at_every_bit_rate(rendition: Rendition, bitrate: int) -> None:
    for k in range(K, K + 60, 7):
        segment = rendition.segment(k)
        check_second(segment, made_of(segment, bitrate))


def test_another_second_a_wrong_codec_and_wrong_packets_fail(rendition: Rendition) -> None:
    segment, other = rendition.segment(K), rendition.segment(K + 1)
    with pytest.raises(SelfTestFailed, match="its own samples"):
        check_second(segment, made_of(other))
    with pytest.raises(SelfTestFailed, match="not encoded as Opus"):
        check_second(segment, made_of(segment, codec=Codec.PCM_S16LE))
    packets = sound_of(other, Codec.OPUS, 96_000)
    with pytest.raises(SelfTestFailed, match="libopus may be broken"):
        check_second(segment, ready_made(segment, Codec.OPUS, packets))
    quiet = dataclasses.replace(segment, heard=np.zeros_like(segment.heard))
    with pytest.raises(SelfTestFailed):
        check_second(quiet, made_of(segment))


def test_likeness_of_same_opposite_and_silent_sounds(rendition: Rendition) -> None:
    pcm = rendition.segment(K).pcm
    assert likeness(pcm, pcm) == pytest.approx(1.0)
    assert likeness(pcm, -pcm) == pytest.approx(-1.0)
    assert abs(likeness(pcm[480:], pcm[:-480])) < LIKENESS
    silence = np.zeros_like(pcm)
    assert likeness(silence, silence) == 1.0
    assert likeness(silence, pcm) == 0.0
