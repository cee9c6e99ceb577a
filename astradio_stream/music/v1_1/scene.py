"""What a voice may look at to play one bar, and how it gets a line into its range."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from astradio_stream.music.theory import nearest_octave
from astradio_stream.music.v1_1.tones import Tone, pitch_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astradio_stream.music.v1_1.form import Movement, Phrase
    from astradio_stream.music.v1_1.genres import Role
    from astradio_stream.music.v1_1.harmony import Chord

SUN, MOON, MERCURY, VENUS, MARS, JUPITER, SATURN, URANUS, NEPTUNE, PLUTO = range(10)

Played = Iterator[tuple[float, float, int, float]]
"""(beat, beats, pitch, velocity) of each note."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything a voice may look at to play one bar."""

    movement: Movement
    phrase: Phrase
    place: int
    """Bar of the phrase, 0-3."""
    bar: int
    """Bar of the movement."""
    fullness: float
    melody: tuple[Tone, ...]
    """The phrase's."""
    statement: tuple[Tone, ...]
    """That with which the movement began."""
    chord_begins: bool
    """Whether the chord changes here."""

    @property
    def chord(self) -> Chord:
        """The chord of this bar."""
        return self.phrase.chords[self.place]

    @property
    def beats(self) -> int:
        """Beats of the bar."""
        return self.movement.beats

    @property
    def held_beats(self) -> float:
        """Beats that a chord which begins here lasts."""
        return float(self.beats * self.movement.chord_bars)

    def is_retrograde(self, body: int) -> bool:
        """Return whether a body goes backwards."""
        return self.movement.reading.bodies[body].is_retrograde

    def theme_pitch(self, step: int) -> int:
        """Pitch of a step of the theme, in its own register."""
        role = self.movement.genre.roles[SUN]
        tonic = nearest_octave(self.movement.tonic, (role.lowest + role.highest) // 2 - 6)
        return self.chord.pitch(tonic, self.movement.palette.mode, step)

    def pitch(self, step: int, role: Role) -> int:
        """Pitch of a scale step within the range of a role."""
        return pitch_in(self.movement, self.chord, step, role.lowest, role.highest)


def folded(pitch: int, role: Role) -> int:
    """Return a pitch moved by octaves into the range of a role."""
    while pitch < role.lowest:
        pitch += 12
    while pitch > role.highest:
        pitch -= 12
    return pitch


def fitted(pitches: Sequence[int], role: Role) -> list[int]:
    """Return a line moved by octaves as a whole into the middle of a role's range."""
    if not pitches:
        return []
    low, high = min(pitches), max(pitches)
    middle = (role.lowest + role.highest) // 2
    shift = nearest_octave((low + high) // 2, middle) - (low + high) // 2
    return [folded(pitch + shift, role) for pitch in pitches]


def nearby(pitches: Sequence[int], role: Role) -> list[int]:
    """Return a line moved by as few octaves as it takes to be playable as a whole."""
    if not pitches:
        return []
    low, high = min(pitches), max(pitches)
    shift = 0
    while low + shift < role.lowest:
        shift += 12
    while high + shift > role.highest and low + shift - 12 >= role.lowest:
        shift -= 12
    return [folded(pitch + shift, role) for pitch in pitches]
