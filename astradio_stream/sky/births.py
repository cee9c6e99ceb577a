"""From what somebody filled in to a chart: every field that is wrong is named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from astradio_stream.errors import Detail, ValidationFailed
from astradio_stream.sky.chart import DEFAULT_HOUSE_SYSTEM, chart_at
from astradio_stream.sky.civil import CivilMoment, civil_moment
from astradio_stream.sky.values import Chart, Place

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Birth:
    """When and where somebody, or something, was born."""

    civil: CivilMoment
    place: Place

    def chart(self, house_system: str = DEFAULT_HOUSE_SYSTEM) -> Chart:
        """Return the chart; without a time of birth it has no houses and angles."""
        return chart_at(
            self.civil.moment,
            self.place,
            house_system,
            local=self.civil.local,
            tz=self.civil.tz,
            time_known=self.civil.time_known,
            notes=self.civil.notes,
        )


def birth_of(fields: Mapping[str, object], prefix: str = "") -> Birth:
    """Read `datetime`, `tz`, `lat`, `lon` and the optional `fold`.

    Args:
        fields: As they come out of JSON; unknown names are left alone.
        prefix: Put before each name in errors, for instance ``charts[0].``.

    Raises:
        ValidationFailed: naming every field that is wrong.
    """
    details: list[Detail] = []
    civil = place = None
    fold = fields.get("fold")
    if fold is not None and (isinstance(fold, bool) or fold not in (0, 1)):
        details.append(Detail(f"{prefix}fold", "must be 0 (the first) or 1 (the second)"))
        fold = None
    try:
        civil = civil_moment(
            fields.get("datetime"),
            fields.get("tz"),
            fold=None if fold is None else int(fold == 1),
            field=f"{prefix}datetime",
            tz_field=f"{prefix}tz",
        )
    except ValidationFailed as error:
        details += error.details
    try:
        place = place_of(fields.get("lat"), fields.get("lon"), prefix)
    except ValidationFailed as error:
        details += error.details
    if details or civil is None or place is None:
        raise ValidationFailed(details)
    return Birth(civil, place)


def place_of(lat: object, lon: object, prefix: str = "") -> Place:
    """Return a place from two numbers out of JSON.

    Raises:
        ValidationFailed: naming each that is no number or out of range.
    """
    details = []
    numbers = []
    for name, value, limit in (("lat", lat, 90), ("lon", lon, 180)):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and -limit <= value <= limit:  # type: ignore[operator]
            numbers.append(float(value))  # type: ignore[arg-type]
        else:
            message = f"must be a number of degrees from {-limit} to {limit}"
            details.append(Detail(f"{prefix}{name}", message))
    if details:
        raise ValidationFailed(details)
    return Place(*numbers)
