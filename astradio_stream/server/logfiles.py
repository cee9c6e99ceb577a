"""Where log lines go: a file that is rotated, and standard output. Neither ever stops the service.

A line that cannot be written, because the disk is full or nobody reads any more, is lost and
counted; the next is tried again. Standard output may be a pipe whose reader has fallen asleep, so
it has a thread and a queue of its own; a file does not wait.

Several processes may share the file: each appends whole lines, one of them puts a full file aside,
and the others notice that theirs has moved. So does whoever rotates it from outside.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import logging
import os
import stat
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

MOST_WAITING: Final = 10_000
"""Lines that may wait for the reader of standard output."""
TOGETHER_S: Final = 0.02
"""How long lines are gathered before they are written."""
GOODBYE_S: Final = 1.0
"""How long the end waits for that reader (seconds)."""


@dataclass(slots=True)
class Tally:
    """What went wrong with lines, since the metrics last took it."""

    n_lost: int = 0
    """Lines that could not be written."""
    n_nameless: int = 0
    """Lines that came of a request and carry no id."""

    def take(self) -> tuple[int, int]:
        """Return the counts and begin anew."""
        taken = self.n_lost, self.n_nameless
        self.n_lost -= taken[0]
        self.n_nameless -= taken[1]
        return taken


tally: Final = Tally()


class LogFile(logging.Handler):
    """A file of bounded size, and a bounded number of those before it."""

    def __init__(self, path: Path, max_bytes: int, n_kept: int) -> None:
        """Append to a file.

        Raises:
            OSError: it cannot be opened.
        """
        super().__init__()
        self._path = path
        self._max_bytes = max_bytes
        self._n_kept = n_kept
        self._is_torn = False
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._opened()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, or lose it."""
        try:
            self._write(f"{self.format(record)}\n".encode("utf-8", "replace"))
        except Exception:  # whoever logs must not suffer from it
            tally.n_lost += 1

    def close(self) -> None:
        """Let go of the file."""
        with self.lock or contextlib.nullcontext():
            if self._file >= 0:
                os.close(self._file)
                self._file = -1
        super().close()

    def _opened(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)

    def _write(self, line: bytes) -> None:
        if self._has_moved():
            self._reopen()
        facts = os.fstat(self._file)
        if facts.st_size + len(line) > self._max_bytes and stat.S_ISREG(facts.st_mode):
            with contextlib.suppress(OSError):  # a folder that takes no names still takes lines
                self._put_aside(len(line))
        if self._is_torn:
            line = b"\n" + line
        # A disk that filled up took the beginning; the next line must not go on from there.
        self._is_torn = os.write(self._file, line) < len(line)
        tally.n_lost += self._is_torn

    def _has_moved(self) -> bool:
        """Return whether the file is no longer where it was."""
        ours = os.fstat(self._file)
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return True
        return (ours.st_dev, ours.st_ino) != (there.st_dev, there.st_ino)

    def _reopen(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._opened()
        os.close(self._file)
        self._file = file

    def _put_aside(self, n_bytes: int) -> None:
        """Move the file aside, unless another process did so meanwhile."""
        with _locked(self._path.parent):
            facts = self._path.stat()
            if facts.st_size + n_bytes > self._max_bytes:
                for number in range(self._n_kept - 1, 0, -1):
                    with contextlib.suppress(FileNotFoundError):
                        self._aside(number).replace(self._aside(number + 1))
                if self._n_kept:
                    self._path.replace(self._aside(1))
                else:
                    self._path.unlink()
        self._reopen()

    def _aside(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Be the only process in a folder."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


class LogStream(logging.Handler):
    """A stream that somebody reads, or does not.

    A thread writes what came together in one go: woken for each line, it would fight with the event
    loop for the interpreter as often.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines: deque[str] = deque()
        self._has_lines = threading.Event()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="log-stream", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Have one line written, or lose it."""
        try:
            line = f"{self.format(record)}\n"
        except Exception:  # a value has no text
            tally.n_lost += 1
            return
        if len(self._lines) >= MOST_WAITING:
            tally.n_lost += 1
            return
        self._lines.append(line)
        if not self._has_lines.is_set():
            self._has_lines.set()

    def close(self) -> None:
        """Wait a moment for the last lines."""
        self._is_over.set()
        self._has_lines.set()
        self._thread.join(GOODBYE_S)
        super().close()

    def _work(self) -> None:
        while not self._is_over.is_set():
            self._has_lines.wait()
            self._is_over.wait(TOGETHER_S)
            self._has_lines.clear()  # before they are taken: a line that comes now is not forgotten
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            try:
                self._say("".join(lines))
            except (OSError, ValueError):
                tally.n_lost += len(lines)

    def _say(self, text: str) -> None:
        """Write past the stream's own buffer: what is stuck there would fail again at the end."""
        try:
            number = self._stream.fileno()
        except io.UnsupportedOperation:
            self._stream.write(text)
            return
        rest = text.encode("utf-8", "replace")
        while rest:
            rest = rest[os.write(number, rest) :]
