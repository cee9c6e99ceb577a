"""The audio models that this server plays, by version: composer, instruments, sky."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from astradio_stream.audio.v1_0 import instruments as v1_0
from astradio_stream.audio.v1_1 import instruments as v1_1
from astradio_stream.music.v1_0.palette import Sky
from astradio_stream.music.v1_0.score import ScoreV10
from astradio_stream.sky.chart import chart_at
from astradio_stream.stream.skies import score_v1_1

if TYPE_CHECKING:
    from collections.abc import Callable

    from astradio_stream.audio.instrument import Instrument
    from astradio_stream.music.score import Score
    from astradio_stream.stream.programme import Programme


@dataclass(frozen=True, slots=True)
class AudioModel:
    """One version of how a programme is composed and how it sounds."""

    version: str
    """As in `modelVersions.audio`."""
    instruments: tuple[Instrument, ...]
    """What its bank is made of."""
    score_of: Callable[[Programme], Score]
    """Its composer."""


def _score_v1_0(programme: Programme) -> Score:
    def sky_at(index: int) -> Sky:
        chart = chart_at(programme.moment_at(index), programme.place)
        planets = chart.bodies[:10]
        return Sky(
            longitudes_deg=tuple(body.longitude_deg for body in planets),
            speeds_deg_per_day=tuple(body.speed_deg_per_day for body in planets),
            ascendant_deg=chart.angles.ascendant_deg if chart.angles else 0.0,
        )

    return ScoreV10(programme.seed, sky_at)


AUDIO_MODELS: Final = {
    model.version: model
    for model in (
        AudioModel("v1.0", v1_0.INSTRUMENTS, _score_v1_0),
        AudioModel("v1.1", v1_1.INSTRUMENTS, score_v1_1),
    )
}
"""By version. Clients may ask for those in `versions.VERSIONS["audio"]`: a model that is being made
plays in tests and benchmarks alone, for what is offered never changes."""
