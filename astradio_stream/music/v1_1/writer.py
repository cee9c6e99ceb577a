"""Puts the notes of a bar on the grid of samples: swing, hands, place in the room, echoes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from astradio_stream.music.note import Note, placed
from astradio_stream.music.v1_1.parts import MERCURY, NEPTUNE, PLUTO, SATURN, SUN, VENUS, Scene
from astradio_stream.units import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Callable

    from astradio_stream.music.v1_1.genres import Role
    from astradio_stream.music.v1_1.reading import Skies

LONGEST_SAMPLES: Final = 24 * SAMPLE_RATE_HZ
"""No note of this model is held longer than this."""
SHORTEST_SAMPLES: Final = 480
"""Nor let go sooner."""
_TICKS: Final = 240
"""Ticks per beat: thirds, sixteenths and swing without rounding that accumulates."""
_LAYERED: Final = ("piano", "epiano")
_HARD: Final = 0.55
"""Velocity from which the bright layer of an instrument is struck."""
_LATE: Final = 384
"""Hands are up to 8 ms late (samples)."""
_ECHO_BEATS: Final = 0.75
_ECHO_SPACE: Final = 0.45
"""How wide a room must be before it answers."""


class Writer:
    """Puts the notes of a bar on the grid of samples: swing, hands, place in the room, echoes."""

    def __init__(self, scene: Scene, start: int, length: int, stop: int, skies: Skies) -> None:
        self._scene = scene
        self._start = start
        self._length = length
        self._stop = stop
        self._skies = skies
        self.notes: list[Note] = []

    def _sample(self, beat: float) -> int:
        """Return the sample index of a place in the bar, swung as the genre swings."""
        genre = self._scene.movement.genre
        parts = genre.swung_part
        half = 2.0 / parts  # the span that is divided unevenly, in beats
        within = beat % half
        at = beat - within
        middle = half / 2.0
        if within < middle:
            swung = within / middle * genre.swing * half
        else:
            swung = (genre.swing + (within - middle) / middle * (1.0 - genre.swing)) * half
        ticks = round((at + swung) * _TICKS)
        return self._start + self._length * ticks // (self._scene.beats * _TICKS)

    def play(self, voice: int, role: Role, played: list[tuple[float, float, int, float]]) -> None:
        """Write what a voice plays."""
        movement = self._scene.movement
        body = movement.reading.bodies[voice]
        pan = (
            0.0
            if voice in (SATURN, PLUTO) or role.instrument == "drums"
            else 0.85 * movement.pans[voice]
        )
        if self._skies.other is not None and voice in (SUN, VENUS):
            pan = -0.5 if voice == SUN else 0.5
        weight = 0.7 + 0.3 * movement.reading.said(voice)
        swell = 0.50 + 0.70 * self._scene.fullness  # sections breathe by some 5 dB
        gain = role.gain * weight * (1.0 - 0.2 * body.distance) * swell
        sustained = len(played) > 0 and played[0][1] >= self._scene.beats
        for beat, beats, pitch, velocity in played:
            late = 0 if sustained else (pitch * 7919 + self._scene.bar * 104_729) % _LATE
            if role.instrument == "drums":
                late //= 6
            onset = self._sample(beat) + late
            if onset >= self._stop:
                continue
            wished = self._length * round(beats * _TICKS) // (self._scene.beats * _TICKS)
            duration = max(SHORTEST_SAMPLES, min(wished, self._stop - onset, LONGEST_SAMPLES))
            instrument = role.instrument
            if instrument in _LAYERED:
                instrument += ".hard" if velocity >= _HARD else ".soft"
            write = partial(placed, instrument=instrument, pitch=pitch, velocity=velocity)
            self.notes.append(
                write(voice=voice, onset=onset, duration=duration, gain=gain, pan=pan)
            )
            if voice in (SUN, MERCURY):
                self._echo(write, onset, duration, gain, pan)

    def _echo(
        self, write: Callable[..., Note], onset: int, duration: int, gain: float, pan: float
    ) -> None:
        """Write the answer of a wide room, from the other side: Neptune repeats what others say."""
        space = self._scene.movement.palette.space
        if space < _ECHO_SPACE:
            return
        delay = self._length * round(_ECHO_BEATS * _TICKS) // (self._scene.beats * _TICKS)
        softer = gain * 0.5 * (space - 0.25)
        if onset + delay < self._stop:
            short = min(duration, delay)
            self.notes.append(
                write(voice=NEPTUNE, onset=onset + delay, duration=short, gain=softer, pan=-pan)
            )
