"""Viz frames: true to the sound, exact, and in the order that the wire announces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from astradio_stream.sky.moment import Moment
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.segment import Rendition
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.viz.fields import FIELDS, N_FIELDS, fields_json

if TYPE_CHECKING:
    from astradio_stream.audio.bank import Bank

NAMES = [field.name for field in FIELDS]


def test_fields_are_those_of_the_protocol() -> None:
    bodies = [
        "sun",
        "moon",
        "mercury",
        "venus",
        "mars",
        "jupiter",
        "saturn",
        "uranus",
        "neptune",
        "pluto",
    ]
    bands = [f"band{n}" for n in range(8)]
    assert ["level", "beat", "bar", "tension", "brightness", "hue", *bands, *bodies] == NAMES
    assert fields_json()[0] == {"name": "level", "min": 0.0, "max": 1.0}


def test_frames_follow_the_sound(bank: Bank) -> None:
    programme = resolve({"seed": 4, "at": "1980-05-05T05:05:00Z"}, Moment(0), ModelVersions())
    rendition = Rendition(programme, bank)
    frames = np.concatenate([rendition.segment(k).viz for k in range(60)])
    pcm = np.concatenate([rendition.segment(k).pcm for k in range(60)]).astype(np.float64)
    assert frames.shape == (3_600, N_FIELDS)
    assert frames.dtype == np.uint8
    loudness = np.abs(pcm).reshape(3_600, -1).mean(axis=1)
    assert np.corrcoef(frames[:, 0], loudness)[0, 1] > 0.85  # voices may cancel, powers do not
    for name in ("level", "band1", "moon", "sun"):
        column = frames[:, NAMES.index(name)]
        assert column.max() > 100, f"{name} never lights up"
        assert column.min() < column.max() // 2, f"{name} never fades"


def test_a_body_is_dark_while_its_voice_rests(bank: Bank) -> None:
    programme = resolve({"seed": 4, "at": "1980-05-05T05:05:00Z"}, Moment(0), ModelVersions())
    rendition = Rendition(programme, bank)
    for k in range(40):
        voices = {note.voice for note in rendition.score.notes(48_000 * (k - 6), 48_000 * (k + 1))}
        columns = rendition.segment(k).viz[:, NAMES.index("sun") :]
        for voice in set(range(10)) - voices:
            assert not columns[:, voice].any()
