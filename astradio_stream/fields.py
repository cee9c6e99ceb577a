"""Reading one field of a message: each reader returns the value, or notes what is wrong with it.

A reader never raises: it adds a `Detail` per mistake, so that a client hears of all at once.
JSON from JavaScript cannot tell 48000 from 48000.0, so both are the integer; 0.5 and true are not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from astradio_stream.errors import Detail

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Details: TypeAlias = list[Detail]
Reader: TypeAlias = Callable[[object, str, Details], Any]
"""(value as parsed, path of the field, where to note mistakes) -> value to use."""

_SHOWN_CHARACTERS: Final = 40


@dataclass(frozen=True, slots=True)
class Field:
    """One row of a message's table."""

    name: str
    """As the client writes it."""
    attribute: str
    """As we call it."""
    read: Reader
    """Checks the value and returns it."""
    required: bool = True
    """Whether its absence is a mistake."""
    default: object = None
    """The value of an absent optional field."""


def read_fields(
    fields: Sequence[Field], message: Mapping[str, object], details: Details
) -> dict[str, Any]:
    """Return attribute -> value for a table of fields; names the table lacks are ignored."""
    values: dict[str, Any] = {}
    for field in fields:
        if field.name in message:
            values[field.attribute] = field.read(message[field.name], field.name, details)
        else:
            values[field.attribute] = field.default
            if field.required:
                details.append(Detail(field.name, f"{field.name} is required"))
    return values


def shown(value: object) -> str:
    """Return a refused value as a few characters for the sentence that refuses it."""
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"


def integer_of(value: object) -> int | None:
    """Return the integer that a JSON number stands for, or None for anything else."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def integer(low: int, high: int) -> Reader:
    """Return the reader of an integer from `low` to `high`."""

    def read(value: object, path: str, details: Details) -> int:
        if type(value) is int and low <= value <= high:  # nearly always, so first
            return value
        found = integer_of(value)
        if found is not None and low <= found <= high:
            return found
        right = f"an integer from {low} to {high}" if low < high else f"the integer {low}"
        sentence = f"{path} must be {right}, got {shown(value)}"
        details.append(Detail(path, sentence))
        return low

    return read


def number(low: float, high: float) -> Reader:
    """Return the reader of a number from `low` to `high`."""

    def read(value: object, path: str, details: Details) -> float:
        if type(value) is float and low <= value <= high:  # nearly always, so first
            return value
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and low <= value <= high:  # type: ignore[operator]
            return float(value)  # type: ignore[arg-type]
        sentence = f"{path} must be a number from {low:g} to {high:g}, got {shown(value)}"
        details.append(Detail(path, sentence))
        return low

    return read


def any_number(value: object, path: str, details: Details) -> int | float:
    """Read any number, to be echoed: exactly where 64 bits hold it, else as the nearest double."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value if -(2**63) <= value < 2**63 else float(value)
    details.append(Detail(path, f"{path} must be a number, got {shown(value)}"))
    return 0


def boolean(value: object, path: str, details: Details) -> bool:
    """Read true or false."""
    if isinstance(value, bool):
        return value
    details.append(Detail(path, f"{path} must be true or false, got {shown(value)}"))
    return False


def json_object(value: object, path: str, details: Details) -> dict[str, Any]:
    """Read an object, unopened."""
    if isinstance(value, dict):
        return value
    details.append(Detail(path, f"{path} must be an object, got {shown(value)}"))
    return {}


def short_text(max_characters: int) -> Reader:
    """Return the reader of a string of at most `max_characters`."""

    def read(value: object, path: str, details: Details) -> str:
        if isinstance(value, str) and len(value) <= max_characters:
            return value
        sentence = f"{path} must be a string of at most {max_characters} characters"
        details.append(Detail(path, sentence))
        return ""

    return read


def one_of(*words: str) -> Reader:
    """Return the reader of one word out of a list."""

    def read(value: object, path: str, details: Details) -> str:
        if isinstance(value, str) and value in words:
            return value
        sentence = f"{path} must be one of {', '.join(words)}, got {shown(value)}"
        details.append(Detail(path, sentence))
        return words[0]

    return read


def hex_digest(value: object, path: str, details: Details) -> str:
    """Read a SHA-256 as 64 lower-case hexadecimal digits."""
    if isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef"):
        return value
    details.append(
        Detail(path, f"{path} must be 64 lower-case hexadecimal digits, got {shown(value)}")
    )
    return ""
