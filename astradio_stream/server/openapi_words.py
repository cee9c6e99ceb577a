"""The few words of which our description of the interface is made (JSON Schema 2020-12)."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

Schema: TypeAlias = dict[str, Any]

# Dates that are in the calendar, of years that the ephemeris covers to the last day.
_YEAR: Final = "(?:19[0-9]{2}|20[0-4][0-9]|205[0-2])"
_LEAP_YEAR: Final = "(?:19(?:0[48]|[2468][048]|[13579][26])|20(?:[024][048]|[13][26]|52))"
DATE: Final = (
    f"(?:{_YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    f"|02-(?:0[1-9]|1[0-9]|2[0-8]))|{_LEAP_YEAR}-02-29)"
)
TIME: Final = r"T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
OFFSET: Final = "(?:Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)"


def ref(name: str) -> Schema:
    """Return what stands for a schema with a name."""
    return {"$ref": f"#/components/schemas/{name}"}


def obj(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """Return the schema of an object; more fields than these may come with later versions."""
    made: Schema = {"type": "object", "properties": required | (optional or {})}
    return made | ({"required": list(required)} if required else {})


def with_id(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """Return the schema of an answer, which tells under which id it was given."""
    return obj(required | {"requestId": ref("RequestId")}, optional)


def listing(items: Schema, least: int | None = None, most: int | None = None) -> Schema:
    """Return the schema of a list."""
    bounds = {"minItems": least, "maxItems": most}
    return {"type": "array", "items": items} | _given(bounds)


def text(about: str = "", **more: Any) -> Schema:
    """Return the schema of a string; `more` are keywords such as `maxLength`."""
    return _about({"type": "string"} | more, about)


def matching(pattern: str, about: str = "", **more: Any) -> Schema:
    """Return the schema of a string that matches a pattern from end to end."""
    return text(about, pattern=f"^{pattern}$", **more)


def one_of(*words: str, about: str = "") -> Schema:
    """Return the schema of a word out of a list."""
    return _about({"type": "string", "enum": list(words)}, about)


def number(low: float | None = None, high: float | None = None, about: str = "") -> Schema:
    """Return the schema of a number from `low` to `high`."""
    return _about({"type": "number"} | _given({"minimum": low, "maximum": high}), about)


def integer(low: int | None = None, high: int | None = None, about: str = "") -> Schema:
    """Return the schema of a whole number from `low` to `high`."""
    return _about({"type": "integer"} | _given({"minimum": low, "maximum": high}), about)


def flag(about: str = "") -> Schema:
    """Return the schema of true and false."""
    return _about({"type": "boolean"}, about)


def or_null(schema: Schema) -> Schema:
    """Return the schema of something that may be null."""
    return {"anyOf": [schema, {"type": "null"}]}


def share(about: str = "") -> Schema:
    """Return the schema of a number from 0 to 1."""
    return number(0, 1, about)


def longitude() -> Schema:
    """Return the schema of an ecliptic longitude."""
    return {"type": "number", "minimum": 0, "exclusiveMaximum": 360}


def moment(about: str = "") -> Schema:
    """Return the schema of an instant as we write it."""
    return text(about, format="date-time", examples=["2026-11-23T22:51:00Z"])


def digest(about: str = "") -> Schema:
    """Return the schema of a digest as it is told."""
    return matching("sha256:[0-9a-f]{64}", about)


def _given(keywords: dict[str, Any]) -> Schema:
    return {name: value for name, value in keywords.items() if value is not None}


def _about(schema: Schema, about: str) -> Schema:
    return schema | ({"description": about} if about else {})
