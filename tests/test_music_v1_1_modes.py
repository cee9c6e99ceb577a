"""Modes and controls of model v1.1, through whole programmes as the server composes them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from statistics import mean, pstdev

import pytest

from astradio_stream.music.controls import Controls
from astradio_stream.music.theory import KEY_NAMES
from astradio_stream.music.v1_1.energies import energy_of
from astradio_stream.music.v1_1.genres import GENRES
from astradio_stream.music.v1_1.reading import AspectReading, Reading, Skies
from astradio_stream.music.v1_1.scene import SUN
from astradio_stream.music.v1_1.score import ScoreV11
from astradio_stream.music.v1_1.timeline import MOVEMENT_SAMPLES
from tests.composing import (
    MODES,
    bars_in,
    heard,
    movement_in,
    movement_notes,
    phrases_in,
    random_reading,
    score_in,
    score_of_skies,
)

SEEDS = (1, 2)


# What each control does to a movement


def _pitched(score: ScoreV11) -> float:
    return sum(n.instrument != "drums" for n in movement_notes(score))


def _struck(score: ScoreV11) -> float:
    return sum(n.instrument == "drums" for n in movement_notes(score))


def _chord_pitch(score: ScoreV11) -> float:
    return mean(mean(v) for phrase, _ in phrases_in(score) for v in phrase.voicings)


def _roughness(score: ScoreV11) -> float:
    movement = movement_in(score)
    counts = []
    for phrase, _ in phrases_in(score):
        for chord in phrase.chords:
            classes = sorted({p % 12 for p in chord.pitches(60, movement.palette.mode)})
            pairs = [(a, b) for a in classes for b in classes if a < b]
            counts.append(sum(b - a in (1, 2, 6, 10, 11) for a, b in pairs))
    return mean(counts)


def _beside_the_beat(score: ScoreV11) -> float:
    """Return the share of onsets, but for the melodies, that do not fall on a beat."""
    beats = [
        beat
        for _, (_, voice, _, played) in heard(score)
        if voice not in (0, 3)
        for beat, *_ in played
    ]
    return sum(beat % 1.0 != 0.0 for beat in beats) / len(beats)


def _steps(score: ScoreV11) -> float:
    motions = [
        abs(b.step - a.step)
        for _, tones in phrases_in(score)
        for a, b in zip(tones, tones[1:], strict=False)
    ]
    return sum(m <= 1 for m in motions) / len(motions)


def _recalls(score: ScoreV11) -> float:
    """Return how often another voice speaks in the rhythm with which its theme begins."""
    found = 0
    for _, (scene, voice, _, played) in heard(score):
        head = [tone.beat for tone in scene.melody if tone.bar == 0]
        found += voice != SUN and len(head) > 1 and [beat for beat, *_ in played] == head
    return found


def _breath(score: ScoreV11) -> float:
    """Return how far the bars of a movement differ in amplitude, in parts of their mean."""
    notes = movement_notes(score)
    amplitudes = [
        sum(energy_of(note) for note in notes if start <= note.onset < stop) ** 0.5
        for _, start, stop in bars_in(score)
    ]
    return pstdev(amplitudes) / mean(amplitudes)


EFFECTS: dict[str, Callable[[ScoreV11], float]] = {
    "tempoNorm": lambda score: movement_in(score).tempo_bpm,
    "density": _pitched,
    "brightness": _chord_pitch,
    "tension": _roughness,
    "syncopation": _beside_the_beat,
    "stepBias": _steps,
    "motifRate": _recalls,
    "arcShape": _breath,
    "space": lambda score: len(movement_notes(score)),
    "drums": _struck,
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("control", EFFECTS)
def test_a_control_does_what_its_name_says_in_every_mode(mode: str, control: str) -> None:
    """Five settings, two seeds: the effect never falls back, and the last is above the first."""
    values = [
        mean(EFFECTS[control](score_in(mode, seed, **{control: amount})) for seed in SEEDS)
        for amount in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    # Chords move by whole tones of a scale: a quarter of a semitone is not a step backwards.
    slack = 0.25 if control == "brightness" else 0.0
    for before, after in zip(values, values[1:], strict=False):
        assert after >= before - slack, values
    assert values[-1] > values[0], values
    if control == "drums":
        assert values[0] == 0


@pytest.mark.parametrize("genre", GENRES)
@pytest.mark.parametrize("control", ["density", "drums", "tension", "space"])
def test_a_control_does_what_its_name_says_in_every_genre(genre: str, control: str) -> None:
    values = [
        mean(
            EFFECTS[control](score_in("natal", seed, genre=genre, **{control: amount}))
            for seed in SEEDS
        )
        for amount in (0.0, 0.5, 1.0)
    ]
    assert values == sorted(values), values
    if control != "drums" or GENRES[genre].groove:
        assert values[-1] > values[0], values


@pytest.mark.parametrize("mode", MODES)
def test_the_brighter_the_control_the_brighter_the_scale(mode: str) -> None:
    wanted = ["phrygian", "aeolian", "dorian", "mixolydian", "ionian", "lydian"]
    found = [
        score_in(mode, brightness=amount).palette_json(0)["mode"]
        for amount in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    ]
    assert found == wanted


@pytest.mark.parametrize("mode", MODES)
def test_no_leap_of_the_theme_is_wider_than_wished(mode: str) -> None:
    widest = []
    for cap in (1, 2, 4, 7):
        leaps = [
            abs(b.step - a.step)
            for seed in SEEDS
            for _, tones in phrases_in(score_in(mode, seed, leapCap=cap, stepBias=0.1))
            for a, b in zip(tones, tones[1:], strict=False)
        ]
        assert max(leaps) <= cap
        widest.append(mean(leaps))
    assert widest == sorted(widest)
    assert widest[-1] > widest[0]


@pytest.mark.parametrize("mode", MODES)
def test_key_mode_and_genre_are_kept_as_wished_in_every_movement(mode: str) -> None:
    for key in KEY_NAMES:
        score = score_in(mode, key=key, mode="lydian", genre="lofi")
        for number in (0, 1, 1_001):
            palette = score.palette_json(number * MOVEMENT_SAMPLES)
            assert (palette["key"], palette["mode"], palette["genre"]) == (key, "lydian", "lofi")


def test_without_a_wish_a_key_is_left_for_a_near_one_and_returned_to() -> None:
    moves = set()
    for seed in range(12):
        score = score_in("natal", seed)
        home = movement_in(score).palette.key
        for number in range(8):
            move = (movement_in(score, number).tonic - home) % 12
            moves.add(move)
            assert move == 0 or number % 2 == 1
    assert moves <= {0, 2, 5, 7, 10}
    assert len(moves) > 2


# Two charts


def _sides(score: ScoreV11, voice: int, number: int = 0) -> tuple[float, float]:
    notes = [n for n in movement_notes(score, number) if n.voice == voice]
    left = sum(n.left > n.right for n in notes) / len(notes)
    right = sum(n.right > n.left for n in notes) / len(notes)
    return left, right


def test_two_people_are_two_ensembles_that_take_turns() -> None:
    for seed in SEEDS:
        score = score_in("compatibility", seed, genre="classical")
        themes: dict[int, set[bool]] = {}
        guests = []
        for _, (scene, voice, _, played) in heard(score):
            if voice == SUN and played:
                themes.setdefault(scene.phrase.number % 2, set()).add(scene.movement.pans[0] > 0.0)
                guests.append(scene.movement.reading)
        assert themes == {0: {False}, 1: {True}}
        assert len({id(reading) for reading in guests}) == 2
        # Neither side is left alone: while one has the theme, the other accompanies.
        for voice in (0, 1):
            left, right = _sides(score, voice)
            assert left > 0.2
            assert right > 0.2


def test_two_people_at_ease_sing_together_and_in_friction_against_each_other() -> None:
    def together(tension: float) -> float:
        same = []
        for seed in SEEDS:
            score = score_in("compatibility", seed, genre="classical", tension=tension)
            for _, (scene, voice, _, played) in heard(score):
                if voice == 3:
                    theme = {t.beat for t in scene.melody if t.bar == scene.place}
                    same += [beat in theme for beat, *_ in played]
        return sum(same) / len(same)

    assert together(0.2) > 0.95
    assert together(0.9) < 0.7


def test_the_synastry_sets_the_tension_of_two_people() -> None:
    one, two = random_reading(21), random_reading(22)
    soft, hard = (
        score_of_skies(
            Skies(one, two, mood, (AspectReading(3, 4, "square", 0.9, 1.0),), is_pair=True), 1
        )
        for mood in (_mood(one, 0.75, 0.45), _mood(one, 0.45, 0.75))
    )
    assert movement_in(soft).palette.tension < movement_in(hard).palette.tension
    assert movement_in(soft).palette.brightness > movement_in(hard).palette.brightness


def _mood(reading: Reading, ease: float, friction: float) -> Reading:
    return dataclasses.replace(reading, ease=ease, friction=friction)


def test_a_birth_and_the_sky_over_it_are_both_heard() -> None:
    for seed in SEEDS:
        score = score_in("overlay", seed, genre="classical")
        natal = movement_in(score).reading
        said = {True: 0, False: 0}
        for _, (scene, voice, _, played) in heard(score):
            if voice == SUN:
                said[scene.movement.reading is natal] += len(played)
        assert said[True] > said[False] > 20


def test_where_transits_touch_a_birth_the_two_answer_each_other() -> None:
    """Venus of the birth calls from the left, Jupiter of the sky answers from the right.

    A hard transit answers upside down, a soft one alike.
    """
    birth, sky = random_reading(31), random_reading(32)
    alike = {}
    for kind, hardness in (("square", 1.0), ("trine", 0.0)):
        skies = Skies(birth, sky, birth, (AspectReading(5, 3, kind, 0.9, hardness),))
        calls: dict[int, list[int]] = {}
        answers: dict[int, list[int]] = {}
        score = score_of_skies(skies, 5, Controls(genre="classical"))
        phrases = phrases_in(score)
        for _, (scene, voice, _, played) in heard(score):
            pitches = [pitch for _, _, pitch, _ in played]
            if voice == 3 and scene.place == 1 and scene.movement.pans[3] < 0.0:
                calls[scene.phrase.number] = pitches
            if voice == 5 and scene.place == 3 and scene.movement.pans[5] > 0.0:
                answers[scene.phrase.number] = pitches
        agree = []
        for number in calls.keys() & answers.keys():
            head = [tone.step for tone in phrases[number][1] if tone.bar == 0]
            for step, call in zip(head, calls[number], strict=True):
                assert (step > head[0]) == (call > calls[number][0])
            if len(set(answers[number])) > 1:
                first = next(p for p in answers[number] if p != answers[number][0])
                said = first > answers[number][0]
                theirs = score._composer._stage(score._composer.timeline.at(0), 4 * number).guest
                assert theirs is not None
                own = [tone.step for tone in theirs.melody if tone.bar == 0]
                moved = next(step for step in own if step != own[0]) > own[0]
                agree.append(said == moved)
        assert len(agree) > 3
        alike[kind] = mean(agree)
    assert alike["trine"] == 1.0
    assert alike["square"] == 0.0


def test_without_transits_nobody_calls() -> None:
    birth, sky = random_reading(31), random_reading(32)
    alone = score_of_skies(Skies(birth, sky, birth), 5)
    touched = score_of_skies(Skies(birth, sky, birth, (AspectReading(5, 3, "trine", 0.9, 0.0),)), 5)
    assert movement_notes(alone) != movement_notes(touched)


def test_the_last_seed_is_played_with_a_second_chart_too() -> None:
    score = score_in("compatibility", 2**53 - 1)
    assert movement_notes(score)


def test_a_sandbox_plays_what_the_controls_say_alone() -> None:
    assert movement_in(score_in("sandbox")).palette.key == 0
    one = score_in("sandbox", 1, density=0.2, genre="jazz")
    two = score_in("sandbox", 1, density=0.9, genre="house")
    assert one.palette_json(0)["genre"] == "jazz"
    assert two.palette_json(0)["genre"] == "house"
