"""Orders: read from requests, kept as JSON, the same piece ever after."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astradio_stream.errors import ValidationFailed
from astradio_stream.server.orders import (
    LONGEST_S,
    SHORTEST_S,
    order_from_json,
    read_order,
    require_readable,
)
from astradio_stream.server.saved import has_saved_charts
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.strict_json import dump_json, parse_json
from tests.pieces import BERLIN, programmes

NOW = Moment(1_800_000_000_000_000)
NEWEST = ModelVersions(audio="v1.1")


@given(raw=programmes(), duration_s=st.floats(SHORTEST_S, LONGEST_S))
@settings(max_examples=60, deadline=None)
def test_an_order_that_was_kept_is_the_same(raw: dict[str, Any], duration_s: float) -> None:
    order = read_order(raw | {"durationS": duration_s}, NOW, NEWEST)
    kept = parse_json(dump_json(order.to_json()), 1 << 20)
    assert isinstance(kept, dict)
    again = order_from_json(kept)
    assert again == order
    assert again.id == order.id
    assert again.to_json() == order.to_json()
    assert abs(order.duration_s - duration_s) <= 0.5 / 48_000


def test_the_default_is_a_minute_of_now() -> None:
    order = read_order({}, NOW, ModelVersions())
    assert (order.n_samples, order.programme.mode) == (2_880_000, "transit")
    assert order.programme.at == Moment(NOW.utc_us - NOW.utc_us % 60_000_000)


def test_orders_differ_where_pieces_do() -> None:
    changes: list[dict[str, Any]] = [{}, {"seed": 1}, {"durationS": 61}, {"rate": 2}]
    assert len({read_order(change, NOW, ModelVersions()).id for change in changes}) == 4
    same = read_order({"durationS": 60.0, "rate": 1.0, "what": "ever"}, NOW, ModelVersions())
    assert same.id == read_order({}, NOW, ModelVersions()).id


def test_what_is_wrong_is_found_before_charts_are_looked_up() -> None:
    fields = {"mode": "natal", "charts": [{"chartId": "chart_1"}], "durationS": 0}
    with pytest.raises(ValidationFailed) as refused:
        require_readable(fields, NEWEST)
    assert [detail.field for detail in refused.value.details] == ["durationS"]
    require_readable(fields | {"durationS": 1}, NEWEST)


@pytest.mark.parametrize(
    ("charts", "expected"),
    [
        ([{"chartId": "a"}], True),
        ([BERLIN, {"chartId": "a"}], True),
        ([BERLIN], False),
        ([{"chartId": "a", "later": 1}], True),
        ([{"chartId": "a", "version": "b", "later": [None]}], True),
        ([{"chartId": "a", "lat": 1}], False),
        ([{"chartId": "a", "version": 1}], False),
        ([{"chartId": 1}], False),
        ([{"chartId": "a" * 65}], False),
        ([{"chartId": "a"}] * 3, False),
        ({"chartId": "a"}, False),
        ("chartId", False),
        (None, False),
    ],
    ids=str,
)
def test_saved_charts_are_seen(charts: Any, expected: bool) -> None:
    assert has_saved_charts({"charts": charts}) is expected
