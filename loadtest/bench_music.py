"""What model v1.1 costs, by genre: render and picture, and all of a stream, against bare libopus.

CPU time of one thread, turn about in one run: the stream goes first at every other second, the
bare encode at the others, so that neither always finds the caches warm. Every round is another
programme, a second later under the same sky, so that nothing is remembered from the round before.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import thread_time
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.audio.opus import Encoder
from astradio_stream.music.controls import GENRES, Controls
from astradio_stream.server.banks import load_bank
from astradio_stream.server.collecting import look_at_the_young
from astradio_stream.server.renderer import ready_made, sound_of
from astradio_stream.sky.moment import Moment, parse_moment
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.segment import DEFAULT_BITRATE, Rendition
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.wire.quantum import Codec
from loadtest.table import print_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from astradio_stream.audio.bank import I16, Bank
    from astradio_stream.stream.programme import Programme

MODEL: Final = "v1.1"
BUDGET: Final = 0.5
"""Render and picture, as a ratio to the encode."""
STREAM_BUDGET: Final = 1.5
"""A distinct stream, encode with pre-roll and framing included, as a ratio to the encode."""
_MOMENTS: Final = ("1913-01-11T11:00:00Z", "1953-05-15T15:00:00Z", "1983-08-18T18:00:00Z")
_ROUNDS: Final = 3
_SECONDS: Final = 192
"""A movement."""
_FIRST: Final = 100
"""Segments before it are not counted."""
_LED_UP: Final = 32
"""Segments before it that are listened to."""
_HOUR_1000: Final = 3_600_000


def programme_of(at: str, genre: str, seed: int = 1, later_s: int = 0) -> Programme:
    """Return the moving sky of a moment, or of some seconds later, played in a genre."""
    plain = resolve({"seed": seed, "at": at}, Moment(0), ModelVersions())
    return replace(
        plain,
        at=Moment(parse_moment(at).utc_us + later_s * 1_000_000),
        controls=Controls(genre=genre),
        model_versions=ModelVersions(audio=MODEL),
    )


def _stream_s(rendition: Rendition, number: int) -> tuple[float, float]:
    """Return CPU seconds of a segment: render and picture, and all of the stream."""
    began = thread_time()
    segment = rendition.segment(number)
    rendered = thread_time()
    ready_made(segment, Codec.OPUS, sound_of(segment, Codec.OPUS, DEFAULT_BITRATE))
    look_at_the_young()  # as a server does between segments
    return rendered - began, thread_time() - began


def _encode_s(encoder: Encoder, pcm: I16) -> float:
    """Return CPU seconds of the bare encode of a segment."""
    encoder.reset()
    began = thread_time()
    encoder.encode(pcm)
    return thread_time() - began


def _round_of(programme: Programme, bank: Bank, sounds: list[I16]) -> NDArray[np.float64]:
    """Return the costs of a span that is listened to, shape (_SECONDS, 3).

    They are CPU seconds of render and picture, of all of the stream, and of the bare encode of
    `sounds`.
    """
    rendition, encoder = Rendition(programme, bank), Encoder(DEFAULT_BITRATE)
    for number in range(_FIRST - _LED_UP, _FIRST):
        rendition.segment(number)
    costs = []
    for place, pcm in enumerate(sounds):
        if place % 2:
            bare_s = _encode_s(encoder, pcm)
            costs.append((*_stream_s(rendition, _FIRST + place), bare_s))
        else:
            streamed = _stream_s(rendition, _FIRST + place)
            costs.append((*streamed, _encode_s(encoder, pcm)))
    return np.array(costs)


def _seek_s(programme: Programme, bank: Bank, number: int) -> tuple[float, float]:
    """Return CPU seconds of a segment that nothing led up to, and of the one after it."""
    rendition = Rendition(programme, bank)
    cold_s = _stream_s(rendition, number)[0]
    return cold_s, _stream_s(rendition, number + 1)[0]


def cost_of(genre: str, bank: Bank, rounds: int = _ROUNDS) -> dict[str, float]:
    """Return what a genre costs.

    Returns:
        ``render_ms``, ``ratio`` (to the bare encode), ``stream`` (all of it, to the same) and
        ``worst`` (segment, to the median one) of a stream that is listened to; ``seek_ms`` to hour
        1 000, and ``far`` and ``after``: that against a seek to the first hour, and the segment
        after it against an ordinary one.
    """
    ratios, streams, worsts, renders = [], [], [], []
    seeks, fars, afters = [], [], []
    for at in _MOMENTS:
        programme = programme_of(at, genre)
        rendition = Rendition(programme, bank)
        numbers = range(_FIRST, _FIRST + _SECONDS)
        sounds = [np.ascontiguousarray(rendition.segment(k).pcm) for k in numbers]
        later = [programme_of(at, genre, later_s=1 + n) for n in range(rounds)]
        runs = np.array([_round_of(each, bank, sounds) for each in later])
        costs = np.median(runs, axis=0)  # by segment, so that a busy machine is no worst segment
        ordinary_s = float(np.median(costs[:, 0]))
        renders.append(float(costs[:, 0].mean()))
        ratios.append(float(costs[:, 0].sum() / costs[:, 2].sum()))
        streams.append(float(costs[:, 1].sum() / costs[:, 2].sum()))
        worsts.append(float(costs[:, 0].max()) / ordinary_s)
        places = range(rounds)
        far = np.array([_seek_s(programme, bank, _HOUR_1000 + 37 * k) for k in places])
        near = np.array([_seek_s(programme, bank, 3_600 + 37 * k) for k in places])
        seeks.append(float(np.median(far[:, 0])))
        fars.append(float(np.median(far[:, 0]) / np.median(near[:, 0])))
        afters.append(float(np.median(far[:, 1]) / ordinary_s))
    return {
        "render_ms": 1_000.0 * float(np.mean(renders)),
        "ratio": max(ratios),
        "stream": max(streams),
        "worst": max(worsts),
        "seek_ms": 1_000.0 * max(seeks),
        "far": max(fars),
        "after": max(afters),
    }


def run() -> None:
    """Measure and print."""
    with TemporaryDirectory() as folder:
        bank = load_bank(AUDIO_MODELS[MODEL], Path(folder))
    with _no_collection():
        _measure(bank)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep Python from looking for garbage by itself, as a server does, and let it again."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def _measure(bank: Bank) -> None:
    rows = [
        [
            "genre",
            "CPU ms/s",
            "/ encode",
            "stream / encode",
            "worst/median",
            "seek ms",
            "/ seek to hour 1",
        ]
    ]
    rows[0].append("next/median")
    for genre in GENRES:
        cost = cost_of(genre, bank)
        cells = [f"{cost['render_ms']:.3f}", f"{cost['ratio']:.3f}", f"{cost['stream']:.3f}"]
        cells += [f"{cost['worst']:.2f}"]
        cells += [f"{cost['seek_ms']:.1f}", f"{cost['far']:.2f}", f"{cost['after']:.1f}"]
        rows.append([genre, *cells])
    title = f"Render and picture of {MODEL}, {len(_MOMENTS)} skies, {_SECONDS} s, {_ROUNDS} rounds"
    print_table(
        f"{title}; budget {BUDGET:.2f} of the encode, stream {STREAM_BUDGET:.2f}, worst 3", rows
    )
