"""The text messages that a server sends, one function each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from astradio_stream import units
from astradio_stream.wire.messages import PROTOCOL_VERSION, JsonObject

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from astradio_stream.errors import Detail

_GRID: Final = {
    "sampleRate": units.SAMPLE_RATE_HZ,
    "channels": units.N_CHANNELS,
    "packetSamples": units.PACKET_SAMPLES,
    "vizSamples": units.VIZ_SAMPLES,
    "quantumSamples": units.QUANTUM_SAMPLES,
}


@dataclass(frozen=True, slots=True)
class ReadyParts:
    """What the shell found out about a programme, for `ready`; objects pass through unread."""

    programme: JsonObject
    """The whole programme, every default resolved."""
    programme_id: str
    """Its identity, 64 hexadecimal digits."""
    from_index: int
    """First sample to be sent, rounded down to a quantum by the session."""
    codec: JsonObject
    """name, version, bitrate, preSkip."""
    viz: JsonObject | None
    """version and fields, or None without a picture."""
    chart: JsonObject
    """Bodies, houses and aspects at `from`."""
    palette: JsonObject
    """key, mode, tempoBpm and so on."""
    provenance: JsonObject
    """Which builds made the sound."""
    limits: JsonObject
    """What this server allows."""
    live: JsonObject | None = None
    """index and utcMs for a station."""
    resumed: bool = False
    """Whether the listener goes on where it was."""


@dataclass(frozen=True, slots=True)
class SteeredParts:
    """What the shell found out about a change, for `steered`."""

    programme: JsonObject
    """The changed programme, every default resolved."""
    programme_id: str
    """Its identity, 64 hexadecimal digits."""
    first_index: int
    """First sample of the first quantum that the change replaces."""
    effective: int
    """The sample from which the new music sounds."""


def ready(session_id: str, epoch: int, parts: ReadyParts, unix_us: int) -> JsonObject:
    """Return the message that opens an epoch."""
    return {
        "type": "ready",
        "protocol": PROTOCOL_VERSION,
        "sessionId": session_id,
        "epoch": epoch,
        "programme": parts.programme,
        "programmeId": parts.programme_id,
        **_GRID,
        "codec": parts.codec,
        "from": units.floor_to_quantum(parts.from_index),
        "live": parts.live,
        "serverTimeUs": unix_us,
        "viz": parts.viz,
        "chart": parts.chart,
        "palette": parts.palette,
        "provenance": parts.provenance,
        "limits": parts.limits,
        "resumed": parts.resumed,
    }


def event(
    index: int, kind: str, text: str, bodies: Sequence[str], more: Mapping[str, Any]
) -> JsonObject:
    """Return the message that says what is heard at `index`; `more` are the fields of its kind."""
    return {
        **more,
        "type": "event",
        "index": index,
        "kind": kind,
        "text": text,
        "bodies": list(bodies),
    }


def steered(epoch: int, parts: SteeredParts) -> JsonObject:
    """Return the message that says from which sample on the music is changed."""
    return {
        "type": "steered",
        "epoch": epoch,
        "effective": parts.effective,
        "programme": parts.programme,
        "programmeId": parts.programme_id,
    }


def discontinuity(from_index: int, to_index: int, reason: str) -> JsonObject:
    """Return the message that announces samples which will not come."""
    return {"type": "discontinuity", "from": from_index, "to": to_index, "reason": reason}


def pong(t: float, unix_us: int) -> JsonObject:
    """Return the answer to a ping."""
    return {"type": "pong", "t": t, "serverTimeUs": unix_us}


def drain(reconnect_after_ms: int) -> JsonObject:
    """Return the message that asks a listener to move to another connection."""
    return {"type": "drain", "reconnectAfterMs": reconnect_after_ms}


def error(
    code: str,
    message: str,
    details: Iterable[Detail] = (),
    *,
    request_id: str,
    fatal: bool,
) -> JsonObject:
    """Return the message that refuses something."""
    body: JsonObject = {"code": code, "message": message}
    if named := [{"field": detail.field, "message": detail.message} for detail in details]:
        body["details"] = named
    return {"type": "error", "error": body, "requestId": request_id, "fatal": fatal}
