"""What a session wants its shell to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from astradio_stream.wire.closing import Closing
    from astradio_stream.wire.messages import Hello, JsonObject


@dataclass(frozen=True, slots=True)
class SendText:
    """Send this message as JSON."""

    message: JsonObject
    """The message."""


@dataclass(frozen=True, slots=True)
class Join:
    """Find out about the programme, then call `joined` or `refused`."""

    hello: Hello
    """What the listener wants."""


@dataclass(frozen=True, slots=True)
class Seek:
    """Find out about the programme at this index, then call `joined` or `refused`."""

    to_index: int
    """First sample wanted, a multiple of 4 800."""


@dataclass(frozen=True, slots=True)
class Steer:
    """Find out about the programme with this change, then call `steered` or `not_steered`."""

    controls: JsonObject
    """Only what changes, as the client wrote it."""
    quantise: str
    """now, beat or bar."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection; it is the last action."""

    closing: Closing
    """Its code and word."""


Question: TypeAlias = Join | Seek | Steer
"""What the shell must find out, one after the other."""

Action: TypeAlias = SendText | Question | Close
