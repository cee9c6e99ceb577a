"""What tests of the composer share: charts, programmes of each mode, and ways to read a score."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from functools import cache
from typing import Any

from astradio_stream.music.controls import Controls
from astradio_stream.music.note import Note
from astradio_stream.music.v1_1.ensemble import heard_in
from astradio_stream.music.v1_1.form import Movement, Phrase
from astradio_stream.music.v1_1.reading import (
    BODY_NAMES,
    NEUTRAL,
    AspectReading,
    Reading,
    Skies,
    reading_of,
)
from astradio_stream.music.v1_1.scene import Scene
from astradio_stream.music.v1_1.score import ScoreV11
from astradio_stream.music.v1_1.timeline import MOVEMENT_SAMPLES
from astradio_stream.sky.chart import Place, chart_at
from astradio_stream.sky.moment import Moment, parse_moment
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.skies import score_v1_1
from astradio_stream.stream.versions import ModelVersions

UNPITCHED = ("drums", "vinyl", "noise", "air")
V1_1 = ModelVersions(audio="v1.1")


@cache
def reading_at(text: str) -> Reading:
    return reading_of(chart_at(parse_moment(text), Place(51.5, 0.0)))


def random_reading(number: int) -> Reading:
    chance = random.Random(number)
    day, hour = chance.randint(1, 28), chance.randint(0, 23)
    return reading_at(
        f"{chance.randint(1900, 2050)}-{chance.randint(1, 12):02d}-{day:02d}T{hour:02d}:00Z"
    )


def with_body(name: str, reading: Reading = NEUTRAL, **changes: Any) -> Reading:
    """Return a reading with one body changed."""
    place = BODY_NAMES.index(name)
    bodies = list(reading.bodies)
    bodies[place] = dataclasses.replace(bodies[place], **changes)
    return dataclasses.replace(reading, bodies=tuple(bodies))


def with_aspects(*aspects: tuple[str, str, str, float], reading: Reading = NEUTRAL) -> Reading:
    """Return a reading with (body, body, kind, hardness) as its aspects."""
    found = tuple(
        AspectReading(BODY_NAMES.index(a), BODY_NAMES.index(b), kind, 0.9, hardness)
        for a, b, kind, hardness in aspects
    )
    return dataclasses.replace(reading, aspects=found)


def score_of(reading: Reading, seed: int = 1, controls: Controls | None = None) -> ScoreV11:
    return score_of_skies(Skies(reading, None, reading), seed, controls)


def score_of_skies(skies: Skies, seed: int = 1, controls: Controls | None = None) -> ScoreV11:
    wishes = controls or Controls()
    return ScoreV11(seed, lambda _index: skies, lambda _index: wishes)


def _birth(number: int) -> dict[str, object]:
    chance = random.Random(number)
    date = f"{chance.randint(1930, 2010)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"
    moment = f"{date}T{chance.randint(0, 23):02d}:15"
    return {"datetime": moment, "tz": "Europe/Berlin", "lat": 52.5, "lon": 13.4}


MODES: dict[str, dict[str, object]] = {
    "transit": {"mode": "transit", "at": "2024-05-05T12:00:00Z"},
    "sky": {"mode": "sky", "at": "1999-08-11T11:00:00Z"},
    "natal": {"mode": "natal", "charts": [_birth(1)]},
    "overlay": {"mode": "overlay", "charts": [_birth(2)], "at": "2024-05-05T12:00:00Z"},
    "compatibility": {"mode": "compatibility", "charts": [_birth(3), _birth(4)]},
    "sandbox": {"mode": "sandbox"},
}
"""A programme of each mode as a client writes it."""


def score_in(mode: str, seed: int = 1, /, **controls: object) -> ScoreV11:
    """Return the score of a programme of a mode, as the server composes it."""
    raw = {**MODES[mode], "seed": seed, "controls": controls}
    return score_v1_1(resolve(raw, Moment(0), V1_1))


# Reading a score


def movement_notes(score: ScoreV11, number: int = 0) -> list[Note]:
    start = number * MOVEMENT_SAMPLES
    return [n for n in score.notes(start, start + MOVEMENT_SAMPLES) if n.onset >= start]


def movement_in(score: ScoreV11, number: int = 0) -> Movement:
    return score._composer.movement_of(score._composer.timeline.at(number * MOVEMENT_SAMPLES))


def phrases_in(score: ScoreV11, number: int = 0) -> list[tuple[Phrase, Any]]:
    """Return (phrase, its melody) of a movement, as played."""
    stretch = score._composer.timeline.at(number * MOVEMENT_SAMPLES)
    return [score._composer._phrase(stretch, phrase) for phrase in range(stretch.n_bars // 4)]


def bars_in(score: ScoreV11, number: int = 0) -> Iterator[tuple[int, int, int]]:
    """Yield (bar, first sample index, first sample index of the next)."""
    stretch = score._composer.timeline.at(number * MOVEMENT_SAMPLES)
    for bar in range(stretch.n_bars):
        yield bar, stretch.bar_start(bar), stretch.bar_start(bar + 1)


Heard = tuple[Scene, int, str, list[tuple[float, float, int, float]]]


def heard(score: ScoreV11, number: int = 0) -> Iterator[tuple[int, Heard]]:
    """Yield (bar, (whose scene, voice, instrument, notes in beats)) before the hands."""
    stretch = score._composer.timeline.at(number * MOVEMENT_SAMPLES)
    for bar in range(stretch.n_bars):
        for scene, voice, role, played in heard_in(
            score._composer.seed, score._composer._stage(stretch, bar)
        ):
            yield bar, (scene, voice, role.instrument, list(played))
