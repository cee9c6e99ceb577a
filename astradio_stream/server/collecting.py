"""When Python looks for garbage that refers to itself: not while somebody listens.

To look through everything that lives (the notes and skies that are kept for the next segments among
it) takes a tenth of a second once a hundred programmes play, and all threads wait meanwhile: every
listener's quanta are late. Nothing here makes such garbage: what a connection, a request or a
programme leaves behind goes as soon as nobody refers to it (`tests/test_server_garbage.py`). So
only what is young is looked through as usual, which takes milliseconds; everything, when nobody
listens, or when memory has grown so far that a mistake of ours is likelier than use.
"""

from __future__ import annotations

import gc
import resource
from typing import Final

MB_GROWN: Final = 512
"""By how much the most memory ever held may grow until all is looked through in spite of that."""
_NEVER: Final = 1_000_000_000
_KB_PER_MB: Final = 1_024


def _most_mb() -> int:
    """Return the most memory that the process ever held (MB; Linux counts in KB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // _KB_PER_MB


class Collecting:
    """When everything was looked through last, and when it will be again."""

    def __init__(self) -> None:
        self._most_mb: int | None = None

    def begin(self) -> None:
        """Collect now; what a server is made of stays, and is never looked through again."""
        gc.collect()
        gc.freeze()
        young, middle, _ = gc.get_threshold()
        gc.set_threshold(young, middle, _NEVER)
        self._most_mb = _most_mb()

    def tidy(self, n_listeners: int) -> bool:
        """Look through everything if nobody would hear it, or if it must be; return whether."""
        if self._most_mb is None:  # begun by nobody: Python goes on as it does
            return False
        has_grown = _most_mb() - self._most_mb > MB_GROWN
        is_anything_new = gc.get_count()[-1] > 0
        if not has_grown and (n_listeners > 0 or not is_anything_new):
            return False
        gc.collect()
        self._most_mb = _most_mb()
        return True
