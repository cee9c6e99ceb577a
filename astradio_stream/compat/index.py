"""All published charts in memory, 37 bytes each, for one writer and any number of readers.

The twelve points of a chart are held two by two. A *key* of two bytes says in which of 240 bins of
1.5 degrees each of the two stands, a *fine* byte where within the bins::

    key  = 241 * bin(first) + bin(second)         bin 240: absent
    fine =  15 * fine(first) + fine(second)       tenths of a degree within the bin, 0 to 14

    6 keys 12 bytes, 6 fine 6, id 8, owner 4, removed 1/8, `RowMap` 6.4: 37 bytes

Six look-ups by key bound a score closely (`compat.search`); the fine bytes make it exact.

**Threads.** Rows are only ever appended, in blocks, and never written to again. What a reader sees
is a `Snapshot`: an immutable tuple of blocks, each with the number of its rows and its own bitmap
of the removed ones. A change copies the bitmap of one block at most, and then publishes a new
snapshot by a single assignment, which no thread ever sees half done. A replaced chart is a removed
row and a new one in the same snapshot. Writers must take turns; that is for the caller to see to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.compat.points import ABSENT, N_POINTS, TENTHS, Tenths, require_tenths
from astradio_stream.compat.row_map import RowMap

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_KEYS: Final = N_POINTS // 2
FINE: Final = 15
"""Tenths of a degree in a bin."""
N_BINS: Final = TENTHS // FINE + 1
"""Bins of one point: 240, and one for an absent point."""
BLOCK: Final = 1 << 16
"""Rows in a block: numpy's calls are forgotten, and the working set stays in the second cache."""
_LAST_OWNER: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows, and which of them count."""

    keys: NDArray[np.uint16]
    """Shape (6, room), room at most `BLOCK`; rows from `n_rows` on are not there yet."""
    fine: NDArray[np.uint8]
    """Shape (6, room)."""
    ids: NDArray[np.int64]
    """Shape (room,)."""
    owners: NDArray[np.int32]
    """Shape (room,)."""
    removed: NDArray[np.uint8]
    """A bit for each row, shape (room / 8,)."""
    n_rows: int
    n_removed: int

    def is_live(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of some rows were not removed."""
        live: NDArray[np.bool_] = (self.removed[rows >> 3] >> (rows & 7).astype(np.uint8)) & 1 == 0
        return live

    def tenths(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the points of some rows, shape (12, n_rows)."""
        keys, fine = self.keys[:, rows].astype(np.int64), self.fine[:, rows].astype(np.int64)
        tenths = np.empty((N_POINTS, rows.size), dtype=np.int64)
        tenths[0::2] = keys // N_BINS * FINE + fine // FINE
        tenths[1::2] = keys % N_BINS * FINE + fine % FINE
        return tenths

    @property
    def nbytes(self) -> int:
        """Return the memory that the block takes."""
        columns = (self.keys, self.fine, self.ids, self.owners, self.removed)
        return sum(column.nbytes for column in columns)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The index as it was at one moment; it never changes."""

    blocks: tuple[Block, ...]
    n_charts: int


class Index:
    """The published charts."""

    def __init__(self) -> None:
        self._snapshot = Snapshot((), 0)
        self._rows = RowMap(self._id_at)

    @classmethod
    def of_columns(
        cls, ids: NDArray[np.int64], owners: NDArray[np.int32], tenths: NDArray[np.integer]
    ) -> Index:
        """Return an index of many charts at once.

        Args:
            ids: What matches are called, and ordered by where scores are equal, all different,
                shape (n_charts,).
            owners: Whose they are, 0 to 2**31 - 1, shape (n_charts,).
            tenths: As in `compat.points`, shape (12, n_charts).

        Raises:
            ValueError: if two charts have one id, or a point is out of range.
        """
        if np.unique(ids).size != ids.size:
            message = "every chart of an index needs an id of its own"
            raise ValueError(message)
        if tenths.shape != (N_POINTS, ids.size) or (tenths.size and tenths.max() > ABSENT):
            message = f"an index needs {N_POINTS} points from 0 to {ABSENT} of every chart"
            raise ValueError(message)
        index = cls()
        blocks = []
        for i in range(0, ids.size, BLOCK):
            part = slice(i, min(i + BLOCK, ids.size))
            n_rows = part.stop - i
            block = _empty_block(n_rows)
            keys, fine = _packed(tenths[:, part])
            block.keys[:, :n_rows], block.fine[:, :n_rows] = keys, fine
            block.ids[:n_rows], block.owners[:n_rows] = ids[part], owners[part]
            blocks.append(replace(block, n_rows=n_rows))
        index._snapshot = Snapshot(tuple(blocks), ids.size)
        index._rows.rebuild(ids, np.arange(ids.size, dtype=np.int32))
        return index

    @property
    def snapshot(self) -> Snapshot:
        """Return the index as it is now, for one search; from any thread."""
        return self._snapshot

    def __len__(self) -> int:
        """Return how many charts can be found."""
        return self._snapshot.n_charts

    def __contains__(self, chart_id: int) -> bool:
        """Return whether a chart can be found; for the writer."""
        return self._rows.get(chart_id) is not None

    @property
    def nbytes(self) -> int:
        """Return the memory that the index takes."""
        return sum(block.nbytes for block in self._snapshot.blocks) + self._rows.nbytes

    def put(self, chart_id: int, owner: int, tenths: Tenths) -> None:
        """Publish a chart, or the new state of one; the next search sees it.

        Raises:
            ValueError: if a figure is out of range.
        """
        if not 0 <= owner <= _LAST_OWNER:
            message = f"owner must be 0 to {_LAST_OWNER}, got {owner}"
            raise ValueError(message)
        keys, fine = _packed(np.array(require_tenths(tenths))[:, None])
        before, blocks = self._snapshot, self._without(chart_id)
        if not blocks or blocks[-1].n_rows == blocks[-1].ids.size:
            blocks = (*blocks, _empty_block(BLOCK))
        last = blocks[-1]
        at = last.n_rows
        last.keys[:, at], last.fine[:, at] = keys[:, 0], fine[:, 0]
        last.ids[at], last.owners[at] = chart_id, owner
        is_new = self._rows.get(chart_id) is None
        self._publish((*blocks[:-1], replace(last, n_rows=at + 1)), before.n_charts + is_new)
        self._rows.put(chart_id, (len(blocks) - 1) * BLOCK + at)
        self._tidy()

    def remove(self, chart_id: int) -> bool:
        """Take a chart away, hidden or deleted; return whether it was there."""
        if self._rows.get(chart_id) is None:
            return False
        self._publish(self._without(chart_id), self._snapshot.n_charts - 1)
        self._rows.remove(chart_id)
        self._tidy()
        return True

    def _without(self, chart_id: int) -> tuple[Block, ...]:
        """Return the blocks with the row of a chart marked as removed, if it has one."""
        blocks, row = self._snapshot.blocks, self._rows.get(chart_id)
        if row is None:
            return blocks
        which, at = divmod(row, BLOCK)
        block = blocks[which]
        removed = block.removed.copy()
        removed[at >> 3] |= 1 << (at & 7)
        changed = replace(block, removed=removed, n_removed=block.n_removed + 1)
        return (*blocks[:which], changed, *blocks[which + 1 :])

    def _tidy(self) -> None:
        """Once half of the rows are removed ones, pack the others anew.

        That takes a second for ten million, but comes once in as many changes as there are charts:
        a change still takes constant time on average. Readers keep what they have.
        """
        blocks = self._snapshot.blocks
        n_removed = sum(block.n_removed for block in blocks)
        if n_removed > max(BLOCK, self._snapshot.n_charts):
            live = [(block, _live_rows(block)) for block in blocks]
            packed = Index.of_columns(
                np.concatenate([block.ids[rows] for block, rows in live]),
                np.concatenate([block.owners[rows] for block, rows in live]),
                np.concatenate([block.tenths(rows) for block, rows in live], axis=1),
            )
            self._snapshot = packed.snapshot
            self._map_rows()
        elif self._rows.is_full:
            self._map_rows()

    def _map_rows(self) -> None:
        """Say anew where every chart stands, with room for more."""
        live = [(block, _live_rows(block)) for block in self._snapshot.blocks]
        ids = [block.ids[rows] for block, rows in live]
        rows = [which * BLOCK + rows for which, (_, rows) in enumerate(live)]
        self._rows.rebuild(np.concatenate(ids), np.concatenate(rows).astype(np.int32))

    def _publish(self, blocks: tuple[Block, ...], n_charts: int) -> None:
        self._snapshot = Snapshot(blocks, n_charts)

    def _id_at(self, row: int) -> int:
        return int(self._snapshot.blocks[row // BLOCK].ids[row % BLOCK])


def _live_rows(block: Block) -> NDArray[np.int64]:
    rows = np.arange(block.n_rows)
    return rows[block.is_live(rows)]


def _empty_block(room: int) -> Block:
    return Block(
        keys=np.zeros((N_KEYS, room), dtype=np.uint16),
        fine=np.zeros((N_KEYS, room), dtype=np.uint8),
        ids=np.zeros(room, dtype=np.int64),
        owners=np.zeros(room, dtype=np.int32),
        removed=np.zeros((room + 7) // 8, dtype=np.uint8),
        n_rows=0,
        n_removed=0,
    )


def _packed(tenths: NDArray[np.integer]) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Return keys and fine bytes of charts, each of shape (6, n_charts)."""
    bins, within = np.divmod(tenths.astype(np.uint16), np.uint16(FINE))
    keys = bins[0::2] * np.uint16(N_BINS) + bins[1::2]
    fine = within[0::2] * np.uint16(FINE) + within[1::2]
    return keys, fine.astype(np.uint8)
