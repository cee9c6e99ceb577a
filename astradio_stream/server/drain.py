"""The way out: everybody is told, leaves by turns, and what is left is cut in time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from astradio_stream.server.logs import log
from astradio_stream.server.readiness import Readiness
from astradio_stream.wire import answers
from astradio_stream.wire.closing import Closing

if TYPE_CHECKING:
    from astradio_stream.server.shell import Shell

LEAVERS_PER_S: Final = 200
"""How many are sent to the other servers in a second: each of them must say hello there."""
SPREAD_SHARE: Final = 0.5
"""Of the time for the whole drain, the most that leaving by turns may take."""
GRACE_S: Final = 0.5
"""What a listener has beyond its turn to move by itself, before we close."""
GRACE_SHARE: Final = 0.1
"""… and the most of the whole time."""
GOODBYE_SHARE: Final = 0.8
"""Of the whole time, when we stop waiting for listeners to take their close frames: the rest is
for requests that are being answered and for threads to end."""


def turns_s(n_listeners: int, drain_s: float) -> list[float]:
    """Return when each listener leaves (seconds from now), rising from 0."""
    spread_s = min(n_listeners / LEAVERS_PER_S, SPREAD_SHARE * drain_s)
    return [spread_s * n / n_listeners for n in range(n_listeners)]


async def drain(shell: Shell) -> None:
    """Let every listener go to another server without a gap in what it hears.

    Sound goes on until a listener's turn: whoever opens a new connection then resumes there at the
    first sample it has not received.
    """
    loop = asyncio.get_running_loop()
    drain_s = float(shell.settings.drain_s)
    began_s = loop.time()

    # Newcomers are refused from here on, and whoever watches the probes sends no more of them.
    shell.readiness.become(Readiness.DRAINING)
    log("DRAINING", listeners=len(shell.listeners))

    # Everybody learns when its turn is.
    leavers = list(zip(shell.listeners, turns_s(len(shell.listeners), drain_s), strict=True))
    for listener, turn_s in leavers:
        listener.tell(answers.drain(round(turn_s * 1_000)))

    # Who has not moved at its turn is closed with 1012, which means: come again soon and resume.
    grace_s = min(GRACE_S, GRACE_SHARE * drain_s)
    for listener, turn_s in leavers:
        await asyncio.sleep(max(0.0, began_s + turn_s + grace_s - loop.time()))
        listener.leave(Closing.RESTART)

    # Also those who came in while we were at it; then wait for the close frames to be taken.
    for listener in tuple(shell.listeners):
        listener.leave(Closing.RESTART)
    while shell.listeners and loop.time() < began_s + GOODBYE_SHARE * drain_s:
        await asyncio.sleep(0.02)
    shell.pulse.stop()
    log("DRAINED", left=len(shell.listeners), seconds=round(loop.time() - began_s, 3))
