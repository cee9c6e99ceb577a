"""Coupling: each placement moves the score its documented way, all else alike."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from statistics import mean

import pytest

from astradio_stream.music.controls import Controls
from astradio_stream.music.note import Note
from astradio_stream.music.v1_1.dialogue import _WAYS
from astradio_stream.music.v1_1.genres import FAMILIES, GENRES, coloured
from astradio_stream.music.v1_1.palette import LEAD_RULES, RULES, palette_of
from astradio_stream.music.v1_1.reading import BODY_NAMES, NEUTRAL, Reading
from astradio_stream.music.v1_1.scene import (
    JUPITER,
    MARS,
    MERCURY,
    MOON,
    NEPTUNE,
    PLUTO,
    SATURN,
    SUN,
    URANUS,
    VENUS,
)
from astradio_stream.music.v1_1.score import ScoreV11
from tests.composing import (
    heard,
    movement_in,
    movement_notes,
    phrases_in,
    score_of,
    with_aspects,
    with_body,
)

GENRE_NAMES = tuple(GENRES)
SEEDS = (1, 2, 3)


def over_seeds(
    effect: Callable[[ScoreV11], float], reading: Reading, controls: Controls | None = None
) -> float:
    return mean(effect(score_of(reading, seed, controls)) for seed in SEEDS)


def with_elements(element: str, share: float) -> Reading:
    rest = (1.0 - share) / 3.0
    elements = dict.fromkeys(("fire", "earth", "air", "water"), rest) | {element: share}
    return dataclasses.replace(NEUTRAL, **elements)


# What each share of the sky moves, measured on the score


def tempo(score: ScoreV11) -> float:
    return movement_in(score).tempo_bpm


def roughness(score: ScoreV11) -> float:
    """Return seconds, sevenths and tritones per chord."""
    movement = movement_in(score)
    counts = []
    for phrase, _ in phrases_in(score):
        for chord in phrase.chords:
            classes = sorted({p % 12 for p in chord.pitches(60, movement.palette.mode)})
            pairs = [(a, b) for a in classes for b in classes if a < b]
            counts.append(sum((b - a) in (1, 2, 6, 10, 11) for a, b in pairs))
    return mean(counts)


def echoes(score: ScoreV11) -> float:
    """Return the power of what Neptune repeats of others, in parts of what they play."""
    own = movement_in(score).roles[NEPTUNE].instrument
    notes = movement_notes(score)
    repeated = [n for n in notes if n.voice == NEPTUNE and n.instrument not in (own, "noise")]
    said = [n for n in notes if n.voice in (SUN, MERCURY)]
    return _power(repeated) / _power(said)


def _power(notes: list[Note]) -> float:
    return sum(n.left * n.left + n.right * n.right for n in notes)


def theme_length(score: ScoreV11) -> float:
    notes = [n for n in movement_notes(score) if n.voice == 0]
    return mean(n.duration for n in notes)


def onsets(score: ScoreV11) -> float:
    return sum(n.instrument != "drums" for n in movement_notes(score))


def strokes(score: ScoreV11) -> float:
    return sum(n.instrument == "drums" for n in movement_notes(score))


def chord_pitch(score: ScoreV11) -> float:
    return mean(p for phrase, _ in phrases_in(score) for v in phrase.voicings for p in v)


def chord_changes(score: ScoreV11) -> float:
    chords = [chord for phrase, _ in phrases_in(score) for chord in phrase.chords]
    return sum(a != b for a, b in zip(chords, chords[1:], strict=False))


SHARES: list[tuple[str, Callable[[float], Reading], Callable[[ScoreV11], float], int]] = [
    ("fire-tempo", lambda x: with_elements("fire", x), tempo, 1),
    ("water-tempo", lambda x: with_elements("water", x), tempo, -1),
    ("earth-tempo", lambda x: with_elements("earth", x), tempo, -1),
    ("air-density", lambda x: with_elements("air", x), onsets, 1),
    ("water-room", lambda x: with_elements("water", x), echoes, 1),
    ("water-legato", lambda x: with_elements("water", x), theme_length, 1),
    ("air-register", lambda x: with_elements("air", x), chord_pitch, 1),
    ("earth-register", lambda x: with_elements("earth", x), chord_pitch, -1),
    ("fire-drums", lambda x: with_elements("fire", x), strokes, 1),
    ("squares-tension", lambda x: dataclasses.replace(NEUTRAL, friction=0.4 + x), roughness, 1),
    ("trines-rest", lambda x: dataclasses.replace(NEUTRAL, ease=0.4 + x), roughness, -1),
    ("fixed-pace", lambda x: dataclasses.replace(NEUTRAL, fixed=x), chord_changes, -1),
]


@pytest.mark.parametrize(("name", "reading", "effect", "way"), SHARES, ids=[s[0] for s in SHARES])
def test_more_of_it_in_the_sky_is_more_of_it_in_the_score(
    name: str, reading: Callable[[float], Reading], effect: Callable[[ScoreV11], float], way: int
) -> None:
    """A grid of four shares, three seeds each: never against its way, and plainly with it."""
    controls = Controls(genre="jazz", mode="dorian", key="D")
    if "tempo" not in name:
        controls = dataclasses.replace(controls, tempo_norm=0.5)
    if "density" not in name:
        controls = dataclasses.replace(controls, density=0.5)
    values = [over_seeds(effect, reading(x), controls) for x in (0.1, 0.25, 0.4, 0.6)]
    rising = values if way > 0 else values[::-1]
    assert rising == sorted(rising), values
    assert rising[-1] > rising[0], values


@pytest.mark.parametrize("rule", LEAD_RULES, ids=lambda rule: rule.feature)
def test_the_body_that_leads_bends_the_movement(rule: object) -> None:
    lead = BODY_NAMES.index(rule.feature)  # type: ignore[attr-defined]
    name = rule.dimension  # type: ignore[attr-defined]
    led = getattr(palette_of(NEUTRAL, Controls(), lead), name)
    plain = getattr(palette_of(NEUTRAL, Controls()), name)
    assert (led - plain) * rule.weight > 0  # type: ignore[attr-defined]


def test_every_body_leads_by_a_rule_of_its_own_and_a_wish_counts_more() -> None:
    assert {rule.feature for rule in LEAD_RULES} == set(BODY_NAMES)
    wished = Controls(density=0.3, drums=0.2, space=0.1)
    for lead in range(10):
        palette = palette_of(NEUTRAL, wished, lead)
        assert (palette.density, palette.drums, palette.space) == (0.3, 0.2, 0.1)


def test_no_rule_is_there_twice() -> None:
    rows = [(rule.dimension, rule.feature) for rule in RULES]
    assert len(rows) == len(set(rows))


# The Moon


def moon_slope(score: ScoreV11) -> float:
    """Return the mean motion (semitones) of the Moon's line from note to note within a bar."""
    motions = []
    for _, (_scene, voice, _, played) in heard(score):
        if voice == MOON:
            beats = sorted({beat for beat, *_ in played})
            tops = [max(p for b, _, p, _ in played if b == beat) for beat in beats]
            motions += [b - a for a, b in zip(tops, tops[1:], strict=False) if abs(b - a) < 8]
    return mean(motions)


@pytest.mark.parametrize("genre", GENRE_NAMES)
def test_the_moon_rises_while_it_waxes_and_falls_while_it_wanes(genre: str) -> None:
    controls = Controls(genre=genre, density=0.7)
    waxing = dataclasses.replace(NEUTRAL, phase=0.25)
    waning = dataclasses.replace(NEUTRAL, phase=0.75)
    assert over_seeds(moon_slope, waxing, controls) > 0.0
    assert over_seeds(moon_slope, waning, controls) < 0.0


@pytest.mark.parametrize("genre", GENRE_NAMES)
def test_a_full_moon_plays_more_than_a_new_one(genre: str) -> None:
    def notes(score: ScoreV11) -> float:
        return sum(n.voice == MOON for n in movement_notes(score))

    controls = Controls(genre=genre, density=0.5)
    new, half, full = (
        over_seeds(notes, dataclasses.replace(NEUTRAL, phase=phase), controls)
        for phase in (0.01, 0.25, 0.49)
    )
    assert new <= half <= full
    assert new < full


# Retrograde: what each body does backwards


def figure_motion(score: ScoreV11, voice: int) -> float:
    """Return how much more often a voice rises than falls (-1 … 1) within bars."""
    ways = []
    for _, (_, which, _, played) in heard(score):
        if which == voice:
            pitches = [p for _, _, p, _ in sorted(played)]
            ways += [(b > a) - (b < a) for a, b in zip(pitches, pitches[1:], strict=False)]
    return mean(ways)


def test_mercury_retrograde_reverses_its_figures() -> None:
    controls = Controls(genre="classical", density=1.0, motif_rate=0.0)
    for signs in (2, 5):
        direct = with_body("mercury", sign=signs)
        turned = with_body("mercury", sign=signs, is_retrograde=True)
        up = over_seeds(lambda s: figure_motion(s, MERCURY), direct, controls)
        down = over_seeds(lambda s: figure_motion(s, MERCURY), turned, controls)
        assert up > 0.0 > down
        assert up == pytest.approx(-down, abs=0.15)


def first_beat(score: ScoreV11, voice: int) -> float:
    return mean(
        min(b for b, *_ in notes) for _, (_, v, _, notes) in heard(score) if v == voice and notes
    )


def spread_beats(score: ScoreV11, voice: int) -> float:
    return mean(
        len({b for b, *_ in notes}) for _, (_, v, _, notes) in heard(score) if v == voice and notes
    )


def companion_place(score: ScoreV11, _voice: int) -> float:
    """Return how far (semitones) Venus sings above the theme."""
    apart = []
    for _, (scene, voice, _, played) in heard(score):
        if voice == VENUS:
            theme = {
                t.beat: scene.theme_pitch(t.step) for t in scene.melody if t.bar == scene.place
            }
            apart += [p - theme[b] for b, _, p, _ in played if b in theme]
    return mean(apart)


def weak_accent(score: ScoreV11, voice: int) -> float:
    strong, weak = [], []
    for _, (_, which, instrument, played) in heard(score):
        if which == voice and instrument == "drums":
            for beat, _, piece, velocity in played:
                if piece == 36 and beat in (0.0, 1.0):
                    (weak if beat == 1.0 else strong).append(velocity)
    return mean(weak) - mean(strong)


RETROGRADE: list[tuple[str, int, str, Callable[[ScoreV11, int], float], int]] = [
    ("venus", VENUS, "classical", companion_place, 1),
    ("mars", MARS, "house", weak_accent, 1),
    ("jupiter", JUPITER, "classical", first_beat, 1),
    ("saturn", SATURN, "classical", figure_motion, -1),
    ("saturn", SATURN, "jazz", figure_motion, -1),
    ("uranus", URANUS, "electronic", figure_motion, -1),
    ("neptune", NEPTUNE, "ambient", spread_beats, 1),
    ("pluto", PLUTO, "electronic", first_beat, 1),
]


@pytest.mark.parametrize(
    ("body", "voice", "genre", "effect", "way"),
    RETROGRADE,
    ids=[f"{r[0]}-{r[2]}" for r in RETROGRADE],
)
def test_what_goes_backwards_in_the_sky_goes_backwards_in_the_score(
    body: str, voice: int, genre: str, effect: Callable[[ScoreV11, int], float], way: int
) -> None:
    controls = Controls(genre=genre, density=0.6, motif_rate=0.0, drums=0.8)
    direct = over_seeds(lambda s: effect(s, voice), with_body(body), controls)
    turned = over_seeds(lambda s: effect(s, voice), with_body(body, is_retrograde=True), controls)
    assert (turned - direct) * way > 0, (direct, turned)


# Dignity, house, sign


@pytest.mark.parametrize("body", BODY_NAMES)
def test_dignity_gives_a_voice_weight(body: str) -> None:
    voice = BODY_NAMES.index(body)
    genre = "classical" if body != "pluto" else "electronic"

    def share(score: ScoreV11) -> float:
        notes = [n for n in movement_notes(score) if n.instrument != "bell" or voice == URANUS]
        loud = [n.left * n.left + n.right * n.right for n in notes if n.voice == voice]
        return mean(loud) / mean(n.left * n.left + n.right * n.right for n in notes)

    controls = Controls(genre=genre, drums=0.5, space=0.0)
    values = [
        over_seeds(share, with_body(body, dignity=dignity, sign=0), controls)
        for dignity in (-0.8, 0.0, 1.0)
    ]
    assert values == sorted(values), values
    assert values[-1] > 1.2 * values[0]


@pytest.mark.parametrize(
    "body", ["sun", "moon", "mercury", "venus", "jupiter", "uranus", "neptune"]
)
def test_a_house_gives_a_voice_its_place_in_the_room(body: str) -> None:
    voice = BODY_NAMES.index(body)
    controls = Controls(genre="classical", space=0.0)

    def side(score: ScoreV11) -> float:
        notes = [n for n in movement_notes(score) if n.voice == voice]
        return mean((n.right - n.left) / (n.right + n.left) for n in notes)

    def level(score: ScoreV11) -> float:
        notes = [n for n in movement_notes(score) if n.voice == voice]
        others = [n for n in movement_notes(score) if n.voice == SATURN]
        return mean(n.left**2 + n.right**2 for n in notes) / mean(
            n.left**2 + n.right**2 for n in others
        )

    sides = [over_seeds(side, with_body(body, azimuth=a), controls) for a in (-0.9, 0.0, 0.9)]
    assert sides == sorted(sides), sides
    assert sides[-1] - sides[0] > 0.5
    near, far = (over_seeds(level, with_body(body, distance=d), controls) for d in (0.0, 1.0))
    assert near > 1.3 * far


@pytest.mark.parametrize("genre", GENRE_NAMES)
def test_a_sign_colours_its_body(genre: str) -> None:
    """Each element has its instrument, where the family has one; its range holds the role's."""
    for body, family in enumerate(FAMILIES[genre]):
        for sign in range(12):
            signs = [sign] * 10
            instrument = coloured(GENRES[genre], signs)[body].instrument
            assert instrument == (family[sign % 4] or GENRES[genre].roles[body].instrument)
    coloured_bodies = [body for body, family in enumerate(FAMILIES[genre]) if len(set(family)) > 1]
    assert len(coloured_bodies) >= 6


def test_the_moons_sign_colours_the_pad() -> None:
    heard_pads = set()
    for sign in range(4):
        score = score_of(with_body("moon", sign=sign), 1, Controls(genre="jazz"))
        pads = {n.instrument for n in movement_notes(score) if n.voice == NEPTUNE}
        heard_pads |= pads & {"strings", "organ", "choir", "pad"}
        assert FAMILIES["jazz"][NEPTUNE][sign] in pads
    assert len(heard_pads) == 4


# Aspects: dialogue


@pytest.mark.parametrize("kind", _WAYS)
def test_each_aspect_is_a_way_to_speak_with_the_theme(kind: str) -> None:
    """The partner of the leading body joins the theme as its bond wants, and not without one."""
    hard = 1.0 if kind in ("square", "opposition") else 0.0
    aspects = [(BODY_NAMES[a], "venus", kind, hard) for a in range(10) if a != VENUS]
    # Whoever leads, it is bound to Venus: by the only kind of aspect there is.
    controls = Controls(genre="classical", motif_rate=1.0, tempo_norm=0.5)
    score = score_of(with_aspects(*aspects), 1, controls)
    movement = movement_in(score)
    assert movement.bond == kind
    together = alone = n_bars = 0
    for _, (scene, voice, _, played) in heard(score):
        if voice == movement.speaker and scene.phrase.kind != 2 and played:
            theme = [t.beat for t in scene.melody if t.bar == scene.place]
            n_bars += 1
            together += sum(beat in theme for beat, *_ in played)
            alone += sum(beat not in theme for beat, *_ in played)
    assert n_bars > 4
    way = _WAYS[kind].__name__
    if way in ("_doubled", "_thirds", "_sixths"):
        assert alone == 0
        assert together > 0
    else:  # rhythm against rhythm, or an answer between the calls
        assert alone > 0.3 * (alone + together)


def test_an_opposition_answers_upside_down_and_a_conjunction_agrees() -> None:
    def correlation(kind: str) -> float:
        aspects = [(BODY_NAMES[a], "venus", kind, 1.0) for a in range(10) if a != VENUS]
        controls = Controls(genre="classical", motif_rate=1.0)
        score = score_of(with_aspects(*aspects), 1, controls)
        speaker = movement_in(score).speaker
        agree = []
        calls: dict[tuple[int, int], list[int]] = {}
        for _, (scene, voice, _, played) in heard(score):
            if scene.phrase.kind == 2:
                continue
            here = (scene.phrase.number, scene.place)
            if voice == 0:
                calls[here] = [p for _, _, p, _ in sorted(played)]
            elif voice == speaker and played:
                called = calls.get((here[0], here[1] - (kind == "opposition")), [])
                said = [p for _, _, p, _ in sorted(played)]
                for (a, b), (c, d) in zip(
                    zip(called, called[1:], strict=False),
                    zip(said, said[1:], strict=False),
                    strict=False,
                ):
                    if a != b and c != d:
                        agree.append(1 if (b > a) == (d > c) else -1)
        return mean(agree)

    assert correlation("conjunction") > 0.9
    assert correlation("opposition") < -0.3


def test_in_a_contrast_the_statement_returns_half_as_fast() -> None:
    controls = Controls(genre="classical", motif_rate=1.0)
    found = 0
    for seed in range(6):
        score = score_of(with_aspects(("venus", "sun", "trine", 0.0)), seed, controls)
        movement = movement_in(score)
        for _, (scene, voice, _, played) in heard(score):
            if voice == movement.speaker and scene.phrase.kind == 2 and scene.place == 0 and played:
                stated = [2.0 * t.beat for t in scene.statement if t.bar == 0]
                said = [beat for beat, *_ in played]
                found += said == [beat for beat in stated if beat < scene.beats]
    assert found >= 3


# The rising sign


def test_the_rising_sign_opens_a_movement_and_gives_the_groove_its_way() -> None:
    openings = set()
    for rising in range(4):
        score = score_of(
            dataclasses.replace(NEUTRAL, rising=rising), 1, Controls(genre="classical")
        )
        first = next(s for b, s in heard(score) if b == 0)
        assert first[0].bar == 0
        gesture = [s for b, s in heard(score) if b == 0][-1]
        openings.add(tuple((beat, pitch) for beat, _, pitch, _ in gesture[3]))
    assert len(openings) == 4

    def seldom(rising: int) -> float:
        """Return the strokes of pieces that a drummer adds now and then."""
        score = score_of(
            dataclasses.replace(NEUTRAL, rising=rising), 1, Controls(genre="lofi", drums=1.0)
        )
        return sum(n.instrument == "drums" and n.pitch == 37 for n in movement_notes(score))

    cardinal, fixed, mutable = (seldom(rising) for rising in (0, 1, 2))
    assert fixed < cardinal < mutable
