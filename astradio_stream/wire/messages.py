"""The text messages of the protocol: what a client may say, and what a server answers.

Client messages are read by a table of types and fields; every wrong field is named at once, names
that the table lacks are ignored. Server messages are built by one function each. What a programme,
a chart or a palette means is not known here: such objects pass through as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from astradio_stream import fields, units
from astradio_stream.errors import BadVersion, Detail, ValidationFailed
from astradio_stream.fields import Details, Field
from astradio_stream.wire.quantum import CODEC_OF_WORD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PROTOCOL_VERSION: Final = 1
SUBPROTOCOL: Final = "astradio.v1"
MAX_MESSAGE_BYTES: Final = 4_096
MAX_CODECS: Final = 16
BUFFER_MS_RANGE: Final = (200, 20_000)
DEFAULT_BUFFER_MS: Final = 2_000
MAX_CLIENT_CHARACTERS: Final = 64

JsonObject: TypeAlias = dict[str, Any]
CheckProgramme: TypeAlias = Callable[[object], "tuple[Detail, ...]"]
"""Names what is wrong in a programme as a client wrote it, paths relative to it."""


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message: what to play, from where, and how the client wants it."""

    protocol: int
    """The version the client speaks."""
    programme: JsonObject | None
    """A programme as the client wrote it, or None where it gave an id."""
    programme_id: str | None
    """64 hexadecimal digits, or None where it gave a programme."""
    from_index: int | None
    """First sample wanted; None leaves it to the programme (0, or live)."""
    codecs: tuple[str, ...]
    """Those we know of, in the client's order of preference; at least one."""
    viz: bool
    """Whether the picture is wanted."""
    buffer_ms: int
    """How far ahead of what is heard the client can hold (milliseconds)."""
    client: str
    """A short name for logs."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the listener hears now."""

    played: int
    """Sample now audible."""
    received: int
    """End of what has arrived (sample)."""
    underruns: int
    """How often the player had nothing to play."""
    viz_fps: float | None
    """Pictures drawn per second."""
    viz_init_ms: float | None
    """How long the picture took to start (milliseconds)."""
    output_latency_ms: float | None
    """From the player to the ear (milliseconds)."""


@dataclass(frozen=True, slots=True)
class Steer:
    """A wish to change the music."""

    controls: JsonObject
    """Only what changes."""
    quantise: str
    """now, beat or bar."""


@dataclass(frozen=True, slots=True)
class SeekTo:
    """A wish to jump."""

    to_index: int
    """Sample to jump to, already rounded down to a quantum."""


@dataclass(frozen=True, slots=True)
class Play:
    """Go on at the next unsent quantum."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Send no quanta until `play`."""


@dataclass(frozen=True, slots=True)
class VizSwitch:
    """Picture on or off."""

    on: bool
    """Whether the picture is wanted."""


@dataclass(frozen=True, slots=True)
class Ping:
    """A question for the server's clock."""

    t: float
    """Echoed as it came."""


@dataclass(frozen=True, slots=True)
class Bye:
    """An orderly end."""


ClientMessage: TypeAlias = Hello | Report | Steer | SeekTo | Play | Pause | VizSwitch | Ping | Bye


def _read_codecs(value: object, path: str, details: Details) -> tuple[str, ...]:
    """Read the list of codecs: unknown names are skipped as long as one is known."""
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_CODECS:
        sentence = f"{path} must be a list of 1 to {MAX_CODECS} names, got {fields.shown(value)}"
        details.append(Detail(path, sentence))
        return ()
    wrong = [n for n, name in enumerate(value) if not isinstance(name, str)]
    details.extend(
        Detail(f"{path}[{n}]", f"{path}[{n}] must be a string, got {fields.shown(value[n])}")
        for n in wrong
    )
    names = [name for name in value if isinstance(name, str)]
    known = tuple(dict.fromkeys(name for name in names if name in CODEC_OF_WORD))
    if not known and not wrong:
        sentence = f"{path} must hold one of {', '.join(CODEC_OF_WORD)}"
        details.append(Detail(path, sentence))
    return known


def _read_seek(value: object, path: str, details: Details) -> int:
    index: int = _PLAYED(value, path, details)
    return units.floor_to_quantum(index)


_INDEX: Final = fields.integer(0, units.LAST_INDEX)
_PLAYED: Final = fields.integer(0, units.LAST_PLAYED_INDEX + units.QUANTUM_SAMPLES - 1)
_QUALITY: Final = fields.number(0, 1e6)

# fmt: off
FIELDS_OF_TYPE: Final[Mapping[str, tuple[type[ClientMessage], tuple[Field, ...]]]] = {
    "hello": (Hello, (
        Field("protocol",        "protocol",          fields.integer(1, 1)),
        Field("programme",       "programme",         fields.json_object, required=False),
        Field("programmeId",     "programme_id",      fields.hex_digest, required=False),
        Field("from",            "from_index",        _PLAYED, required=False),
        Field("codecs",          "codecs",            _read_codecs,
              required=False, default=("opus",)),
        Field("viz",             "viz",               fields.boolean, required=False, default=True),
        Field("bufferMs",        "buffer_ms",         fields.integer(*BUFFER_MS_RANGE),
              required=False, default=DEFAULT_BUFFER_MS),
        Field("client",          "client",            fields.short_text(MAX_CLIENT_CHARACTERS),
              required=False, default=""),
    )),
    "report": (Report, (
        Field("played",          "played",            _INDEX),
        Field("received",        "received",          _INDEX),
        Field("underruns",       "underruns",         _INDEX),
        Field("vizFps",          "viz_fps",           _QUALITY, required=False),
        Field("vizInitMs",       "viz_init_ms",       _QUALITY, required=False),
        Field("outputLatencyMs", "output_latency_ms", _QUALITY, required=False),
    )),
    "steer": (Steer, (
        Field("controls",        "controls",          fields.json_object),
        Field("quantise",        "quantise",          fields.one_of("now", "beat", "bar"),
              required=False, default="beat"),
    )),
    "seek":  (SeekTo,    (Field("to", "to_index", _read_seek),)),
    "viz":   (VizSwitch, (Field("on", "on",       fields.boolean),)),
    "ping":  (Ping,      (Field("t",  "t",        fields.any_number),)),
    "play":  (Play,  ()),
    "pause": (Pause, ()),
    "bye":   (Bye,   ()),
}
# fmt: on


def no_details(_programme: object) -> tuple[Detail, ...]:
    """Check nothing: the programme is left to whoever resolves it."""
    return ()


def parse_hello(message: Mapping[str, object], check_programme: CheckProgramme) -> Hello:
    """Return the hello in a parsed message.

    Raises:
        BadVersion: it speaks another protocol; then nothing else in it is judged.
        ValidationFailed: fields are wrong, those of the programme included, all at once.
    """
    version = fields.integer_of(message.get("protocol"))
    if version is not None and version != PROTOCOL_VERSION:
        raise BadVersion(f"this server speaks protocol {PROTOCOL_VERSION}, not {version}")
    details: Details = []
    values = read_fields_of("hello", message, details)
    if ("programme" in message) == ("programmeId" in message):
        sentence = "give either programme or programmeId, exactly one of the two"
        details.append(Detail("programme", sentence))
    if isinstance(message.get("programme"), dict):
        details.extend(inside_programme(check_programme(message["programme"])))
    if details:
        raise ValidationFailed(details)
    return Hello(**values)


def parse_message(kind: str, message: Mapping[str, object]) -> ClientMessage:
    """Return a message of a known type other than hello.

    Raises:
        ValidationFailed: fields are wrong, all of them named.
    """
    details: Details = []
    values = read_fields_of(kind, message, details)
    if details:
        raise ValidationFailed(details)
    return FIELDS_OF_TYPE[kind][0](**values)


def read_fields_of(kind: str, message: Mapping[str, object], details: Details) -> dict[str, Any]:
    """Return attribute -> value of a message of a known type."""
    return fields.read_fields(FIELDS_OF_TYPE[kind][1], message, details)


def inside_programme(details: Iterable[Detail]) -> tuple[Detail, ...]:
    """Return details with paths relative to a programme as paths relative to hello."""
    return tuple(
        Detail(f"programme.{detail.field}" if detail.field else "programme", detail.message)
        for detail in details
    )
