"""A piece as JSON: the parts of the answer of compose, in its shapes, and what a file adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from astradio_stream.music.text import digest_of
from astradio_stream.sky.chart_json import chart_to_json
from astradio_stream.sky.features import FEATURES_VERSION
from astradio_stream.stream.veil import shown_chart, shown_hash
from astradio_stream.units import SAMPLE_RATE_HZ, samples_to_seconds

if TYPE_CHECKING:
    from astradio_stream.music.midi import TempoMark
    from astradio_stream.music.score import Event
    from astradio_stream.sky.values import Chart
    from astradio_stream.stream.piece import Piece
    from astradio_stream.stream.programme import Programme


def compose_parts(piece: Piece, codec: str) -> dict[str, Any]:
    """Return the parts of the answer of compose that need no sound.

    Args:
        piece: What is told.
        codec: Name and version of the Opus library that encodes, or would.
    """
    blocks = list(piece.blocks)
    return {
        "programmeId": piece.programme.programme_id,
        "programme": piece.programme.to_json(),
        "chart": shown_chart(piece.programme, piece.chart),
        "palette": dict(piece.palette),
        "text": {"blocks": blocks, "digest": f"sha256:{digest_of(blocks)}"},
        "gates": piece.gates.to_json(),
        "provenance": provenance_to_json(piece.programme, piece.chart, codec),
    }


def piece_to_json(piece: Piece, codec: str) -> dict[str, Any]:
    """Return everything that is told of a piece, for a file beside its sound."""
    return compose_parts(piece, codec) | {
        "from": piece.span.start,
        "to": piece.span.stop,
        "durationS": samples_to_seconds(piece.span.stop - piece.span.start),
        "births": [chart_to_json(birth.chart()) for birth in piece.programme.births],
        "voices": list(piece.voices),
        "events": [event_to_json(event) | {"why": why} for event, why in piece.events],
        "tempoMap": [mark_to_json(mark) for mark in piece.tempo_map],
    }


def event_to_json(event: Event) -> dict[str, Any]:
    """Return an event with the fields that it has on the wire."""
    return {
        "index": event.index,
        "kind": event.kind,
        "text": event.text,
        "bodies": list(event.bodies),
    }


def mark_to_json(mark: TempoMark) -> dict[str, Any]:
    """Return what holds from a bar line on; the tempo is for people, the fraction is exact."""
    beat = mark.samples_per_beat
    return {
        "index": mark.index,
        "tempoBpm": round(float(60 * SAMPLE_RATE_HZ / beat), 4),
        "samplesPerBeat": [beat.numerator, beat.denominator],
        "beatsPerBar": mark.beats_per_bar,
        "key": mark.key,
        "mode": mark.mode,
    }


def provenance_to_json(programme: Programme, chart: Chart, codec: str) -> dict[str, Any]:
    """Return which sky, seed and builds made a piece."""
    return {
        "chartHash": shown_hash(programme, chart),
        "seed": programme.seed,
        "featuresVersion": FEATURES_VERSION,
        "houseSystem": chart.house_system_used,
        "tzDiscipline": "utc",
        "codec": codec,
        "modelVersions": programme.model_versions.to_json(),
    }
