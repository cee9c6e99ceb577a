"""What we answer, as JSON Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astradio_stream.server.http import STATUS_OF_CODE
from astradio_stream.server.openapi_compat import compat_schemas
from astradio_stream.server.openapi_pieces import piece_schemas
from astradio_stream.server.openapi_words import (
    flag,
    integer,
    listing,
    longitude,
    matching,
    moment,
    number,
    obj,
    one_of,
    or_null,
    ref,
    share,
    text,
    with_id,
)
from astradio_stream.server.readiness import Checks, Readiness
from astradio_stream.sky.aspects import ASPECT_KINDS
from astradio_stream.sky.bodies import BODY_NAMES, PLANET_NAMES
from astradio_stream.sky.houses import HOUSE_SYSTEMS
from astradio_stream.sky.judgement import DIGNITY_POINTS, PHASE_NAMES
from astradio_stream.sky.zodiac import SIGN_NAMES
from astradio_stream.store.charts import VISIBILITIES
from astradio_stream.stream.modes import MODES
from astradio_stream.stream.versions import VERSIONS

if TYPE_CHECKING:
    from astradio_stream.server.openapi_words import Schema

_ELEMENTS = ("fire", "earth", "air", "water")
_MODALITIES = ("cardinal", "fixed", "mutable")
_HEX = "[0-9a-f]{64}"


def told_schemas() -> dict[str, Schema]:
    """Return the schemas of all answers, by name."""
    return _common() | _sky() | piece_schemas() | _accounts() | compat_schemas()


def _each_bucket(standing: str) -> str:
    """Return the pattern of a list of what is told of the address, and of the account if any."""
    return f'"address";{standing}(?:, "account";{standing})?'


def _common() -> dict[str, Schema]:
    checks = {name: flag() for name in Checks.__slots__}
    return {
        "RateLimitPolicy": matching(_each_bucket("q=[0-9]+;w=[0-9]+"), "in the header of its name"),
        "RateLimit": matching(_each_bucket("r=[0-9]+;t=[0-9]+"), "in the header of its name"),
        "RequestId": matching("[A-Za-z0-9_-]{8,64}", "also in the header X-Request-Id"),
        "Error": with_id(
            {
                "error": obj(
                    {"code": one_of(*STATUS_OF_CODE), "message": text("a sentence")},
                    {"details": listing(obj({"field": text(), "message": text()}), 1)},
                )
            }
        ),
        "Alive": with_id({"alive": {"const": True}}),
        "Readiness": with_id(
            {
                "ready": flag(),
                "state": one_of(*Readiness.__members__),
                "since": moment(),
                "timestamp": moment(),
                "version": text(),
                "checks": obj(checks),
            }
        ),
        "Status": with_id(
            {
                "state": one_of(*Readiness.__members__),
                "retryAfterMs": integer(0),
                "listeners": integer(0),
                "capacity": integer(0),
            }
        ),
        "Config": with_id(
            {
                "viz": flag(),
                "stations": listing(text()),
                "modes": listing(one_of(*MODES)),
                "modelVersions": ref("ModelVersions"),
                "limits": obj({}),
            }
        ),
        "ModelVersions": obj({name: text() for name in VERSIONS}),
    }


def _sky() -> dict[str, Schema]:
    return {
        "Body": _body(),
        "Aspect": _aspect(),
        "Chart": obj(_chart_fields()),
        "ChartInFull": _chart_in_full(),
        "SkyEvents": _sky_events(),
        "Town": _town(),
    }


def _body() -> Schema:
    """Return the schema of a body of a chart."""
    return obj(
        {
            "name": one_of(*BODY_NAMES),
            "longitudeDeg": longitude(),
            "latitudeDeg": number(-90, 90),
            "speedDegPerDay": number(),
            "declinationDeg": number(-90, 90),
            "retrograde": flag(),
            "sign": one_of(*SIGN_NAMES),
            "signDegree": number(0, 30),
            "house": or_null(integer(1, 12)),
            "dignity": or_null(one_of(*DIGNITY_POINTS)),
        }
    )


def _aspect() -> Schema:
    """Return the schema of an aspect of a chart."""
    return obj(
        {
            "a": one_of(*BODY_NAMES),
            "b": one_of(*BODY_NAMES),
            "kind": one_of(*(kind.name for kind in ASPECT_KINDS)),
            "orbDeg": number(),
            "strength": share(),
            "applying": or_null(flag()),
            "exactInHours": or_null(number()),
        }
    )


def _chart_fields() -> dict[str, Schema]:
    """Return the schemas of the fields that every chart has."""
    place = obj({"lat": number(-90, 90), "lon": number(-180, 180)})
    return {
        "chartHash": matching(_HEX),
        "moment": obj({"utc": moment(), "local": text(), "tz": text(), "timeKnown": flag()}),
        "place": or_null(place),
        "houseSystem": one_of(*HOUSE_SYSTEMS),
        "houseSystemUsed": or_null(one_of(*HOUSE_SYSTEMS)),
        "notes": listing(text()),
        "bodies": listing(ref("Body"), len(BODY_NAMES), len(BODY_NAMES)),
        "angles": or_null(
            obj({name: longitude() for name in ("ascendantDeg", "midheavenDeg", "vertexDeg")})
        ),
        "cuspsDeg": or_null(listing(longitude(), 12, 12)),
        "aspects": listing(ref("Aspect")),
        "moon": obj({"phaseDeg": longitude(), "phaseName": one_of(*PHASE_NAMES)}),
        "elements": obj({name: share() for name in _ELEMENTS}),
        "modalities": obj({name: share() for name in _MODALITIES}),
        "dominantBody": one_of(*PLANET_NAMES),
    }


def _chart_in_full() -> Schema:
    """Return the schema of a chart with all that can be said of it."""
    hour = {
        "ruler": one_of(*PLANET_NAMES),
        "number": integer(1, 12),
        "isDay": flag(),
        "dayRuler": one_of(*PLANET_NAMES),
        "start": moment(),
        "end": moment(),
    }
    shape = {
        "name": text(),
        "occupiedDeg": number(0, 360),
        "largestGapDeg": number(0, 360),
        "gathering": share(),
        "aboveHorizon": or_null(share()),
        "eastern": or_null(share()),
    }
    return with_id(
        _chart_fields()
        | {
            "dominance": obj({name: number() for name in PLANET_NAMES}),
            "shape": obj(shape),
            "planetaryHour": or_null(obj(hour)),
            "features": obj({"version": text(), "values": listing(number(), 64, 64)}),
        }
    )


def _sky_events() -> Schema:
    """Return the schema of what comes in the sky."""
    return with_id(
        {
            "from": moment(),
            "to": moment(),
            "events": listing(
                obj(
                    {
                        "at": moment(),
                        "kind": one_of("aspect", "ingress", "lunation", "station"),
                        "name": text(),
                        "bodies": listing(one_of(*PLANET_NAMES), 1),
                        "longitudeDeg": longitude(),
                        "sign": one_of(*SIGN_NAMES),
                        "text": text(),
                    }
                )
            ),
        }
    )


def _town() -> Schema:
    """Return the schema of a town."""
    return obj(
        {
            "name": text(),
            "region": or_null(text()),
            "country": text(),
            "lat": number(-90, 90),
            "lon": number(-180, 180),
            "tz": text("IANA name"),
            "population": integer(0),
        }
    )


def _accounts() -> dict[str, Schema]:
    user = obj({"id": text(), "email": text(), "createdAt": moment()})
    chart = {
        "id": text(),
        "name": text(),
        "datetime": text(),
        "tz": or_null(text()),
        "lat": number(-90, 90),
        "lon": number(-180, 180),
        "visibility": one_of(*VISIBILITIES),
        "createdAt": moment(),
        "changedAt": moment(),
    }
    fold: dict[str, Schema] = {"fold": {"enum": [0, 1]}}
    return {
        "User": user,
        "Session": with_id({"user": or_null(ref("User")), "csrfToken": text()}),
        "SavedChart": with_id(chart, fold),
        "SavedCharts": with_id({"charts": listing(obj(chart, fold))}),
        "Export": with_id(
            {
                "user": ref("User"),
                "sessions": listing(obj({"createdAt": moment(), "expiresAt": moment()})),
                "charts": listing(obj(chart, fold)),
                "blocks": listing(
                    obj(
                        {
                            "id": text(),
                            "chartId": or_null(text()),
                            "name": or_null(text()),
                            "createdAt": moment(),
                        }
                    )
                ),
                "compositions": listing(
                    obj({"createdAt": moment(), "programme": obj({}), "answer": obj({})})
                ),
                "answers": listing(
                    obj(
                        {
                            "page": text("method and path"),
                            "key": text("as it was sent"),
                            "status": integer(200),
                            "body": obj({}),
                            "expiresAt": moment(),
                        }
                    )
                ),
            }
        ),
    }
