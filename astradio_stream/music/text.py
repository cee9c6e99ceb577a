"""A score in words: what it is, why it sounds so, and who is heard.

Texts are put together from `facts`, which state a placement or a figure; adjectives come from
`words` alone. Where the calibrated gates fail nothing is praised: there are facts and hints. Why an
event is heard is told by `why`.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

import rfc8785

from astradio_stream.errors import Detail, ValidationFailed
from astradio_stream.music.facts import (
    element_fact,
    exact_place,
    facts_of,
    figures_of,
    genre_noun,
    heard_fact,
    key_of,
    lights,
    meeting,
    number_word,
    phase_word,
    placement,
    sign_word,
    tempo_of,
)
from astradio_stream.music.gates import GATES
from astradio_stream.music.words import ROLES, figure_of, with_article, words_of
from astradio_stream.sky.bodies import PLANET_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from astradio_stream.music.facts import Subject
    from astradio_stream.music.gates import Gates
    from astradio_stream.music.heard import Heard
    from astradio_stream.music.words import Word
    from astradio_stream.sky.values import Chart

STYLES: Final = ("concise", "poetic", "technical")
SHORT_CHARACTERS: Final = 120
LONG_CHARACTERS: Final = 300
MOST_BULLETS: Final = 6

Block = dict[str, str | list[str]]
"""``{"type": "short" | "long", "content": text}`` or ``{"type": "bullets", "content": [text]}``."""


def text_of(subject: Subject, gates: Gates, style: str = "concise") -> list[Block]:
    """Return the text of a piece: a short and a long block, and four to six bullets.

    Args:
        subject: What it is about.
        gates: Of the melody; where the calibrated ones fail the text praises nothing.
        style: One of `STYLES`.

    Raises:
        ValidationFailed: if there is no such style.
    """
    if style not in STYLES:
        raise ValidationFailed([Detail("style", f"style must be one of {', '.join(STYLES)}")])
    passes = gates.calibrated["overall"]
    bullets = _bullets(subject) if passes else [*gates.hints, *facts_of(subject)]
    sentences = {"concise": _concise, "poetic": _poetic, "technical": _technical}[style]
    short, long = sentences(subject) if passes else _withheld(subject, gates)
    return [
        {"type": "short", "content": _first_that_fits(short, SHORT_CHARACTERS)},
        {"type": "long", "content": _as_many_as_fit(long, LONG_CHARACTERS)},
        {"type": "bullets", "content": bullets[:MOST_BULLETS]},
    ]


def digest_of(blocks: Sequence[Block]) -> str:
    """Return the SHA-256 (hexadecimal) of the canonical JSON (RFC 8785) of the blocks."""
    return sha256(rfc8785.dumps([dict(block) for block in blocks])).hexdigest()


def voice_sentences(
    chart: Chart, heard: Heard | None = None, roles: Mapping[str, str] = ROLES
) -> tuple[str, ...]:
    """Return a sentence per body: "The Moon moves the chord: waxing, in Taurus".

    Args:
        chart: Whose bodies play.
        heard: What the notes are, where that was measured: who is silent rests.
        roles: What each does, by its name; bodies that it lacks are left out.
    """
    return tuple(_voice(chart, name, heard, roles) for name in PLANET_NAMES if name in roles)


def _voice(chart: Chart, name: str, heard: Heard | None, roles: Mapping[str, str] = ROLES) -> str:
    plays = heard is None or heard.plays(name)
    does = roles[name] if plays else "rests"
    return f"{with_article(name)} {does}: {placement(chart, chart.body(name))}."


def _bullets(subject: Subject) -> list[str]:
    told = [f"{word.adjective} ({_reason(word, subject)})" for word in _words(subject)]
    facts = facts_of(subject)
    return [*facts[: MOST_BULLETS - 1], f"Character: {', '.join(told)}."] if told else facts


def _words(subject: Subject) -> tuple[Word, ...]:
    return words_of(subject.chart, subject.palette)


def _reason(word: Word, subject: Subject) -> str:
    """Return the figure that allows a word: ``tempo 125`` or ``fire 45%``."""
    figure = figure_of(word.source, subject.chart, subject.palette)
    table, _, name = word.source.partition(".")
    if name:
        return f"{name} {figure:.0%}"
    return f"{_FIGURE_NAMES.get(table, table)} {number_word(figure)}"


_FIGURE_NAMES: Final = {"tempoBpm": "tempo", "arcShape": "swell"}
"""How figures are called; the others go by their names."""


# Styles: candidates for the short block, longest first, and sentences for the long one

_Told = tuple[list[str], list[str]]


def _concise(subject: Subject) -> _Told:
    music = _sentence_case(_music(subject))
    pace = f"{music}, {tempo_of(subject.palette)}"
    short = [f"{pace}.", f"{music}."]
    long = [f"{pace}."]
    if len(subject.charts) > 1:
        suns = " and ".join(sign_word(chart, "sun") for chart in subject.charts)
        short.insert(0, f"{pace}: Suns in {suns}.")
        long += meeting(subject)
    elif subject.charts:
        short.insert(0, f"{pace}: {lights(subject.charts[0])}.")
    long += [_voice(chart, name, subject.heard) for chart in subject.charts[:1] for name in _LIGHTS]
    return short, [*long, *meeting(subject), *heard_fact(subject), *element_fact(subject)]


def _poetic(subject: Subject) -> _Told:
    music = _music(subject)
    made = f"{_sentence_case(music)}, {tempo_of(subject.palette)}."
    if not subject.charts:
        opening = "Under no sky, by the controls alone"
        return [f"{opening}: {music}.", f"{_sentence_case(music)}."], [
            f"{opening}.",
            made,
            *heard_fact(subject),
        ]
    chart = subject.charts[0]
    if len(subject.charts) > 1:
        openings = [f"The {subject.names[0]} meets the {subject.names[1]}"]
    else:
        moon = f"The Moon {phase_word(chart).replace('ing', 'es')} in {sign_word(chart, 'moon')}"
        openings = [f"{moon}, the Sun stands in {sign_word(chart, 'sun')}", moon]
    short = [*(f"{opening}: {music}." for opening in openings), f"{_sentence_case(music)}."]
    return short, [f"{openings[0]}.", *_moves(subject), made, *meeting(subject)]


def _moves(subject: Subject) -> list[str]:
    """Return what the lights do, as far as it can be heard."""
    heard = subject.heard
    if heard is None:
        return []
    told = {1: ["The Moon's line rises."], -1: ["The Moon's line falls."]}.get(heard.moon_line, [])
    return [*told, *(["The Sun leads with the theme."] if heard.plays("sun") else [])]


def _technical(subject: Subject) -> _Told:
    palette = subject.palette
    words = ", ".join(word.adjective for word in _words(subject))
    metre = [str(palette["metre"])] if palette.get("metre") else []
    head = ", ".join([key_of(palette), tempo_of(palette), *metre])
    figures = figures_of(palette)
    places = [
        ", ".join(exact_place(chart.body(name)) for name in _LIGHTS) for chart in subject.charts
    ]
    short = [f"{head}; {figures}.", f"{head}."]
    if places:
        short = [f"{head}; {figures}; {places[0]}.", f"{head}; {places[0]}.", f"{head}."]
    lines = [f"{line}." for line in (head, _sentence_case(figures), *places)]
    long = [*lines, *meeting(subject), *([f"In words: {words}."] if words else [])]
    return short, [*long, *heard_fact(subject), *element_fact(subject)]


def _withheld(subject: Subject, gates: Gates) -> _Told:
    failed = [gate for gate in GATES if not gates.calibrated[gate.name]]
    music = f"Music in {key_of(subject.palette)}, {tempo_of(subject.palette)}"
    verdict = f"The melody misses {len(failed)} of {len(GATES)} gates; the hints say why"
    figures = ", ".join(
        f"{gate.name} {number_word(gates.scores[gate.name])} of {number_word(gate.calibrated)}"
        for gate in failed
    )
    return [f"{music}. {verdict}.", f"{music}."], [
        f"{music}.",
        f"The melody misses {len(failed)} of {len(GATES)} gates: {figures}.",
        *meeting(subject),
    ]


_LIGHTS: Final = ("sun", "moon")


def _music(subject: Subject) -> str:
    words = [word.adjective for word in _words(subject)][:3]
    adjectives = " and ".join(filter(None, (", ".join(words[:-1]), "".join(words[-1:]))))
    return f"{adjectives} {genre_noun(subject.palette)} in {key_of(subject.palette)}".strip()


def _first_that_fits(candidates: Sequence[str], most: int) -> str:
    return next((text for text in candidates if len(text) <= most), candidates[-1][:most])


def _as_many_as_fit(sentences: Sequence[str], most: int) -> str:
    """Return the sentences that there is room for, in their order, none twice."""
    text = ""
    for sentence in dict.fromkeys(sentences):
        longer = f"{text} {sentence}".strip()
        if len(longer) <= most:
            text = longer
    return text


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]
