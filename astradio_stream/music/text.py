"""A score in words: what it is, why it sounds so, and what one hears right now.

Texts are put together from sentences that state a placement or a figure; adjectives come from
`words` alone. Where the calibrated gates fail nothing is praised: there are facts and hints.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final, Protocol

import rfc8785

from astradio_stream.errors import Detail, ValidationFailed
from astradio_stream.music.gates import GATES
from astradio_stream.music.words import (
    ASPECT_ARCS,
    ASPECT_NATURES,
    DIGNITY_WORDS,
    LUNATION_EFFECTS,
    NATURE_EFFECTS,
    ROLES,
    words_of,
)
from astradio_stream.sky.between import synastry_of
from astradio_stream.sky.bodies import PLANET_NAMES
from astradio_stream.sky.zodiac import SIGNS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from astradio_stream.music.gates import Gates
    from astradio_stream.sky.aspects import Aspect
    from astradio_stream.sky.values import Chart, Position

STYLES: Final = ("concise", "poetic", "technical")
SHORT_CHARACTERS: Final = 120
LONG_CHARACTERS: Final = 300
FEWEST_BULLETS: Final = 4
MOST_BULLETS: Final = 6

Block = dict[str, str | list[str]]
"""``{"type": "short" | "long", "content": text}`` or ``{"type": "bullets", "content": [text]}``."""


class Happening(Protocol):
    """An event of a score or of the sky."""

    @property
    def kind(self) -> str:
        """Return aspect, ingress, lunation, station, section, key or another word."""
        ...

    @property
    def text(self) -> str:
        """Return a plain sentence: ``Moon enters Taurus``."""
        ...

    @property
    def bodies(self) -> tuple[str, ...]:
        """Return the names of the bodies it speaks of."""
        ...


def text_of(
    charts: Sequence[Chart], palette: Mapping[str, object], gates: Gates, style: str = "concise"
) -> list[Block]:
    """Return the text of a piece: a short and a long block, and four to six bullets.

    Args:
        charts: One chart; or two, the one whose voices play first.
        palette: As of `Score.palette_json`; figures that it lacks are not told.
        gates: Of the melody; where the calibrated ones fail the text praises nothing.
        style: One of `STYLES`.

    Raises:
        ValidationFailed: if there is no such style.
    """
    if style not in STYLES:
        raise ValidationFailed([Detail("style", f"must be one of {', '.join(STYLES)}")])
    passes = gates.calibrated["overall"]
    bullets = _bullets(charts, palette) if passes else [*gates.hints, *_facts(charts, palette)]
    sentences = {"concise": _concise, "poetic": _poetic, "technical": _technical}[style]
    short, long = sentences(charts, palette) if passes else _withheld(charts, palette, gates)
    return [
        {"type": "short", "content": _first_that_fits(short, SHORT_CHARACTERS)},
        {"type": "long", "content": _as_many_as_fit(long, LONG_CHARACTERS)},
        {"type": "bullets", "content": bullets[:MOST_BULLETS]},
    ]


def digest_of(blocks: Sequence[Block]) -> str:
    """Return the SHA-256 (hexadecimal) of the canonical JSON (RFC 8785) of the blocks."""
    return sha256(rfc8785.dumps([dict(block) for block in blocks])).hexdigest()


def voice_sentences(chart: Chart, roles: Mapping[str, str] = ROLES) -> tuple[str, ...]:
    """Return a sentence per body: "The Moon carries the moving line: waxing, in Taurus".

    Args:
        chart: Whose bodies play.
        roles: What each does, by its name; bodies that it lacks are left out.
    """
    return tuple(
        f"{_the(name)} {roles[name]}: {_placement(chart, chart.body(name))}."
        for name in PLANET_NAMES
        if name in roles
    )


def why_of(event: Happening) -> str:
    """Return why one hears an event: what it is in the sky or in the form, and what it does."""
    tell = _WHY.get(event.kind)
    told = tell(event.text.casefold(), event.bodies) if tell else ""
    return told or event.text.rstrip(".") + "."


def _why_aspect(text: str, bodies: tuple[str, ...]) -> str:
    # The longest name first: "semisextile" contains "sextile".
    kinds = sorted(ASPECT_ARCS, key=len, reverse=True)
    kind = next((kind for kind in kinds if kind in text), None)
    if kind is None or len(bodies) < 2:
        return ""
    apart = f"{_name(bodies[0])} and {_name(bodies[1])} stand {ASPECT_ARCS[kind]} apart"
    return f"{apart}, {_a(kind)}. {NATURE_EFFECTS[ASPECT_NATURES[kind]]}"


def _why_ingress(text: str, bodies: tuple[str, ...]) -> str:
    sign = next((sign for sign in SIGNS if sign.name in text), None)
    if sign is None or not bodies:
        return ""
    moved = (
        "the key goes by the Sun's sign" if bodies[0] == "sun" else "its element has more to say"
    )
    nature = f"{_a(sign.element)} sign, {sign.modality}"
    return f"{_the(bodies[0])} enters {sign.name.title()}, {nature}: {moved}."


def _why_lunation(text: str, _bodies: tuple[str, ...]) -> str:
    name = text.replace("_", " ")
    return next((why for key, why in LUNATION_EFFECTS.items() if key in name), "")


def _why_station(text: str, bodies: tuple[str, ...]) -> str:
    way = "east again" if "direct" in text else "west"
    return f"{_the(bodies[0])} stands still, then moves {way} among the signs." if bodies else ""


def _why_key(_text: str, bodies: tuple[str, ...]) -> str:
    lead = f"{_the(bodies[0])} leads it. " if bodies else ""
    return f"A movement begins. {lead}Key, mode and tempo are read from the sky anew."


def _why_section(_text: str, _bodies: tuple[str, ...]) -> str:
    return "The form goes on: voices enter and leave. It is form, not an event of the sky."


_WHY: Final[dict[str, Callable[[str, tuple[str, ...]], str]]] = {
    "aspect": _why_aspect,
    "ingress": _why_ingress,
    "lunation": _why_lunation,
    "station": _why_station,
    "key": _why_key,
    "section": _why_section,
}
"""By kind of event: (its text in lower case, its bodies) -> sentences, or nothing to say."""


# Facts: sentences without adjectives


def _facts(charts: Sequence[Chart], palette: Mapping[str, object]) -> list[str]:
    """Return one to six sentences that state placements and figures only."""
    chart = charts[0]
    facts = [_key_fact(chart, palette)] if "key" in palette else []
    facts += [fact for fact in (_tempo_fact(palette),) if fact]
    facts.append(f"The Moon is {_phase(chart)}, in {_sign(chart, 'moon')}.")
    if len(charts) > 1:
        facts.append(f"The other chart: {_lights(charts[1])}.")
    facts += [*_meeting(charts), _element_fact(chart)]
    dominant = chart.body(chart.dominant_body)
    facts.append(f"Dominant body: {_name(dominant.name)}, {_placement(chart, dominant)}.")
    return facts


def _bullets(charts: Sequence[Chart], palette: Mapping[str, object]) -> list[str]:
    figures = ("tempoBpm", "brightness", "tension", "density", "space")
    told = [
        f"{word.adjective} ({_figure_name(word.source)} {_number(palette[word.source])})"
        for word in words_of(charts[0], palette)
        if word.source in figures
    ]
    facts = _facts(charts, palette)
    return [*facts[:5], f"Character: {', '.join(told)}."] if told else facts


def _key_fact(chart: Chart, palette: Mapping[str, object]) -> str:
    key = f"{palette['key']} {palette.get('mode', '')}".strip()
    sign = next(i for i, sign in enumerate(SIGNS) if sign.name == chart.body("sun").sign)
    # Only where the rule gave this key is it named as the reason: wishes and movements change it.
    if palette["key"] == _KEY_BY_SIGN[sign]:
        return f"Key: {key}, by fifths from Aries = C to the Sun in {SIGNS[sign].name.title()}."
    return f"Key: {key}. The Sun is in {SIGNS[sign].name.title()}."


_KEY_BY_SIGN: Final = ("C", "G", "D", "A", "E", "B", "F#", "C#", "Ab", "Eb", "Bb", "F")


def _tempo_fact(palette: Mapping[str, object]) -> str:
    if "tempoBpm" not in palette:
        return ""
    metre = f" in {palette['metre']}" if "metre" in palette else ""
    genre = f", {palette['genre']}" if palette.get("genre") else ""
    return f"Tempo: {_number(palette['tempoBpm'])} beats per minute{metre}{genre}."


def _element_fact(chart: Chart) -> str:
    element = max(chart.elements, key=lambda name: chart.elements[name])
    return (
        f"{element.title()} has the largest share of the elements: {chart.elements[element]:.0%}."
    )


def _aspect_fact(charts: Sequence[Chart]) -> str:
    if len(charts) > 1:
        met = synastry_of(charts[0], charts[1])
        if not met:
            return ""
        first = met[0]
        return (
            f"Between the charts: {_name(first.a)} {first.kind} {_name(first.b)}, "
            f"orb {_degrees(first.orb_deg)}."
        )
    if not charts[0].aspects:
        return ""
    return f"Strongest aspect: {_aspect(charts[0].aspects[0])}."


def _aspect(aspect: Aspect) -> str:
    return (
        f"{_name(aspect.a)} {aspect.kind} {_name(aspect.b)}, orb {_degrees(aspect.orb_deg)}"
        + _exactness(aspect.exact_in_hours)
    )


def _exactness(hours: float | None) -> str:
    """Return ``, exact in 2 h 10 min``; beyond two days it is told in days, beyond thirty not."""
    if hours is None or abs(hours) > 720.0:
        return ""
    minutes = round(abs(hours) * 60.0)
    if minutes >= 48 * 60:
        span = f"{round(minutes / 1440)} days"
    else:
        span = " ".join(
            part for part in (f"{minutes // 60} h" * (minutes >= 60), f"{minutes % 60} min") if part
        )
    return f", exact in {span}" if hours >= 0.0 else f", exact {span} ago"


# Styles: candidates for the short block, longest first, and sentences for the long one

_Told = tuple[list[str], list[str]]


def _concise(charts: Sequence[Chart], palette: Mapping[str, object]) -> _Told:
    chart = charts[0]
    music = _sentence_case(_music(chart, palette))
    pace = f"{music}, {_tempo(palette)}"
    short = [f"{pace}: {_lights(chart)}.", f"{pace}.", f"{music}."]
    moon = f"The Moon {ROLES['moon']}: {_placement(chart, chart.body('moon'))}."
    sun = f"The Sun {ROLES['sun']}: {_placement(chart, chart.body('sun'))}."
    return short, [f"{pace}.", sun, moon, *_meeting(charts), _element_fact(chart)]


def _poetic(charts: Sequence[Chart], palette: Mapping[str, object]) -> _Told:
    chart = charts[0]
    verb = "waxes" if chart.phase_deg < 180.0 else "wanes"
    moon = f"The Moon {verb} in {_sign(chart, 'moon')}"
    music = _music(chart, palette)
    sun = f"the Sun stands in {_sign(chart, 'sun')}"
    short = [f"{moon}, {sun}: {music}.", f"{moon}: {music}.", f"{_sentence_case(music)}."]
    way = "rises" if chart.phase_deg < 180.0 else "falls"
    long = [
        f"{moon}, and its line {way}.",
        f"{_sentence_case(sun)} and leads with the theme.",
        f"Together they make {music}, {_tempo(palette)}.",
        *_meeting(charts),
    ]
    return short, [*long, _element_fact(chart)]


def _technical(charts: Sequence[Chart], palette: Mapping[str, object]) -> _Told:
    chart = charts[0]
    words = ", ".join(word.adjective for word in words_of(chart, palette))
    head = ", ".join([_key(palette), _tempo(palette), *_optional(palette, "metre")])
    figures = ", ".join(
        f"{_figure_name(name)} {_number(palette[name])}" for name in _FIGURES if name in palette
    )
    lights = ", ".join(_exact_place(chart.body(name)) for name in ("sun", "moon"))
    short = [f"{head}; {figures}; {lights}.", f"{head}; {lights}.", f"{head}."]
    long = [f"{head}.", f"{_sentence_case(figures)}.", f"{lights}.", *_meeting(charts)]
    return short, [*long, *([f"In words: {words}."] if words else []), _element_fact(chart)]


def _withheld(charts: Sequence[Chart], palette: Mapping[str, object], gates: Gates) -> _Told:
    failed = [gate for gate in GATES if not gates.calibrated[gate.name]]
    music = f"Music in {_key(palette)}, {_tempo(palette)}"
    verdict = f"The melody misses {len(failed)} of {len(GATES)} gates; the hints say why"
    figures = ", ".join(
        f"{gate.name} {_number(gates.scores[gate.name])} of {_number(gate.calibrated)}"
        for gate in failed
    )
    return [f"{music}. {verdict}.", f"{music}."], [
        f"{music}.",
        f"The melody misses {len(failed)} of {len(GATES)} gates: {figures}.",
        *_meeting(charts),
    ]


_FIGURES: Final = ("tension", "brightness", "density", "space")


def _adjectives(chart: Chart, palette: Mapping[str, object]) -> str:
    words = [word.adjective for word in words_of(chart, palette)][:3]
    return " and ".join(filter(None, (", ".join(words[:-1]), "".join(words[-1:]))))


def _music(chart: Chart, palette: Mapping[str, object]) -> str:
    return f"{_adjectives(chart, palette)} music in {_key(palette)}".strip()


def _meeting(charts: Sequence[Chart]) -> list[str]:
    fact = _aspect_fact(charts)
    return [fact] if fact else []


def _first_that_fits(candidates: Sequence[str], most: int) -> str:
    return next((text for text in candidates if len(text) <= most), candidates[-1][:most])


def _as_many_as_fit(sentences: Sequence[str], most: int) -> str:
    text = ""
    for sentence in sentences:
        longer = f"{text} {sentence}".strip()
        if len(longer) <= most:
            text = longer
    return text


# Small words


def _name(body: str) -> str:
    return body.replace("_", " ").title()


def _the(body: str) -> str:
    return f"The {_name(body)}" if body in ("sun", "moon") else _name(body)


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeio" else f"a {noun}"


def _sign(chart: Chart, body: str) -> str:
    return chart.body(body).sign.title()


def _phase(chart: Chart) -> str:
    return "waxing" if chart.phase_deg < 180.0 else "waning"


def _lights(chart: Chart) -> str:
    return f"Sun in {_sign(chart, 'sun')}, Moon {_phase(chart)} in {_sign(chart, 'moon')}"


def _placement(chart: Chart, body: Position) -> str:
    """Return ``waxing, in Taurus, exalted``."""
    motion = _phase(chart) if body.name == "moon" else "retrograde" * body.is_retrograde
    dignity = DIGNITY_WORDS[body.dignity] if body.dignity else ""
    return ", ".join(filter(None, (motion, f"in {body.sign.title()}", dignity)))


def _exact_place(body: Position) -> str:
    return f"{_name(body.name)} {_degrees(body.sign_degree)} {body.sign.title()}"


def _degrees(angle_deg: float) -> str:
    """Return degrees and minutes of arc, the minutes cut off as in every ephemeris."""
    minutes = int(angle_deg * 60.0)
    return f"{minutes // 60}°{minutes % 60:02d}′"


def _key(palette: Mapping[str, object]) -> str:
    return " ".join([*_optional(palette, "key"), *_optional(palette, "mode")]) or "no key"


def _tempo(palette: Mapping[str, object]) -> str:
    return f"{_number(palette.get('tempoBpm', 0.0))} beats per minute"


def _optional(palette: Mapping[str, object], name: str) -> list[str]:
    return [str(palette[name])] if palette.get(name) else []


def _figure_name(source: str) -> str:
    return "tempo" if source == "tempoBpm" else source


def _number(value: object) -> str:
    """Return a number with as many digits as an ear could tell apart."""
    if not isinstance(value, (int, float)):
        return str(value)
    text = f"{value:.1f}" if value >= 10.0 else f"{value:.3f}"
    return text.rstrip("0").rstrip(".")


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]
