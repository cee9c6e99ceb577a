"""Why one hears an event: a sentence on what it is in the sky or in the form, and what it does.

========  ========================================  =========================================
kind      in the sky                                heard
========  ========================================  =========================================
aspect    two bodies an exact arc apart             what its nature does to the harmony, a bell
ingress   a body enters a sign                      what the body's sign decides, a bell
rising    another sign comes up in the east         the same
lunation  new, half or full Moon                    where lines turn, a bell
station   a body stands still and turns             a bell
key       nothing: a movement begins                key, mode and tempo, read again
section   nothing: the form goes on                 what becomes of the theme
========  ========================================  =========================================

A bell, or whatever else a model strikes, is told only where the notes have it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from astradio_stream.music.words import body_word, instrument_word, with_article
from astradio_stream.sky.aspects import ASPECT_KINDS
from astradio_stream.sky.bodies import PLANET_NAMES
from astradio_stream.sky.zodiac import SIGNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from astradio_stream.music.note import Note

# fmt: off
ASPECT_ARCS: Final = {kind.name: f"{kind.angle_deg:g}°" for kind in ASPECT_KINDS}
ASPECT_NATURES: Final = {kind.name: kind.nature for kind in ASPECT_KINDS}
NATURE_EFFECTS: Final = {
    "neutral": "It gives weight to both voices.",
    "soft":    "It counts as soft: it brightens the harmony.",
    "hard":    "It counts as hard: it adds tension and darkens the harmony.",
}
"""What an aspect does to the ear, by what tradition says of it."""

LUNATION_EFFECTS: Final = {
    "new moon":      "The Moon stands with the Sun. From here it waxes: its line turns up.",
    "first quarter": "The Moon leads the Sun by 90°. It waxes: its line rises.",
    "full moon":     "The Moon stands opposite the Sun. From here it wanes: its line turns down.",
    "last quarter":  "The Moon trails the Sun by 90°. It wanes: its line falls.",
}

SECTION_EFFECTS: Final = {
    "statement":     "The theme is stated.",
    "the theme":     "The theme is stated.",
    "variation":     "The theme is varied.",
    "its answer":    "The theme is answered.",
    "contrast":      "Something else is set against the theme.",
    "the far field": "Something else is set against the theme.",
    "return":        "The theme returns.",
}
"""By the last words of a section's text."""
# fmt: on


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


def why_of(event: Happening, struck: Iterable[Note] = (), source: str = "the sky") -> str:
    """Return why one hears an event, as sentences.

    Args:
        event: What happens.
        struck: The notes that tell of it: those that begin at its very index, in the voice of its
            first body where it speaks of one.
        source: What key, mode and tempo are read from, for instance ``the birth``.
    """
    tell = _WHY.get(event.kind)
    told = tell(event.text.casefold(), event.bodies, source) if tell else ""
    told = told or event.text.rstrip(".") + "."
    note = next(iter(struck), None)
    if note is None or event.kind in _OF_FORM:
        return told
    whose = with_article(PLANET_NAMES[note.voice % len(PLANET_NAMES)]).replace("The ", "the ")
    voice = f"the voice of {whose}" if whose.startswith("the ") else f"{whose}'s voice"
    return f"{told} You hear it on the {instrument_word(note.instrument)}, in {voice}."


def _why_aspect(text: str, bodies: tuple[str, ...], _source: str) -> str:
    # The longest name first: "semisextile" contains "sextile".
    kinds = sorted(ASPECT_ARCS, key=len, reverse=True)
    kind = next((kind for kind in kinds if kind in text), None)
    if kind is None or len(bodies) < 2:
        return ""
    apart = f"{body_word(bodies[0])} and {body_word(bodies[1])} stand {ASPECT_ARCS[kind]} apart"
    return f"{apart}, {_a(kind)}. {NATURE_EFFECTS[ASPECT_NATURES[kind]]}"


def _why_ingress(text: str, bodies: tuple[str, ...], _source: str) -> str:
    nature = _sign_in(text)
    if not nature or not bodies:
        return ""
    # A wish for a key goes before the Sun's.
    moved = (
        "the key follows the Sun unless one was wished"
        if bodies[0] == "sun"
        else "its element has more to say"
    )
    return f"{with_article(bodies[0])} enters {nature}: {moved}."


def _why_rising(text: str, _bodies: tuple[str, ...], _source: str) -> str:
    nature = _sign_in(text)
    return nature and f"In the east rises {nature}: voices take their places from there."


def _why_lunation(text: str, _bodies: tuple[str, ...], _source: str) -> str:
    name = text.replace("_", " ")
    return next((why for key, why in LUNATION_EFFECTS.items() if key in name), "")


def _why_station(text: str, bodies: tuple[str, ...], _source: str) -> str:
    way = "east again" if "direct" in text else "west"
    if not bodies:
        return ""
    return f"{with_article(bodies[0])} stands still, then moves {way} among the signs."


def _why_key(_text: str, bodies: tuple[str, ...], source: str) -> str:
    lead = f"{with_article(bodies[0])} leads it. " if bodies else ""
    return f"A movement begins. {lead}Key, mode and tempo are read from {source}."


def _why_section(text: str, _bodies: tuple[str, ...], _source: str) -> str:
    effects = (effect for name, effect in SECTION_EFFECTS.items() if text.endswith(name))
    done = next(effects, "Voices enter and leave.")
    return f"{done} It is form, not an event of the sky."


_WHY: Final[dict[str, Callable[[str, tuple[str, ...], str], str]]] = {
    "aspect": _why_aspect,
    "ingress": _why_ingress,
    "rising": _why_rising,
    "lunation": _why_lunation,
    "station": _why_station,
    "key": _why_key,
    "section": _why_section,
}
"""By kind of event: (its text in lower case, its bodies, source) -> sentences, or nothing."""
_OF_FORM: Final = ("key", "section")


def _sign_in(text: str) -> str:
    """Return ``Taurus, an earth sign, fixed`` where a text names a sign, else nothing."""
    sign = next((sign for sign in SIGNS if sign.name in text), None)
    return f"{sign.name.title()}, {_a(sign.element)} sign, {sign.modality}" if sign else ""


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
