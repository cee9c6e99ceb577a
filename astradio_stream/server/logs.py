"""Log lines for people and for grep: time, level, EVENT, then key=value, one line each.

Whatever could break a line (blanks, quotes, control characters, anything but plain ASCII) is
written as a JSON string, so no listener's name and no path can forge a line.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import re
import sys
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

LOGGER_NAME: Final = "astradio"
REQUEST_ID: Final[ContextVar[str]] = ContextVar("REQUEST_ID", default="")
"""Under which id what happens now was asked for; every line that it leads to ends with it."""
_FIELDS: Final = "astradio_fields"
_PLAIN: Final = re.compile(r"[!#-<>-~]+", re.ASCII)
_MAX_CHARACTERS: Final = 500


def log(event: str, level: int = logging.INFO, **fields: object) -> None:
    """Write one line: an upper-case event and what belongs to it."""
    logger = logging.getLogger(LOGGER_NAME)
    if logger.isEnabledFor(level):
        logger.log(level, event, extra={_FIELDS: fields})


def log_failure(event: str, error: BaseException, **fields: object) -> None:
    """Write one line about an error of ours, with the place it came from."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = "" if frame is None else f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}"
    log(event, logging.ERROR, error=type(error).__name__, message=str(error), at=place, **fields)


def escaped(value: object) -> str:
    """Return a value as one word, or as a JSON string where it is not one."""
    text = str(value)
    if len(text) > _MAX_CHARACTERS:
        text = text[:_MAX_CHARACTERS] + "…"
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


class LineFormatter(logging.Formatter):
    """time level EVENT key=value …, times in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record; records of libraries become LIBRARY lines."""
        fields: dict[str, Any] | None = getattr(record, _FIELDS, None)
        event = record.getMessage()
        if fields is None:
            fields = {"logger": record.name, "message": event}
            if record.exc_info and record.exc_info[1] is not None:
                fields["error"] = repr(record.exc_info[1])
            event = "LIBRARY"
        if (request_id := REQUEST_ID.get()) and "requestId" not in fields:
            fields = fields | {"requestId": request_id}
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        head = f"{moment}.{int(record.msecs):03d}Z {record.levelname} {event}"
        return " ".join((head, *(f"{key}={escaped(value)}" for key, value in fields.items())))


def open_logs(log_file: Path, level: str) -> list[logging.Handler]:
    """Send lines to standard output and to a file; return the handlers, for `close_logs`.

    Raises:
        OSError: the file cannot be written.
    """
    log_file.parent.mkdir(parents=True, exist_ok=True)
    handlers: list[logging.Handler] = [
        logging.StreamHandler(sys.stdout),
        logging.handlers.WatchedFileHandler(log_file, encoding="utf-8"),
    ]
    for handler in handlers:
        handler.setFormatter(LineFormatter())
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
