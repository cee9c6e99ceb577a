"""Making a note bank on all cores: on threads its passes would fight for the interpreter's lock.

::

    numbers of batches --> pipe --> this process    --> memory that all share: the values
                                --> other processes --> of the file, each batch at its places

Whoever is free takes the next number. A batch is the same wherever it is made, so how they share
them changes no bit; where no other process can be had, this one makes all.
"""

from __future__ import annotations

import mmap
import os
import struct
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.audio.bank import I16, batches_of, render_pitches, rendering_of
from astradio_stream.server.bank_layout import layout_of, write_note
from astradio_stream.stream.models import AUDIO_MODELS

if TYPE_CHECKING:
    from astradio_stream.stream.models import AudioModel

MOST_HELPERS: Final = 3
"""Processes beside this one: more would spend as long on their start as on the work."""
_NUMBER: Final = struct.Struct("<H")
_WAIT_S: Final = 30.0
"""How long the last batch of another process may take (seconds)."""


class _Work:
    """The batches of a bank, and where their notes belong."""

    def __init__(self, model: AudioModel) -> None:
        self.length, self._places = layout_of(model.instruments)
        self.batches = batches_of(model.instruments)

    def make(self, number: int, values: I16) -> None:
        """Make one batch."""
        instrument, pitches = self.batches[number]
        for pitch, pcm in zip(pitches, render_pitches(instrument, pitches), strict=True):
            place = self._places[instrument.name, pitch]
            write_note(values, place, rendering_of(instrument, pcm))

    def make_what_is_left(self, numbers: int, values: I16) -> None:
        """Make one batch after another, as long as the pipe has a number."""
        while number := os.read(numbers, _NUMBER.size):
            self.make(_NUMBER.unpack(number)[0], values)


def made_values(model: AudioModel, n_helpers: int | None = None) -> I16:
    """Return the values of a bank's file, but for the check at its end.

    Args:
        model: Whose bank.
        n_helpers: Processes beside this one; by default one for each core that is left.
    """
    if n_helpers is None:
        n_helpers = min(MOST_HELPERS, len(os.sched_getaffinity(0)) - 1)
    work = _Work(model)
    if n_helpers > 0:
        try:
            return _made_together(work, model.version, n_helpers)
        except OSError:  # no memory to share, or no other process: it is made all the same
            pass
    values = np.empty(work.length, np.int16)
    for number in range(len(work.batches)):
        work.make(number, values)
    return values


def _made_together(work: _Work, version: str, n_helpers: int) -> I16:
    """Return the values, made by this process and others.

    Raises:
        OSError: One of the others did not end as it should.
    """
    shared = os.memfd_create("bank")
    numbers, numbers_in = os.pipe()
    helpers: list[subprocess.Popen[bytes]] = []
    try:
        os.ftruncate(shared, 2 * work.length)
        with os.fdopen(numbers_in, "wb") as queue:
            queue.write(b"".join(map(_NUMBER.pack, range(len(work.batches)))))
        helpers.extend(_helper(version, shared, numbers) for _ in range(n_helpers))
        values = _mapped(shared, work.length)
        work.make_what_is_left(numbers, values)
        if any(helper.wait(_WAIT_S) for helper in helpers):
            raise ChildProcessError("a helper failed")
        return values
    except subprocess.TimeoutExpired:
        raise ChildProcessError("a helper did not end") from None
    finally:
        for helper in helpers:
            helper.kill()
            helper.wait()
        os.close(numbers)
        os.close(shared)


def _helper(version: str, shared: int, numbers: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter and our own words
        [sys.executable, "-m", __name__, version, str(shared), str(numbers)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(shared, numbers),
    )


def _mapped(shared: int, length: int) -> I16:
    return np.frombuffer(mmap.mmap(shared, 2 * length), np.int16)


def main() -> None:
    """Help: make what is left of a model's bank, in memory that was handed over."""
    version, shared, numbers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    work = _Work(AUDIO_MODELS[version])
    work.make_what_is_left(numbers, _mapped(shared, work.length))


if __name__ == "__main__":
    main()
