"""Which core a server has and which the load, among those that this process may run on."""

from __future__ import annotations

import os


def cores() -> tuple[int, ...]:
    """Return the cores that this process may run on, rising."""
    return tuple(sorted(os.sched_getaffinity(0)))


def server_core() -> int:
    """Return the core of the server in a benchmark: the first."""
    return cores()[0]


def crowd_core() -> int:
    """Return the core of the crowd: the last; where there is but one, it is the server's, too."""
    return cores()[-1]


def cores_in_words() -> str:
    """Return how many there are, and what that means for figures where it is one."""
    n, n_all = len(cores()), os.cpu_count() or 1
    words = f"{n} of {n_all} cores" if n < n_all else f"{n} core{'s' if n > 1 else ''}"
    return words + (" (server and load share it)" if n == 1 else "")
