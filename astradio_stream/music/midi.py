"""Any span of a score as a Standard MIDI File: a track per body, ticks taken from absolute time.

A tick is found from the sample index itself and from the time that the file really has at the last
change of tempo, so that whole microseconds per beat never add up to a drift::

    tick = tick_0 + round((t - t_0) * 480 / microseconds per beat)

**Source** of the format: MIDI Manufacturers Association, Standard MIDI Files 1.0 (1996).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Final, Protocol

from mido import Message, MetaMessage, MidiFile, MidiTrack

from astradio_stream.music.theory import KEY_NAMES
from astradio_stream.sky.bodies import PLANET_NAMES
from astradio_stream.units import MICROSECONDS_PER_SECOND, SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from astradio_stream.music.note import Note

TICKS_PER_BEAT: Final = 480
DRUM_CHANNEL: Final = 9
"""Channel 10 of General MIDI, counted from 0."""
_CHANNELS: Final = tuple(channel for channel in range(16) if channel != DRUM_CHANNEL)
_LONGEST_BEAT_US: Final = 2**24 - 1
_TIME_PER_SAMPLE: Final = TICKS_PER_BEAT * MICROSECONDS_PER_SECOND // SAMPLE_RATE_HZ

# fmt: off
PROGRAMS: Final = (
    # word in the name   General MIDI program, counted from 0
    ("sub",          39),   # synth bass 2
    ("upright",      32),   # acoustic bass
    ("bass",         33),   # fingered bass
    ("organ",        16),   # drawbar organ
    ("felt",          0),   # acoustic grand piano
    ("epiano",        4),   # electric piano 1
    ("rhodes",        4),
    ("piano",         0),
    ("keys",          4),
    ("celesta",       8),   # celesta
    ("vibes",        11),   # vibraphone
    ("harp",         46),   # orchestral harp
    ("guitar",       24),   # nylon guitar
    ("pluck",        45),   # pizzicato strings
    ("glass",        92),   # bowed glass pad
    ("bell",         14),   # tubular bells
    ("mallet",       12),   # marimba
    ("flute",        73),   # flute
    ("brass",        61),   # brass section
    ("violin",       40),   # violin
    ("string",       48),   # string ensemble 1
    ("choir",        52),   # choir aahs
    ("saw",          81),   # sawtooth lead
    ("stab",         81),
    ("lead",         80),   # square lead
    ("noise",       122),   # seashore
    ("vinyl",       122),
    ("air",         122),
    ("pad",          89),   # warm pad
)
"""The first row whose word is in an instrument's name decides; what none knows is a warm pad."""

DRUMS: Final = (
    # word in the name   key of the General MIDI percussion map; 0: the note's pitch is the key
    ("drum",          0),
    ("kick",         36),   # bass drum 1
    ("rim",          37),   # side stick
    ("brush",        40),   # electric snare, the softer one
    ("snare",        38),   # acoustic snare
    ("clap",         39),   # hand clap
    ("open_hat",     46),   # open hi-hat
    ("hat_open",     46),
    ("hat",          42),   # closed hi-hat
    ("ride",         51),   # ride cymbal 1
    ("cymbal",       49),   # crash cymbal 1
    ("shaker",       82),
    ("low_tom",      45),
    ("tom_low",      45),
    ("high_tom",     50),
    ("tom_high",     50),
    ("tom",          47),   # low-mid tom
)
"""Instruments that are drums, likewise."""

_MAJOR_MODES: Final = ("lydian", "ionian", "mixolydian")
_MAJOR_KEYS: Final = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_MINOR_KEYS: Final = ("Cm", "C#m", "Dm", "Ebm", "Em", "Fm", "F#m", "Gm", "G#m", "Am", "Bbm", "Bm")
"""The spelling with fewer accidentals, by pitch class."""
# fmt: on


@dataclass(frozen=True, slots=True)
class TempoMark:
    """What holds from a bar line on."""

    index: int
    """Sample index of the bar line."""
    samples_per_beat: Fraction
    beats_per_bar: int
    key: str
    """Name of the tonic, see `theory.KEY_NAMES`."""
    mode: str
    """Name of the mode, see `theory.MODES`."""


class TimedScore(Protocol):
    """What a span of MIDI needs to know of a score."""

    def notes(self, start: int, stop: int) -> tuple[Note, ...]:
        """Return the notes that can sound in [start, stop), ordered by onset."""
        ...

    def tempo_map(self, start: int, stop: int) -> Sequence[TempoMark]:
        """Return the marks that hold in [start, stop), rising, the first at or before start."""
        ...


def midi_of(score: TimedScore, start: int, stop: int, title: str) -> bytes:
    """Return the notes that begin in [start, stop) as a Standard MIDI File of format 1.

    The file begins at `start` and lasts to `stop`, where notes that sound on are let go; so it lies
    beside the sound of the same span. Two notes of one voice, instrument, pitch and tick are one.

    Args:
        score: What is played.
        start: First sample index.
        stop: Sample index after the last.
        title: Name of the piece, for the first track.
    """
    marks = score.tempo_map(start, stop)
    clock = _Clock(marks, start)
    end_tick = clock.tick(stop)
    file = MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    file.tracks.append(_conductor(marks, clock, start, stop, title))
    notes = [note for note in score.notes(start, stop) if start <= note.onset < stop]
    channels = _channels_of(notes)
    for voice in sorted({note.voice for note in notes}):
        spans = _spans_of([n for n in notes if n.voice == voice], clock, channels, end_tick)
        file.tracks.append(_track(_voice_name(voice), spans, end_tick))
    data = BytesIO()
    file.save(file=data)
    return data.getvalue()


def key_signature_of(key: str, mode: str) -> str:
    """Return the key signature on the same tonic: major for bright modes, minor for dark ones."""
    names = _MAJOR_KEYS if mode in _MAJOR_MODES else _MINOR_KEYS
    return names[KEY_NAMES.index(key)]


@lru_cache(maxsize=1024)
def drum_key_of(instrument: str, pitch: int) -> int | None:
    """Return the percussion key of a note by its instrument's name, None if that is no drum."""
    return next((key or pitch for word, key in DRUMS if word in instrument), None)


@lru_cache(maxsize=256)
def program_of(instrument: str) -> int:
    """Return the General MIDI program (0-127) of an instrument by its name."""
    return next((program for word, program in PROGRAMS if word in instrument), PROGRAMS[-1][1])


def _voice_name(voice: int) -> str:
    # A second ensemble counts on from the first.
    ensemble, body = divmod(voice, len(PLANET_NAMES))
    name = PLANET_NAMES[body].capitalize()
    return name if ensemble == 0 else f"{name} {ensemble + 1}"


# Time


class _Clock:
    """From sample indices to ticks, along the tempo map as the file will have it.

    Time is counted in 1/480 microsecond, of which a sample has 10 000 and a tick as many as a beat
    has microseconds: everything is a whole number.
    """

    def __init__(self, marks: Sequence[TempoMark], start: int) -> None:
        self._start = start
        self.changes: list[tuple[int, int, int]] = []
        """Tick, time of that tick, microseconds per beat."""
        for mark in marks:
            beat_us = round(mark.samples_per_beat * MICROSECONDS_PER_SECOND / SAMPLE_RATE_HZ)
            beat_us = min(max(beat_us, 1), _LONGEST_BEAT_US)
            tick = time = 0
            if self.changes:
                tick = self.tick(mark.index)
                last_tick, last_time, last_beat_us = self.changes[-1]
                time = last_time + (tick - last_tick) * last_beat_us
            self.changes.append((tick, time, beat_us))

    def tick(self, index: int) -> int:
        """Return the tick nearest to a sample index."""
        time = (index - self._start) * _TIME_PER_SAMPLE
        tick_0, time_0, beat_us = self.changes[0]
        for change in self.changes[1:]:
            if change[1] > time:
                break
            tick_0, time_0, beat_us = change
        return tick_0 + (2 * (time - time_0) + beat_us) // (2 * beat_us)


def _conductor(
    marks: Sequence[TempoMark], clock: _Clock, start: int, stop: int, title: str
) -> MidiTrack:
    """Return the first track: title, tempo, metre, key, and the mode in words."""
    # mido writes texts as latin1: spelled so, the bytes in the file are UTF-8.
    name = title.encode("utf-8", "replace").decode("latin1")
    events: list[tuple[int, MetaMessage]] = [(0, MetaMessage("track_name", name=name))]
    for mark, (tick, _, beat_us) in zip(marks, clock.changes, strict=True):
        key = key_signature_of(mark.key, mark.mode)
        events += [
            (tick, MetaMessage("set_tempo", tempo=beat_us)),
            (tick, _metre(mark)),
            (tick, MetaMessage("key_signature", key=key)),
            (tick, MetaMessage("marker", text=f"{mark.key} {mark.mode}")),
        ]
        if mark.index < start and (line := _first_bar_line(mark, start)) < stop:
            # The span begins inside a bar: the metre counts again from the next bar line.
            events.append((clock.tick(line), _metre(mark)))
    events.sort(key=lambda event: event[0])
    return _timed(events, clock.tick(stop))


def _metre(mark: TempoMark) -> MetaMessage:
    return MetaMessage("time_signature", numerator=mark.beats_per_bar, denominator=4)


def _first_bar_line(mark: TempoMark, start: int) -> int:
    bar = mark.samples_per_beat * mark.beats_per_bar
    n_bars = -((mark.index - start) // bar)
    return mark.index + round(n_bars * bar)


# Notes


@dataclass(frozen=True, slots=True)
class _Span:
    """A note as MIDI has it."""

    on: int
    """Tick."""
    off: int
    """Tick, after `on`."""
    channel: int
    program: int | None
    """None on the drum channel."""
    pitch: int
    velocity: int


def _channels_of(notes: Sequence[Note]) -> dict[tuple[int, int], int]:
    """Return a channel for each (voice, program), shared only when all fifteen are taken."""
    parts = sorted(
        {
            (n.voice, program_of(n.instrument))
            for n in notes
            if drum_key_of(n.instrument, n.pitch) is None
        }
    )
    return {part: _CHANNELS[number % len(_CHANNELS)] for number, part in enumerate(parts)}


def _spans_of(
    notes: Sequence[Note], clock: _Clock, channels: dict[tuple[int, int], int], end_tick: int
) -> list[_Span]:
    """Return the notes of one voice; on one key none begins before the last one is let go."""
    by_key: dict[tuple[int, int], dict[int, _Span]] = {}
    for note in notes:
        drum_key = drum_key_of(note.instrument, note.pitch)
        if drum_key is None:
            program = program_of(note.instrument)
            channel, pitch = channels[note.voice, program], note.pitch
        else:
            program, channel, pitch = None, DRUM_CHANNEL, drum_key
        on = clock.tick(note.onset)
        off = max(on + 1, min(clock.tick(note.onset + note.duration), end_tick))
        velocity = min(127, max(1, round(127.0 * note.velocity)))
        by_key.setdefault((channel, pitch), {}).setdefault(
            on, _Span(on, off, channel, program, pitch, velocity)
        )
    spans = []
    for on_one_key in by_key.values():
        next_on = end_tick + 1
        for on in sorted(on_one_key, reverse=True):
            span = on_one_key[on]
            spans.append(span if span.off <= next_on else replace(span, off=next_on))
            next_on = on
    return sorted(spans, key=lambda span: (span.on, span.channel, span.pitch))


_OFF, _PROGRAM, _ON = range(3)
"""The order of messages on one tick."""


def _track(name: str, spans: Sequence[_Span], end_tick: int) -> MidiTrack:
    events: list[tuple[int, int, Message]] = []
    program_on: dict[int, int] = {}
    for span in spans:
        channel, pitch = span.channel, span.pitch
        if span.program is not None and program_on.get(channel) != span.program:
            program_on[channel] = span.program
            change = Message("program_change", channel=channel, program=span.program)
            events.append((span.on, _PROGRAM, change))
        on = Message("note_on", channel=channel, note=pitch, velocity=span.velocity)
        off = Message("note_off", channel=channel, note=pitch)
        events += [(span.on, _ON, on), (span.off, _OFF, off)]
    events.sort(key=lambda event: event[:2])
    title = (0, MetaMessage("track_name", name=name))
    return _timed([title, *((tick, message) for tick, _, message in events)], end_tick)


def _timed(events: Sequence[tuple[int, Message | MetaMessage]], end_tick: int) -> MidiTrack:
    """Return a track of messages at rising ticks that lasts to `end_tick` at least.

    Each message must be new: its time is written into it.
    """
    track = MidiTrack()
    now = 0
    for tick, message in [*events, (max(end_tick, events[-1][0]), MetaMessage("end_of_track"))]:
        message.time = tick - now
        track.append(message)
        now = tick
    return track
