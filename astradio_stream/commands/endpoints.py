"""Ask a server every endpoint and compare what it does with what it says.

    astradio-stream validate-endpoints http://localhost:3000

Nothing is changed by it: each path of /openapi.json is asked with a method that it does not have,
and the answer must name just the methods that are described. Then: what the page calls is
described (no dead call), every refusal has the one shape and carries our request id, a piece is
composed twice with the same digests, and its files come with the headers that caches may believe.
A busy or stingy server makes it wait. Exit status 0: all is well; 1: the table says what is not.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin

from tqdm import tqdm

from astradio_stream.commands.asking import Server
from astradio_stream.server.media_head import mismatches_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from astradio_stream.commands.asking import Answer
    from astradio_stream.settings import Settings

REQUEST_ID: Final = "validate-endpoints-0001"
WRONG_METHOD: Final = "PUT"
"""No endpoint has it, so asking with it changes nothing."""
ORDER: Final = {"mode": "transit", "seed": 5, "at": "2026-03-20T12:00:00Z", "durationS": 1}
_IMPORTED: Final = re.compile(r"""(?:from|import|src=|href=|URL\()\s*\(?["']([^"'#?]+\.js)["']""")
_CALLED: Final = re.compile(r"""["'`](/(?:api/[a-z/]+|stream|media/[a-z]+))""")


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    """What was asked."""
    fault: str
    """What is wrong with the answer; empty where nothing is."""
    told: str = ""
    """What else is worth a word."""


def add(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("url", help="of the server, such as http://localhost:3000")


def run(args: argparse.Namespace, _settings: Settings) -> int:
    """Ask and print."""
    server = Server(args.url)
    server.ask("/livez")  # whoever does not answer at all is told in one line
    rows = list(tqdm(rows_of(server), unit="check", leave=False, disable=None))
    width = max(len(row.what) for row in rows)
    for row in rows:
        mark = "FAIL" if row.fault else "ok"
        print(f"{mark:<6}{row.what:<{width}}  {row.fault or row.told}".rstrip())
    n_faults = sum(bool(row.fault) for row in rows)
    print(f"{len(rows)} checks, {n_faults} failed")
    return 1 if n_faults else 0


def rows_of(server: Server) -> Iterator[Row]:
    """Yield the table as it is found out."""
    described = server.ask("/openapi.json").json
    if not isinstance(described, dict) or "paths" not in described:
        yield Row("GET /openapi.json", "is no description")
        return
    paths: dict[str, dict[str, Any]] = described["paths"]
    called = calls_of_page(server)
    for path, methods in sorted(paths.items()):
        caller = "the page" if any(_leads_to(call, path) for call in called) else "others"
        yield _matrix_row(server, path, set(methods), caller)
    for call in sorted(called):
        # Streams are no HTTP: they are described in PROTOCOL.md, and a plain GET is told so.
        is_stream = server.ask(call).status == 426
        is_known = is_stream or any(_leads_to(call, path) for path in paths)
        yield Row(f"page calls {call}", "" if is_known else "is a dead call: nobody answers there")
    yield from _refusals(server)
    yield from _piece(server)


def calls_of_page(server: Server) -> set[str]:
    """Return the addresses that the page's modules name."""
    found: set[str] = set()
    waiting, seen = ["/"], {"/"}
    while waiting:
        path = waiting.pop()
        text = server.ask(path).body.decode("utf-8", "replace")
        found |= set(_CALLED.findall(text))
        for name in _IMPORTED.findall(text):
            other = urljoin(path, name)
            if other.startswith("/") and other not in seen:
                seen.add(other)
                waiting.append(other)
    return found


def _leads_to(call: str, path: str) -> bool:
    """Return whether an address, or the beginning of one, is that of a described path."""
    pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path))
    # `/api/auth/` is written before a word that the page fills in, `/api/charts` before an id.
    begins = path.startswith(call if call.endswith("/") else f"{call}/{{")
    return re.fullmatch(pattern, call.rstrip("/")) is not None or begins


def _matrix_row(server: Server, path: str, methods: set[str], caller: str) -> Row:
    """Compare the methods that a path has with those that are described."""
    described = {name.upper() for name in methods if name in _METHODS}
    answer = _ask(server, re.sub(r"\{[^}]*\}", "x", path), WRONG_METHOD)
    what = f"{','.join(sorted(described))} {path}"
    if answer.status == 404:
        return Row(what, "is an orphan: described, but nobody answers there")
    allowed = set(re.split(r",\s*", answer.headers.get("Allow", "")))
    if allowed - {"HEAD", "OPTIONS"} != described - {"HEAD", "OPTIONS"}:
        return Row(what, f"allows {', '.join(sorted(allowed))}")
    return Row(what, _fault_of(answer, 405, "METHOD_NOT_ALLOWED"), f"called by {caller}")


_METHODS: Final = frozenset({"get", "head", "post", "put", "patch", "delete", "options"})


def _refusals(server: Server) -> Iterator[Row]:
    """Yield whether refusals have the one shape."""
    cases = (
        ("GET", "/no/such/page", None, 404, "NOT_FOUND"),
        ("GET", "/media/audio/x.opus", None, 404, "NOT_FOUND"),
        ("GET", "/stream", None, 426, "UPGRADE_REQUIRED"),
        ("GET", "/api/charts", None, 401, "AUTH_REQUIRED"),
        ("GET", "/api/chart?lat=91", None, 422, "VALIDATION_FAILED"),
        ("POST", "/api/compose", b"{", 400, "BAD_JSON"),
        ("POST", "/api/compose", b'{"seed": -1}', 422, "VALIDATION_FAILED"),
    )
    for method, path, body, status, code in cases:
        answer = _ask(server, path, method, body)
        yield Row(f"{status} {code} {method} {path}", _fault_of(answer, status, code))


def _fault_of(answer: Answer, status: int, code: str) -> str:
    """Return what is wrong with a refusal."""
    told = answer.json
    if answer.status != status:
        return f"answers {answer.status}"
    if not isinstance(told, dict) or set(told) != {"error", "requestId"}:
        return "has not the one shape of an error"
    error = told["error"]
    if error.get("code") != code or not isinstance(error.get("message"), str):
        return f"says {error.get('code')}"
    if code == "VALIDATION_FAILED" and not error.get("details"):
        return "names no field"
    if not told["requestId"] == answer.headers.get("X-Request-Id") == REQUEST_ID:
        return "does not carry our request id"
    return "" if answer.headers.get("Cache-Control") == "no-store" else "may be cached"


def _piece(server: Server) -> Iterator[Row]:
    """Yield whether a piece is the same twice, and whether its files are what it says."""
    body = json.dumps(ORDER).encode()
    one, other = (_ask(server, "/api/compose", "POST", body).json for _ in range(2))
    if not (isinstance(one, dict) and isinstance(other, dict) and "audio" in one):
        yield Row("POST /api/compose", "does not compose")
        return
    parts = ("audio", "viz", "midi", "text")
    digests = [[(told[part] or {}).get("digest") for part in parts] for told in (one, other)]
    same = digests[0] == digests[1] and one["audio"]["pcmDigest"] == other["audio"]["pcmDigest"]
    yield Row("compose twice", "" if same else "two digests of one piece", one["programmeId"])
    for kind in ("audio", "viz", "midi"):
        if one[kind] is not None:
            yield _file_row(server, one[kind])


def _file_row(server: Server, link: dict[str, Any]) -> Row:
    """Ask for a file: whole, a part of it, and again with its tag."""
    path, digest = link["url"], link["digest"].removeprefix("sha256:")
    whole = _ask(server, path)
    what = f"GET {path[:24]}…"
    if whole.status != 200 or sha256(whole.body).hexdigest() != digest:
        return Row(what, f"answers {whole.status}, or other bytes than its digest says")
    if wrong := mismatches_of(path, whole.headers.get):
        return Row(what, f"has other headers than promised: {', '.join(wrong)}")
    part = _ask(server, path, headers={"Range": "bytes=1-4"})
    if part.status != 206 or part.body != whole.body[1:5]:
        return Row(what, "gives no part of itself")
    known = _ask(server, path, headers={"If-None-Match": f'"{digest}"'})
    return Row(what, "" if known.status == 304 else "does not know its own tag", "200, 206, 304")


def _ask(
    server: Server,
    path: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    return server.ask(path, method, body, {"X-Request-Id": REQUEST_ID} | (headers or {}))
