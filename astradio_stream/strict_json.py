"""JSON from strangers, read strictly, and JSON to them, written fast.

What Python's own reader forgives is refused here, because two readers that understand one text
differently are a hole (RFC 8259 §4, §6, §8): doubled keys, NaN and Infinity, numbers beyond a
double, lone surrogates, depth bombs, integers of thousands of digits, a byte order mark.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final, NoReturn, TypeAlias

import orjson

from astradio_stream.errors import BadJson

JsonValue: TypeAlias = "dict[str, JsonValue] | list[JsonValue] | str | int | float | bool | None"

DEFAULT_MAX_DEPTH: Final = 32
"""Ours never nest deeper than six; a reader's stack holds thousands."""

MAX_INTEGER_DIGITS: Final = 300
"""Whatever has fewer is still finite as a double, so it can be compared, refused and echoed."""

_SHORT: Final = 512
"""Characters. What listeners say all the time is shorter, and what is longer is not read twice."""

_STRING_OR_BRACKET: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""An unclosed string runs to the end, so that no text is scanned twice."""


def parse_json(data: bytes | str, max_bytes: int, max_depth: int = DEFAULT_MAX_DEPTH) -> JsonValue:
    """Return the JSON value in `data`.

    Args:
        data: The whole text, as UTF-8 bytes or as a string.
        max_bytes: How long the text may be, in bytes of UTF-8.
        max_depth: How many arrays and objects may stand inside one another.

    Raises:
        BadJson: the text is too long or is not the JSON that we read; the sentence says why.
    """
    text = _text_of(data, max_bytes)
    if len(text) <= _SHORT and max_depth:
        plain = _plain_object(text)
        if plain is not None:
            return plain
    _check_depth(text, max_depth)
    try:
        value: JsonValue = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise BadJson(
            f"not JSON: {error.msg} at line {error.lineno} column {error.colno}"
        ) from None
    except RecursionError:  # only where max_depth was set beyond the reader's own limit
        raise BadJson("not JSON that we read: it nests too deep") from None
    if "\\u" in text:  # a raw surrogate cannot come out of UTF-8, an escaped one can
        _check_surrogates(value)
    return value


def _plain_object(text: str) -> dict[str, JsonValue] | None:
    """Return a flat object in which nothing is doubtful, or None for the reader below to judge.

    The fast reader is as strict but for two things: of doubled keys it takes the last, and an
    integer beyond 64 bits becomes a double. Where no quote is escaped all of them stand around
    strings, so their number tells whether a key was dropped.
    """
    if "\\" in text:
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if type(value) is not dict:
        return None
    n_strings = len(value)
    for inner in value.values():
        kind = type(inner)
        if kind is str:
            n_strings += 1
        elif kind is float:
            if inner.is_integer():
                return None
        elif kind is dict or kind is list:
            return None
    return value if text.count('"') == 2 * n_strings else None


def dump_json(value: object) -> bytes:
    """Return `value` as JSON in UTF-8; it must hold only finite numbers and 64-bit integers."""
    return orjson.dumps(value)


def dump_text(value: object) -> str:
    """Return `value` as a string of JSON, for a text message."""
    return orjson.dumps(value).decode()


def _text_of(data: bytes | str, max_bytes: int) -> str:
    """Return the text of `data`, which must be short enough, proper Unicode and without a BOM."""
    try:
        if isinstance(data, str):
            n_bytes = len(data) if data.isascii() else len(data.encode())
        else:
            n_bytes = len(data)
        if n_bytes > max_bytes:
            raise BadJson(f"the text must have at most {max_bytes} bytes, got {n_bytes}")
        text = data if isinstance(data, str) else data.decode()
    except UnicodeError:
        raise BadJson("the text must be UTF-8") from None
    if text.startswith("\ufeff"):
        raise BadJson("the text must not begin with a byte order mark")
    return text


def _check_depth(text: str, max_depth: int) -> None:
    """Raise if brackets outside strings nest deeper than `max_depth`."""
    if text.count("{") + text.count("[") <= max_depth:
        return
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        mark = match[0]
        if mark in "[{":
            depth += 1
            if depth > max_depth:
                raise BadJson(f"arrays and objects may nest {max_depth} deep, not deeper")
        elif mark in "]}":
            depth -= 1


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of key and value pairs; no key may come twice."""
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        doubled = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise BadJson(f"an object has the key {doubled[:40]!r} twice")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise BadJson(f"{name} is not a JSON number")


def _float_of(digits: str) -> float:
    """Return a finite double."""
    value = float(digits)
    if not math.isfinite(value):
        raise BadJson(f"the number {digits[:40]} is beyond a double")
    return value


def _int_of(digits: str) -> int:
    """Return an integer of a bounded number of digits."""
    if len(digits) > MAX_INTEGER_DIGITS:
        raise BadJson(f"an integer may have {MAX_INTEGER_DIGITS} digits at most, got {len(digits)}")
    return int(digits)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object_of,
    parse_constant=_refuse_constant,
    parse_float=_float_of,
    parse_int=_int_of,
)


def _check_surrogates(value: JsonValue) -> None:
    """Raise if any string in `value` holds half of a surrogate pair."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise BadJson("a string holds a lone surrogate, which is not a character") from None
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_surrogates(key)
            _check_surrogates(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_surrogates(inner)
