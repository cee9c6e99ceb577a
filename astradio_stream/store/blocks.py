"""Blocks: who wants to meet nothing of whom. One block holds both ways.

One blocks the owner of a public chart without learning who that is. A block goes with either
account; of the chart that led to it only the id is kept, as long as there is one.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from astradio_stream.errors import Conflict, Detail, NotFound, ValidationFailed
from astradio_stream.store.charts import visible_chart

if TYPE_CHECKING:
    import sqlite3

MOST_BLOCKS: Final = 1_000
"""That one account may have."""

_BLOCKS: Final = """
    SELECT blocks.id, charts.id AS chart_id, charts.name, blocks.created_us
    FROM blocks LEFT JOIN charts ON charts.id = chart_id AND visibility = 'public'
    WHERE blocks.user_id = ?"""


@dataclass(frozen=True, slots=True)
class Block:
    """One block, as its maker sees it."""

    id: str
    """`block_` and 20 hexadecimal digits."""
    chart_id: str | None
    """The chart that led to it; None once it is hidden or deleted."""
    name: str | None
    """What that chart is called, likewise."""
    created_us: int
    """Unix time (microseconds)."""


def add_block(connection: sqlite3.Connection, user_id: str, chart_id: str, now_us: int) -> Block:
    """Block the owner of a chart; whoever is blocked already stays so.

    Raises:
        NotFound: there is no such chart for who asks.
        ValidationFailed: it is their own.
        Conflict: the account has as many blocks as it may.
    """
    known = connection.execute(
        """SELECT blocks.id FROM blocks JOIN charts ON charts.user_id = blocked_id
           WHERE blocks.user_id = ? AND blocks.chart_id = ? AND charts.id = ?""",
        (user_id, chart_id, chart_id),
    ).fetchone()
    if known is not None:
        return _block(connection, user_id, known["id"])
    chart = visible_chart(connection, chart_id, user_id)
    if chart.user_id == user_id:
        raise ValidationFailed([Detail("chartId", "must be the chart of somebody else")])
    n_blocks = connection.execute(
        "SELECT count(*) FROM blocks WHERE user_id = ?", (user_id,)
    ).fetchone()[0]
    if n_blocks >= MOST_BLOCKS:
        raise Conflict(f"an account may have {MOST_BLOCKS} blocks; take one back first")
    block_id = f"block_{secrets.token_hex(10)}"
    connection.execute(
        """INSERT INTO blocks (id, user_id, blocked_id, chart_id, created_us)
           VALUES (?, ?, ?, ?, ?)""",
        (block_id, user_id, chart.user_id, chart_id, now_us),
    )
    return _block(connection, user_id, block_id)


def blocks_of(connection: sqlite3.Connection, user_id: str) -> list[Block]:
    """Return the blocks of an account, oldest first."""
    rows = connection.execute(f"{_BLOCKS} ORDER BY blocks.created_us, blocks.id", (user_id,))
    return [Block(*row) for row in rows]


def delete_block(connection: sqlite3.Connection, block_id: str, user_id: str) -> None:
    """Take a block back.

    Raises:
        NotFound: the account has no such block.
    """
    done = connection.execute(
        "DELETE FROM blocks WHERE id = ? AND user_id = ?", (block_id, user_id)
    )
    if not done.rowcount:
        raise NotFound("there is no such block")


def _block(connection: sqlite3.Connection, user_id: str, block_id: str) -> Block:
    row = connection.execute(f"{_BLOCKS} AND blocks.id = ?", (user_id, block_id)).fetchone()
    return Block(*row)
