"""Puts the notes of a bar on the grid of samples: swing, hands, place in the room, echoes."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Final

from astradio_stream.music.note import Note, note_of
from astradio_stream.music.v1_1.scene import MERCURY, NEPTUNE, PLUTO, SATURN, SUN, VENUS, Scene

if TYPE_CHECKING:
    from collections.abc import Iterable

    from astradio_stream.music.v1_1.genres import Role

LONGEST_BARS: Final = 3
"""No note of this model is held longer than so many bars."""
SHORTEST_SAMPLES: Final = 480
"""Nor let go sooner than after so many samples."""
_TICKS: Final = 240
"""Ticks per beat: thirds, sixteenths and swing without rounding that accumulates."""
_LAYERED: Final = ("piano", "epiano")
_LATE: Final = 384
"""Hands are up to 8 ms late (samples)."""
_ECHO_BEATS: Final = 0.75
_ECHO_SPACES: Final = (0.3, 0.6, 0.85)
"""How wide a room must be to answer once, twice, three times."""
_ECHOED: Final = (SUN, MERCURY)
_LEGATO: Final = (SUN, VENUS)
_ARC: Final = (-0.10, 0.0, 0.16, -0.05)
"""How much louder each bar of a phrase is where arcs are steep (ratio - 1)."""
_LEADS: Final = 1.25
"""How much louder the body is that leads (ratio)."""


def hard_from(brightness: float) -> float:
    """Return the velocity from which the bright layer of an instrument is struck."""
    return 0.78 - 0.42 * brightness


class Writer:
    """Puts the notes of a bar on the grid of samples: swing, hands, place in the room, echoes."""

    def __init__(self, scene: Scene, start: int, length: int, stop: int) -> None:
        """Write one bar.

        Args:
            scene: Where in the piece; other scenes of the bar share its beats and its genre.
            start: First sample index of the bar.
            length: Its samples.
            stop: Sample index at which its movement is cut or ends: nothing is held beyond.
        """
        self._scene = scene
        self._start = start
        self._length = length
        self._stop = stop
        self._samples: dict[float, int] = {}
        self._lengths: dict[float, int] = {}
        self.notes: list[Note] = []

    def _sample(self, beat: float) -> int:
        """Return the sample index of a place in the bar, swung as the genre swings."""
        known = self._samples.get(beat)
        if known is not None:
            return known
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
        sample = self._start + self._samples_of(at + swung)
        self._samples[beat] = sample
        return sample

    def _samples_of(self, beats: float) -> int:
        """Return how long a number of beats lasts."""
        known = self._lengths.get(beats)
        if known is None:
            known = self._length * round(beats * _TICKS) // (self._scene.beats * _TICKS)
            self._lengths[beats] = known
        return known

    def _gain(self, voice: int, role: Role) -> float:
        """Return the gain of a voice: its role, its weight in the chart, its house, the form."""
        scene, movement = self._scene, self._scene.movement
        body = movement.reading.bodies[voice]
        gain = role.gain * (0.45 + 0.55 * movement.reading.said(voice))
        gain *= 1.0 - 0.25 * body.distance
        if voice == movement.lead and role.instrument != "drums":
            gain *= _LEADS
        gain *= 1.0 + 2.0 * movement.palette.arc_shape * _ARC[scene.place]
        return gain

    def _pan(self, voice: int, role: Role) -> float:
        """Return the place of a voice: that of its body, but for what stays in the middle."""
        if voice in (SATURN, PLUTO) or role.instrument in ("drums", "noise"):
            return 0.0
        return 0.85 * self._scene.movement.pans[voice]

    def play(
        self,
        scene: Scene,
        voice: int,
        role: Role,
        played: Iterable[tuple[float, float, int, float]],
    ) -> None:
        """Write what a voice plays; of strokes that fall together on one pitch, the strongest."""
        self._scene = scene
        palette, beats_here = self._scene.movement.palette, self._scene.beats
        strongest: dict[tuple[float, int], tuple[float, float]] = {}
        for beat, beats, pitch, velocity in played:
            other = strongest.get((beat, pitch))
            if other is None or velocity > other[1]:
                strongest[beat, pitch] = beats, velocity
        pan, gain = self._pan(voice, role), self._gain(voice, role)
        left, right = gain * sqrt((1.0 - pan) / 2.0), gain * sqrt((1.0 + pan) / 2.0)
        hard = hard_from(palette.brightness)
        # A wide room is played legato.
        legato = 0.85 + 0.3 * palette.space if voice in _LEGATO else 1.0
        layered, drums = role.instrument in _LAYERED, role.instrument == "drums"
        chart = scene.movement.chart
        bar, stop, longest = scene.bar, self._stop, LONGEST_BARS * self._length
        instrument = role.instrument
        samples, lengths, notes = self._samples, self._lengths, self.notes
        echoes, hand = voice in _ECHOED, bar * 104_729
        for (beat, pitch), (beats, velocity) in strongest.items():
            onset = samples[beat] if beat in samples else self._sample(beat)
            if beats < beats_here:
                late = (pitch * 7919 + hand + round(beat * 977)) % _LATE
                onset += late // 6 if drums else late
            if onset >= stop:
                continue
            held = legato * beats
            wished = lengths[held] if held in lengths else self._samples_of(held)
            duration = max(SHORTEST_SAMPLES, min(wished, stop - onset, longest))
            if layered:
                instrument = role.instrument + (".hard" if velocity >= hard else ".soft")
            sides = velocity * left, velocity * right
            note = note_of((onset, duration, voice, instrument, pitch, velocity, *sides, chart))
            notes.append(note)
            if echoes:
                self._echo(note)

    def _echo(self, note: Note) -> None:
        """Write the answers of a wide room, from side to side: Neptune repeats what others say."""
        space = self._scene.movement.palette.space
        delay = self._samples_of(_ECHO_BEATS)
        near, far = note.left, note.right
        for place, wide_enough in enumerate(_ECHO_SPACES):
            at = note.onset + (place + 1) * delay
            if space < wide_enough or at >= self._stop:
                break
            softer = 0.6 * (space - 0.1)
            near, far = far * softer, near * softer
            self.notes.append(
                Note(
                    at,
                    max(1, min(note.duration, delay, self._stop - at)),
                    NEPTUNE,
                    note.instrument,
                    note.pitch,
                    note.velocity,
                    near,
                    far,
                    note.chart,
                )
            )
