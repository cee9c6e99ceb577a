"""MIDI: what is written is read back by mido, at the tick where it sounds."""

from __future__ import annotations

from fractions import Fraction

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astradio_stream.music.midi import (
    DRUMS,
    PROGRAMS,
    TempoMark,
    drum_key_of,
    key_signature_of,
    midi_of,
    program_of,
)
from astradio_stream.music.note import Note, placed
from astradio_stream.music.theory import KEY_NAMES, MODES
from astradio_stream.music.v1_0.palette import MOVEMENT_SAMPLES, Sky
from astradio_stream.music.v1_0.score import ScoreV10
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.units import SAMPLE_RATE_HZ
from tests.pieces import read, sounding

LONGITUDES = (10.0, 50.0, 25.0, 345.0, 118.0, 83.0, 205.0, 157.0, 241.0, 287.0)
SPEEDS = (1.0, 13.2, 1.4, 1.2, 0.5, 0.08, 0.03, 0.01, 0.006, 0.004)


class TimedV10(ScoreV10):
    """Model v1.0 with the tempo map that its palette says."""

    def tempo_map(self, start: int, stop: int) -> list[TempoMark]:
        marks = []
        for movement in range(start // MOVEMENT_SAMPLES, (stop - 1) // MOVEMENT_SAMPLES + 1):
            palette = self.palette(movement)
            per_beat = Fraction(MOVEMENT_SAMPLES, palette.n_bars * palette.beats)
            marks.append(
                TempoMark(
                    movement * MOVEMENT_SAMPLES,
                    per_beat,
                    palette.beats,
                    palette.key_name,
                    palette.mode,
                )
            )
        return marks


# ruff: noqa: ARG002 - a sheet has one answer
class Sheet:
    """A few notes under given marks."""

    def __init__(self, notes: list[Note], marks: list[TempoMark] | None = None) -> None:
        self._notes = tuple(notes)
        self._marks = marks or [TempoMark(0, Fraction(24_000), 4, "C", "ionian")]

    def notes(self, start: int, stop: int) -> tuple[Note, ...]:
        return self._notes

    def tempo_map(self, start: int, stop: int) -> list[TempoMark]:
        return self._marks


def note(onset: int, duration: int, pitch: int = 60, **changes: object) -> Note:
    given: dict[str, object] = {"voice": 0, "instrument": "flute", "velocity": 0.5, **changes}
    return placed(onset=onset, duration=duration, pitch=pitch, gain=1.0, pan=0.0, **given)


def turning_score(seed: int = 1) -> TimedV10:
    """Return a score whose sky turns from one movement to the next, and its tempo with it."""

    def sky_at(index: int) -> Sky:
        turn = 47.0 * (index // MOVEMENT_SAMPLES)
        return Sky(
            tuple((lon * (1 + n) + turn * n) % 360 for n, lon in enumerate(LONGITUDES)), SPEEDS, 0.0
        )

    return TimedV10(seed, sky_at)


@pytest.mark.parametrize("start_s", [0, 137, 3599, 10**6 + 1])
@pytest.mark.parametrize("length_s", [1, 60, 400])
def test_every_note_is_read_back_within_a_tick(start_s: int, length_s: int) -> None:
    score = turning_score()
    start, stop = start_s * SAMPLE_RATE_HZ, (start_s + length_s) * SAMPLE_RATE_HZ
    played = [n for n in score.notes(start, stop) if start <= n.onset < stop]
    file = read(midi_of(score, start, stop, "Test"))
    found = sounding(file)
    assert len(found) == len(played)
    assert sorted(row[1] for row in found) == sorted(n.pitch for n in played)
    for n, row in zip(sorted(played, key=lambda n: n.onset), found, strict=True):
        assert abs((n.onset - start) / SAMPLE_RATE_HZ - row[2]) <= row[4]
    by_track = sorted((n.voice, n.onset, n.pitch) for n in played)
    order = [track.name for track in file.tracks[1:]]
    written = sorted((order.index(row[0]), row[2], row[1]) for row in found)
    assert [pitch for *_, pitch in sorted(by_track)] == [pitch for *_, pitch in written]
    assert file.length == pytest.approx(length_s, abs=0.002)


def test_no_drift_after_ten_hours() -> None:
    """A tempo that whole microseconds cannot say: half a microsecond off in each beat."""
    per_beat = Fraction(24_000_012, 1000)
    notes = [note(round(n * per_beat), 1000) for n in range(0, 72_000, 997)]
    stop = notes[-1].onset + SAMPLE_RATE_HZ
    found = sounding(
        read(midi_of(Sheet(notes, [TempoMark(0, per_beat, 4, "C", "ionian")]), 0, stop, ""))
    )
    for n, row in zip(notes, found, strict=True):
        assert abs(n.onset / SAMPLE_RATE_HZ - row[2]) <= 0.51 * row[4]


def test_the_first_track_tells_tempo_metre_key_and_title() -> None:
    score = turning_score()
    start = 170 * SAMPLE_RATE_HZ
    file = read(midi_of(score, start, start + 30 * SAMPLE_RATE_HZ, "Vénus – carré"))
    assert file.type == 1
    assert file.ticks_per_beat == 480
    first = file.tracks[0]
    assert first.name.encode("latin1").decode() == "Vénus – carré"
    told = {}
    for message in first:
        told.setdefault(message.type, []).append(message)
    palettes = [score.palette(0), score.palette(1)]
    assert palettes[0].tempo_bpm != palettes[1].tempo_bpm
    for palette, tempo, key, marker in zip(
        palettes, told["set_tempo"], told["key_signature"], told["marker"], strict=True
    ):
        assert mido.tempo2bpm(tempo.tempo) == pytest.approx(palette.tempo_bpm, abs=1e-4)
        assert key.key == key_signature_of(palette.key_name, palette.mode)
        assert marker.text == f"{palette.key_name} {palette.mode}"
    metres = [message.numerator for message in told["time_signature"]]
    assert metres[0] == palettes[0].beats
    assert metres[-1] == palettes[1].beats


def test_the_metre_counts_from_the_first_bar_line() -> None:
    start = 5 * 24_000  # one beat into the second bar
    file = read(midi_of(Sheet([]), start, start + 480_000, ""))
    ticks, tick = [], 0
    for message in file.tracks[0]:
        tick += message.time
        if message.type == "time_signature":
            ticks.append(tick)
    assert ticks == [0, 3 * 480]


def test_each_voice_has_a_track_with_the_name_of_its_body() -> None:
    voices = [note(0, 100, voice=voice) for voice in (0, 1, 9, 12)]
    file = read(midi_of(Sheet(voices), 0, 48_000, "x"))
    assert [track.name for track in file.tracks] == ["x", "Sun", "Moon", "Pluto", "Mercury 2"]


def test_voices_and_instruments_have_channels_of_their_own() -> None:
    notes = [note(0, 4800, voice=v, instrument=i) for v in range(6) for i in ("pad", "bell")]
    file = read(midi_of(Sheet(notes), 0, 48_000, ""))
    changes = [m for track in file.tracks for m in track if m.type == "program_change"]
    assert len({message.channel for message in changes}) == 12
    assert 9 not in {message.channel for message in changes}


def test_drums_play_on_channel_ten() -> None:
    notes = [
        note(0, 100, 60, instrument="kick", voice=4),
        note(24_000, 100, 42, instrument="drums", voice=4),
        note(24_000, 100, 61, instrument="pluck", voice=4),
    ]
    file = read(midi_of(Sheet(notes), 0, 48_000, ""))
    struck = [(m.channel, m.note) for m in file.tracks[1] if m.type == "note_on"]
    assert struck == [(9, 36), (0, 61), (9, 42)]
    assert [m.channel for m in file.tracks[1] if m.type == "program_change"] == [0]


def test_what_overlaps_on_one_key_is_let_go_before_it_is_struck_again() -> None:
    found = sounding(read(midi_of(Sheet([note(0, 48_000), note(24_000, 48_000)]), 0, 96_000, "")))
    assert [(row[2], row[3]) for row in found] == [(0.0, 0.5), (0.5, 1.5)]


def test_a_span_lets_go_at_its_end_and_takes_no_note_from_before() -> None:
    notes = [note(0, 480_000, 50), note(60_000, 480_000, 62), note(96_000, 100, 64)]
    found = sounding(read(midi_of(Sheet(notes), 48_000, 96_000, "")))
    assert [(row[1], row[2], row[3]) for row in found] == [(62, 0.25, 1.0)]


def test_the_same_span_gives_the_same_bytes() -> None:
    span = (137 * SAMPLE_RATE_HZ, 200 * SAMPLE_RATE_HZ)
    assert midi_of(turning_score(), *span, "a") == midi_of(turning_score(), *span, "a")
    assert midi_of(turning_score(1), *span, "a") != midi_of(turning_score(2), *span, "a")


@given(
    events=st.lists(
        st.tuples(
            st.integers(0, 960_000),
            st.integers(1, 480_000),
            st.integers(0, 127),
            st.integers(0, 19),
            st.sampled_from([row[0] for row in (*PROGRAMS, *DRUMS)]),
            st.floats(0.0, 1.0),
        ),
        max_size=40,
    ),
    per_beat=st.fractions(Fraction(12_000), Fraction(96_000)),
)
@settings(max_examples=100, deadline=None)
def test_whatever_is_played_nothing_is_stuck(
    events: list[tuple[int, int, int, int, str, float]], per_beat: Fraction
) -> None:
    notes = [
        note(on, long, pitch, voice=voice, instrument=name, velocity=velocity)
        for on, long, pitch, voice, name, velocity in sorted(events)
        if voice < 15 or drum_key_of(name, pitch) is not None
    ]
    sheet = Sheet(notes, [TempoMark(-7, per_beat, 3, "F#", "locrian")])
    found = sounding(read(midi_of(sheet, 0, 960_000, "any")))
    assert len(found) <= len(notes)
    assert all(0.0 <= row[2] <= 20.01 for row in found)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("key", KEY_NAMES)
def test_every_key_has_a_signature_on_its_tonic(key: str, mode: str) -> None:
    name = key_signature_of(key, mode)
    mido.MetaMessage("key_signature", key=name)
    same = {"C#": "Db", "Db": "C#", "Ab": "G#", "G#": "Ab"}
    assert name.rstrip("m") in (key, same.get(key))
    assert name.endswith("m") == (MODES[mode][2] == 3)


@pytest.mark.parametrize(
    ("instrument", "program"),
    {
        "pad": 89,
        "sub": 39,
        "bass": 33,
        "organbass": 33,
        "organ": 16,
        "flute": 73,
        "strings": 48,
        "violin": 40,
        "epiano": 4,
        "piano": 0,
        "unheard_of": 89,
    }.items(),
)
def test_instruments_find_sensible_programs(instrument: str, program: int) -> None:
    assert program_of(instrument) == program


@pytest.mark.parametrize("version", AUDIO_MODELS)
def test_no_instrument_of_a_model_is_a_warm_pad_for_want_of_a_row(version: str) -> None:
    for instrument in AUDIO_MODELS[version].instruments:
        known = [row for row, _ in (*PROGRAMS, *DRUMS) if row in instrument.name]
        assert known, instrument.name
        is_drum = any(drum_key_of(instrument.name, pitch) for pitch in instrument.pitches)
        assert is_drum == (instrument.name == "drums")
