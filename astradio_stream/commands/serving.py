"""The command `serve`."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

from astradio_stream.settings import SETTING_OF_NAME, Settings, load_settings
from astradio_stream.stream.versions import VERSIONS


def read_settings() -> Settings:
    """Return the settings as environment and `.env` have them now.

    Raises:
        SettingsError: something in them is wrong.
    """
    return load_settings(os.environ, Path(".env"), VERSIONS["audio"])


def add(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--workers", type=_workers, help="processes that share the port")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Serve until a signal."""
    from astradio_stream.server.main import serve  # noqa: PLC0415 - other commands need no server

    return serve(replace(settings, workers=args.workers or settings.workers), read_settings)


def _workers(text: str) -> int:
    try:
        return int(SETTING_OF_NAME["ASTRADIO_WORKERS"].read(text))
    except ValueError as wanted:
        raise argparse.ArgumentTypeError(f"must be {wanted}, got {text!r}") from None
