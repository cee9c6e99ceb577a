"""The command line: serve the radio, or render a programme into a file.

::

    astradio-stream serve
    astradio-stream render PROGRAMME.json --duration 60 --out piece.opus

Whatever is wrong is told in one line on standard error, with exit status 2.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Final, cast

from tqdm import tqdm

from astradio_stream import __version__
from astradio_stream.audio.files import write_ogg_opus, write_wav
from astradio_stream.errors import AstradioError, Detail, ValidationFailed
from astradio_stream.server.banks import load_bank
from astradio_stream.settings import SETTING_OF_NAME, Settings, load_settings
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.piece import piece_packets, piece_pcm, piece_segments
from astradio_stream.stream.programme import Programme, resolve
from astradio_stream.stream.segment import Rendition
from astradio_stream.stream.versions import VERSIONS, ModelVersions
from astradio_stream.strict_json import parse_json
from astradio_stream.units import LAST_INDEX, SAMPLE_RATE_HZ, seconds_to_samples

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import IO


_EXIT_WRONG: Final = 2
_LONGEST_S: Final = 24 * 3600
_MAX_PROGRAMME_BYTES: Final = 1 << 20
_SUFFIXES: Final = (".opus", ".wav")


def _duration_s(text: str) -> float:
    try:
        duration_s = float(text)
    except ValueError:
        duration_s = -1.0
    if not 0.02 <= duration_s <= _LONGEST_S:
        raise argparse.ArgumentTypeError(f"must be 0.02 to {_LONGEST_S} seconds, got {text!r}")
    return duration_s


def _from_s(text: str) -> int:
    limit = LAST_INDEX // SAMPLE_RATE_HZ
    if not text.isascii() or not text.isdecimal() or len(text) > 15 or int(text) > limit:
        raise argparse.ArgumentTypeError(f"must be a whole second from 0 to {limit}, got {text!r}")
    return int(text)


def _workers(text: str) -> int:
    try:
        return int(SETTING_OF_NAME["ASTRADIO_WORKERS"].read(text))
    except ValueError as wanted:
        raise argparse.ArgumentTypeError(f"must be {wanted}, got {text!r}") from None


def read_settings() -> Settings:
    """Return the settings as environment and `.env` have them now.

    Raises:
        SettingsError: something in them is wrong.
    """
    return load_settings(os.environ, Path(".env"), VERSIONS["audio"])


def _out(text: str) -> Path:
    path = Path(text)
    if path.suffix not in _SUFFIXES:
        raise argparse.ArgumentTypeError(f"must end in {' or '.join(_SUFFIXES)}, got {text!r}")
    return path


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser("astradio-stream", description="Endless music from the sky.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser(
        "serve", help="serve the radio and the player (settings: docs/settings.md)"
    )
    serve.add_argument("--workers", type=_workers, help="processes that share the port")
    render = commands.add_parser("render", help="render a programme into a file")
    render.add_argument("programme", help="a file with the JSON of a programme; - reads it here")
    render.add_argument("--duration", type=_duration_s, default=60.0, help="seconds (default 60)")
    render.add_argument("--from", dest="first", type=_from_s, default=0, help="second to begin at")
    render.add_argument("--out", type=_out, required=True, help="piece.opus or piece.wav")
    return parser


def _read_programme(name: str, settings: Settings) -> Programme:
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise ValidationFailed([Detail("PROGRAMME", f"{name}: {error.strerror}")]) from error
    defaults = ModelVersions(audio=settings.default_audio_model)
    now = Moment(time.time_ns() // 1000)
    return resolve(parse_json(data, _MAX_PROGRAMME_BYTES), now, defaults)


def _opus(file: IO[bytes], rendition: Rendition, args: argparse.Namespace, bitrate: int) -> None:
    n_samples = seconds_to_samples(args.duration)
    segments = piece_packets(rendition, args.first, n_samples, bitrate)
    total = len(piece_segments(args.first, n_samples))

    def packets() -> Iterator[bytes]:
        for segment in tqdm(segments, total=total, unit="s", desc=args.out.name):
            yield from segment

    tags = {
        "title": "Astradio Stream",
        "programme": rendition.programme.programme_id,
        "encoder": f"astradio-stream {__version__}",
    }
    write_ogg_opus(file, packets(), n_samples, tags)


def _wav(file: IO[bytes], rendition: Rendition, args: argparse.Namespace) -> None:
    n_samples = seconds_to_samples(args.duration)
    blocks = piece_pcm(rendition, args.first, n_samples)
    total = -(-n_samples // SAMPLE_RATE_HZ)
    write_wav(file, tqdm(blocks, total=total, unit="s", desc=args.out.name))


def _render(args: argparse.Namespace, settings: Settings) -> None:
    programme = _read_programme(args.programme, settings)
    model = AUDIO_MODELS[programme.model_versions.audio]
    with ThreadPoolExecutor(os.cpu_count()) as executor:
        rendition = Rendition(programme, load_bank(model, settings.data_dir, executor))
    out: Path = args.out
    if not out.parent.is_dir():
        raise ValidationFailed([Detail("--out", f"there is no folder {out.parent}")])
    # Written beside its place and moved there whole: a broken run leaves no half file.
    with NamedTemporaryFile(dir=out.parent, suffix=".part", delete=False) as file:
        part = Path(file.name)
        try:
            if out.suffix == ".opus":
                _opus(cast("IO[bytes]", file), rendition, args, settings.opus_bitrate)
            else:
                _wav(cast("IO[bytes]", file), rendition, args)
            file.flush()
            part.chmod(0o644)
            part.replace(out)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    print(f"{out}: {args.duration:g} s of programme {programme.programme_id}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status."""
    args = build_parser().parse_args(argv)
    try:
        settings = read_settings()
        if args.command == "serve":
            from astradio_stream.server.main import serve  # noqa: PLC0415 - render needs no server

            workers = args.workers or settings.workers
            return serve(replace(settings, workers=workers), read_settings)
        _render(args, settings)
    except AstradioError as error:
        print(f"astradio-stream: {error.message}", file=sys.stderr)
        return _EXIT_WRONG
    except OSError as error:
        print(f"astradio-stream: {error}", file=sys.stderr)
        return _EXIT_WRONG
    except KeyboardInterrupt:
        return 130
    return 0
