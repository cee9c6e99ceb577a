"""Show who is refused as asking too much, or forgive, without a restart.

    astradio-stream limits show                 who was refused lately, by address or account
    astradio-stream limits show 203.0.113.7     what one address has left
    astradio-stream limits reset 203.0.113.7    give one address full buckets
    astradio-stream limits reset --all          … or everybody, guesses at passwords included

Every process that serves from ASTRADIO_DATA_DIR is asked. An IPv6 address stands for its /64.
How much is allowed is a setting (RATE_LIMIT_MAX, RATE_LIMIT_WINDOW_S), re-read on SIGHUP.
"""

from __future__ import annotations

import argparse
import ipaddress
from typing import TYPE_CHECKING, Any

from astradio_stream.commands.asking import ask_servers
from astradio_stream.errors import Detail, ValidationFailed

if TYPE_CHECKING:
    from astradio_stream.settings import Settings


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be an IP address, got {text!r}") from None


def add(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("action", choices=("show", "reset"), help="look, or forgive")
    parser.add_argument("address", nargs="?", type=_address, help="of one address only")
    parser.add_argument("--all", action="store_true", help="reset everybody")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Ask and print."""
    address = args.address or ""
    if args.action == "reset":
        if bool(address) is args.all:
            sentence = "say whom to forgive: an address, or --all"
            raise ValidationFailed([Detail("", sentence)])
        for answer in ask_servers(settings.data_dir, "reset", address=address):
            print(f"pid {answer['pid']}: {answer['reset']} buckets are full again")
        return 0
    for answer in ask_servers(settings.data_dir, "limits", address=address):
        _show(answer)
    return 0


def _show(answer: dict[str, Any]) -> None:
    rate = f"{answer['max']} in {answer['windowS']} s"
    print(f"pid {answer['pid']}: {rate}, {answer['buckets']} buckets in use")
    if "left" in answer:
        print(f"  {answer['address']} has {answer['left']} left")
        return
    for row in answer["refused"]:
        times = f"{row['times']} times, last {row['secondsAgo']} s ago"
        print(f"  {row['policy']:<8} {row['name']:<40} refused {times}")
    if not answer["refused"]:
        print("  nobody was refused lately")
