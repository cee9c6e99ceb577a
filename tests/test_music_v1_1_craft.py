"""Craft: voice leading with a conscience, forms that change in time, nothing stuck, nobody mute."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from astradio_stream.audio.v1_1.instruments import INSTRUMENTS
from astradio_stream.music.controls import Controls
from astradio_stream.music.theory import MODES
from astradio_stream.music.v1_1.bending import bent
from astradio_stream.music.v1_1.form import CONTRAST, RETURN, phrase_of
from astradio_stream.music.v1_1.genres import FAMILIES, GENRES
from astradio_stream.music.v1_1.harmony import (
    CLOSED,
    OPEN,
    basses_under,
    chord_of,
    is_parallel,
    strained,
)
from astradio_stream.music.v1_1.scene import SATURN, SUN
from astradio_stream.music.v1_1.timeline import MOVEMENT_SAMPLES
from astradio_stream.music.v1_1.tones import Tone
from astradio_stream.music.v1_1.writer import LONGEST_BARS
from tests.composing import (
    UNPITCHED,
    bars_in,
    heard,
    movement_in,
    movement_notes,
    phrases_in,
    random_reading,
    score_of,
)

GENRE_NAMES = tuple(GENRES)
PITCHES = {i.name: set(i.pitches) for i in INSTRUMENTS}
N_MOVEMENTS = 12
"""Per genre: over a thousand bars in each but ambient and lofi, five thousand in all."""


@pytest.mark.parametrize("genre", GENRE_NAMES)
def test_outer_voices_never_move_in_parallel_fifths_or_octaves(genre: str) -> None:
    """Between bass and highest tone of the chords, from the first bar of a movement to its last."""
    n_bars = 0
    moved: list[int] = []
    nearest: list[int] = []
    for number in range(N_MOVEMENTS):
        score = score_of(random_reading(number), number, Controls(genre=genre))
        phrases = [phrase for phrase, _ in phrases_in(score)]
        basses = [bass for phrase in phrases for bass in phrase.basses]
        voicings = [voicing for phrase in phrases for voicing in phrase.voicings]
        n_bars += len(basses)
        outer = [(bass, voicing[-1]) for bass, voicing in zip(basses, voicings, strict=True)]
        for bar, (before, after) in enumerate(pairwise(outer)):
            assert not is_parallel(before, after), (number, bar, before, after)
        for one, two in pairwise(voicings):
            if len(one) == len(two):
                moved += [abs(a - b) for a, b in zip(one, two, strict=True)]
            nearest += [min(abs(a - b) for a in one) for b in two]
    print(f"{genre}: {n_bars} bars, a voice moves {sum(moved) / len(moved):.2f} semitones a chord")
    assert n_bars > 600
    assert sum(moved) / len(moved) < 1.0
    assert sum(nearest) / len(nearest) < 1.2


@pytest.mark.parametrize("genre", GENRE_NAMES)
def test_voicings_are_nearest_inversions(genre: str) -> None:
    """A phrase moves by four semitones a voice at the most, where chords have as many tones."""
    for number in range(N_MOVEMENTS):
        score = score_of(random_reading(number), number, Controls(genre=genre))
        for phrase, _ in phrases_in(score):
            pairs = [
                (a, b)
                for one, two in pairwise(phrase.voicings)
                if len(one) == len(two)
                for a, b in zip(one, two, strict=True)
            ]
            assert sum(abs(a - b) for a, b in pairs) < 4.0 * max(1, len(pairs))
            for voicing in phrase.voicings:
                assert list(voicing) == sorted(set(voicing))
                assert voicing[-1] - voicing[0] <= 16


@pytest.mark.parametrize("genre", ["classical", "jazz", "electronic", "lofi"])
def test_bass_and_theme_hardly_ever_move_in_parallel(genre: str) -> None:
    """On first beats, as they sound: a few in a hundred, where two periods meet."""
    parallel = pairs = 0
    for number in range(8):
        score = score_of(random_reading(number), number, Controls(genre=genre))
        notes = movement_notes(score)
        last = None
        for _, start, _end in bars_in(score):
            low = [n.pitch for n in notes if n.voice == SATURN and 0 <= n.onset - start < 3_000]
            high = [n.pitch for n in notes if n.voice == SUN and 0 <= n.onset - start < 3_000]
            here = (low[0], max(high)) if low and high else None
            if last is not None and here is not None:
                pairs += 1
                parallel += is_parallel(last, here)
            last = here
    print(f"{genre}: {parallel} parallels in {pairs} pairs of first beats")
    assert pairs > 200
    assert parallel < 0.05 * pairs


def test_a_bass_that_would_run_parallel_goes_the_other_way() -> None:
    # Theme G to A over bass C to D: fifths. An octave below, the bass goes against it.
    basses, tops, themes = (36, 38, 36), (64, 65, 64), (67, 69, 67)
    assert is_parallel((36, 67), (38, 69))
    led = basses_under(basses, tops, themes, 24, 48)
    assert [pitch % 12 for pitch in led] == [pitch % 12 for pitch in basses]
    assert (led[0], led[-1]) == (36, 36)
    assert not any(
        is_parallel((a, t), (b, u))
        for (a, b), (t, u) in zip(pairwise(led), pairwise(themes), strict=True)
    )
    # Where nothing runs parallel, nothing is moved; where there is no room, nothing can be.
    assert basses_under(basses, tops, (67, 65, 64), 24, 48) == basses
    assert basses_under(basses, tops, themes, 30, 42) == basses


def test_melodies_walk_and_leaps_turn_back() -> None:
    """As played: mostly steps, leaps over a fourth answered by a step back or a rest."""
    steps = leaps = answered = total = n_closed = 0
    for number in range(24):
        score = score_of(random_reading(number), number)
        cap = movement_in(score).palette.leap_cap
        for phrase, tones in phrases_in(score)[:8]:
            motions = [b.step - a.step for a, b in pairwise(tones)]
            total += len(motions)
            steps += sum(abs(m) <= 1 for m in motions)
            assert max((abs(m) for m in motions), default=0) <= cap
            for a, b in pairwise(motions):
                leaps += abs(a) > 3
                answered += abs(a) > 3 and a * b < 0
            if phrase.closes:
                assert tones[-1].step % 7 == 0
                n_closed += 1
    print(f"steps {steps / total:.0%} of {total} motions; {answered} of {leaps} leaps turn back")
    assert n_closed > 80
    assert 0.5 < steps / total < 0.9
    assert answered > 0.75 * leaps


def test_leading_tones_and_sevenths_of_a_dominant_resolve() -> None:
    """Into the tonic: the leading tone up (or held, as a major seventh), the seventh down."""
    led = n_leading = fallen = n_sevenths = 0
    for number in range(12):
        for genre, mode in (("classical", "aeolian"), ("jazz", "ionian")):
            controls = Controls(genre=genre, mode=mode, tension=0.4)
            score = score_of(random_reading(number), number, controls)
            tonic = movement_in(score).tonic
            for phrase, _ in phrases_in(score):
                both = list(zip(phrase.voicings, phrase.chords, strict=True))
                for (one, chord), (two, after) in pairwise(both):
                    if chord.degree != 4 or after.degree != 0:
                        continue
                    leading = [p for p in one if p % 12 == (tonic + 11) % 12]
                    n_leading += bool(leading)
                    led += any(p + 1 in two or p in two for p in leading)
                    sevenths = [p for p in one if p % 12 == (tonic + 5) % 12]
                    n_sevenths += bool(sevenths)
                    fallen += any(p - 1 in two or p - 2 in two for p in sevenths)
    print(f"{led} of {n_leading} leading tones, {fallen} of {n_sevenths} sevenths resolve")
    assert n_leading > 50
    assert n_sevenths > 50
    assert led > 0.95 * n_leading
    assert fallen > 0.95 * n_sevenths


def test_progressions_begin_at_home_and_rest_there() -> None:
    for name, table in OPEN.items():
        assert all(degrees[0] == 0 for degrees in table), name
    for name, table in CLOSED.items():
        assert all(degrees[-1] == 0 for degrees in table), name
    for genre in GENRE_NAMES:
        score = score_of(random_reading(4), 4, Controls(genre=genre, key="D"))
        for phrase, _ in phrases_in(score):
            if phrase.closes:
                assert phrase.chords[-1].degree == 0


@pytest.mark.parametrize("mode", MODES)
def test_tension_only_adds_to_a_chord(mode: str) -> None:
    for genre in GENRES.values():
        for degree in range(7):
            for chance in (0.0, 0.3, 0.6, 0.99):
                last: set[int] = set()
                for tension in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
                    colours = strained(genre.colours, tension, chance, at_home=degree == 0)
                    tones = set(chord_of(degree, mode, colours, cadence=False).steps)
                    assert last <= tones
                    assert len(tones) <= 5
                    last = tones


# Instruments


@pytest.mark.parametrize("genre", GENRE_NAMES)
def test_notes_stay_within_their_instruments(genre: str) -> None:
    for number in range(12):
        score = score_of(random_reading(number), number, Controls(genre=genre))
        bar_samples = MOVEMENT_SAMPLES // movement_in(score, number).n_bars + 1
        for note in movement_notes(score, number):
            assert note.pitch in PITCHES[note.instrument], (note.instrument, note.pitch)
            assert 480 <= note.duration <= LONGEST_BARS * bar_samples
            assert note.left >= 0.0
            assert note.right >= 0.0
            assert 0.0 < note.velocity <= 1.0


@pytest.mark.parametrize("genre", GENRE_NAMES)
def test_every_instrument_of_a_family_reaches_as_far_as_the_role(genre: str) -> None:
    for role, family in zip(GENRES[genre].roles, FAMILIES[genre], strict=True):
        for name in {role.instrument, *family} - {"", "drums"}:
            layered = name if name in PITCHES else f"{name}.soft"
            assert set(range(role.lowest, role.highest + 1)) <= PITCHES[layered], name


@pytest.mark.parametrize("genre", GENRE_NAMES)
def test_pitches_belong_to_the_key(genre: str) -> None:
    for number in (7, 8, 9):
        score = score_of(random_reading(number), number, Controls(genre=genre))
        movement = movement_in(score)
        scale = {(movement.tonic + step) % 12 for step in MODES[movement.palette.mode]}
        # The last chord may be the dominant of the next key.
        until = MOVEMENT_SAMPLES * (movement.n_bars - movement.chord_bars) // movement.n_bars
        played = {
            n.pitch % 12
            for n in movement_notes(score)
            if n.instrument not in UNPITCHED and n.onset < until
        }
        # But for the leading tone of a minor cadence.
        assert played - scale <= {(movement.tonic + 11) % 12}


@pytest.mark.parametrize("genre", GENRE_NAMES)
def test_no_voice_is_silent_for_an_hour_and_nothing_is_stuck(genre: str) -> None:
    score = score_of(random_reading(3), 3, Controls(genre=genre, drums=0.6))
    voices: Counter[int] = Counter()
    for number in range(19):
        for note in movement_notes(score, number):
            voices[note.voice] += 1
            if note.instrument != "bell":  # bells of the sky ring on
                end = score._composer.timeline.at(note.onset).stop
                assert note.onset + note.duration <= end
    expected = {voice for voice, role in enumerate(GENRES[genre].roles) if role.instrument}
    assert set(voices) == expected
    print(genre, [voices[voice] for voice in range(10)])


def test_nothing_strikes_twice_at_once() -> None:
    for genre in GENRE_NAMES:
        notes = movement_notes(score_of(random_reading(6), 6, Controls(genre=genre, space=0.0)))
        struck = Counter((n.onset, n.voice, n.instrument, n.pitch) for n in notes)
        twice = sum(count > 1 for count in struck.values())
        assert twice <= 0.002 * len(struck), genre


# Form


@pytest.mark.parametrize("genre", GENRE_NAMES)
def test_something_changes_every_four_bars_every_section_and_every_movement(genre: str) -> None:
    score = score_of(random_reading(10), 10, Controls(genre=genre, drums=0.6))
    phrases: dict[int, list[object]] = {}
    sections: dict[int, Counter[int]] = {}
    for bar, (scene, voice, _, played) in heard(score):
        if played:
            line = tuple((round(beat, 3), pitch) for beat, _, pitch, _ in played)
            phrases.setdefault(bar // 4, []).append((bar % 4, voice, line))
            sections.setdefault(bar // 8, Counter())[voice] += 1
        assert scene.bar == bar
    assert all(a != b for a, b in pairwise(phrases.values()))
    # What a section plays differs audibly from the one before: other voices, or another amount.
    for a, b in pairwise(sections.values()):
        apart = sum(abs(a[v] - b[v]) for v in range(10))
        assert apart >= 2 or set(a) != set(b)
    movements = [movement_in(score, number) for number in range(19)]
    for one, two in pairwise(movements):
        assert one.lead != two.lead
        assert (one.tonic, one.form, one.partner) != (two.tonic, two.form, two.partner) or (
            one.palette != two.palette
        )


def test_statement_and_return_share_their_chords_and_contrast_has_its_own() -> None:
    found = 0
    for number in range(8):
        score = score_of(random_reading(number), number, Controls(genre="classical"))
        by_kind: dict[int, set[object]] = {}
        for phrase, _ in phrases_in(score)[:-1]:
            if not phrase.closes:
                by_kind.setdefault(phrase.kind, set()).add(phrase.chords)
        assert by_kind[RETURN] == by_kind[0]
        found += by_kind[CONTRAST] != by_kind[0]
    assert found >= 5


def test_a_new_section_is_prepared() -> None:
    """A fill of the drums or a run of another voice leads into each, a wave into a movement."""
    for genre in GENRE_NAMES:
        score = score_of(random_reading(2), 2, Controls(genre=genre, drums=0.7))
        n_bars = movement_in(score).n_bars
        runs = {
            bar
            for bar, (_, voice, _, played) in heard(score)
            if bar % 8 == 7 and voice == 1 and len(played) >= 3 and played[0][0] >= 1.5
        }
        assert runs == {bar for bar in range(n_bars) if bar % 8 == 7}
        waves = [bar for bar, (_, _, instrument, _) in heard(score) if instrument == "noise"]
        assert waves == [n_bars - 2]


def test_a_change_of_key_is_prepared_by_a_chord_of_both() -> None:
    changes = 0
    for number in range(12):
        score = score_of(random_reading(number), number, Controls(genre="classical"))
        for movement in range(6):
            here, after = movement_in(score, movement), movement_in(score, movement + 1)
            if here.tonic == after.tonic:
                continue
            changes += 1
            last = phrases_in(score, movement)[-1][0].chords[-1]
            root = last.pitch(here.tonic, here.palette.mode, last.degree) % 12
            assert (root - after.tonic) % 12 in (7, 0, 5), (here.tonic, after.tonic, root)
    assert changes > 10


def test_wishes_bend_a_line_without_touching_its_end() -> None:
    reading = random_reading(13)
    for cap in range(1, 8):
        score = score_of(reading, 4, Controls(leap_cap=cap, genre="classical"))
        line = [t for _, tones in phrases_in(score)[:2] for t in tones]
        assert max(abs(b.step - a.step) for a, b in pairwise(line)) <= cap
        assert line[-1].step % 7 == 0
    score = score_of(reading, 4, Controls(step_bias=0.5, leap_cap=7))
    movement = movement_in(score)
    phrases = (phrase_of(4, movement, 0, movement.tonic),)
    plain = ((Tone(0, 0.0, 1.0, 3), Tone(0, 1.0, 1.0, 5), Tone(1, 0.0, 4.0, 7)),)
    assert bent(4, movement, phrases, plain) == plain
