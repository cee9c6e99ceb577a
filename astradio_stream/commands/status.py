"""Tell how the server on this machine stands: one row for each of its processes.

It is asked through a socket in ASTRADIO_DATA_DIR, so this works whatever port it has and whatever
stands before it. SIGTERM and SIGHUP go to the process that --pid names: kill -HUP $(astradio-stream
status --pid). Exit status 0: every process welcomes newcomers; 1: one does not; 2: none runs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from astradio_stream.commands.asking import ask_servers

if TYPE_CHECKING:
    import argparse

    from astradio_stream.settings import Settings

# fmt: off
COLUMNS: Final = (
    # heading     field         width
    ("pid",        "pid",         8),
    ("state",      "state",       11),
    ("since",      "since",       25),
    ("listeners",  "listeners",   10),
    ("programmes", "programmes",  11),
    ("busy",       "busy",        6),
    ("audio",      "audioModel",  7),
    ("picture",    "viz",         8),
    ("limit",      "rateLimit",   0),
)
# fmt: on


def add(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--pid", action="store_true", help="print only whom to send signals")
    parser.add_argument("--json", action="store_true", help="print what each process told, as JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Ask and print."""
    answers = ask_servers(settings.data_dir, "status")
    if args.pid:
        print(*sorted({answer["signalPid"] for answer in answers}))
    elif args.json:
        print(json.dumps(answers, indent=2))
    else:
        print("".join(f"{heading:<{width}}" for heading, _, width in COLUMNS))
        for answer in answers:
            print("".join(f"{answer[field]!s:<{width}}" for _, field, width in COLUMNS))
            missing = [name for name, is_so in answer["checks"].items() if not is_so]
            if missing:
                print(f"        not so: {', '.join(missing)}")
    return 0 if all(answer["ready"] for answer in answers) else 1
