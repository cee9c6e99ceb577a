"""Why one hears an event: what it is in the sky, what it does, and only what the notes have."""

from __future__ import annotations

import re

import pytest

from astradio_stream.music.note import placed
from astradio_stream.music.score import Event
from astradio_stream.music.v1_1.form import SECTION_NAMES
from astradio_stream.music.why import SECTION_EFFECTS, why_of
from astradio_stream.sky.almanac import events_between
from astradio_stream.sky.aspects import ASPECT_KINDS
from astradio_stream.sky.moment import parse_moment
from astradio_stream.sky.zodiac import SIGNS

MARKETING = re.compile(
    r"[!]|\b(magic|mystic|cosmic|destiny|soul|energy|journey|universe)", re.IGNORECASE
)
BELL = placed(
    onset=0, duration=1, voice=3, instrument="bell", pitch=80, velocity=0.6, gain=1.0, pan=0.0
)


@pytest.mark.parametrize("kind", ASPECT_KINDS, ids=lambda kind: kind.name)
def test_an_exact_aspect_is_told_by_arc_and_nature(kind: object) -> None:
    event = Event(0, "aspect", f"Venus {kind.name} Mars, exact", ("venus", "mars"))
    why = why_of(event)
    assert why.startswith(f"Venus and Mars stand {kind.angle_deg:g}° apart, a")
    assert f" {kind.name}. " in why
    assert kind.nature == "neutral" or kind.nature in why


def test_a_year_of_the_sky_can_be_told() -> None:
    start = parse_moment("2025-01-01T00:00:00Z")
    kinds = set()
    for event in events_between(start, parse_moment("2026-01-01T00:00:00Z")):
        why = why_of(event)
        kinds.add(event.kind)
        assert why.endswith(".")
        assert len(why) <= 160
        assert why != event.text + "."
        assert not MARKETING.search(why)
    assert kinds == {"aspect", "ingress", "lunation", "station"}


@pytest.mark.parametrize("sign", SIGNS, ids=lambda sign: sign.name)
def test_a_sign_is_told_by_element_and_modality(sign: object) -> None:
    for kind, bodies in (("ingress", ("mars",)), ("rising", ())):
        why = why_of(Event(0, kind, f"Mars enters {sign.name.title()}", bodies))
        assert f"{sign.name.title()}, a" in why
        assert f" {sign.element} sign, {sign.modality}" in why


@pytest.mark.parametrize(
    ("kind", "text", "bodies", "says"),
    [
        ("section", "Section 2: its answer", (), "The theme is answered. It is form"),
        ("section", "Section 2: something new", (), "Voices enter and leave. It is form"),
        ("key", "A new movement in C dorian", ("sun",), "The Sun leads it. Key, mode and tempo"),
        ("key", "A new movement", (), "are read from the sky."),
        ("ingress", "Moon enters Taurus", ("moon",), "an earth sign, fixed"),
        ("ingress", "Sun enters Leo", ("sun",), "the key follows the Sun unless one was wished"),
        ("rising", "Leo rises", (), "In the east rises Leo, a fire sign, fixed: voices take"),
        ("rising", "Something rises", (), "Something rises."),
        ("station", "Mercury turns direct", ("mercury",), "east again"),
        ("station", "Mercury turns retrograde", ("mercury",), "west among the signs"),
        ("lunation", "Full moon in Leo", ("sun", "moon"), "opposite the Sun"),
        ("something", "A bell", (), "A bell."),
        ("aspect", "Nobody knows", (), "Nobody knows."),
        ("ingress", "Moon enters the room", ("moon",), "Moon enters the room."),
    ],
)
def test_each_kind_of_event_has_its_reason(
    kind: str, text: str, bodies: tuple[str, ...], says: str
) -> None:
    assert says in why_of(Event(0, kind, text, bodies))


def test_a_movement_says_what_it_was_read_from() -> None:
    event = Event(0, "key", "Moon leads, in C dorian", ("moon", "venus"))
    assert why_of(event, source="both births") == (
        "A movement begins. The Moon leads it. Key, mode and tempo are read from both births."
    )


def test_a_bell_is_told_only_where_one_is_struck() -> None:
    event = Event(0, "ingress", "Venus enters Leo", ("venus",))
    assert why_of(event, [BELL]) == why_of(event) + " You hear it on the bell, in Venus's voice."
    moon = Event(0, "lunation", "New moon in Leo", ("moon", "sun"))
    of_moon = BELL._replace(voice=1, instrument="piano.soft")
    assert why_of(moon, [of_moon]).endswith("You hear it on the piano, in the voice of the Moon.")


def test_form_strikes_no_bell() -> None:
    for kind in ("section", "key"):
        event = Event(0, kind, "Section 1: statement", ("sun",))
        assert why_of(event, [BELL]) == why_of(event)


def test_every_section_of_v1_1_has_its_effect() -> None:
    assert set(SECTION_NAMES) <= set(SECTION_EFFECTS)
