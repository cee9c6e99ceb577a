"""Every event that the log can tell, as one table; docs/logs.md lists the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the table."""

    name: str
    """The first token of its lines."""
    is_asked: bool
    """Whether it comes of somebody's request, and so must carry that request's id."""
    meaning: str
    """One sentence."""


# fmt: off
TABLE: Final = (
    #     name                   is_asked  meaning
    Event("STARTING",            False, "The server begins to load"),
    Event("MODEL_LOADED",        False, "An audio model is at hand"),
    Event("READY",               False, "Newcomers are welcome"),
    Event("DEGRADED",            False, "Something optional is missing; listeners are served"),
    Event("OVERLOADED",          False, "Newcomers are refused; those inside play on"),
    Event("START_FAILED",        False, "Something needed is missing"),
    Event("RELOADED",            False, "Settings were read again; what changed"),
    Event("RELOAD_FAILED",       False, "Settings were read again and are wrong; nothing changed"),
    Event("LIMITS_RESET",        False, "An operator emptied the counts of who asked how much"),
    Event("DRAINING",            False, "The server is leaving"),
    Event("DRAINED",             False, "All listeners have moved on"),
    Event("STOPPED",             False, "The end"),
    Event("KILLED",              False, "A second signal ended it at once"),
    Event("WORKER_ENDED",        False, "A worker died and is started again"),
    Event("PARENT_ENDED",        False, "The parent of a worker died, and so it leaves"),
    Event("STORE_UNAVAILABLE",   False, "The database cannot be written"),
    Event("STORE_AVAILABLE",     False, "It can again"),
    Event("UPKEEP_FAILED",       False, "Old rows could not be deleted"),
    Event("TEXT_FAILED",         False, "Pieces cannot be told in words"),
    Event("GAZETTEER_FAILED",    False, "Towns cannot be looked up"),
    Event("WEIGHTS_FAILED",      False, "The weights of the search cannot be read"),
    Event("SEARCH_READY",        False, "Public charts can be searched"),
    Event("SEARCH_FAILED",       False, "Public charts cannot be searched"),
    Event("CHART_UNREADABLE",    False, "A stored chart cannot be computed, so nobody finds it"),
    Event("CONTROL_FAILED",      False, "The commands cannot reach this server"),
    Event("DETERMINISM_FAILED",  False, "A segment made again was not the one that was served"),
    Event("CHECK_FAILED",        False, "The check of served segments itself broke"),
    Event("4xx_error_rate",      False, "Share of the last minute's answers that refused"),
    Event("5xx_error_rate",      False, "Share of the last minute's answers that failed"),
    Event("LIBRARY",             False, "A library has something to say"),
    Event("HTTP",                True,  "An answer, for debugging"),
    Event("HTTP_4xx",            True,  "An answer that refuses, with its error.code"),
    Event("HTTP_5xx",            True,  "An answer that fails, with its error.code"),
    Event("REQUEST_FAILED",      True,  "An error of ours behind a 500"),
    Event("GONE",                True,  "Somebody left before the answer"),
    Event("compose_latency_ms",  True,  "A piece was answered, after so long"),
    Event("MEDIA_GONE",          True,  "A file that another build made cannot be made again"),
    Event("MEDIA_MISMATCH",      True,  "A file went out with headers that are not the contract's"),
    Event("JOINED",              True,  "A listener began to listen"),
    Event("LEFT",                True,  "A listener's session ended, and how"),
    Event("SESSION_FAILED",      True,  "An error of ours ended a session"),
    Event("ANSWER_FAILED",       True,  "An error of ours kept a listener from an answer"),
    Event("REGISTERED",          True,  "There is a new account"),
    Event("LOGGED_IN",           True,  "Somebody logged in"),
    Event("LOGIN_REFUSED",       True,  "Somebody could not log in"),
    Event("LOGGED_OUT",          True,  "Somebody logged out"),
    Event("ACCOUNT_DELETED",     True,  "An account and all that was its is gone"),
)
# fmt: on

ASKED: Final = frozenset(row.name for row in TABLE if row.is_asked)
