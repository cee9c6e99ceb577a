"""What we answer about pieces, as JSON Schema: programme, palette, the piece, its picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astradio_stream.music.controls import CONTROLS, GENRES, MAX_LEAP_CAP
from astradio_stream.music.gates import GATES
from astradio_stream.music.theory import KEY_NAMES
from astradio_stream.music.theory import MODES as SCALES
from astradio_stream.server.openapi_words import (
    digest,
    flag,
    integer,
    listing,
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
from astradio_stream.sky.bodies import BODY_NAMES
from astradio_stream.sky.houses import HOUSE_SYSTEMS
from astradio_stream.stream.modes import MODES
from astradio_stream.units import LAST_INDEX

if TYPE_CHECKING:
    from astradio_stream.server.openapi_words import Schema

_HEX = "[0-9a-f]{64}"
_LINK = {"url": text("of the file, on this server"), "digest": digest("of the bytes of url")}
_NO_SHARES = {"leapCap", "key", "mode", "genre"}
"""Controls that are not numbers from 0 to 1."""


def piece_schemas() -> dict[str, Schema]:
    """Return the schemas, by name."""
    return {
        "Programme": _programme(),
        "Palette": _palette(),
        "Piece": _piece(),
        "Picture": _picture(),
    }


def _programme() -> Schema:
    """Return the schema of a programme with every default resolved."""
    wishes = {row.name: {"description": row.meaning} for row in CONTROLS}
    place = {"lat": number(-90, 90), "lon": number(-180, 180)}
    birth = obj({"datetime": text(), "tz": text()} | place, {"name": text(), "fold": {"const": 1}})
    saved = obj({"chartId": text(), "version": text()})
    return obj(
        {"modelVersions": ref("ModelVersions")},
        {
            "station": text(),
            "mode": one_of(*MODES),
            "seed": integer(0, LAST_INDEX),
            "at": moment(),
            "rate": number(0),
            "place": obj(place),
            "charts": listing({"anyOf": [birth, saved]}),
            "controls": obj({}, wishes),
            "changes": listing(obj({"index": integer(0, LAST_INDEX), "controls": obj({})})),
        },
    )


def _palette() -> Schema:
    """Return the schema of what a chart means in music."""
    return obj(
        {"key": one_of(*KEY_NAMES), "mode": one_of(*SCALES), "tempoBpm": number(1)},
        {
            "metre": text(),
            "genre": one_of(*GENRES),
            "lead": one_of(*BODY_NAMES),
            "voices": listing(obj({"body": one_of(*BODY_NAMES), "instrument": text()})),
            "leapCap": integer(1, MAX_LEAP_CAP),
        }
        | {row.name: share(row.meaning) for row in CONTROLS if row.name not in _NO_SHARES},
    )


def _piece() -> Schema:
    """Return the schema of the answer of compose."""
    return with_id(
        {
            "programmeId": matching(_HEX),
            "programme": ref("Programme"),
            "chart": {"anyOf": [ref("Chart"), ref("VeiledChart")]},
            "palette": ref("Palette"),
            "audio": _audio(),
            "viz": or_null(obj(_LINK)),
            "midi": obj(_LINK),
            "text": _words(),
            "gates": _gates(),
            "provenance": _provenance(),
        }
    )


def _audio() -> Schema:
    """Return the schema of the sound of a piece."""
    return obj(
        _LINK
        | {
            "pcmDigest": digest("of the samples, 16 bits, interleaved"),
            "durationS": number(0),
            "bytes": integer(1),
            "latencyMs": number(0, None, "how long this answer took"),
            "cached": flag("whether the piece was at hand"),
        }
    )


def _words() -> Schema:
    """Return the schema of what is said of a piece."""
    words = [
        obj({"type": {"const": kind}, "content": text(maxLength=longest)})
        for kind, longest in (("short", 120), ("long", 300))
    ]
    words.append(obj({"type": {"const": "bullets"}, "content": listing(text(), 1)}))
    return obj({"blocks": listing({"anyOf": words}, 3, 3), "digest": digest()})


def _gates() -> Schema:
    """Return the schema of how a piece was judged."""
    judged = obj({gate.name: flag() for gate in GATES} | {"overall": flag()})
    return obj(
        {
            "scores": obj({gate.name: share() for gate in GATES}),
            "calibrated": judged,
            "strict": judged,
            "hints": listing(text()),
        }
    )


def _provenance() -> Schema:
    """Return the schema of what a piece was made from."""
    return obj(
        {
            "chartHash": matching(_HEX),
            "seed": integer(0, LAST_INDEX),
            "featuresVersion": text(),
            "houseSystem": or_null(one_of(*HOUSE_SYSTEMS)),
            "tzDiscipline": {"const": "utc"},
            "codec": text(),
            "modelVersions": ref("ModelVersions"),
        }
    )


def _picture() -> Schema:
    """Return the schema of the picture of a piece, a file."""
    return obj(
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
    )
