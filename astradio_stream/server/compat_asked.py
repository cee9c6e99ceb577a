"""What is asked of the search, read from a query or a body: every mistake is named at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from astradio_stream.compat.weights import FACETS
from astradio_stream.errors import Detail, ValidationFailed
from astradio_stream.fields import Field, integer, one_of, read_fields, short_text, shown
from astradio_stream.stream.charts import NamedBirth, SavedChartName, read_chart

if TYPE_CHECKING:
    from collections.abc import Mapping

    from astradio_stream.fields import Details

Asking: TypeAlias = NamedBirth | SavedChartName
"""A birth, or a saved chart that is named."""

DEFAULT_FACET: Final = "overall"
DEFAULT_LIMIT: Final = 20
MOST_MATCHES: Final = 100
"""On one page."""
N_OF_PAIR: Final = 2
_LONGEST_CURSOR: Final = 64
_WHOLE_NUMBER: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SearchAsked:
    """One page of a search."""

    chart: Asking
    """Who asks."""
    facet: str
    """One of `weights.FACETS`."""
    limit: int
    """How many matches, 1 to `MOST_MATCHES`."""
    cursor: str | None
    """Where the page before ended; None for the first."""


def _cursor(value: object, path: str, details: Details) -> str | None:
    """Read a cursor; null and nothing are the first page."""
    return None if value is None else short_text(_LONGEST_CURSOR)(value, path, details) or None


_PAGE: Final = (
    Field("facet", "facet", one_of(*FACETS), required=False, default=DEFAULT_FACET),
    Field("limit", "limit", integer(1, MOST_MATCHES), required=False, default=DEFAULT_LIMIT),
    Field("cursor", "cursor", _cursor, required=False),
)


def search_of_query(values: Mapping[str, str]) -> SearchAsked:
    """Return the search in a query string, where a saved chart asks.

    Raises:
        ValidationFailed: naming every value that is wrong.
    """
    page: dict[str, Any] = {name: values[name] for name in ("facet", "cursor") if name in values}
    if "limit" in values:
        limit = values["limit"]
        page["limit"] = int(limit) if _WHOLE_NUMBER.fullmatch(limit) else limit
    details: Details = []
    chart = None
    if "chartId" in values:
        chart = read_chart({"chartId": values["chartId"]}, "", details)
        details = [Detail("chartId", one.message.removeprefix(".")) for one in details]
    else:
        details.append(Detail("chartId", "chartId is required: the saved chart that asks"))
    return _search(chart, page, details)


def search_of_body(fields: Mapping[str, Any]) -> SearchAsked:
    """Return the search in a body, where `chart` is a birth or a saved chart.

    Raises:
        ValidationFailed: naming every field that is wrong.
    """
    details: Details = []
    chart = None
    if "chart" in fields:
        chart = read_chart(fields["chart"], "chart", details)
    else:
        details.append(Detail("chart", "chart is required: a birth, or {chartId}"))
    return _search(chart, fields, details)


def pair_of_body(fields: Mapping[str, Any]) -> tuple[Asking, Asking]:
    """Return the two charts in a body.

    Raises:
        ValidationFailed: naming every field that is wrong.
    """
    charts = fields.get("charts")
    if not isinstance(charts, list) or len(charts) != N_OF_PAIR:
        got = f"{len(charts)} charts" if isinstance(charts, list) else shown(charts)
        sentence = f"charts must be a list of two, each a birth or {{chartId}}, got {got}"
        raise ValidationFailed([Detail("charts", sentence)])
    details: Details = []
    first, second = (read_chart(one, f"charts[{n}]", details) for n, one in enumerate(charts))
    if details or first is None or second is None:
        raise ValidationFailed(details)
    return first, second


def _search(chart: Asking | None, page: Mapping[str, Any], details: Details) -> SearchAsked:
    values = read_fields(_PAGE, page, details)
    if details or chart is None:
        raise ValidationFailed(details)
    return SearchAsked(chart, **values)
