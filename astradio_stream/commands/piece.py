"""The command `render`: what was asked for on the command line becomes a job.

A programme comes from a file, from the options, or from both: an option goes before the file.
"""

from __future__ import annotations

import argparse
import re
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from astradio_stream.errors import Detail, ValidationFailed
from astradio_stream.music.text import STYLES
from astradio_stream.render import ENDINGS, Job, render
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.modes import MODE_NAMES
from astradio_stream.stream.programme import Programme, resolve
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.strict_json import parse_json
from astradio_stream.units import END_INDEX, SAMPLE_RATE_HZ, seconds_to_samples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from astradio_stream.settings import Settings

_EXIT_STOPPED: Final = 143
_LONGEST_S: Final = 24 * 3600
_MAX_PROGRAMME_BYTES: Final = 1 << 20
_PLAIN_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?", re.ASCII)


def add(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    _add_piece(parser)
    add_programme(parser.add_argument_group("the programme, before what its file says"))


def _duration_s(text: str) -> float:
    try:
        duration_s = float(text)
    except ValueError:
        duration_s = -1.0
    if not 0.02 <= duration_s <= _LONGEST_S:
        raise argparse.ArgumentTypeError(f"must be 0.02 to {_LONGEST_S} seconds, got {text!r}")
    return duration_s


def _from_s(text: str) -> int:
    limit = END_INDEX // SAMPLE_RATE_HZ - 1
    if not text.isascii() or not text.isdecimal() or len(text) > 15 or int(text) > limit:
        raise argparse.ArgumentTypeError(f"must be a whole second from 0 to {limit}, got {text!r}")
    return int(text)


def _out(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() not in ENDINGS:
        endings = f"{', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}"
        raise argparse.ArgumentTypeError(f"must end in {endings}, got {text!r}")
    return path


def _number(text: str) -> int | float:
    """Return a plain decimal number; whether it is in range is the programme's to say."""
    if not _PLAIN_NUMBER.fullmatch(text):
        raise argparse.ArgumentTypeError(f"must be a decimal number, got {text!r}")
    return float(text) if "." in text else int(text)


def _birth(text: str) -> dict[str, Any]:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 4:
        right = "must be DATETIME,ZONE,LAT,LON such as 1990-05-04T12:30,Europe/Berlin,52.5,13.4"
        raise argparse.ArgumentTypeError(f"{right}, got {text!r}")
    return {
        "datetime": parts[0],
        "tz": parts[1],
        "lat": _number(parts[2]),
        "lon": _number(parts[3]),
    }


def _control(text: str) -> tuple[str, object]:
    name, is_given, value = text.partition("=")
    if not is_given or not name:
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE such as density=0.8, got {text!r}")
    return name, _number(value) if _PLAIN_NUMBER.fullmatch(value) else value


def _add_piece(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("programme", nargs="?", help="a file with the JSON of a programme; - reads it here")
    add("--duration", type=_duration_s, default=60.0, help="seconds (default 60)")
    add("--from", dest="first", type=_from_s, default=0, metavar="S", help="second to begin at")
    add("--style", choices=STYLES, default="concise", help="of the text in a .json")
    add(
        "-o",
        "--out",
        type=_out,
        action="append",
        required=True,
        metavar="FILE",
        help="piece.opus, .wav, .mid or .json; may be given again for more files",
    )


def add_programme(group: argparse._ArgumentGroup) -> None:
    """Say which options tell of a programme."""
    add = group.add_argument
    add("--station", help="a shared stream, such as now")
    add("--mode", choices=tuple(MODE_NAMES), help="what is played (default transit)")
    add("--seed", type=_number, help="which of endlessly many arrangements (default 0)")
    add("--at", help="moment of the sky at second 0, with an offset or Z (default now)")
    add("--rate", type=_number, help="seconds of the sky in a second of the stream (default 1)")
    add("--lat", type=_number, help="latitude from where the sky is seen (default Greenwich's)")
    add("--lon", type=_number, help="its longitude, east positive")
    add("--birth", type=_birth, action="append", help="DATETIME,ZONE,LAT,LON; for two births twice")
    add("--control", type=_control, action="append", metavar="NAME=VALUE", help="density=0.8 …")
    add("--model", metavar="VERSION", help="audio model, such as v1.0")


def _read_file(name: str) -> object:
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise ValidationFailed([Detail("PROGRAMME", f"{name}: {error.strerror}")]) from error
    return parse_json(data, _MAX_PROGRAMME_BYTES)


def _options(args: argparse.Namespace) -> Iterator[tuple[str, object]]:
    """Yield the fields of a programme that the options say."""
    for name in ("station", "mode", "seed", "at", "rate"):
        if getattr(args, name) is not None:
            yield name, getattr(args, name)
    place = {name: getattr(args, name) for name in ("lat", "lon")}
    if given := {name: value for name, value in place.items() if value is not None}:
        yield "place", given
    if args.birth is not None:
        yield "charts", args.birth


def wishes(args: argparse.Namespace) -> dict[str, Any]:
    """Return what the options say of a programme."""
    return _with_options({}, args)


def read_programme(args: argparse.Namespace, settings: Settings) -> Programme:
    """Return the programme of a call of `render`: its file, and its options before it.

    Raises:
        BadJson: The file does not hold JSON.
        ValidationFailed: There is no file, or fields are wrong; all of them are named.
        NotFound: There is no such station.
    """
    raw = {} if args.programme is None else _read_file(args.programme)
    if isinstance(raw, dict):
        raw = _with_options(raw, args)
    defaults = ModelVersions(audio=settings.default_audio_model)
    return resolve(raw, Moment(time.time_ns() // 1000), defaults)


def _with_options(raw: dict[str, Any], args: argparse.Namespace) -> dict[str, Any]:
    """Return a programme with what the options say before what it says."""
    raw = raw | dict(_options(args))
    for name, given in (
        ("controls", dict(args.control or ())),
        ("modelVersions", {} if args.model is None else {"audio": args.model}),
    ):
        before = raw.get(name, {})
        if given and isinstance(before, dict):
            raw[name] = before | given
    return raw


def _require_apart(args: argparse.Namespace) -> None:
    """Raise unless every file that is written is another one, and none is the programme's."""
    taken = {} if args.programme in (None, "-") else {Path(args.programme).resolve(): "PROGRAMME"}
    for out in args.out:
        path = out.resolve()
        if path in taken:
            sentence = f"{out} would be written over: it is given as {taken[path]} too"
            raise ValidationFailed([Detail("--out", sentence)])
        taken[path] = "--out"


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Render."""
    _require_apart(args)
    programme = read_programme(args, settings)
    job = Job(programme, args.first, seconds_to_samples(args.duration), args.style, settings)
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        render(job, args.out)
    finally:
        signal.signal(signal.SIGTERM, before)
    for out in args.out:
        print(f"{out}: {args.duration:g} s of programme {programme.programme_id}")
    return 0


def _stop(_number: int, _frame: object) -> None:
    """End as an exception does, so that what was begun is tidied up."""
    raise SystemExit(_EXIT_STOPPED)
