"""The words in which music and sky are told: each adjective beside the rule that allows it.

A text uses an adjective only where the figure of its row lies in the row's range, so that every
word can be asked for its reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from astradio_stream.sky.values import Chart


@dataclass(frozen=True, slots=True)
class Word:
    """One adjective and the rule that allows it."""

    adjective: str
    source: str
    """A figure of the palette (`tempoBpm`) or of the chart (`elements.fire`)."""
    lowest: float
    """From which value of the figure."""
    below: float
    """Up to which value, exclusive."""


# fmt: off
WORDS: Final = (
    #    adjective     figure                 from   below
    Word("slow",       "tempoBpm",             0.0,  72.0),
    Word("unhurried",  "tempoBpm",            72.0,  92.0),
    Word("walking",    "tempoBpm",            92.0, 112.0),
    Word("brisk",      "tempoBpm",           112.0, 140.0),
    Word("fast",       "tempoBpm",           140.0, 1e9),
    Word("dark",       "brightness",           0.0,   0.35),
    Word("mellow",     "brightness",           0.35,  0.65),
    Word("bright",     "brightness",           0.65,  1e9),
    Word("calm",       "tension",              0.0,   0.35),
    Word("tense",      "tension",              0.65,  1e9),
    Word("sparse",     "density",              0.0,   0.35),
    Word("busy",       "density",              0.65,  1e9),
    Word("close",      "space",                0.0,   0.35),
    Word("wide",       "space",                0.65,  1e9),
    Word("syncopated", "syncopation",          0.65,  1e9),
    Word("swelling",   "arcShape",             0.65,  1e9),
    Word("fiery",      "elements.fire",        0.40,  1e9),
    Word("earthy",     "elements.earth",       0.40,  1e9),
    Word("airy",       "elements.air",         0.40,  1e9),
    Word("watery",     "elements.water",       0.40,  1e9),
    Word("initiating", "modalities.cardinal",  0.50,  1e9),
    Word("steady",     "modalities.fixed",     0.50,  1e9),
    Word("changeable", "modalities.mutable",   0.50,  1e9),
)

ROLES: Final = {
    "sun":     "leads with the theme",
    "moon":    "moves the chord",
    "mercury": "plays the figures",
    "venus":   "adds thirds and sixths",
    "mars":    "marks the accents",
    "jupiter": "opens the chord above",
    "saturn":  "holds the bass",
    "uranus":  "strikes off the beat",
    "neptune": "sustains the harmony",
    "pluto":   "sounds the root below",
}
"""What each body does in a score, for a sentence after its name."""

DIGNITY_WORDS: Final = {
    "domicile":   "in domicile",
    "exaltation": "exalted",
    "detriment":  "in detriment",
    "fall":       "in fall",
}

GENRE_NOUNS: Final = {
    "ambient":    "ambient music",
    "classical":  "classical music",
    "jazz":       "jazz",
    "electronic": "electronic music",
    "lofi":       "lofi music",
    "house":      "house music",
}
"""What a genre's music is called."""

INSTRUMENT_WORDS: Final = {
    "epiano":     "electric piano",
    "sub":        "sub bass",
    "upright":    "upright bass",
    "organbass":  "organ bass",
    "saw":        "saw wave",
    "lead":       "lead synth",
    "pluck":      "plucked string",
    "air":        "air noise",
    "noise":      "sea noise",
    "vinyl":      "vinyl noise",
}
"""Instruments whose name is no word; the others are called by their names."""
# fmt: on


def figure_of(source: str, chart: Chart | None, palette: Mapping[str, object]) -> float | None:
    """Return the figure that a word asks for, None where there is none."""
    table, _, name = source.partition(".")
    if not name:
        value = palette.get(source)
        return float(value) if isinstance(value, (int, float)) else None
    if chart is None:
        return None
    shares = chart.elements if table == "elements" else chart.modalities
    return shares[name]


def words_of(chart: Chart | None, palette: Mapping[str, object]) -> tuple[Word, ...]:
    """Return the words that a chart and a palette allow, in the order of the table."""
    allowed = []
    for word in WORDS:
        figure = figure_of(word.source, chart, palette)
        if figure is not None and word.lowest <= figure < word.below:
            allowed.append(word)
    return tuple(allowed)


def instrument_word(instrument: str) -> str:
    """Return what an instrument is called, without its velocity layer."""
    name = instrument.partition(".")[0]
    return INSTRUMENT_WORDS.get(name, name)


def body_word(body: str) -> str:
    """Return the name of a body for people: `Mean Node`."""
    return body.replace("_", " ").title()


def with_article(body: str) -> str:
    """Return the name of a body as it begins a sentence: `The Moon`, `Venus`."""
    return f"The {body_word(body)}" if body in ("sun", "moon") else body_word(body)
