"""Every page of this server as one table, from which the OpenAPI document is made.

A row says what a page is for, what it takes, and what it answers; what every page may answer (a
head that is too large, an address that asks too much, an error of ours) is added to each.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from astradio_stream.compat.weights import FACETS
from astradio_stream.server.compat_asked import DEFAULT_FACET, DEFAULT_LIMIT, MOST_MATCHES
from astradio_stream.server.media import KINDS
from astradio_stream.server.openapi_asked import CURSOR, INSTANT
from astradio_stream.server.openapi_words import (
    DATE,
    OFFSET,
    TIME,
    integer,
    listing,
    matching,
    number,
    one_of,
    ref,
    text,
)
from astradio_stream.sky.gazetteer import LONGEST_NAME
from astradio_stream.sky.houses import HOUSE_SYSTEMS
from astradio_stream.sky.queries import (
    DEFAULT_PLACES,
    DEFAULT_SKY_HOURS,
    LONGEST_SKY_HOURS,
    MOST_PLACES,
)
from astradio_stream.stream.charts import MAX_CHART_ID_CHARACTERS

Content = dict[str, Any]
"""Media type -> schema."""

JSON: Final = "application/json"
BODY: Final = ("BAD_JSON", "PAYLOAD_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE", "VALIDATION_FAILED")
STORE: Final = ("STORE_UNAVAILABLE", "OVERLOADED")
FORGED: Final = ("ORIGIN_REFUSED", "CSRF_FAILED", *STORE)
"""What a request that may change something is refused for before its page hears of it."""

NOBODY, ANYBODY, ACCOUNT = "nobody", "anybody", "account"
"""Who asks: it makes no difference, it may be an account, it must be one."""


@dataclass(frozen=True, slots=True)
class Page:
    """One row: a method and a path."""

    method: str
    path: str
    tag: str
    summary: str
    """What it is for, one sentence."""
    answers: dict[int, Content]
    """Status -> what the body is; a status without a body has none."""
    refusals: tuple[str, ...] = ()
    """Codes beside those that any page may answer with."""
    parameters: tuple[dict[str, Any], ...] = ()
    """In path, query and head."""
    body: str = ""
    """The schema of what is sent, by name."""
    needs_body: bool = True
    """Whether nothing at all may be sent instead."""
    who: str = NOBODY
    headers: dict[int, dict[str, str]] = field(default_factory=dict)
    """Status -> headers of the answer that matter, and what they say."""


def told(name: str) -> Content:
    """Return the content of an answer by the name of its schema."""
    return {JSON: ref(name)}


def query(name: str, schema: dict[str, Any], about: str = "", **more: Any) -> dict[str, Any]:
    """Return a value of the query string."""
    return _parameter("query", name, schema, about, **more)


def _parameter(
    place: str, name: str, schema: dict[str, Any], about: str = "", **more: Any
) -> dict[str, Any]:
    made = {"name": name, "in": place, "schema": schema} | more
    return made | ({"description": about} if about else {})


_DATETIME: Final = matching(
    f"{DATE}{TIME}{OFFSET}",
    "with its offset; together with tz also local, or a date alone where the time is unknown",
)
_KEY: Final = _parameter(
    "header",
    "Idempotency-Key",
    matching('"?[A-Za-z0-9._:+/=-]{1,128}"?'),
    "the same request with the same key is done once, for a day",
)
_CHART_ID: Final = _parameter("path", "id", text(minLength=1), required=True)
_BLOCK_ID: Final = _parameter("path", "id", text(minLength=1), required=True)
_FILE: Final = (
    _parameter("path", "kind", one_of(*KINDS), required=True),
    _parameter(
        "path",
        "name",
        matching(f"[0-9a-f]{{64}}\\.({'|'.join(kind.ending for kind in KINDS.values())})"),
        "64 hexadecimal digits of the SHA-256, and the ending of the kind",
        required=True,
    ),
)
_FILES: Final[Content] = {
    kind.media_type: ref("Picture") if kind.name == "viz" else {} for kind in KINDS.values()
}
_PARTS: Final[Content] = {media_type: {} for media_type in _FILES}
"""Some bytes of JSON are not JSON."""
_ANY_FILE: Final[Content] = {
    media_type: {}
    for media_type in (
        "text/css", "text/html", "image/x-icon", "text/javascript", "application/json", "image/png",
        "image/svg+xml", "application/manifest+json", "image/webp", "font/woff2",
    )
}  # fmt: skip
_SEEN: Final = {"ETag": "a strong validator: send it in If-None-Match"}

# fmt: off
PAGES: Final = (
    Page("get", "/", "player", "The player; `?viz=0` leaves the picture out.",
         {200: {"text/html": {}}, 304: {}}, headers={200: _SEEN},
         parameters=(query("viz", text()),)),
    Page("get", "/static/{path}", "player", "A file of the player.",
         {200: _ANY_FILE, 304: {}}, ("NOT_FOUND",), headers={200: _SEEN},
         parameters=(_parameter("path", "path", text(minLength=1), required=True),)),
    Page("get", "/livez", "probes", "Whether the process turns.", {200: told("Alive")}),
    Page("get", "/readyz", "probes", "Whether newcomers are welcome.",
         {200: told("Readiness"), 503: told("Readiness")}),
    Page("get", "/metrics", "probes", "What is counted, for Prometheus.",
         {200: {"text/plain": {"type": "string"}}}),
    Page("get", "/api/status", "probes", "What a refused player may ask.", {200: told("Status")}),
    Page("get", "/api/config", "player", "Flags for the page.", {200: told("Config")}),
    Page("get", "/api/chart", "sky", "A computed chart; nothing is stored.",
         {200: told("ChartInFull")}, ("VALIDATION_FAILED",), (
             query("datetime", _DATETIME, required=True),
             query("tz", ref("Zone"), "needed where there is no offset"),
             query("lat", number(-90, 90), "degrees north", required=True),
             query("lon", number(-180, 180), "degrees east", required=True),
             query("houses", one_of(*HOUSE_SYSTEMS)),
             query("fold", {"type": "integer", "enum": [0, 1]}, "which of two equal local times"),
         )),
    Page("get", "/api/sky", "sky", "Coming events of the sky.",
         {200: told("SkyEvents")}, ("VALIDATION_FAILED",), (
             query("from", INSTANT | {"pattern": INSTANT["pattern"].replace("205[0-2]", "205[01]")},
                   "now where it is left out"),
             query("hours", number(1, LONGEST_SKY_HOURS) | {"default": DEFAULT_SKY_HOURS}),
         )),
    Page("get", "/api/places", "sky", "Towns whose name begins with some letters.",
         {200: {JSON: listing(ref("Town"), most=MOST_PLACES)}}, ("VALIDATION_FAILED",), (
             query("q", matching(r".*\S.*", maxLength=LONGEST_NAME), required=True),
             query("limit", integer(1, MOST_PLACES) | {"default": DEFAULT_PLACES}),
         )),
    Page("post", "/api/compose", "pieces", "A finished piece, and all that is told of it.",
         {200: told("Piece")},
         (*BODY, *FORGED, "AUTH_REQUIRED", "NOT_FOUND", "CONFLICT", "DRAINING"), (_KEY,),
         body="ComposeRequest", who=ANYBODY),
    Page("post", "/api/midi", "pieces", "The notes of any span of a programme.",
         {200: {"audio/midi": {}}}, (*BODY, *FORGED, "NOT_FOUND", "DRAINING"),
         body="MidiRequest", who=ANYBODY),
    Page("get", "/media/{kind}/{name}", "pieces", "A file of a piece, for ever the same.",
         {200: _FILES, 206: _PARTS, 304: {}},
         ("NOT_FOUND", "RANGE_NOT_SATISFIABLE", *STORE), _FILE,
         headers={200: _SEEN, 206: {**_SEEN, "Content-Range": "which bytes of how many"}}),
    Page("post", "/api/auth/register", "accounts", "Make an account, and log in.",
         {201: told("Session")}, (*BODY, *FORGED, "CONFLICT"), body="NewCredentials", who=ANYBODY),
    Page("post", "/api/auth/login", "accounts", "Begin a session.",
         {200: told("Session")}, (*BODY, *FORGED, "AUTH_REQUIRED"), body="Credentials",
         who=ANYBODY),
    Page("post", "/api/auth/logout", "accounts", "End this session, or all of the account.",
         {200: told("Session")}, (*BODY, *FORGED), body="Logout", needs_body=False, who=ANYBODY),
    Page("get", "/api/auth/session", "accounts",
         "Who is logged in, and the token of this browser.", {200: told("Session")}, STORE,
         who=ANYBODY),
    Page("get", "/api/account/export", "accounts", "All that is stored about the account.",
         {200: told("Export")}, ("AUTH_REQUIRED", *STORE), who=ACCOUNT),
    Page("delete", "/api/account", "accounts", "Delete the account and all that belongs to it.",
         {204: {}}, ("AUTH_REQUIRED", *FORGED), who=ACCOUNT),
    Page("get", "/api/charts", "charts", "The charts of the account.",
         {200: told("SavedCharts")}, ("AUTH_REQUIRED", *STORE), who=ACCOUNT),
    Page("post", "/api/charts", "charts", "Save a chart.",
         {201: told("SavedChart")}, (*BODY, *FORGED, "AUTH_REQUIRED", "CONFLICT"), (_KEY,),
         body="NewChart", who=ACCOUNT),
    Page("get", "/api/charts/{id}", "charts", "One chart, for who may see it.",
         {200: {JSON: {"anyOf": [ref("SavedChart"), ref("PublicChart")]}}},
         ("NOT_FOUND", *STORE), (_CHART_ID,), who=ANYBODY),
    Page("patch", "/api/charts/{id}", "charts", "Change some fields of a chart.",
         {200: told("SavedChart")}, (*BODY, *FORGED, "AUTH_REQUIRED", "NOT_FOUND"), (_CHART_ID,),
         body="ChartChange", who=ACCOUNT),
    Page("delete", "/api/charts/{id}", "charts", "Delete a chart.",
         {204: {}}, ("AUTH_REQUIRED", "NOT_FOUND", *FORGED), (_CHART_ID,), who=ACCOUNT),
    Page("get", "/api/compat/health", "compatibility", "How the search stands.",
         {200: told("CompatHealth")}),
    Page("get", "/api/compat/search", "compatibility", "The best matches of a saved chart.",
         {200: told("Matches")}, ("VALIDATION_FAILED", "NOT_FOUND", *STORE), (
             query("chartId", text(minLength=1, maxLength=MAX_CHART_ID_CHARACTERS), required=True),
             query("facet", one_of(*FACETS) | {"default": DEFAULT_FACET}),
             query("limit", integer(1, MOST_MATCHES) | {"default": DEFAULT_LIMIT}),
             query("cursor", CURSOR),
         ), who=ANYBODY),
    Page("post", "/api/compat/search", "compatibility",
         "The best matches of a birth, or of a saved chart.",
         {200: told("Matches")}, (*BODY, *FORGED, "NOT_FOUND"), body="CompatSearch", who=ANYBODY),
    Page("post", "/api/compat/pair", "compatibility", "One pair in full.",
         {200: told("Pair")}, (*BODY, *FORGED, "NOT_FOUND"), body="CompatPair", who=ANYBODY),
    Page("get", "/api/blocks", "blocks", "Whom the account blocked.",
         {200: told("Blocks")}, ("AUTH_REQUIRED", *STORE), who=ACCOUNT),
    Page("post", "/api/blocks", "blocks",
         "Block the owner of a public chart; neither meets the other any more.",
         {201: told("Block")}, (*BODY, *FORGED, "AUTH_REQUIRED", "NOT_FOUND", "CONFLICT"),
         body="NewBlock", who=ACCOUNT),
    Page("delete", "/api/blocks/{id}", "blocks", "Take a block back.",
         {204: {}}, ("AUTH_REQUIRED", "NOT_FOUND", *FORGED), (_BLOCK_ID,), who=ACCOUNT),
    Page("get", "/openapi.json", "description", "This description.",
         {200: {JSON: {"type": "object"}}, 304: {}}, headers={200: _SEEN}),
    Page("get", "/docs", "description", "The same for people.",
         {200: {"text/html": {}}, 304: {}}, headers={200: _SEEN}),
)
# fmt: on
