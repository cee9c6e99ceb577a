"""Log lines for people and for grep: EVENT, a value if it has one, key=value …, one line each.

::

    HTTP_4xx 429 time=2026-03-20T12:00:00.123Z level=INFO method=GET … requestId=req_1f0c…

Whatever could break a line (blanks, quotes, control characters, anything but plain ASCII) is
written as a JSON string and cut where it is long, so no listener's name and no path can forge a
line. Where the lines go is the business of `logfiles`; nothing that happens there reaches who logs.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from astradio_stream.server.events import ASKED
from astradio_stream.server.logfiles import LogFile, LogStream, tally

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOGGER_NAME: Final = "astradio"
REQUEST_ID: Final[ContextVar[str]] = ContextVar("REQUEST_ID", default="")
"""Under which id what happens now was asked for; every line that it leads to ends with it."""
OWN_ID: Final = f"req_{secrets.token_hex(8)}"
"""The id of what this process does of its own accord."""
_FIELDS: Final = "astradio_fields"
_VALUE: Final = "astradio_value"
_PLAIN: Final = re.compile(r"[!#-<>-~]+", re.ASCII)
_MAX_CHARACTERS: Final = 500


def log(event: str, level: int = logging.INFO, value: object = None, **fields: object) -> None:
    """Write one line: an event of the table, its value, and what belongs to it."""
    logger = logging.getLogger(LOGGER_NAME)
    if logger.isEnabledFor(level):
        # A dot cannot stand in the name of an argument: error_code is written error.code.
        told = {"error.code" if name == "error_code" else name: fields[name] for name in fields}
        logger.log(level, event, extra={_FIELDS: told, _VALUE: value})


def log_failure(event: str, error: BaseException, **fields: object) -> None:
    """Write one line about an error of ours, with the place it came from."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = "" if frame is None else f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}"
    log(event, logging.ERROR, error=type(error).__name__, message=str(error), at=place, **fields)


def escaped(value: object) -> str:
    """Return a value as one word, or as a JSON string where it is not one."""
    text = shortened(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


def shortened(value: object) -> str:
    """Return a value as text of bounded length."""
    text = str(value)
    return text if len(text) <= _MAX_CHARACTERS else text[:_MAX_CHARACTERS] + "…"


class LineFormatter(logging.Formatter):
    """EVENT value time=… level=… key=value … requestId=…, times in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record; records of libraries become LIBRARY lines."""
        event, value, fields = _told(record)
        words = [event] if value is None else [event, escaped(value)]
        words += (f"{key}={escaped(field)}" for key, field in fields)
        return " ".join(words)


class JsonFormatter(logging.Formatter):
    """The same as one JSON object; numbers and truth values stay what they are."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        event, value, fields = _told(record)
        told: dict[str, object] = {"event": event}
        if value is not None:
            told["value"] = _plain(value)
        return json.dumps(told | {key: _plain(field) for key, field in fields})


FORMATTERS: Final = {"line": LineFormatter, "json": JsonFormatter}


def _plain(value: object) -> object:
    return value if isinstance(value, bool | int) else _number(value)


def _number(value: object) -> object:
    is_finite = isinstance(value, float) and abs(value) < float("inf")
    return value if is_finite else shortened(value)


def _told(record: logging.LogRecord) -> tuple[str, object, Iterator[tuple[str, object]]]:
    """Return event, value and pairs of a record."""
    fields: dict[str, Any] | None = getattr(record, _FIELDS, None)
    event, value = record.getMessage(), getattr(record, _VALUE, None)
    if fields is None:
        fields = {"logger": record.name, "message": event}
        if record.exc_info and record.exc_info[1] is not None:
            fields["error"] = repr(record.exc_info[1])
        event = "LIBRARY"
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    head = {"time": f"{moment}.{int(record.msecs):03d}Z", "level": record.levelname}
    others = {name: field for name, field in fields.items() if name != "requestId"}
    tail = {"requestId": fields.get("requestId") or getattr(record, "request_id", "")}
    return event, value, iter((head | others | tail).items())


class _Naming(logging.Filter):
    """Gives each record the id it happened under, and counts those that should have one."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Name the record, unless another handler has."""
        if hasattr(record, "request_id"):
            return True
        fields: dict[str, Any] = getattr(record, _FIELDS, {})
        request_id = fields.get("requestId") or REQUEST_ID.get()
        if not request_id and record.name == LOGGER_NAME and record.msg in ASKED:
            tally.n_nameless += 1
            request_id = "-"
        record.request_id = request_id or OWN_ID
        return True


def open_logs(
    log_file: Path, level: str, *, form: str = "line", max_bytes: int = 50 << 20, n_kept: int = 5
) -> list[logging.Handler]:
    """Send lines to standard output and to a file; return the handlers, for `close_logs`.

    Args:
        log_file: Made if absent, with its folder.
        level: The least severe that is written.
        form: `line` or `json`.
        max_bytes: A file of this size is put aside as `.1`, the one before as `.2` …
        n_kept: … and so many are kept.

    Raises:
        OSError: the file cannot be opened.
    """
    handlers: list[logging.Handler] = [LogFile(log_file, max_bytes, n_kept), LogStream(sys.stdout)]
    for handler in handlers:
        handler.setFormatter(FORMATTERS[form]())
        handler.addFilter(_Naming())
    for name, least in ((LOGGER_NAME, level.upper()), ("uvicorn", "WARNING")):
        logger = logging.getLogger(name)
        logger.setLevel(least)
        logger.propagate = False
        for handler in handlers:
            logger.addHandler(handler)
    return handlers


def set_level(level: str) -> None:
    """Write lines from this level up."""
    logging.getLogger(LOGGER_NAME).setLevel(level.upper())


def close_logs(handlers: list[logging.Handler]) -> None:
    """Undo `open_logs`."""
    for handler in handlers:
        for name in (LOGGER_NAME, "uvicorn"):
            logging.getLogger(name).removeHandler(handler)
        handler.close()
