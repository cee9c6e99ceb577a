"""Reading the fields of a programme, one function each: every mistake is noted, none is raised.

`programme.resolve` calls them; `charts` and `changes` read the longer ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from astradio_stream.errors import Detail, ValidationFailed
from astradio_stream.fields import json_object, number, one_of, shown
from astradio_stream.music.controls import Controls, read_controls
from astradio_stream.sky.moment import (
    FIRST_MOMENT,
    J2000_US,
    Moment,
    parse_moment,
    require_in_span,
)
from astradio_stream.sky.values import Place
from astradio_stream.stream.changes import Change, read_changes
from astradio_stream.stream.modes import MODE_NAMES, MODEL_ACCEPTS, MODES, Mode
from astradio_stream.stream.versions import VERSIONS, ModelVersions

if TYPE_CHECKING:
    from astradio_stream.fields import Details

GREENWICH: Final = Place(51.4779, 0.0)
MAX_RATE: Final = 1_000_000.0
"""Sky seconds per stream second: a month in three seconds."""
SANDBOX_MOMENT: Final = Moment(J2000_US)
"""A sandbox plays no sky. Where one must be shown, it is that of 2000-01-01T12:00:00Z as seen from
Greenwich, standing still: the moment from which astronomers count."""

_FIELDS_OF_MOVING_SKY: Final = ("at", "rate", "place")
_US_PER_MINUTE: Final = 60_000_000


def _read_at(raw: object, details: Details) -> Moment:
    try:
        return require_in_span(parse_moment(raw))
    except ValidationFailed as error:
        details.extend(error.details)
        return FIRST_MOMENT


def _read_place(raw: object, details: Details) -> Place:
    place = json_object(raw, "place", details)
    if not isinstance(raw, dict):
        return GREENWICH
    read = {}
    for name, limit in (("lat", 90.0), ("lon", 180.0)):
        if name in place:
            read[name] = number(-limit, limit)(place[name], f"place.{name}", details)
        else:
            details.append(Detail(f"place.{name}", f"place.{name} is required"))
            read[name] = 0.0
    return Place(read["lat"] + 0.0, read["lon"] + 0.0)  # -0.0 is 0.0


def read_versions(raw: object, defaults: ModelVersions, details: Details) -> ModelVersions:
    """Return one version of each model; which are not named are the defaults."""
    chosen = defaults.to_json()
    for name, value in json_object(raw, "modelVersions", details).items():
        if name in VERSIONS:
            path = f"modelVersions.{name}"
            chosen[name] = one_of(*VERSIONS[name])(value, path, details)
    return ModelVersions(**chosen)


def read_mode(raw: object, audio: str, details: Details) -> Mode | None:
    """Return the mode, or None where there is none or the audio model does not play it."""
    n_before = len(details)
    name = MODE_NAMES[one_of(*MODE_NAMES)(raw, "mode", details)]
    if len(details) > n_before:
        return None
    played = MODEL_ACCEPTS[audio].modes
    if name in played:
        return MODES[name]
    right = f"{' or '.join(played)} (sky is transit)"
    details.append(Detail("mode", f"mode must be {right}: model {audio} does not play {name}"))
    return None


def _refuse_filled(raw: dict[str, Any], name: str, kind: type, what: str, details: Details) -> None:
    """Note that a list or object must be empty, or is none at all."""
    value = raw.get(name, kind())
    if not isinstance(value, kind):
        shape = "an object" if kind is dict else "a list"
        details.append(Detail(name, f"{name} must be {shape}, got {shown(value)}"))
    elif value:
        details.append(Detail(name, f"{name} must be left out: {what}"))


def read_wishes(
    raw: dict[str, Any], audio: str, details: Details
) -> tuple[Controls, tuple[Change, ...]]:
    """Return controls and changes, which a model that knows none must not be given."""
    if not MODEL_ACCEPTS[audio].has_controls:
        what = f"model {audio} plays what the sky asks for"
        _refuse_filled(raw, "controls", dict, what, details)
        _refuse_filled(raw, "changes", list, f"model {audio} cannot be steered", details)
        return Controls(), ()
    controls = read_controls(raw.get("controls", {}), "controls", details)
    return controls, read_changes(raw.get("changes", []), details)


def read_sky(
    raw: dict[str, Any], mode: Mode | None, now: Moment, details: Details
) -> tuple[Moment, float, Place]:
    """Return `at`, `rate` and `place`, which a mode without a moving sky must not be given."""
    minute = Moment(now.utc_us - now.utc_us % _US_PER_MINUTE)
    if mode is not None and not mode.has_moving_sky:
        details.extend(
            Detail(name, f"{name} must be left out: {mode.name} plays {mode.plays}, no moving sky")
            for name in _FIELDS_OF_MOVING_SKY
            if name in raw
        )
        return SANDBOX_MOMENT, 0.0, GREENWICH
    at = _read_at(raw["at"], details) if "at" in raw else minute
    rate = number(0.0, MAX_RATE)(raw.get("rate", 1), "rate", details)
    place = _read_place(raw["place"], details) if "place" in raw else GREENWICH
    return at, rate + 0.0, place
