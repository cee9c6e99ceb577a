"""What must hold: `late_p99_ms<=25`, one comparison of a figure with a number."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from loadtest.outcome import figure_names
from loadtest.target import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SIGNS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<=": operator.le, ">=": operator.ge, "==": operator.eq, "<": operator.lt, ">": operator.gt,
}  # fmt: skip
_FORM: Final = re.compile(r"\s*([a-z0-9_]+)\s*(<=|>=|==|<|>)\s*(-?[0-9]+(?:\.[0-9]+)?)\s*")


@dataclass(frozen=True, slots=True)
class Threshold:
    """One thing that must hold."""

    name: str
    """Of a figure."""
    sign: str
    """How it is compared."""
    limit: float
    """With what."""

    def failure(self, figures: Mapping[str, float]) -> str | None:
        """Return the line that tells how it does not hold, None if it does."""
        value = figures[self.name]
        if _SIGNS[self.sign](value, self.limit):
            return None
        return f"FAILED {self.name}{self.sign}{self.limit:g}: it is {value:g}"


def threshold_of(text: str) -> Threshold:
    """Return the threshold that a text means.

    Raises:
        Refused: It means none; the sentence says what would be right.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise Refused(f"--assert must be a figure, a sign and a number, got {text!r}")
    if found[1] not in figure_names():
        raise Refused(f"--assert: there is no figure {found[1]}; docs/loadtest.md lists them")
    return Threshold(found[1], found[2], float(found[3]))
