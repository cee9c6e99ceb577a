"""Loops over samples as machine code, by Numba: the same arithmetic, step by step.

Only what runs through millions of numbers a second is compiled, and only in the plain subset of
Python that means the same either way: no fast-math, so nothing is reordered, and code for one of
two plain processors of its kind, with wide vectors or with narrow ones, neither of which may fuse a
multiply and an add into one. So every machine answers with the same bits.

Wide vectors are for AMD's Zen alone: there they save a quarter of the mix, but on a Xeon libopus,
whose own are narrow, encodes 7 % slower after them, which costs more (docs/performance.md).
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import wraps
from pickle import UnpicklingError
from threading import Lock
from typing import Final, ParamSpec, TypeVar

_Function = TypeVar("_Function", bound=Callable[..., object])
_P = ParamSpec("_P")
_R = TypeVar("_R")

_lock: Final = Lock()
_parts: Final[list[Callable[..., object]]] = []
"""Functions that are compiled within others."""

_NARROW: Final = ("x86-64-v2", "")
_WIDE: Final = ("x86-64-v3", "-fma")
"""Name and features of a processor, as LLVM knows them."""
_OF_WIDE: Final = ("avx", "avx2", "bmi", "bmi2", "f16c", "lzcnt", "movbe")
"""What a processor must have that runs code for the wide one: all that this has and the narrow
one has not, but for the fusing."""
_ZEN: Final = "znver"
"""How LLVM's names of AMD's processors since 2017 begin."""


def within(function: _Function) -> _Function:
    """Mark a function that is compiled as a part of those that call it."""
    _parts.append(function)
    return function


def compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a function to machine code when it is first called.

    The code is kept in Numba's cache (`NUMBA_CACHE_DIR`, or beside the source), so that the next
    process takes it as it is. Where no folder takes it, or what lies there is damaged, the process
    compiles for itself. The interpreter's lock is let go while it runs, and a division by zero is
    no error.
    """
    machine_code: Callable[_P, _R] | None = None

    @wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        nonlocal machine_code
        if machine_code is None:
            with _lock:
                machine_code = machine_code or _compiling(function)
        try:
            return machine_code(*args, **kwargs)
        except (OSError, EOFError, UnpicklingError):  # of the cache: loops over arrays raise none
            machine_code = _compiling(function, is_kept=False)
            return machine_code(*args, **kwargs)

    return call


def _compiling(function: Callable[_P, _R], *, is_kept: bool = True) -> Callable[_P, _R]:
    # Loading Numba takes longer than all else that a command may want: not before it is needed.
    from llvmlite.binding import get_host_cpu_features, get_host_cpu_name  # noqa: PLC0415
    from numba import config, njit  # noqa: PLC0415
    from numba.extending import register_jitable  # noqa: PLC0415

    if vars(config)["CPU_NAME"] is None and platform.machine() in {"x86_64", "AMD64"}:
        here = get_host_cpu_features()
        is_wide = get_host_cpu_name().startswith(_ZEN) and all(map(here.get, _OF_WIDE))
        name, features = _WIDE if is_wide else _NARROW
        vars(config).update(CPU_NAME=name, CPU_FEATURES=features)
    while _parts:
        register_jitable(error_model="numpy")(_parts.pop())
    try:
        return njit(cache=is_kept, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # no folder that can be written
        return njit(nogil=True, error_model="numpy")(function)
