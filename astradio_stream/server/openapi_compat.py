"""What we answer about compatibility, blocks and veiled charts, as JSON Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astradio_stream.compat.points import POINT_NAMES
from astradio_stream.compat.weights import FACETS
from astradio_stream.server.openapi_words import (
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
from astradio_stream.sky.aspects import ASPECT_KINDS
from astradio_stream.sky.zodiac import SIGN_NAMES

if TYPE_CHECKING:
    from astradio_stream.server.openapi_words import Schema


def compat_schemas() -> dict[str, Schema]:
    """Return the schemas, by name."""
    return {
        "Signs": _signs(),
        "PublicChart": _public_chart(),
        "VeiledChart": _veiled_chart(),
        "CompatHealth": _health(),
        "Match": _match(),
        "Matches": _matches(),
        "Pair": _pair(),
        "Block": with_id(_block_fields()),
        "Blocks": with_id({"blocks": listing(obj(_block_fields()))}),
    }


def _signs() -> Schema:
    """Return the schema of what a public chart tells of the sky."""
    signs = {name: one_of(*SIGN_NAMES) for name in ("sun", "moon")}
    return obj(signs | {"rising": or_null(one_of(*SIGN_NAMES))})


def _public_chart() -> Schema:
    """Return the schema of a public chart as others see it."""
    return with_id(
        {
            "id": text(),
            "name": text(),
            "signs": ref("Signs"),
            "visibility": {"const": "public"},
        }
    )


def _veiled_chart() -> Schema:
    """Return the schema of the chart of a programme that names a public one."""
    veiled = obj(
        {
            "chartHash": matching("[0-9a-f]{64}"),
            "moment": obj({"utc": {"type": "null"}}),
            "bodies": listing({}, most=0),
            "aspects": listing({}, most=0),
            "notes": listing(text()),
            "signs": ref("Signs"),
        }
    )
    return veiled | {"description": "of a public chart of somebody: its signs only"}


def _health() -> Schema:
    """Return the schema of how the search stands."""
    return with_id(
        {
            "status": one_of("ok", "unavailable"),
            "service": {"const": "compat"},
            "profiles": integer(0, None, "charts that may be found"),
            "weightsVersion": or_null(text()),
            "timestamp": moment(),
        }
    )


def _percentile() -> Schema:
    return number(0, 100, "of random pairs, how many in a hundred score less")


def _match() -> Schema:
    """Return the schema of one match."""
    return obj(
        {
            "chartId": text(),
            "name": text(),
            "score": share(),
            "percentile": _percentile(),
            "facets": obj({name: share() for name in FACETS}),
            "rationale": listing(text("a sentence")),
            "signs": ref("Signs"),
        }
    )


def _matches() -> Schema:
    """Return the schema of a page of matches."""
    return with_id(
        {
            "matches": listing(ref("Match")),
            "facet": one_of(*FACETS),
            "searched": integer(0),
            "tookMs": number(0),
            "nextCursor": or_null(text()),
        }
    )


def _pair() -> Schema:
    """Return the schema of a pair in full."""
    return with_id(
        {
            "charts": listing(
                obj(
                    {
                        "chartId": or_null(text()),
                        "name": or_null(text()),
                        "signs": ref("Signs"),
                    }
                ),
                2,
                2,
            ),
            "modelVersion": text(),
            "weightsVersion": text(),
            "facets": obj({name: _facet() for name in FACETS}),
        }
    )


def _facet() -> Schema:
    """Return the schema of one facet of a pair, and what it is the sum of."""
    contribution = {
        "rule": text(),
        "value": number(-1, 1, "with base and the others it adds up to the score"),
        "a": or_null(one_of(*POINT_NAMES)),
        "b": or_null(one_of(*POINT_NAMES)),
        "kind": or_null(one_of(*(kind.name for kind in ASPECT_KINDS))),
        "orbDeg": or_null(number(0, None, "whole where a chart is somebody else's")),
        "strength": or_null(share()),
        "sentence": text(),
    }
    return obj(
        {
            "score": share(),
            "percentile": _percentile(),
            "base": share(),
            "contributions": listing(obj(contribution)),
        }
    )


def _block_fields() -> dict[str, Schema]:
    """Return the schemas of the fields of a block."""
    return {
        "id": text(),
        "chartId": or_null(text("null once it is hidden or gone")),
        "name": or_null(text()),
        "createdAt": moment(),
    }
