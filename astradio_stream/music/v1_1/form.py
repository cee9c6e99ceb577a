"""The form of a movement: who leads it, in which key, its sections, phrases and chords.

::

    movement 192 s ─ section of 8 bars ─ phrase of 4 bars ─ bar ─ notes

Every level is found from its own number; a phrase looks at its own bars alone, and the last phrase
of a movement at the key of the next, which it prepares. Two movements that follow each other are
never led by the same body, and at the most one of them leaves the key of the palette.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from astradio_stream.music.chance import draws
from astradio_stream.music.theory import nearest_octave
from astradio_stream.music.v1_1.genres import GENRES, Genre, Role, coloured
from astradio_stream.music.v1_1.harmony import (
    CLOSED,
    OPEN,
    Chord,
    chord_of,
    dominant_of,
    strained,
    voicings_of,
)
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
    LEAD = 17
    DIALOGUE = 18
    HEAD = 19
    BENDING = 20


STATE, VARY, CONTRAST, RETURN = range(4)
SECTION_NAMES: Final = ("statement", "variation", "contrast", "return")

_FORMS: Final = (
    (STATE, VARY, CONTRAST, RETURN, CONTRAST, RETURN),
    (STATE, STATE, CONTRAST, VARY, RETURN, VARY),
    (STATE, CONTRAST, VARY, CONTRAST, RETURN, RETURN),
)
"""Cycles of sections; a movement that is longer goes round."""

_KEY_MOVES: Final = (0, 7, 5, 7, 5, 2, 10)
"""Semitones from the palette's key to that of an odd movement: a fifth or two away, or none."""

SPEAKERS: Final = (2, 3, 4, 5, 7)
"""Bodies that can speak with the theme: Mercury, Venus, Mars, Jupiter, Uranus; the others carry
harmony or bass."""
_NOT_SPEAKING: Final = ("", "drums", "stab")
_SLOW_PACE: Final = 0.32
"""Below this a chord lasts twice as long."""


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
    bond: str
    """Kind of that aspect; empty for none."""
    hardness: float
    """Of that aspect (0 soft to 1 hard)."""
    speaker: int
    """Whose voice speaks with the theme."""
    roles: tuple[Role, ...]
    """What each body plays, on the instrument of its sign."""
    form: tuple[int, ...]
    pans: tuple[float, ...]
    """Where each body stands (-1 left to 1 right), shifted so that both sides weigh the same."""
    chart: int = 0
    """Whose bodies these are: 0 the first chart's, 1 the second's."""

    @property
    def tempo_bpm(self) -> float:
        """Beats per minute, exactly as played."""
        return self.n_bars * self.beats * 60.0 * SAMPLE_RATE_HZ / MOVEMENT_SAMPLES

    @property
    def key(self) -> tuple[int, str]:
        """Return pitch class of the tonic, and mode."""
        return self.tonic, self.palette.mode

    def section_kind(self, section: int) -> int:
        """Return STATE, VARY, CONTRAST or RETURN."""
        return self.form[section % len(self.form)]

    @property
    def chord_bars(self) -> int:
        """Return bars per chord: twice the genre's where the pace is slow."""
        slow = self.palette.pace < _SLOW_PACE and self.genre.chord_bars == 1
        return 2 if slow else self.genre.chord_bars

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


def lead_of(seed: int, number: int, reading: Reading) -> int:
    """Return the body that leads a movement: by its weight in the chart, never twice running."""

    def drawn(at: int, barred: tuple[int, ...]) -> int:
        weights = [
            0.0 if n in barred else body.share + 0.04 for n, body in enumerate(reading.bodies)
        ]
        return draws(seed, Decision.LEAD, at, n=1).weighted(weights)

    if number % 2 == 0:
        return drawn(number, ())
    return drawn(number, (drawn(number - 1, ()), drawn(number + 1, ())))


def can_speak(movement: Movement, body: int) -> bool:
    """Return whether a body can speak with the theme on its instrument."""
    return body in SPEAKERS and movement.roles[body].instrument not in _NOT_SPEAKING


def _partner_of(
    lead: int, reading: Reading, speakers: tuple[int, ...]
) -> tuple[int, str, float, int]:
    """Return the partner of a leading body, the kind and hardness of their bond, who speaks."""
    for wanted in (speakers, range(10) if lead in speakers else ()):
        for aspect in reading.aspects:
            if lead not in (aspect.a, aspect.b):
                continue
            partner = aspect.b if aspect.a == lead else aspect.a
            if partner in wanted:
                speaker = partner if partner in speakers else lead
                return partner, aspect.kind, aspect.hardness, speaker
    return (1 if lead != 1 else 0), "", 0.3, (lead if lead in speakers else speakers[0])


def movement_of(
    seed: int, number: int, palette: Palette, reading: Reading, *, lead: int, mood: Reading
) -> Movement:
    """Return a movement by its number.

    Args:
        seed: The programme's.
        number: Of the movement.
        palette: What holds for it.
        reading: The chart whose voices play.
        lead: The body that leads it.
        mood: What the palette was read from: it sets the metre too.
    """
    chance = draws(seed, Decision.MOVEMENT, number, n=8)
    genre = GENRES[palette.genre]
    roles = coloured(genre, [body.sign for body in reading.bodies])
    partner, bond, hardness, speaker = _partner_of(lead, reading, _speakers(roles))
    n_bars, beats = bars_and_beats(palette, mood)
    move, form = chance.pick(_KEY_MOVES), chance.pick(_FORMS)
    leaves = number % 2 == 1 and not palette.is_key_wished
    return Movement(
        number=number,
        palette=palette,
        reading=reading,
        genre=genre,
        n_bars=n_bars,
        beats=beats,
        tonic=(palette.key + (move if leaves else 0)) % 12,
        lead=lead,
        partner=partner,
        bond=bond,
        hardness=hardness,
        speaker=speaker,
        roles=roles,
        form=form,
        pans=balanced_pans(reading, genre),
    )


def led_by(movement: Movement, lead: int, reading: Reading) -> Movement:
    """Return a movement as another chart leads it: its voices, its bonds, the same form and key."""
    roles = coloured(movement.genre, [body.sign for body in reading.bodies])
    partner, bond, hardness, speaker = _partner_of(lead, reading, _speakers(roles))
    return replace(
        movement,
        reading=reading,
        lead=lead,
        partner=partner,
        bond=bond,
        hardness=hardness,
        speaker=speaker,
        roles=roles,
        pans=balanced_pans(reading, movement.genre),
        chart=1,
    )


def _speakers(roles: tuple[Role, ...]) -> tuple[int, ...]:
    return tuple(body for body in SPEAKERS if roles[body].instrument not in _NOT_SPEAKING)


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
    level = 0.60 + (0.20 + 0.90 * shape) * (arc - 0.62) + 0.10 * breath + contrast
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


def closes(movement: Movement, number: int) -> bool:
    """Return whether a phrase comes to rest: each second one, and the last."""
    return number % 2 == 1 or number == movement.n_bars // 4 - 1


def _chords_of(
    seed: int, movement: Movement, number: int, leads_to: int | None
) -> tuple[Chord, ...]:
    """Return the chords of a phrase; the last is the dominant of the tonic it leads to, if any."""
    palette, genre = movement.palette, movement.genre
    # The same material has the same chords: statement, variation and return share theirs.
    material = 1 if movement.section_kind(number // 2) == CONTRAST else 0
    chance = draws(seed, Decision.CHORDS, movement.number, material, n=8)
    opening, closing = chance.pick(OPEN[genre.harmony]), chance.pick(CLOSED[genre.harmony])
    # A period: the second phrase begins like the first and comes to rest.
    kept = len(opening) // 2
    degrees = (*opening[:kept], *closing[kept:]) if closes(movement, number) else opening
    if genre.chord_bars == 2:
        degrees = tuple(degree for degree in degrees for _ in range(2))
    elif movement.chord_bars == 2:
        # Two bars at home and two away, rather where the tonic is still in the chord.
        away = next(degree for degree in (*degrees, 3) if degree not in (0, 4))
        degrees = (away, away, 0, 0) if closes(movement, number) else (0, 0, away, away)
    early = [chance.unit() for _ in range(4)]
    chords = tuple(
        chord_of(
            degree,
            palette.mode,
            strained(
                genre.colours,
                palette.tension,
                early[place - place % movement.chord_bars],
                at_home=degree == 0,
            ),
            cadence=genre.harmony == "functional",
        )
        for place, degree in enumerate(degrees)
    )
    if leads_to is None:
        return chords
    n_bars = movement.chord_bars
    return chords[:-n_bars] + n_bars * (dominant_of(leads_to, movement.tonic, palette.mode),)


def phrase_of(seed: int, movement: Movement, number: int, leads_to: int | None) -> Phrase:
    """Return the harmony of a phrase.

    Args:
        seed: The programme's.
        movement: To which it belongs.
        number: Within the movement.
        leads_to: Pitch class of the next movement's tonic, if the key changes there: the last
            phrase prepares it.
    """
    palette, last = movement.palette, number == movement.n_bars // 4 - 1
    chords = _chords_of(seed, movement, number, leads_to if last else None)
    tonic = nearest_octave(movement.tonic, 60)

    def bass(chord: Chord) -> int:
        return nearest_octave(chord.pitch(tonic, palette.mode, chord.degree), 38)

    after = None
    if not last:
        first = _chords_of(seed, movement, number + 1, None)[0]
        after = first, bass(first)
    basses = tuple(bass(chord) for chord in chords)
    centre = 55 + round(3.0 * palette.register + 9.0 * palette.brightness)
    voicings = voicings_of(chords, basses, (tonic, palette.mode, centre), after)
    return Phrase(
        number,
        number // 2,
        movement.section_kind(number // 2),
        closes(movement, number),
        chords,
        basses,
        voicings,
    )
