"""What we answer, as JSON Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astradio_stream.music.controls import CONTROLS, GENRES, MAX_LEAP_CAP
from astradio_stream.music.gates import GATES
from astradio_stream.music.theory import KEY_NAMES
from astradio_stream.music.theory import MODES as SCALES
from astradio_stream.server.http import STATUS_OF_CODE
from astradio_stream.server.openapi_compat import compat_schemas
from astradio_stream.server.openapi_words import (
    digest,
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
from astradio_stream.units import LAST_INDEX

if TYPE_CHECKING:
    from astradio_stream.server.openapi_words import Schema

_ELEMENTS = ("fire", "earth", "air", "water")
_MODALITIES = ("cardinal", "fixed", "mutable")
_HEX = "[0-9a-f]{64}"
_NO_SHARES = {"leapCap", "key", "mode", "genre"}
"""Controls that are not numbers from 0 to 1."""


def told_schemas() -> dict[str, Schema]:
    """Return the schemas of all answers, by name."""
    return _common() | _sky() | _pieces() | _accounts() | compat_schemas()


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
    place = obj({"lat": number(-90, 90), "lon": number(-180, 180)})
    chart = {
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
    return {
        "Body": obj(
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
        ),
        "Aspect": obj(
            {
                "a": one_of(*BODY_NAMES),
                "b": one_of(*BODY_NAMES),
                "kind": one_of(*(kind.name for kind in ASPECT_KINDS)),
                "orbDeg": number(),
                "strength": share(),
                "applying": or_null(flag()),
                "exactInHours": or_null(number()),
            }
        ),
        "Chart": obj(chart),
        "ChartInFull": with_id(
            chart
            | {
                "dominance": obj({name: number() for name in PLANET_NAMES}),
                "shape": obj(shape),
                "planetaryHour": or_null(obj(hour)),
                "features": obj({"version": text(), "values": listing(number(), 64, 64)}),
            }
        ),
        "SkyEvents": with_id(
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
        ),
        "Town": obj(
            {
                "name": text(),
                "region": or_null(text()),
                "country": text(),
                "lat": number(-90, 90),
                "lon": number(-180, 180),
                "tz": text("IANA name"),
                "population": integer(0),
            }
        ),
    }


def _pieces() -> dict[str, Schema]:
    link = {"url": text("of the file, on this server"), "digest": digest("of the bytes of url")}
    wishes = {row.name: {"description": row.meaning} for row in CONTROLS}
    judged = obj({gate.name: flag() for gate in GATES} | {"overall": flag()})
    words = [
        obj({"type": {"const": kind}, "content": text(maxLength=longest)})
        for kind, longest in (("short", 120), ("long", 300))
    ]
    words.append(obj({"type": {"const": "bullets"}, "content": listing(text(), 1)}))
    return {
        "Programme": obj(
            {"modelVersions": ref("ModelVersions")},
            {
                "station": text(),
                "mode": one_of(*MODES),
                "seed": integer(0, LAST_INDEX),
                "at": moment(),
                "rate": number(0),
                "place": obj({"lat": number(-90, 90), "lon": number(-180, 180)}),
                "charts": listing(
                    {
                        "anyOf": [
                            obj(
                                {
                                    "datetime": text(),
                                    "tz": text(),
                                    "lat": number(-90, 90),
                                    "lon": number(-180, 180),
                                },
                                {"name": text(), "fold": {"const": 1}},
                            ),
                            obj({"chartId": text(), "version": text()}),
                        ]
                    }
                ),
                "controls": obj({}, wishes),
                "changes": listing(obj({"index": integer(0, LAST_INDEX), "controls": obj({})})),
            },
        ),
        "Palette": obj(
            {"key": one_of(*KEY_NAMES), "mode": one_of(*SCALES), "tempoBpm": number(1)},
            {
                "metre": text(),
                "genre": one_of(*GENRES),
                "lead": one_of(*BODY_NAMES),
                "voices": listing(obj({"body": one_of(*BODY_NAMES), "instrument": text()})),
                "leapCap": integer(1, MAX_LEAP_CAP),
            }
            | {row.name: share(row.meaning) for row in CONTROLS if row.name not in _NO_SHARES},
        ),
        "Piece": with_id(
            {
                "programmeId": matching(_HEX),
                "programme": ref("Programme"),
                "chart": {"anyOf": [ref("Chart"), ref("VeiledChart")]},
                "palette": ref("Palette"),
                "audio": obj(
                    link
                    | {
                        "pcmDigest": digest("of the samples, 16 bits, interleaved"),
                        "durationS": number(0),
                        "bytes": integer(1),
                        "latencyMs": number(0, None, "how long this answer took"),
                        "cached": flag("whether the piece was at hand"),
                    }
                ),
                "viz": or_null(obj(link)),
                "midi": obj(link),
                "text": obj({"blocks": listing({"anyOf": words}, 3, 3), "digest": digest()}),
                "gates": obj(
                    {
                        "scores": obj({gate.name: share() for gate in GATES}),
                        "calibrated": judged,
                        "strict": judged,
                        "hints": listing(text()),
                    }
                ),
                "provenance": obj(
                    {
                        "chartHash": matching(_HEX),
                        "seed": integer(0, LAST_INDEX),
                        "featuresVersion": text(),
                        "houseSystem": or_null(one_of(*HOUSE_SYSTEMS)),
                        "tzDiscipline": {"const": "utc"},
                        "codec": text(),
                        "modelVersions": ref("ModelVersions"),
                    }
                ),
            }
        ),
        "Picture": obj(
            {
                "programmeId": matching(_HEX),
                "version": text(),
                "sampleRate": {"const": 48_000},
                "vizSamples": {"const": 800},
                "durationS": number(0),
                "fields": listing(obj({"name": text(), "min": number(), "max": number()})),
                "frames": listing(listing(integer(0, 255)), 1),
                "events": listing(
                    obj(
                        {
                            "index": integer(0),
                            "kind": text(),
                            "text": text(),
                            "bodies": listing(one_of(*BODY_NAMES)),
                        }
                    )
                ),
            }
        ),
    }


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
