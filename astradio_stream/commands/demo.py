"""Put synthetic people into the database, to try the compatibility search with.

    astradio-stream seed-demo --profiles 100000
    astradio-stream seed-demo --profiles 1000 --seed 2 --among-people

Each has an account that nobody can log in to and a public chart: a plausible birth, in a town by
its population, under a name that says that it is none. A seed always means the same people. A
server that runs meanwhile finds them, but whatever it wants to write waits until all are there.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from astradio_stream.server.demo import MOST_PROFILES, Demo, seed_demo

if TYPE_CHECKING:
    from astradio_stream.settings import Settings


def add(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--profiles", type=_profiles, default=1_000, help="how many (default 1000)")
    parser.add_argument("--seed", type=_seed, default=1, help="which people (default 1)")
    parser.add_argument(
        "--among-people", action="store_true", help="even if there are accounts already"
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Make them."""
    now_us = time.time_ns() // 1_000
    seed_demo(settings.data_dir, Demo(args.profiles, args.seed, args.among_people, now_us))
    return 0


def _profiles(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:12]) <= MOST_PROFILES:
        raise argparse.ArgumentTypeError(f"must be 1 to {MOST_PROFILES}, got {text!r}")
    return int(text)


def _seed(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 15:
        raise argparse.ArgumentTypeError(f"must be a whole number, got {text!r}")
    return int(text)
