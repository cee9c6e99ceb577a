"""What is done once a minute beside the listening: a segment is proved, rates are told.

Garbage is looked for, too, while nobody listens.

The proof takes a segment that was served, composes and renders it from nothing, and compares the
checksums: a machine, a library or a thread that does not give the same sound twice is found within
minutes, and not by a listener who resumes elsewhere. It costs what one second of one programme
costs, waits behind everything that listeners wait for, and rests while the server is busy.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from astradio_stream.server.load import BUSY_FREE
from astradio_stream.server.logs import log, log_failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from astradio_stream.server.shell import Shell

PERIOD_S: Final = 60.0
TOLD: Final = ("4xx", "5xx")
"""Classes of answers whose share is told."""


async def every_minute(shell: Shell, period_s: float = PERIOD_S) -> None:
    """Check and tell, for as long as the server runs."""
    while True:
        before = dict(shell.metrics.n_answered)
        await asyncio.sleep(period_s)
        tell_rates(before, shell.metrics.n_answered)
        shell.collecting.tidy(len(shell.listeners))
        try:
            await check_served(shell)
        except Exception as error:
            log_failure("CHECK_FAILED", error)


async def check_served(shell: Shell) -> None:
    """Make a served segment once more, unless others need the time, and count what came of it."""
    is_busy = shell.is_full or shell.load.busy > BUSY_FREE
    is_same = None if is_busy else await shell.engine.made_again()
    if is_same is False:
        log("DETERMINISM_FAILED", logging.ERROR)
    result = "skipped" if is_same is None else "same" if is_same else "different"
    shell.metrics.determinism_checks.labels(result).inc()


def tell_rates(before: Mapping[str, int], after: Mapping[str, int]) -> None:
    """Write which share of the answers since a moment refused or failed; nothing where none did."""
    answers = {name: after[name] - before[name] for name in after}
    n_answers = sum(answers.values())
    for name in TOLD:
        if answers[name]:
            rate = round(answers[name] / n_answers, 6)
            log(f"{name}_error_rate", value=rate, answers=n_answers, of_them=answers[name])
