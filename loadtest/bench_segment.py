"""What a second of stream costs, as a ratio to the bare libopus encode of the same PCM.

Both are measured in one run, turn about, in CPU time of one thread, so that whatever else the
machine does weighs on both alike.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from time import thread_time
from typing import Final

import numpy as np

from astradio_stream.audio.opus import Encoder
from astradio_stream.server.banks import load_bank
from astradio_stream.server.renderer import ready_made, sound_of
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.segment import DEFAULT_BITRATE, Rendition
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.wire.quantum import Codec
from loadtest.table import print_table

_MODEL: Final = "v1.0"
_ROUNDS: Final = 5
_SECONDS: Final = 60
_PROGRAMMES: Final = (
    ({"station": "now"}, 1_795_000_000),
    ({"seed": 1, "at": "1913-01-11T11:00:00Z"}, 60),
    ({"seed": 2, "at": "1953-05-15T15:00:00Z", "rate": 86_400}, 100),
    ({"seed": 3, "at": "1983-08-18T18:00:00Z"}, 500),
)


def _cpu_s(rendition: Rendition, number: int) -> tuple[float, float, float, float]:
    """Return CPU seconds of render and picture, encode, framing, and of the bare encode."""
    began = thread_time()
    segment = rendition.segment(number)
    rendered = thread_time()
    sound = [*sound_of(segment, Codec.OPUS, DEFAULT_BITRATE)]
    encoded = thread_time()
    ready_made(segment, Codec.OPUS, sound)
    done = thread_time()
    pcm = np.ascontiguousarray(segment.pcm)
    bare = Encoder(DEFAULT_BITRATE)
    bare_began = thread_time()
    bare.encode(pcm)
    bare_s = thread_time() - bare_began
    return rendered - began, encoded - rendered, done - encoded, bare_s


def run() -> None:
    """Measure and print."""
    with TemporaryDirectory() as folder:
        bank = load_bank(AUDIO_MODELS[_MODEL], Path(folder))
    rounds = []
    for _ in range(_ROUNDS):
        figures = []
        for raw, first in _PROGRAMMES:
            rendition = Rendition(resolve(raw, Moment(0), ModelVersions(audio=_MODEL)), bank)
            rendition.segment(first - 1)
            figures += [_cpu_s(rendition, k) for k in range(first, first + _SECONDS)]
        rounds.append(np.array(figures) * 1000.0)

    means = np.median([figures.mean(axis=0) for figures in rounds], axis=0)
    bare = means[3]
    rows = [["per second of audio", "CPU ms", "/ bare encode"]]
    for name, cost in zip(("render + viz", "encode with pre-roll", "framing"), means, strict=False):
        rows.append([name, f"{cost:.3f}", f"{cost / bare:.2f}"])
    ratios = [figures[:, :3].sum() / figures[:, 3].sum() for figures in rounds]
    rows.append(["all of it", f"{means[:3].sum():.3f}", f"{np.median(ratios):.3f}"])
    rows.append(["bare libopus encode", f"{bare:.3f}", "1.00"])
    worst = np.median([figures[:, 0].max() / np.median(figures[:, 0]) for figures in rounds])
    title = f"Cost of a distinct stream ({_ROUNDS} rounds of {len(_PROGRAMMES)} x {_SECONDS} s)"
    print_table(title + ", budget 1.50", rows)
    print(f"  worst segment / median segment (render + viz): {worst:.1f}")
