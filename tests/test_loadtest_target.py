"""Where the load may go: this machine by any of its addresses, another by its owner's word."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from loadtest import run as run_module
from loadtest.__main__ import build_parser
from loadtest.target import Refused, target_of
from loadtest.traces import Trace
from tests.processes import running

# fmt: off
HERE = [
    # --url                          Host                 address                has many sources
    ("ws://127.0.0.1:3000/stream",   "127.0.0.1:3000",    ("127.0.0.1", 3_000),  True),
    ("ws://127.0.0.1/stream",        "127.0.0.1:80",      ("127.0.0.1", 80),     True),
    ("ws://localhost:3000/stream",   "localhost:3000",    ("127.0.0.1", 3_000),  True),
    ("ws://[::1]:3000/stream",       "[::1]:3000",        ("::1", 3_000),        False),
    ("ws://[::1]/stream",            "[::1]:80",          ("::1", 80),           False),
]
# fmt: on


@pytest.mark.parametrize(("url", "host", "address", "has_sources"), HERE)
def test_this_machine_needs_nobodys_word(
    url: str, host: str, address: tuple[str, int], has_sources: bool
) -> None:
    target = target_of(url, is_owned=False)
    assert target.is_loopback
    assert (target.host, target.address, target.has_sources) == (host, address, has_sources)
    assert target.http_url == f"http://{host}"
    again = target_of(target.resolved_url, is_owned=False)
    assert (again.address, again.path) == (address, "/stream")


# fmt: off
NOWHERE = [
    ("ws://127.0.0.1:0/stream",       "a port is from 1 to 65535"),
    ("ws://127.0.0.1:65536/stream",   "Port out of range"),
    ("ws://127.0.0.1:x/stream",       "Port could not be cast"),
    ("ws://:3000/stream",             "--url must be ws://"),
    ("ws://[::1/stream",              "Invalid IPv6 URL"),
    ("ws://no.such.host.invalid/",    "no.such.host.invalid is unknown"),
    (f"ws://{'long' * 16}.invalid/",  "is unknown"),
    ("ws://[2001:db8::1]:80/stream",  "not this machine"),
]
# fmt: on


@pytest.mark.parametrize(("url", "sentence"), NOWHERE)
def test_what_is_no_target_is_refused_in_one_line(url: str, sentence: str) -> None:
    with pytest.raises(Refused, match=r"^[^\n]+$") as refused:
        target_of(url, is_owned=False)
    assert sentence in str(refused.value)


def test_the_owner_may_load_another_machine_by_ipv6() -> None:
    target = target_of("ws://[2001:db8::1]:80/stream", is_owned=True)
    assert not target.is_loopback
    assert target.family == socket.AF_INET6


@pytest.mark.parametrize("is_traced", [False, True])
def test_a_server_that_answers_on_ipv6_is_loaded(
    tmp_path: Path, data_dir: Path, is_traced: bool
) -> None:
    words = "run compose-storm --listeners 3 --rate 100 --duration 3 --samples 20 --asks-per-s 1"
    if is_traced:
        trace = tmp_path / "trace.json"
        trace.write_text(Trace("a tenth of a second of delay", (100,)).to_json())
        words += f" --trace {trace}"
    with running(tmp_path / "server", data_dir, ASTRADIO_HOST="::1") as started:
        url = f"ws://[::1]:{started.port}/stream"
        args = build_parser().parse_args(
            [*words.split(), "--data-dir", str(data_dir), "--url", url]
        )
        outcome = run_module.outcome_of(args)
    figures = outcome.figures()
    assert figures["quanta"] > 50
    assert figures["verified"] > 0
    assert figures["unconnected"] == figures["faults"] == 0
    assert figures["server_rss_mb"] > 50
    assert outcome.groups["asks"].counts["status_200"] > 0
