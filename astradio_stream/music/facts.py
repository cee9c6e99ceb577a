"""What can be said of a piece without an adjective: placements, figures, and what is heard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from astradio_stream.music.theory import KEY_NAMES
from astradio_stream.music.words import DIGNITY_WORDS, GENRE_NOUNS, body_word
from astradio_stream.sky.between import synastry_of
from astradio_stream.sky.zodiac import SIGN_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from astradio_stream.music.heard import Heard
    from astradio_stream.sky.aspects import Aspect
    from astradio_stream.sky.values import Chart, Position

_MOST_PARTS: Final = 3
_LONGEST_HOURS: Final = 720.0
"""How far off exactness is still told: a month."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a text is about."""

    palette: Mapping[str, object]
    """As of `Score.palette_json`; figures that it lacks are not told."""
    charts: tuple[Chart, ...] = ()
    """None, one, or two; whose voices play the theme comes first."""
    names: tuple[str, ...] = ()
    """What each chart is called: `sky`, `birth`, `first birth`."""
    is_moving: bool = False
    """Whether the (only) chart is a sky that moves on, so that an aspect becomes exact."""
    wished: tuple[str, ...] = ()
    """Names of the controls that the listener decided."""
    heard: Heard | None = None
    """What the notes are, where that was measured."""
    is_veiled: bool = False
    """Whether a chart is somebody's who told their signs only: orbs are told in whole degrees."""

    @property
    def chart(self) -> Chart | None:
        """The chart whose voices play the theme."""
        return self.charts[0] if self.charts else None


def facts_of(subject: Subject) -> list[str]:
    """Return four or more sentences that state placements and figures only."""
    facts = [
        _key_fact(subject),
        _tempo_fact(subject),
        *_wish_fact(subject),
        *meeting(subject),
        *_moon_fact(subject),
        *heard_fact(subject),
        *element_fact(subject),
        *_dominant_fact(subject),
    ]
    return facts if len(facts) > 3 else [*facts, f"{_figures_fact(subject)}."]


def _key_fact(subject: Subject) -> str:
    key = f"Key: {key_of(subject.palette)}"
    chart = subject.chart
    if "key" in subject.wished:
        return f"{key}, as wished."
    if chart is None:
        return f"{key}."
    sign = chart.body("sun").sign
    # Only where the rule gave this key is it named as the reason: movements visit other keys.
    by_rule = KEY_NAMES[7 * SIGN_NAMES.index(sign) % 12]
    if subject.palette.get("key") == by_rule:
        return f"{key}, by fifths from Aries = C to the Sun in {sign.title()}."
    return f"{key}. The Sun is in {sign.title()}."


def _tempo_fact(subject: Subject) -> str:
    palette = subject.palette
    metre = f" in {palette['metre']}" if palette.get("metre") else ""
    genre = f", {genre_noun(palette)}" if palette.get("genre") else ""
    return f"Tempo: {tempo_of(palette)}{metre}{genre}."


def _moon_fact(subject: Subject) -> list[str]:
    if len(subject.charts) > 1:
        told = zip(subject.names, subject.charts, strict=True)
        return [" ".join(f"The {name}: {lights(chart)}." for name, chart in told)]
    return [
        f"The Moon is {phase_word(chart)}, in {sign_word(chart, 'moon')}."
        for chart in subject.charts
    ]


def heard_fact(subject: Subject) -> list[str]:
    """Return who is heard most, where that was measured."""
    heard = subject.heard
    if heard is None or not heard.parts:
        return []
    loudest = ", ".join(
        f"{body_word(part.body)} on {part.instrument}" for part in heard.parts[:_MOST_PARTS]
    )
    return [f"Heard most: {loudest}; {number_word(heard.notes_per_second)} notes a second."]


def element_fact(subject: Subject) -> list[str]:
    """Return which element is largest in the first chart, if there is one."""
    found = []
    for chart in subject.charts[:1]:
        element = max(chart.elements, key=lambda name: chart.elements[name])
        share = f"{chart.elements[element]:.0%}"
        found.append(f"{element.title()} has the largest share of the elements: {share}.")
    return found


def _dominant_fact(subject: Subject) -> list[str]:
    return [
        f"Dominant body: {body_word(chart.dominant_body)}, "
        f"{placement(chart, chart.body(chart.dominant_body))}."
        for chart in subject.charts[:1]
    ]


def _wish_fact(subject: Subject) -> list[str]:
    wished = [f"Wished: {', '.join(subject.wished)}."] if subject.wished else []
    if subject.charts:
        return wished
    return [" ".join(["No sky is read.", *(wished or ["Nothing is wished."])])]


def _figures_fact(subject: Subject) -> str:
    return f"Figures: {figures_of(subject.palette)}"


def meeting(subject: Subject) -> list[str]:
    """Return a sentence on the strongest aspect, of a chart or between two, if there is one."""
    if len(subject.charts) > 1:
        met = synastry_of(*subject.charts[:2])
        first, second = subject.names[:2]
        return [
            f"Strongest between them: {body_word(aspect.a)} of the {first} {aspect.kind} "
            f"{body_word(aspect.b)} of the {second}, orb {_orb(aspect, subject)}."
            for aspect in met[:1]
        ]
    return [
        f"Strongest aspect: {_aspect(aspect, subject)}."
        for chart in subject.charts
        for aspect in chart.aspects[:1]
    ]


def _aspect(aspect: Aspect, subject: Subject) -> str:
    told = f"{body_word(aspect.a)} {aspect.kind} {body_word(aspect.b)}"
    exact = exactness(aspect.exact_in_hours) if subject.is_moving else ""
    return f"{told}, orb {_orb(aspect, subject)}{exact}"


def _orb(aspect: Aspect, subject: Subject) -> str:
    return f"{aspect.orb_deg:.0f}°" if subject.is_veiled else _degrees(aspect.orb_deg)


def exactness(hours: float | None) -> str:
    """Return ``, exact in 2 h 10 min``; beyond two days it is told in days, beyond thirty not."""
    if hours is None or abs(hours) > _LONGEST_HOURS:
        return ""
    minutes = round(abs(hours) * 60.0)
    if minutes >= 48 * 60:
        span = f"{round(minutes / 1440)} days"
    else:
        span = " ".join(
            part for part in (f"{minutes // 60} h" * (minutes >= 60), f"{minutes % 60} min") if part
        )
    return f", exact in {span}" if hours >= 0.0 else f", exact {span} ago"


# Phrases


def key_of(palette: Mapping[str, object]) -> str:
    """Return ``D dorian``."""
    return " ".join(str(palette[name]) for name in ("key", "mode") if palette.get(name)) or "no key"


def tempo_of(palette: Mapping[str, object]) -> str:
    """Return ``96.5 beats per minute``."""
    return f"{number_word(palette.get('tempoBpm', 0.0))} beats per minute"


def genre_noun(palette: Mapping[str, object]) -> str:
    """Return what the music is called: its genre, or just music."""
    return GENRE_NOUNS.get(str(palette.get("genre")), "music")


def figures_of(palette: Mapping[str, object]) -> str:
    """Return ``tension 0.31, brightness 0.72``, as many as the palette has."""
    names = ("tension", "brightness", "density", "space")
    return ", ".join(f"{name} {number_word(palette[name])}" for name in names if name in palette)


def lights(chart: Chart) -> str:
    """Return where Sun and Moon stand."""
    moon = f"Moon {phase_word(chart)} in {sign_word(chart, 'moon')}"
    return f"Sun in {sign_word(chart, 'sun')}, {moon}"


def placement(chart: Chart, body: Position) -> str:
    """Return ``waxing, in Taurus, exalted``."""
    motion = phase_word(chart) if body.name == "moon" else "retrograde" * body.is_retrograde
    dignity = DIGNITY_WORDS[body.dignity] if body.dignity else ""
    return ", ".join(filter(None, (motion, f"in {body.sign.title()}", dignity)))


def exact_place(body: Position) -> str:
    """Return ``Moon 12°07′ Taurus``."""
    return f"{body_word(body.name)} {_degrees(body.sign_degree)} {body.sign.title()}"


def sign_word(chart: Chart, body: str) -> str:
    """Return the sign that a body is in."""
    return chart.body(body).sign.title()


def phase_word(chart: Chart) -> str:
    """Return waxing or waning."""
    return "waxing" if chart.phase_deg < 180.0 else "waning"


def number_word(value: object) -> str:
    """Return a number with as many digits as an ear could tell apart."""
    if not isinstance(value, (int, float)):
        return str(value)
    text = f"{value:.1f}" if value >= 10.0 else f"{value:.3f}"
    return text.rstrip("0").rstrip(".")


def _degrees(angle_deg: float) -> str:
    """Return degrees and minutes of arc, the minutes cut off as in every ephemeris."""
    minutes = int(angle_deg * 60.0)
    return f"{minutes // 60}°{minutes % 60:02d}′"
