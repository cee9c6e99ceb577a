"""Listen to a server and prove what it sends: every quantum's checksum against a render of our own.

    astradio-stream verify https://radio.example --seconds 20
    astradio-stream verify http://localhost:3000 --seed 7 --at 2026-03-20T12:00:00Z

Without options it listens to the station `now`. The programme is composed and rendered here from
what `ready` names, so a server that plays another note, skips a sample or has another version of a
model is found. Exit status 0: all are the same; 1: one is not, or does not come; 2: no such server.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any, Final

from tqdm import tqdm
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from astradio_stream.commands.asking import Server, Unreachable
from astradio_stream.commands.piece import add_programme, wishes
from astradio_stream.server.banks import load_bank
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.segment import Rendition
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.units import QUANTA_PER_SEGMENT, QUANTUM_SAMPLES, SEGMENT_SAMPLES
from astradio_stream.wire.messages import SUBPROTOCOL
from astradio_stream.wire.quantum import unpack_quantum

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

    from astradio_stream.settings import Settings
    from astradio_stream.wire.quantum import Quantum

PATIENCE_S: Final = 15.0
BUFFER_MS: Final = 10_000
_MOST_SHOWN: Final = 5


class Untrue(Exception):
    """The server does not do what it promises."""


def _seconds(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= 86_400:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to 86400, got {text!r}")
    return int(text)


def add(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("url", help="of the server, such as http://localhost:3000")
    parser.add_argument("--seconds", type=_seconds, default=10, help="of sound (default 10)")
    add_programme(parser.add_argument_group("the programme (default: the station now)"))


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Listen and prove."""
    server = Server(args.url)
    programme = wishes(args) or {"station": "now"}
    try:
        with connect(
            server.stream_url,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            max_queue=None,
        ) as connection:
            n_quanta = _prove(connection, programme, args.seconds, settings)
    except (WebSocketException, OSError) as error:
        raise Unreachable(f"{server.stream_url} does not play: {error}") from error
    except Untrue as fault:
        print(f"FAIL  {fault}")
        return 1
    print(f"ok    {n_quanta} quanta, {n_quanta / 10:g} s, are the samples rendered here")
    return 0


def _prove(
    connection: ClientConnection, programme: dict[str, Any], seconds: int, settings: Settings
) -> int:
    """Return how many quanta were proved.

    Raises:
        Untrue: something is not as it should be.
    """
    ours = {"type": "hello", "protocol": 1, "programme": programme, "codecs": ["opus"]}
    connection.send(json.dumps(ours | {"viz": False, "bufferMs": BUFFER_MS, "client": "verify"}))
    ready = _ready(connection)
    rendition = _rendition(ready, settings)
    print(f"programme {ready['programmeId']}, from {ready['from']}, {ready['codec']['name']}")
    wrong: list[int] = []
    crcs: tuple[int, list[int]] = (-1, [])
    expected = int(ready["from"])
    for _ in tqdm(range(10 * seconds), unit="quantum", disable=None):
        quantum = _quantum(connection, expected)
        k, n = divmod(quantum.index // QUANTUM_SAMPLES, QUANTA_PER_SEGMENT)
        if crcs[0] != k:
            crcs = k, list(rendition.segment(k).quantum_crcs())
        if quantum.crc32 != crcs[1][n]:
            wrong.append(quantum.index)
        expected += QUANTUM_SAMPLES
        if expected % SEGMENT_SAMPLES == 0:
            told = {"played": quantum.index, "received": expected, "underruns": 0}
            connection.send(json.dumps({"type": "report", **told}))
    connection.send('{"type":"bye"}')
    if wrong:
        shown = ", ".join(map(str, wrong[:_MOST_SHOWN]))
        raise Untrue(f"{len(wrong)} of {10 * seconds} quanta are other samples, at {shown} …")
    return 10 * seconds


def _rendition(ready: dict[str, Any], settings: Settings) -> Rendition:
    """Return the programme that `ready` names, on a bank of our own."""
    programme = resolve(ready["programme"], Moment(0), ModelVersions())
    if programme.programme_id != ready["programmeId"]:
        raise Untrue(f"the programme's id is {programme.programme_id} here: another version?")
    model = AUDIO_MODELS[programme.model_versions.audio]
    return Rendition(programme, load_bank(model, settings.data_dir))


def _ready(connection: ClientConnection) -> dict[str, Any]:
    while True:
        message = connection.recv(PATIENCE_S)
        if isinstance(message, str):
            told: dict[str, Any] = json.loads(message)
            if told["type"] == "ready":
                return told
            if told["type"] == "error":
                raise Untrue(f"refused: {told['error']['code']} {told['error']['message']}")


def _quantum(connection: ClientConnection, expected: int) -> Quantum:
    """Return the next quantum; nothing may be missing before it."""
    while True:
        try:
            message = connection.recv(PATIENCE_S)
        except TimeoutError:
            raise Untrue(f"nothing came for {PATIENCE_S:g} s") from None
        if isinstance(message, bytes):
            quantum = unpack_quantum(message)
            if quantum.index != expected:
                raise Untrue(f"index {expected} should come, {quantum.index} came")
            return quantum
        told = json.loads(message)
        if told["type"] in ("discontinuity", "drain", "error"):
            raise Untrue(f"the server says {message}")
