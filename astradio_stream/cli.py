"""The command line: each command is a module of `commands`, found in the table here.

Whatever is wrong is told in one line on standard error, with exit status 2; a command that looked
for trouble and found some exits with 1.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

from astradio_stream import __version__
from astradio_stream.commands.serving import read_settings
from astradio_stream.errors import AstradioError, ValidationFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXIT_WRONG: Final = 2
_EXIT_INTERRUPTED: Final = 130

# fmt: off
COMMANDS: Final = {
    # name               module of commands  what it does
    "serve":              ("serving",        "serve the radio and the player"),
    "render":             ("piece",          "render a piece of a programme into files"),
    "check-config":       ("config",         "check the settings and what they name"),
    "status":             ("status",         "tell how the server on this machine stands"),
    "limits":             ("limits",         "show who is refused as asking too much, or forgive"),
    "validate-endpoints": ("endpoints",      "compare what a server does and says"),
    "verify":             ("verify",         "listen to a server and prove what it sends"),
    "backup":             ("backup",         "copy what must survive, while the server runs"),
    "restore":            ("restore",        "put a backup back where nothing is"),
    "seed-demo":          ("demo",           "put synthetic people into the database"),
}
# fmt: on
_EPILOG: Final = """\
Settings are environment variables or lines of .env: docs/settings.md. Exit status: 0 all is well,
1 trouble was found, 2 the call or a setting is wrong. How to run the service: RUNBOOK.md."""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "astradio-stream",
        description="Endless music from the sky.",
        epilog=_EPILOG,
        formatter_class=as_written,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, told) in COMMANDS.items():
        found = import_module(f"astradio_stream.commands.{module}")
        command = commands.add_parser(
            name, help=told, description=found.__doc__, formatter_class=as_written
        )
        found.add(command)
    return parser


def _sentence(error: AstradioError) -> str:
    """Return an error in one line; a field is not named twice."""
    if not isinstance(error, ValidationFailed):
        return error.message
    named = (
        detail.message
        if not detail.field or detail.message.startswith(detail.field)
        else f"{detail.field}: {detail.message}"
        for detail in error.details
    )
    return "; ".join(named)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status."""
    args = build_parser().parse_args(argv)
    module = import_module(f"astradio_stream.commands.{COMMANDS[args.command][0]}")
    try:
        return int(module.run(args, read_settings()))
    except AstradioError as error:
        print(f"astradio-stream: {_sentence(error)}", file=sys.stderr)
        return _EXIT_WRONG
    except OSError as error:
        sentence = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        print(f"astradio-stream: {sentence}", file=sys.stderr)
        return _EXIT_WRONG
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
