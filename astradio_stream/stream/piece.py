"""A piece: some seconds of a programme, with a beginning and an end, ready for files and pages.

::

    piece_of(programme, score, span)   what is told: palette, gates, text, events, tempo map
    piece_midi(score, span)            the same notes for other instruments
    piece_packets, piece_pcm           the sound, a segment at a time
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from astradio_stream import __version__
from astradio_stream.music.controls import controls_to_json
from astradio_stream.music.facts import Subject
from astradio_stream.music.heard import heard_of
from astradio_stream.music.midi import midi_of
from astradio_stream.music.text import text_of, voice_sentences
from astradio_stream.music.theme import gates_of_span, notes_begun
from astradio_stream.music.why import why_of
from astradio_stream.sky.bodies import BODY_INDEX
from astradio_stream.sky.chart import chart_at
from astradio_stream.stream.modes import MODES
from astradio_stream.stream.segment import packets_of
from astradio_stream.units import SEGMENT_SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from astradio_stream.music.gates import Gates
    from astradio_stream.music.midi import TempoMark
    from astradio_stream.music.note import Note
    from astradio_stream.music.score import Event, Score
    from astradio_stream.music.text import Block
    from astradio_stream.sky.values import Chart
    from astradio_stream.stream.programme import Programme
    from astradio_stream.stream.segment import Rendition

TITLE: Final = "Astradio Stream"
"""Of every file."""

# fmt: off
_NAMES: Final = {
    # mode: what its charts are called, whose voices play the theme first
    "transit":       ("sky",),
    "natal":         ("birth",),
    "overlay":       ("birth", "sky"),
    "compatibility": ("first birth", "second birth"),
    "sandbox":       (),
}
_SOURCES: Final = {
    # mode: what key, mode and tempo are read from
    "transit":       "the sky",
    "natal":         "the birth",
    "overlay":       "the birth and the sky",
    "compatibility": "both births",
    "sandbox":       "the controls",
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Span:
    """From which sample index on, and up to which."""

    start: int
    stop: int
    """The index after the last."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What is told of a span of a programme; all of it follows from these two."""

    programme: Programme
    span: Span
    chart: Chart
    """What `ready` and compose show: the sky at its beginning, or the (first) birth."""
    palette: Mapping[str, object]
    """At its beginning."""
    gates: Gates
    blocks: tuple[Block, ...]
    """Its text."""
    voices: tuple[str, ...]
    """A sentence for each body: what it plays here, and where it stands; none without a sky."""
    events: tuple[tuple[Event, str], ...]
    """What happens, and why it is heard."""
    tempo_map: tuple[TempoMark, ...]
    """The first mark may lie before the beginning."""


def piece_of(programme: Programme, score: Score, span: Span, style: str = "concise") -> Piece:
    """Return what is told of a span of a programme.

    Args:
        programme: What is played.
        score: As the programme's audio model composes it.
        span: Whole samples, at least one.
        style: Of the text, one of `text.STYLES`.

    Raises:
        ValidationFailed: if there is no such style.
    """
    charts = _charts_of(programme, span.start)
    events = score.events(span.start, span.stop)
    struck: dict[int, list[Note]] = {event.index: [] for event in events}

    def noted() -> Iterator[Note]:
        """Pass the notes of the span, and keep those that begin with an event."""
        for note in notes_begun(score, span.start, span.stop):
            if note.onset in struck:
                struck[note.onset].append(note)
            yield note

    heard = heard_of(noted(), span.stop - span.start)
    subject = Subject(
        palette=score.palette_json(span.start),
        charts=charts,
        names=_NAMES[programme.mode],
        is_moving=programme.mode == "transit" and programme.rate > 0,
        wished=tuple(controls_to_json(programme.controls_at(span.start))),
        heard=heard,
        is_veiled=bool(programme.saved_charts),
    )
    gates = gates_of_span(score, span.start, span.stop)
    source = _SOURCES[programme.mode]
    return Piece(
        programme=programme,
        span=span,
        chart=_chart_shown(programme, charts, span.start),
        palette=subject.palette,
        gates=gates,
        blocks=tuple(text_of(subject, gates, style)),
        voices=voice_sentences(charts[0], heard) if charts else (),
        events=tuple(
            (event, why_of(event, _telling(event, struck[event.index]), source)) for event in events
        ),
        tempo_map=score.tempo_map(span.start, span.stop),
    )


def piece_midi(score: Score, span: Span) -> bytes:
    """Return the notes that begin in a span as a Standard MIDI File that lasts as long."""
    return midi_of(score, span.start, span.stop, TITLE)


def _charts_of(programme: Programme, index: int) -> tuple[Chart, ...]:
    """Return the charts that are played: births, and under a moving sky that sky."""
    charts = tuple(birth.chart() for birth in programme.births)
    if MODES[programme.mode].has_moving_sky:
        charts += (chart_at(programme.moment_at(index), programme.place),)
    return charts


def _chart_shown(programme: Programme, charts: tuple[Chart, ...], index: int) -> Chart:
    if not charts:
        return chart_at(programme.moment_at(index), programme.place)
    return charts[-1] if MODES[programme.mode].has_moving_sky else charts[0]


def _telling(event: Event, struck: list[Note]) -> list[Note]:
    """Return the notes that tell of an event; one without bodies may be told by any."""
    if not event.bodies:
        return struck
    voice = BODY_INDEX.get(event.bodies[0])
    return [note for note in struck if note.voice == voice]


# The sound


def piece_tags(programme: Programme) -> dict[str, str]:
    """Return what a file of the sound says about itself, as Vorbis comments."""
    return {
        "title": TITLE,
        "programme": programme.programme_id,
        "encoder": f"astradio-stream {__version__}",
    }


def piece_segments(first: int, n_samples: int) -> range:
    """Return the segments whose packets a piece needs, that of its last look-ahead included."""
    return range(first, first + n_samples // SEGMENT_SAMPLES + 1)


def piece_packets(
    rendition: Rendition, first: int, n_samples: int, bitrate: int
) -> Iterator[tuple[bytes, ...]]:
    """Yield the packets of a piece, a segment at a time.

    Args:
        rendition: The programme being played.
        first: Number of the segment at which the piece begins.
        n_samples: Its length.
        bitrate: Of the packets (bits per second).
    """
    for number in piece_segments(first, n_samples):
        yield packets_of(rendition.segment(number), bitrate)


def piece_pcm(rendition: Rendition, first: int, n_samples: int) -> Iterator[NDArray[np.int16]]:
    """Yield the samples of a piece, a segment at a time, the last one cut to length."""
    for start in range(0, n_samples, SEGMENT_SAMPLES):
        n_here = min(SEGMENT_SAMPLES, n_samples - start)
        yield rendition.pcm(first * SEGMENT_SAMPLES + start, n_here)
