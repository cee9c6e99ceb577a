"""What must hold: `late_p99_ms<=25`, one comparison of a figure with a number."""

from __future__ import annotations

import math
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from loadtest.outcome import Verdict, figure_names
from loadtest.target import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from loadtest.outcome import Outcome

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

    def verdict(self, figures: Mapping[str, float]) -> Verdict:
        """Return whether it holds; of what was not measured, nothing does."""
        value = figures[self.name]
        holds = math.isfinite(value) and _SIGNS[self.sign](value, self.limit)
        measured = f"it is {value:g}"
        if math.isnan(value):
            measured = "it was not measured"
        elif math.isinf(value):
            measured = "it is more than the server measures"
        return Verdict(f"{self.name}{self.sign}{self.limit:g}", measured, holds)


def verdicts_of(outcome: Outcome, thresholds: Iterable[Threshold]) -> list[Verdict]:
    """Return whether all holds that must: some thresholds, and that nothing broke on the way.

    A generator that did not keep up saw worse than there was, or less: such a run proves nothing.
    """
    figures = outcome.figures()
    found = [Verdict("nothing breaks", mishap, holds=False) for mishap in outcome.mishaps]
    found += [one.verdict(figures) for one in thresholds]
    lag_ms, share = outcome.worst_lag_ms, figures["generator_cpu_share"]
    fit = f"its loops lagged {lag_ms:.1f} ms (p99) at the most, at {share:.0%} of a core"
    if not outcome.generators:
        fit = "none of its processes told how it kept up"
    found.append(Verdict("the generator keeps up", fit, outcome.is_generator_fit))
    return found


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
