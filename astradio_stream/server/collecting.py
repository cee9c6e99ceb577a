"""When Python looks for garbage that refers to itself: not while a listener waits for it.

Python would look whenever some hundred objects more live than before, which is in the middle of
composing, ten times while a new programme is begun: a tenth of a seek, and milliseconds of the
worst second of a stream. To look through everything that lives (the notes and skies that are kept
for the next segments among it) takes a tenth of a second once a hundred programmes play, and all
threads wait meanwhile. Nothing here makes such garbage: what a connection, a request or a programme
leaves behind goes as soon as nobody refers to it (`tests/test_server_garbage.py`). So what is young
is looked through ten times a second, a millisecond at a time, and what survives that is old; the
old, when nobody listens, or when memory has grown so far that a mistake of ours is likelier than
use.
"""

from __future__ import annotations

import asyncio
import gc
import resource
from typing import Final

MB_GROWN: Final = 512
"""By how much the most memory ever held may grow until all is looked through in spite of that."""
PERIOD_S: Final = 0.1
"""How often the young are looked through."""
_YOUNG: Final = 1
"""The youngest generation and the next, which is always empty."""
_KB_PER_MB: Final = 1_024


def _most_mb() -> int:
    """Return the most memory that the process ever held (MB; Linux counts in KB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // _KB_PER_MB


def look_at_the_young() -> None:
    """Look through what is new; what survives is old at once."""
    gc.collect(_YOUNG)


class Collecting:
    """When everything was looked through last, and when it will be again."""

    def __init__(self) -> None:
        self._most_mb: int | None = None

    def begin(self) -> None:
        """Collect now; what a server is made of stays, and is never looked through again.

        From now on Python looks for nothing by itself: see `keep_looking`.
        """
        gc.collect()
        gc.freeze()
        gc.disable()
        self._most_mb = _most_mb()

    async def keep_looking(self, period_s: float = PERIOD_S) -> None:
        """Look at the young again and again, for as long as the server runs."""
        while True:
            await asyncio.sleep(period_s)
            look_at_the_young()

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
