"""Cursors: where a page of matches ended, as text that a client hands back.

A cursor belongs to one question: the same chart, the same facet, the same model. One from anywhere
else is refused. It is not secret and not signed: it names the last match of a page that its holder
has seen, and a forged one only begins a page elsewhere.
"""

from __future__ import annotations

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from astradio_stream.compat.curves import MICRO
from astradio_stream.compat.search import Match, Place
from astradio_stream.errors import Detail, ValidationFailed

if TYPE_CHECKING:
    from astradio_stream.compat.points import Tenths
    from astradio_stream.compat.weights import Weights

_FORM: Final = struct.Struct(">8sIq")
"""Question, score in millionths, id."""
_LENGTH: Final = 27
"""Characters: twenty bytes in base64 without padding."""


def cursor_of(last: Match, a: Tenths, facet: str, weights: Weights) -> str:
    """Return the cursor that follows the last match of a page."""
    packed = _FORM.pack(_question(a, facet, weights), last.score_micro, last.chart_id)
    return urlsafe_b64encode(packed).decode().rstrip("=")


def place_of_cursor(cursor: object, a: Tenths, facet: str, weights: Weights) -> Place:
    """Return where a page begins.

    Raises:
        ValidationFailed: if it is no cursor, or one of another question.
    """
    if isinstance(cursor, str) and len(cursor) == _LENGTH and cursor.isascii():
        try:
            packed = urlsafe_b64decode(cursor + "=")
        except NotBase64:
            packed = b""
        if len(packed) == _FORM.size:
            question, score_micro, chart_id = _FORM.unpack(packed)
            if question == _question(a, facet, weights) and score_micro <= MICRO:
                return Place(score_micro, chart_id)
    message = "must be the nextCursor of an answer to the same chart and facet"
    raise ValidationFailed([Detail("cursor", message)])


def _question(a: Tenths, facet: str, weights: Weights) -> bytes:
    return sha256(f"{weights.digest}|{facet}|{a}".encode()).digest()[:8]
