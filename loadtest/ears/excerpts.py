"""Excerpts: random charts, played, and what their score declares of the span that is heard."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import gettempdir
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.music.controls import GENRES, Controls
from astradio_stream.server.banks import load_bank
from astradio_stream.sky.births import birth_of
from astradio_stream.stream.charts import NamedBirth
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.piece import piece_pcm
from astradio_stream.stream.programme import Programme
from astradio_stream.stream.segment import Rendition
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.units import SAMPLE_RATE_HZ, SEGMENT_SAMPLES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from astradio_stream.audio.bank import Bank
    from astradio_stream.music.midi import TempoMark

Wave = np.ndarray[tuple[int, int], np.dtype[np.float32]]
"""Sound, full scale 1, shape (2, n_samples) at 48 kHz."""

MODEL: Final = "v1.1"
RHYTHMIC: Final = ("jazz", "electronic", "lofi", "house")
"""Genres whose drums keep a beat: what a tempo tracker may be asked about."""
_WITHIN_S: Final = 3_600
"""Excerpts are taken from the first hour of a programme."""


def load_model_bank() -> Bank:
    """Return the bank of the model, kept in the machine's folder for such things."""
    folder = Path(gettempdir()) / "astradio-ears"
    return load_bank(AUDIO_MODELS[MODEL], folder)


def natal(number: int, *, seed: int | None = None, genre: str | None = None) -> Programme:
    """Return a random birth as a programme that plays it, the same for the same arguments.

    Args:
        number: Which chart: a minute of 1900-2050 and a place between the polar circles.
        seed: Which arrangement of it; its number if left out.
        genre: What is wished; else the chart decides.
    """
    chance = Random(f"chart {number}")
    day, month, year = chance.randint(1, 28), chance.randint(1, 12), chance.randint(1900, 2050)
    clock = f"{chance.randint(0, 23):02d}:{chance.randint(0, 59):02d}"
    fields = {
        "datetime": f"{year}-{month:02d}-{day:02d}T{clock}",
        "tz": "UTC",
        "lat": round(chance.uniform(-66.0, 66.0), 2),
        "lon": round(chance.uniform(-180.0, 180.0), 2),
    }
    birth = birth_of(fields)
    return Programme(
        station=None,
        mode="natal",
        seed=number if seed is None else seed,
        at=birth.civil.moment,
        rate=0.0,
        place=birth.place,
        charts=(NamedBirth(birth, None),),
        controls=Controls(genre=genre),
        changes=(),
        model_versions=ModelVersions(audio=MODEL),
    )


def in_turn(number: int, genres: tuple[str, ...] = GENRES) -> Programme:
    """Return a random birth in one of some genres, which take turns."""
    return natal(number, genre=genres[number % len(genres)])


def sound_of(rendition: Rendition, first: int, seconds: int) -> Wave:
    """Return the sound of a span, rendered a segment at a time as a server does.

    Args:
        rendition: The programme.
        first: Number of its first segment.
        seconds: Its length.
    """
    wave = np.empty((2, seconds * SEGMENT_SAMPLES), np.float32)
    parts = piece_pcm(rendition, first, seconds * SEGMENT_SAMPLES)
    for k, part in enumerate(parts):
        wave[:, k * SEGMENT_SAMPLES : (k + 1) * SEGMENT_SAMPLES] = part.T
    wave /= np.float32(32_768.0)
    return wave


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A span of a programme in one key and tempo, and what its score declares of it."""

    number: int
    genre: str
    first: int
    """Number of its first segment."""
    mark: TempoMark
    wave: Wave

    @property
    def tempo_bpm(self) -> float:
        """Declared beats per minute."""
        return float(60 * SAMPLE_RATE_HZ / self.mark.samples_per_beat)

    @property
    def mono(self) -> NDArray[np.float32]:
        """Both channels as one."""
        middle: NDArray[np.float32] = self.wave.mean(axis=0)
        return middle


def excerpt_of(programme: Programme, number: int, bank: Bank, seconds: int) -> Excerpt:
    """Return a random excerpt of the first hour that lies between two marks of the tempo map."""
    rendition = Rendition(programme, bank)
    stop = _WITHIN_S * SAMPLE_RATE_HZ
    marks = rendition.score.tempo_map(0, stop)
    spans = [
        (mark, -(-mark.index // SEGMENT_SAMPLES), after // SEGMENT_SAMPLES - seconds)
        for mark, after in zip(marks, [*(m.index for m in marks), stop][1:], strict=True)
    ]
    roomy = [span for span in spans if span[1] <= span[2]]
    chance = Random(f"excerpt {number}")
    mark, earliest, latest = chance.choice(roomy)
    first = chance.randint(earliest, latest)
    genre = str(rendition.score.palette_json(mark.index)["genre"])
    return Excerpt(number, genre, first, mark, sound_of(rendition, first, seconds))
