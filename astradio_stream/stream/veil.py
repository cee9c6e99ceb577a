"""The chart that is shown of a programme, and what of it is told where it is somebody else's.

Positions to the arcsecond are a moment, and houses a place. Of a veiled birth therefore only the
signs of Sun, Moon and ascendant are told, and not even the hash of its chart, from which a birth
could be found by trying all there are.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import rfc8785

from astradio_stream.sky.chart_json import chart_to_json
from astradio_stream.sky.zodiac import SIGN_NAMES, sign_index_of

if TYPE_CHECKING:
    from astradio_stream.sky.values import Chart
    from astradio_stream.stream.programme import Programme

_NOTE: Final = "This chart is told by its signs only: its birth is known to its owner alone."


def signs_of(chart: Chart) -> dict[str, str | None]:
    """Return the signs of Sun, Moon and ascendant, the last null without a time of birth."""
    angles = chart.angles
    return {
        "sun": chart.body("sun").sign,
        "moon": chart.body("moon").sign,
        "rising": None if angles is None else SIGN_NAMES[sign_index_of(angles.ascendant_deg)],
    }


def shown_chart(programme: Programme, chart: Chart) -> dict[str, Any]:
    """Return the chart of `ready` and compose as JSON.

    Args:
        programme: What is played.
        chart: What is shown of it.
    """
    if not programme.shows_veiled:
        return chart_to_json(chart)
    birth = programme.births[0].chart()
    return {
        "chartHash": shown_hash(programme, chart),
        "moment": {"utc": None, "local": None, "tz": None, "timeKnown": birth.time_known},
        "place": None,
        "houseSystem": birth.house_system,
        "houseSystemUsed": None,
        "notes": [_NOTE],
        "bodies": [],
        "angles": None,
        "cuspsDeg": None,
        "aspects": [],
        "moon": None,
        "elements": None,
        "modalities": None,
        "dominantBody": None,
        "signs": signs_of(birth),
    }


def shown_hash(programme: Programme, chart: Chart) -> str:
    """Return what identifies the chart that is shown: for a veiled one, its name and version."""
    if not programme.shows_veiled:
        return chart.chart_hash
    return sha256(rfc8785.dumps(programme.charts[0].to_json())).hexdigest()
