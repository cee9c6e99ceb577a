"""What we read, as JSON Schema: orders with all that holds between their fields, births, bodies.

The tables that read the fields are the ones from which this is made.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from astradio_stream.compat.weights import FACETS
from astradio_stream.music.controls import CONTROLS, GENRES, KEY_OF_SPELLING, MAX_LEAP_CAP
from astradio_stream.music.controls import MODE_NAMES as SCALES
from astradio_stream.server import orders, passwords
from astradio_stream.server.compat_asked import DEFAULT_FACET, DEFAULT_LIMIT, MOST_MATCHES
from astradio_stream.server.openapi_words import (
    DATE,
    OFFSET,
    TIME,
    flag,
    integer,
    listing,
    matching,
    number,
    obj,
    one_of,
    or_null,
    ref,
    share,
    text,
)
from astradio_stream.sky.civil import zone_names
from astradio_stream.store.charts import VISIBILITIES
from astradio_stream.stream.changes import MAX_CHANGES
from astradio_stream.stream.charts import MAX_CHART_ID_CHARACTERS, MAX_NAME_CHARACTERS
from astradio_stream.stream.modes import MODE_NAMES, MODEL_ACCEPTS, MODES
from astradio_stream.stream.reading import MAX_RATE
from astradio_stream.stream.station import STATIONS
from astradio_stream.stream.versions import VERSIONS
from astradio_stream.units import LAST_INDEX, LAST_PLAYED_INDEX

if TYPE_CHECKING:
    from astradio_stream.server.openapi_words import Schema

_NEVER: Final[Any] = False
"""The schema of what must be left out."""
_MOVING: Final = ("at", "rate", "place")

EMAIL: Final = matching("[!-?A-~]{1,64}@[!-?A-~]{1,255}", "an address; case does not matter")
_CONTROL_SCHEMAS: Final[dict[str, Schema]] = {
    "leapCap": integer(1, MAX_LEAP_CAP),
    "key": one_of(*KEY_OF_SPELLING),
    "mode": one_of(*SCALES),
    "genre": one_of(*GENRES),
}
CURSOR: Final[Schema] = {
    "const": "",
    "description": "the nextCursor of the page before; nothing for the first page",
}
INSTANT: Final = matching(f"{DATE}{TIME}{OFFSET}", "ISO 8601 with an offset or Z")


def asked_schemas(default_audio: str) -> dict[str, Schema]:
    """Return the schemas of what is asked, by name.

    Args:
        default_audio: The audio model of a programme that names none.
    """
    password = partial(text, maxLength=passwords.LONGEST)
    birth = {"lat": number(-90, 90), "lon": number(-180, 180)}
    saved = text("a saved chart", maxLength=MAX_CHART_ID_CHARACTERS)
    chart: Schema = {"anyOf": [ref("Birth"), ref("SavedChartId")]}
    # A name that is nothing but blanks, or breaks lines, is none.
    name = matching(r" *[!-~][ -~]*", "on one line", maxLength=MAX_NAME_CHARACTERS)
    return {
        "Zone": one_of(*zone_names(), about="the IANA name of a time zone"),
        "Birth": _birth({"name": text(maxLength=MAX_NAME_CHARACTERS)}, {}),
        "SavedChartId": obj(
            {"chartId": saved},
            _without(("datetime", "tz", "lat", "lon", "fold", "name"))
            | {"version": text("as it was told", maxLength=MAX_CHART_ID_CHARACTERS)},
        ),
        "CompatSearch": obj(
            {"chart": chart},
            {
                "facet": one_of(*FACETS) | {"default": DEFAULT_FACET},
                "limit": integer(1, MOST_MATCHES) | {"default": DEFAULT_LIMIT},
                "cursor": or_null(CURSOR),
            },
        ),
        "CompatPair": obj({"charts": listing(chart, 2, 2)}),
        "NewBlock": obj({"chartId": saved}),
        "Controls": obj({}, {row.name: _control(row.name, row.meaning) for row in CONTROLS}),
        "Change": obj({"index": integer(0, LAST_INDEX), "controls": ref("Controls")}),
        "ComposeRequest": _compose(default_audio),
        "MidiRequest": {
            "allOf": [
                ref("ComposeRequest"),
                obj({}, {"from": integer(0, LAST_PLAYED_INDEX) | {"default": 0}}),
            ]
        },
        "Credentials": obj({"email": EMAIL, "password": password()}),
        "NewCredentials": obj({"email": EMAIL, "password": password(minLength=passwords.SHORTEST)}),
        "Logout": obj({}, {"everywhere": flag("all sessions of the account")}),
        "NewChart": _birth({"visibility": one_of(*VISIBILITIES)}, {"name": name}),
        "ChartChange": obj(
            {},
            {
                "name": name,
                "visibility": one_of(*VISIBILITIES),
                "datetime": matching(f"{DATE}{TIME}{OFFSET}?"),
                "tz": ref("Zone"),
                **birth,
            },
        ),
    }


def _control(name: str, meaning: str) -> Schema:
    return _CONTROL_SCHEMAS.get(name, share()) | {"description": meaning}


def _without(names: tuple[str, ...]) -> Schema:
    return dict.fromkeys(names, _NEVER)


def _birth(optional: dict[str, Schema], required: dict[str, Schema]) -> Schema:
    """Return the schema of a birth: a local time needs its zone, one with an offset does not."""
    zone = ref("Zone")
    or_no_zone = or_null(zone)
    fold = {"fold": {"enum": [0, 1, None], "description": "which of two equal local times"}}
    place = {"lat": number(-90, 90), "lon": number(-180, 180)} | required
    with_offset = obj({"datetime": INSTANT} | place, {"tz": or_no_zone} | fold | optional)
    local = matching(f"{DATE}(?:{TIME})?", "local to tz; a date alone where the time is unknown")
    return {"anyOf": [with_offset, obj({"datetime": local, "tz": zone} | place, fold | optional)]}


def _compose(default_audio: str) -> Schema:
    """Return the schema of an order: a station, or any mode of any model that is offered."""
    versions = {name: one_of(*known) for name, known in VERSIONS.items()}
    duration = number(orders.SHORTEST_S, orders.LONGEST_S, "seconds") | {
        "default": orders.DEFAULT_DURATION_S
    }
    fields = ("mode", "seed", "charts", "controls", "changes", *_MOVING)
    kinds = [
        obj(
            {"station": one_of(*STATIONS)},
            _without(fields) | {"durationS": duration, "modelVersions": obj({}, versions)},
        )
    ]
    for audio in VERSIONS["audio"]:
        named = obj(
            {"audio": {"const": audio}}, {k: v for k, v in versions.items() if k != "audio"}
        )
        if audio == default_audio:
            named = obj({}, versions | {"audio": {"const": audio}})
        kinds += [
            _programme(mode, audio, audio == default_audio, named, duration)
            for mode in MODEL_ACCEPTS[audio].modes
        ]
    return {"anyOf": kinds}


def _programme(
    mode_name: str, audio: str, is_default: bool, versions: Schema, duration: Schema
) -> Schema:
    """Return the schema of a programme of one mode, played by one model."""
    mode = MODES[mode_name]
    names = [name for name, meant in MODE_NAMES.items() if meant == mode_name]
    charts = listing({"anyOf": [ref("Birth"), ref("SavedChartId")]}, mode.n_charts, mode.n_charts)
    moving = {
        "at": INSTANT | {"description": "the sky at its beginning; left out, now, a whole minute"},
        "rate": number(0, MAX_RATE, "sky seconds per second") | {"default": 1},
        "place": obj({"lat": number(-90, 90), "lon": number(-180, 180)}),
    }
    wishes: dict[str, Schema] = {
        "controls": ref("Controls"),
        # That indices rise, no schema can say; of one change they always do.
        "changes": listing(ref("Change"), most=1)
        | {"description": f"up to {MAX_CHANGES} are read, if their indices rise"},
    }
    if not MODEL_ACCEPTS[audio].has_controls:
        wishes = {
            "controls": {"type": "object", "maxProperties": 0},
            "changes": {"type": "array", "maxItems": 0},
        }
    required: dict[str, Schema] = {}
    optional: dict[str, Schema] = {
        "station": _NEVER,
        "mode": one_of(*names),
        "seed": integer(0, LAST_INDEX) | {"default": 0},
        **(moving if mode.has_moving_sky else _without(_MOVING)),
        "charts": charts,
        **wishes,
        "durationS": duration,
        "modelVersions": versions,
    }
    for name, is_needed in (
        ("mode", mode_name != "transit"),
        ("charts", mode.n_charts > 0),
        ("modelVersions", not is_default),
    ):
        if is_needed:
            required[name] = optional.pop(name)
    return obj(required, optional) | {"title": f"{mode_name}, {audio}"}
