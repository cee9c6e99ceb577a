"""The form of a movement: who leads it, in which key, its sections, phrases and chords.

::

    movement 192 s ─ section of 8 bars ─ phrase of 4 bars ─ bar ─ notes

Every level is found from its own number; a phrase looks at its own bars alone, and the last phrase
of a movement at the key of the next, which it prepares.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from astradio_stream.music.chance import draws
from astradio_stream.music.theory import nearest_octave
from astradio_stream.music.v1_1.genres import GENRES, Genre
from astradio_stream.music.v1_1.harmony import CLOSED, OPEN, Chord, chord_of, voicings_of
from astradio_stream.music.v1_1.timeline import MOVEMENT_SAMPLES
from astradio_stream.units import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from astradio_stream.music.v1_1.palette import Palette
    from astradio_stream.music.v1_1.reading import Reading


class Decision(IntEnum):
    """Kinds of decisions: each has chance numbers of its own."""

    MOVEMENT = 11
    CHORDS = 12
    THEME = 13
    BAR = 14
    TEXTURE = 15
    SECTION = 16


STATE, VARY, CONTRAST, RETURN = range(4)
SECTION_NAMES: Final = ("statement", "variation", "contrast", "return")

_FORMS: Final = (
    (STATE, VARY, CONTRAST, RETURN, CONTRAST, RETURN),
    (STATE, STATE, CONTRAST, VARY, RETURN, VARY),
    (STATE, CONTRAST, VARY, CONTRAST, RETURN, RETURN),
)
"""Cycles of sections; a movement that is longer goes round."""

_KEY_MOVES: Final = (0, 0, 0, 0, 7, 5, 9, 3)
"""Semitones from the palette's key to a movement's: mostly at home, else to a near relation."""


@dataclass(frozen=True, slots=True)
class Movement:
    """What holds for a whole movement."""

    number: int
    palette: Palette
    reading: Reading
    genre: Genre
    n_bars: int
    beats: int
    """Per bar: 4, or 3 for a classical waltz."""
    tonic: int
    """Pitch class."""
    lead: int
    """The body that leads."""
    partner: int
    """The body it speaks with: of its strongest aspect, or the Moon."""
    hardness: float
    """Of that aspect (0 soft to 1 hard)."""
    form: tuple[int, ...]
    pans: tuple[float, ...]
    """Where each body stands (-1 left to 1 right), shifted so that both sides weigh the same."""

    @property
    def tempo_bpm(self) -> float:
        """Beats per minute, exactly as played."""
        return self.n_bars * self.beats * 60.0 * SAMPLE_RATE_HZ / MOVEMENT_SAMPLES

    def section_kind(self, section: int) -> int:
        """Return STATE, VARY, CONTRAST or RETURN."""
        return self.form[section % len(self.form)]

    @property
    def n_sections(self) -> int:
        """Sections of 8 bars; the last may have 4."""
        return -(-self.n_bars // 8)


def bars_and_beats(palette: Palette, reading: Reading) -> tuple[int, int]:
    """Return bars of a movement (a multiple of 4) and beats per bar."""
    genre = GENRES[palette.genre]
    waltz = genre.name == "classical" and reading.mutable > 0.4
    beats = 3 if waltz else 4
    bpm = genre.slowest_bpm + (genre.fastest_bpm - genre.slowest_bpm) * palette.tempo
    minutes = MOVEMENT_SAMPLES / SAMPLE_RATE_HZ / 60.0
    return 4 * max(2, round(bpm * minutes / beats / 4.0)), beats


def movement_of(seed: int, number: int, palette: Palette, reading: Reading) -> Movement:
    """Return a movement by its number."""
    chance = draws(seed, Decision.MOVEMENT, number, n=8)
    weights = [body.share + 0.04 for body in reading.bodies]
    lead = chance.weighted(weights)
    partner, hardness = (1 if lead != 1 else 0), 0.3
    for aspect in reading.aspects:
        if lead in (aspect.a, aspect.b):
            partner = aspect.b if aspect.a == lead else aspect.a
            hardness = aspect.hardness
            break
    n_bars, beats = bars_and_beats(palette, reading)
    move = chance.pick(_KEY_MOVES)
    form = chance.pick(_FORMS)
    return Movement(
        number=number,
        palette=palette,
        reading=reading,
        genre=GENRES[palette.genre],
        n_bars=n_bars,
        beats=beats,
        tonic=(palette.key + (move if number else 0)) % 12,
        lead=lead,
        partner=partner,
        hardness=hardness,
        form=form,
        pans=balanced_pans(reading, GENRES[palette.genre]),
    )


def balanced_pans(reading: Reading, genre: Genre) -> tuple[float, ...]:
    """Return the places of the ten bodies, moved together until both sides are equally loud."""
    moment = weight = 0.0
    for body, role in zip(reading.bodies, genre.roles, strict=True):
        power = role.gain * role.gain * (1.0 - 0.5 * role.enters)
        moment += power * body.azimuth
        weight += power
    centre = moment / weight
    return tuple(max(-1.0, min(1.0, body.azimuth - centre)) for body in reading.bodies)


def fullness_of(seed: int, movement: Movement, section: int) -> float:
    """Return how full a section is (0-1): an arc over the movement that breathes by chance."""
    place = (section + 0.5) / movement.n_sections
    peak = 0.62
    arc = place / peak if place < peak else (1.0 - place) / (1.0 - peak)
    shape = movement.palette.arc_shape
    breath = draws(seed, Decision.SECTION, movement.number, section, n=1).signed()
    contrast = -0.12 if movement.section_kind(section) == CONTRAST else 0.0
    level = 0.60 + (0.50 + 0.35 * shape) * (arc - 0.62) + 0.10 * breath + contrast
    return min(1.0, max(0.12, level))


@dataclass(frozen=True, slots=True)
class Phrase:
    """Four bars of harmony."""

    number: int
    """Within the movement."""
    section: int
    kind: int
    closes: bool
    chords: tuple[Chord, ...]
    """One per bar."""
    basses: tuple[int, ...]
    """Pitch of the bass under each."""
    voicings: tuple[tuple[int, ...], ...]
    """Upper voices of each chord, low to high."""


def phrase_of(seed: int, movement: Movement, number: int, next_tonic: int) -> Phrase:
    """Return the harmony of a phrase.

    Args:
        seed: The programme's.
        movement: To which it belongs.
        number: Within the movement.
        next_tonic: Pitch class of the next movement's tonic, which the last phrase prepares.
    """
    section, half = divmod(number, 2)
    kind = movement.section_kind(section)
    last = number == movement.n_bars // 4 - 1
    closes = half == 1 or last
    mode, genre = movement.palette.mode, movement.genre

    # The same material has the same chords: statement, variation and return share theirs.
    material = 1 if kind == CONTRAST else 0
    chance = draws(seed, Decision.CHORDS, movement.number, material, n=4)
    opening, closing = chance.pick(OPEN[genre.harmony]), chance.pick(CLOSED[genre.harmony])
    # A period: the second phrase begins like the first and comes to rest.
    kept = len(opening) // 2
    degrees = (*opening[:kept], *closing[kept:]) if closes else opening
    if genre.chord_bars == 2:
        degrees = tuple(degree for degree in degrees for _ in range(2))
    if last and next_tonic != movement.tonic:
        # The last chord is shared with the next key wherever this scale has one that is.
        degrees = (*degrees[:3], _common_degree(movement, next_tonic))
    chords = tuple(
        chord_of(degree, mode, genre.colours, cadence=genre.harmony == "functional" and place >= 1)
        for place, degree in enumerate(degrees)
    )
    tonic = nearest_octave(movement.tonic, 60)
    basses = tuple(nearest_octave(chord.pitch(tonic, mode, chord.degree), 38) for chord in chords)
    voicings = voicings_of(chords, basses, tonic, mode, 62)
    return Phrase(number, section, kind, closes, chords, basses, voicings)


def _common_degree(movement: Movement, next_tonic: int) -> int:
    """Return the degree whose chord leads best into the next key: its dominant or its tonic."""
    tonic, mode = movement.tonic, movement.palette.mode
    for wanted in ((next_tonic + 7) % 12, next_tonic, (next_tonic + 5) % 12):
        for degree in range(7):
            chord = chord_of(degree, mode, (0, 2, 4), cadence=False)
            if chord.degree == degree and chord.pitch(tonic, mode, degree) % 12 == wanted:
                return degree
    return 4
