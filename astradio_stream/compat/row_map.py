"""Which row of the index a chart has: a hash table of six or seven bytes per chart.

A dictionary of ten million numbers would weigh a gigabyte, thirty times the index itself. This is
open addressing with linear probing over row numbers alone; the ids stand in the index already.
Only the one writer uses it.

**Source:** D. E. Knuth, The Art of Computer Programming, vol. 3 (2nd ed., 1998), section 6.4,
algorithm L; multiplicative hashing, ibid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_EMPTY: Final = -1
_GONE: Final = -2
"""A slot whose chart was removed: a search goes on over it."""
_GOLDEN: Final = 0x9E3779B97F4A7C15
"""2**64 divided by the golden ratio, odd."""
_SMALLEST: Final = 64


class RowMap:
    """Row numbers by id."""

    def __init__(self, id_at: Callable[[int], int]) -> None:
        self._id_at = id_at
        self._slots = np.full(_SMALLEST, _EMPTY, dtype=np.int32)
        self._n_used = 0
        """Slots that are not empty, removed ones included."""

    @property
    def nbytes(self) -> int:
        """Return the memory that the table takes."""
        return self._slots.nbytes

    def get(self, chart_id: int) -> int | None:
        """Return the row of a chart, if it has one."""
        slot = self._slot_of(chart_id)
        return None if slot is None else int(self._slots[slot])

    @property
    def is_full(self) -> bool:
        """Return whether the table must be rebuilt before another chart is put into it."""
        return 3 * (self._n_used + 1) > 2 * self._slots.size

    def put(self, chart_id: int, row: int) -> None:
        """Say where a chart stands now."""
        slot = self._slot_of(chart_id)
        if slot is not None:
            self._slots[slot] = row
            return
        slot = _home_of(chart_id, self._slots.size)
        while self._slots[slot] != _EMPTY:
            slot = (slot + 1) % self._slots.size
        self._slots[slot] = row
        self._n_used += 1

    def remove(self, chart_id: int) -> None:
        """Forget a chart, if it is there."""
        slot = self._slot_of(chart_id)
        if slot is not None:
            self._slots[slot] = _GONE

    def rebuild(self, ids: NDArray[np.int64], rows: NDArray[np.int32]) -> None:
        """Hold exactly these charts, with room for some more.

        Args:
            ids: All different, shape (n_charts,).
            rows: Theirs, shape (n_charts,).
        """
        # Load 5/8: six to seven bytes for a chart, two probes.
        n_slots = max(_SMALLEST, rows.size * 8 // 5)
        homes = (ids.astype(np.uint64) * np.uint64(_GOLDEN) >> np.uint64(32)).astype(np.int64)
        homes %= n_slots
        # In the order of their homes each takes its home, or the next slot after the one before.
        order = np.argsort(homes)
        step = np.arange(rows.size)
        at = np.maximum.accumulate(homes[order] - step) + step
        n_fit = int(np.searchsorted(at, n_slots))
        self._slots = np.full(n_slots, _EMPTY, dtype=np.int32)
        self._slots[at[:n_fit]] = rows[order[:n_fit]]
        # The last few, for whom the table ended, begin again in front.
        for n in order[n_fit:].tolist():
            slot = 0
            while self._slots[slot] != _EMPTY:
                slot += 1
            self._slots[slot] = rows[n]
        self._n_used = rows.size

    def _slot_of(self, chart_id: int) -> int | None:
        slot = _home_of(chart_id, self._slots.size)
        while (row := int(self._slots[slot])) != _EMPTY:
            if row >= 0 and self._id_at(row) == chart_id:
                return slot
            slot = (slot + 1) % self._slots.size
        return None


def _home_of(chart_id: int, n_slots: int) -> int:
    return ((chart_id % 2**64) * _GOLDEN % 2**64 >> 32) % n_slots
