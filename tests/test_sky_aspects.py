"""Aspects: found within their orbs, the same from both sides, forming or parting."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astradio_stream.sky.aspects import (
    ASPECT_KINDS,
    KIND_BY_NAME,
    aspects_among,
    aspects_between,
    strength_of,
)

longitudes = st.floats(0.0, 360.0, exclude_max=True)
speeds = st.floats(-2.0, 15.0)


def one(a_deg: float, b_deg: float, speed_a: float = 1.0, speed_b: float = 0.0, sun: bool = False):
    found = aspects_between(
        [("sun" if sun else "mars", a_deg, speed_a, sun)], [("saturn", b_deg, speed_b, False)]
    )
    return found[0] if found else None


@pytest.mark.parametrize(
    ("kind", "orb"),
    [("conjunction", 8), ("opposition", 8), ("trine", 6), ("square", 6), ("sextile", 4)],
)
def test_orbs_of_the_major_aspects(kind: str, orb: float) -> None:
    angle = KIND_BY_NAME[kind].angle_deg
    inside, outside = angle - orb + 0.001, angle - orb - 0.001
    if kind == "conjunction":
        inside, outside = -inside, -outside
    assert one(350.0, 350.0 + inside).kind == kind
    assert getattr(one(350.0, 350.0 + outside), "kind", None) != kind
    wide_in, wide_out = inside - 2.0 * (1 if inside > 0 else -1), outside - 2.0
    if kind != "conjunction":
        assert one(350.0, 350.0 + wide_in, sun=True).kind == kind
        assert getattr(one(350.0, 350.0 + wide_out, sun=True), "kind", None) != kind


def test_a_luminary_widens_a_conjunction_across_zero() -> None:
    assert one(355.1, 5.0, sun=True).kind == "conjunction"
    assert one(355.1, 5.0) is None
    assert one(354.9, 5.0, sun=True) is None


def test_no_two_kinds_overlap_even_when_widened() -> None:
    for a, b in combinations(ASPECT_KINDS, 2):
        gap = abs(a.angle_deg - b.angle_deg)
        assert gap >= sum(k.orb_deg + k.luminary_extra_deg for k in (a, b))


@given(longitudes, longitudes, speeds, speeds)
def test_an_aspect_is_the_same_from_both_sides(a: float, b: float, va: float, vb: float) -> None:
    there, back = one(a, b, va, vb), one(b, a, vb, va)
    assert (there is None) == (back is None)
    if there is not None and there.orb_deg > 1e-6 and back.orb_deg > 1e-6:
        assert (there.kind, there.is_applying) == (back.kind, back.is_applying)
        assert there.orb_deg == pytest.approx(back.orb_deg, abs=2e-6)
        assert there.strength == pytest.approx(back.strength, abs=2e-6)


@given(longitudes, longitudes, st.floats(-720.0, 720.0))
def test_turning_the_whole_sky_changes_no_aspect(a: float, b: float, turn: float) -> None:
    before, after = one(a, b), one(a + turn, b + turn)
    if before is not None and before.strength > 1e-6:
        assert after is not None
        assert after.kind == before.kind
        assert after.orb_deg == pytest.approx(before.orb_deg, abs=1e-5)


def test_applying_and_separating_and_when_exact() -> None:
    applying = one(100.0, 193.0, speed_a=1.0)  # square, three degrees short for the faster Mars
    assert (applying.kind, applying.is_applying, applying.exact_in_hours) == ("square", True, 72.0)
    separating = one(106.0, 193.0, speed_a=1.0)
    assert (separating.is_applying, separating.exact_in_hours) == (False, -72.0)
    opposition = one(10.0, 187.0, speed_a=-1.0)
    assert (opposition.kind, opposition.is_applying) == ("opposition", True)
    across_zero = one(359.0, 1.0, speed_a=0.5)
    assert (across_zero.kind, across_zero.exact_in_hours) == ("conjunction", 96.0)
    standstill = one(100.0, 190.5, speed_a=0.3, speed_b=0.3)
    assert standstill.exact_in_hours is None


def test_strength_falls_smoothly_to_zero_at_the_orb() -> None:
    values = [strength_of(x / 100.0, 8.0) for x in range(900)]
    assert values[0] == 1.0
    assert all(a >= b for a, b in pairwise(values))
    assert strength_of(8.0, 8.0) == strength_of(9.0, 8.0) == 0.0
    assert strength_of(7.999, 8.0) < 1e-6
    assert max(a - b for a, b in pairwise(values)) < 0.003


@given(st.lists(longitudes, min_size=10, max_size=13), st.lists(speeds, min_size=10, max_size=10))
def test_among_ten_planets_each_pair_at_most_once_strongest_first(
    longitudes_deg: list[float], speeds_of: list[float]
) -> None:
    found = aspects_among(longitudes_deg, speeds_of)
    assert len({(x.a, x.b) for x in found}) == len(found)
    assert [x.strength for x in found] == sorted((x.strength for x in found), reverse=True)
