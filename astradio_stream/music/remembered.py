"""Methods that remember their answers, for objects that come and go by the hundred."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar, cast
from weakref import ref

if TYPE_CHECKING:
    from collections.abc import Callable
    from functools import _lru_cache_wrapper
    from types import MethodType

_R = TypeVar("_R")


def remembered(method: Callable[..., _R], maxsize: int) -> _lru_cache_wrapper[_R]:
    """Return a bound method that remembers its last `maxsize` answers.

    Kept in an attribute of its object, it does not keep the object: a score nobody plays any more
    is gone at once, all that it remembered with it, and no collection has to search for it while
    others play.
    """
    bound = cast("MethodType", method)
    function, owner = bound.__func__, ref(bound.__self__)

    @lru_cache(maxsize)
    def ask(*args: object) -> _R:
        answer: _R = function(owner(), *args)
        return answer

    return ask
