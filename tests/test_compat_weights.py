"""The weights say what they must, every rule can count, and facets mean what they are called."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astradio_stream.compat.contacts import Contact, contacts_of, nearness_table, score_micro
from astradio_stream.compat.curves import MICRO
from astradio_stream.compat.points import (
    ABSENT,
    ASCENDANT,
    ELEMENT_OF,
    MODALITY_OF,
    N_POINTS,
    TENTHS,
    Tenths,
)
from astradio_stream.compat.weights import (
    FACETS,
    POSITIVE_FACETS,
    AspectRow,
    BalanceRow,
    DirectedRow,
    OverlayRow,
    Row,
    WeightsWrong,
    load_weights,
    weights_of,
)
from astradio_stream.sky.aspects import KIND_BY_NAME

WEIGHTS = load_weights()
FILE = (files("astradio_stream.compat") / "weights.json").read_bytes()

charts = st.tuples(*[st.integers(0, TENTHS - 1)] * N_POINTS)
charts_with_gaps = st.tuples(*[st.integers(0, TENTHS)] * N_POINTS)


def chart(**points: int) -> Tenths:
    """Return a chart of a few points, the others unknown: ``chart(p0=300)`` is a Sun at 30°."""
    return tuple(points.get(f"p{i}", ABSENT) for i in range(N_POINTS))


def fires(row: Row, a: Tenths, b: Tenths, facet: str) -> Contact | None:
    return next((c for c in contacts_of(a, b, facet, WEIGHTS) if c.row is row), None)


def pair_for(row: Row) -> tuple[Tenths, Tenths]:
    """Return two charts of as few points as possible for which a rule holds."""
    if isinstance(row, OverlayRow):
        return chart(p10=0), chart(**{f"p{row.body}": (row.house - 1) * 300 + 150})
    if isinstance(row, BalanceRow):
        return chart(p0=10), chart(p1=10)
    assert isinstance(row, AspectRow | DirectedRow)
    mine, theirs = (row.a, row.b) if isinstance(row, AspectRow) else (row.learner, row.mentor)
    kinds = [name for name, kind in WEIGHTS.kinds.items() if kind.quality == row.quality]
    arc = round(10 * KIND_BY_NAME[kinds[0]].angle_deg)
    return chart(**{f"p{mine}": 10}), chart(**{f"p{theirs}": 10 + arc})


def test_every_rule_fires_for_a_constructed_pair() -> None:
    for row in WEIGHTS.rows:
        a, b = pair_for(row)
        for facet, weight in row.weights.items():
            contact = fires(row, a, b, facet)
            assert contact is not None, row.rule
            assert (contact.bonus_raw > 0, contact.penalty_raw > 0) == (weight > 0, weight < 0)


def test_no_rule_fires_where_its_points_are_unknown() -> None:
    nobody = chart()
    for row in WEIGHTS.rows:
        a, b = pair_for(row)
        for facet in FACETS:
            assert fires(row, a, nobody, facet) is None
            assert fires(row, nobody, b, facet) is None
    for facet in FACETS:
        assert score_micro(nobody, nobody, facet, WEIGHTS) == WEIGHTS.curves[facet].base_micro


def test_every_kind_of_aspect_counts_by_its_share() -> None:
    for name, kind in KIND_BY_NAME.items():
        arc = round(10 * kind.angle_deg)
        nearness = nearness_table(True)[arc]
        assert nearness is not None
        assert (nearness.kind, nearness.strength) == (name, 1.0)
        assert nearness_table(True)[(TENTHS - arc) % TENTHS] == nearness


@given(charts_with_gaps, charts_with_gaps)
@settings(max_examples=60, deadline=None)
def test_all_facets_but_mentor_are_symmetric_and_scores_lie_in_range(a: Tenths, b: Tenths) -> None:
    for facet in FACETS:
        score = score_micro(a, b, facet, WEIGHTS)
        assert 0 <= score <= MICRO
        if facet != "mentor":
            assert score == score_micro(b, a, facet, WEIGHTS)


def test_mentor_asks_how_good_a_teacher_the_other_is() -> None:
    learner, mentor = chart(p2=100, p10=900), chart(p6=1300, p5=900 + 2_550)
    assert score_micro(learner, mentor, "mentor", WEIGHTS) > score_micro(
        mentor, learner, "mentor", WEIGHTS
    )
    rules = {c.row.rule for c in contacts_of(learner, mentor, "mentor", WEIGHTS)}
    assert {"directed:saturn>mercury:soft", "overlay:jupiter:9"} <= rules


def aspect_added(
    a: Tenths, b: Tenths, points: tuple[int, int], arc_tenths: int, facet: str
) -> tuple[int, int]:
    """Return a score without and with one more aspect, between a point of a and one of b.

    Both bodies are there before and after; only whether they are in aspect differs: the contact of
    just these two is taken out of the sums.
    """
    i, j = points
    b = (*b[:j], (a[i] + arc_tenths) % TENTHS, *b[j + 1 :])
    contacts = contacts_of(a, b, facet, WEIGHTS)
    without = [c for c in contacts if (c.a, c.b) != (i, j) or c.nearness is None]
    curve = WEIGHTS.curves[facet]

    def score(found: list[Contact]) -> int:
        return curve.score_micro(sum(c.bonus_raw for c in found), sum(c.penalty_raw for c in found))

    return score(without), score(contacts)


@given(
    charts,
    charts,
    st.tuples(st.integers(0, N_POINTS - 1), st.integers(0, N_POINTS - 1)),
    st.sampled_from([300, 600, 720, 1200]),
    st.integers(-9, 9),
)
@settings(max_examples=200, deadline=None)
def test_a_harmonious_aspect_never_lowers_lovers(
    a: Tenths, b: Tenths, points: tuple[int, int], arc: int, orb: int
) -> None:
    before, after = aspect_added(a, b, points, arc + orb, "lovers")
    assert after >= before


@given(
    charts,
    charts,
    st.tuples(st.integers(0, N_POINTS - 1), st.integers(0, N_POINTS - 1)),
    st.sampled_from([450, 900, 1350, 1500, 1800]),
    st.integers(-9, 9),
)
@settings(max_examples=200, deadline=None)
def test_a_hard_aspect_never_lowers_conflict(
    a: Tenths, b: Tenths, points: tuple[int, int], arc: int, orb: int
) -> None:
    before, after = aspect_added(a, b, points, arc + orb, "conflict")
    assert after >= before


def test_a_moved_body_that_comes_into_aspect_raises_what_it_should() -> None:
    """The same with charts alone: only Venus moves, within one sign, into and out of a trine."""
    mars = chart(p4=600)
    near, far = chart(p3=1_800), chart(p3=1_960)
    assert score_micro(mars, near, "lovers", WEIGHTS) > score_micro(mars, far, "lovers", WEIGHTS)
    saturn, moon, alone = chart(p6=600), chart(p1=1_500), chart(p1=1_650)
    assert score_micro(saturn, moon, "conflict", WEIGHTS) > score_micro(
        saturn, alone, "conflict", WEIGHTS
    )


def test_overall_counts_what_is_shared_and_subtracts_conflict() -> None:
    for row in WEIGHTS.rows:
        valued = [f for f in POSITIVE_FACETS if row.weights.get(f, 0) > 0]
        bonus, penalty = row.parts["overall"]
        assert (bonus > 0) == (len(valued) >= 2), row.rule
        assert penalty == max(row.weights.get("conflict", 0), 0)
    saturn = chart(p6=600)
    nothing = score_micro(saturn, chart(), "overall", WEIGHTS)
    assert score_micro(saturn, chart(p1=1_500), "overall", WEIGHTS) < nothing


def test_dignity_and_house_change_what_a_contact_is_worth() -> None:
    # A trine of Venus at home (Taurus, Libra) or abroad (Scorpio, Aries) with the same Mars, which
    # stands in the opposite sign each time and is therefore equally placed.
    bonus = {}
    for name, venus, mars in (("home", 310, 1_510), ("abroad", 2_110, 3_310)):
        contact = fires(
            WEIGHTS.rows_between[3, 4, "soft"][0], chart(p3=venus), chart(p4=mars), "lovers"
        )
        assert contact is not None
        bonus[name] = contact.bonus_raw
    assert bonus["home"] > bonus["abroad"]
    with_time = score_micro(chart(p3=650), chart(**{f"p{ASCENDANT}": 1_900}), "lovers", WEIGHTS)
    assert with_time > score_micro(chart(p3=650), chart(), "lovers", WEIGHTS)


def test_likeness_of_balances_is_the_chance_of_drawing_the_same() -> None:
    """All of a in fire; b half in fire: the likeness of their elements is the share in fire."""
    fire = tuple([10] * 10 + [ABSENT] * 2)
    half = tuple([10, 400] + [10] * 8 + [ABSENT] * 2)  # the Moon, 4 of 24, in Taurus
    contact = next(
        c
        for c in contacts_of(fire, half, "friends", WEIGHTS)
        if isinstance(c.row, BalanceRow) and c.row.balance == "element"
    )
    assert contact.likeness == pytest.approx(20 / 24)
    assert len(set(ELEMENT_OF)) == 4
    assert len(set(MODALITY_OF)) == 3


def changed(path: list[Any], value: object) -> bytes:
    table = json.loads(FILE)
    at = table
    for step in path[:-1]:
        at = at[step]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return json.dumps(table).encode()


SOFT = next(n for n, row in enumerate(json.loads(FILE)["aspects"]) if row["quality"] == "soft")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["version"], "v2.0", "version must be"),
        (["kinds", "trine"], None, "kinds must be"),
        (["kinds", "trine", "permille"], 1_001, "permille"),
        (["kinds", "trine", "quality"], "nice", "quality is unknown"),
        (["dignities", "fall"], None, "dignities must be"),
        (["dignities", "fall", "harmingTenths"], 40, "5 to 15"),
        (["curves", "lovers"], None, "cannot be read"),
        (["curves", "lovers", "baseMicro"], 1_000_000, "baseMicro"),
        (["curves", "lovers", "bonusSteepness"], 9, "steepness"),
        (["aspects", 0, "reason"], " ", "has no reason"),
        (["aspects", 0, "weights"], {}, "can never count"),
        (["aspects", 0, "weights"], {"enemies": 1}, "no facet"),
        (["aspects", 0, "weights"], {"friends": 0}, "whole number"),
        (["aspects", 0, "weights"], {"friends": 1.5}, "whole number"),
        (["aspects", 0, "weights"], {"friends": 21}, "whole number"),
        (["aspects", 0, "a"], "vulcan", "cannot be read"),
        (["aspects", 0, "a"], "pluto", "canonical order"),
        (["aspects", 0, "quality"], "soft", "stands twice"),
        (["aspects", SOFT, "weights"], {"lovers": -1}, "must not lower lovers"),
        (["overlays", 0, "house"], 13, "houses are 1 to 12"),
        (["overlays", 0, "body"], "ascendant", "only bodies"),
        (["balances", 0, "balance"], "modality", "stands twice"),
    ],
)
def test_wrong_weights_are_refused_with_the_row(
    path: list[Any], value: object, message: str
) -> None:
    with pytest.raises(WeightsWrong, match=message):
        weights_of(changed(path, value))


def test_what_is_no_json_is_refused() -> None:
    for data in (b"", b"[]", b"{", b'{"version": "v1.0"}', b"\xff"):
        with pytest.raises(WeightsWrong):
            weights_of(data)
