"""What a listener's wishes do to a finished line: the widest leap, and more steps or more leaps.

A line is composed for its craft; where step bias is near its middle it stays as it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from astradio_stream.music.chance import draws
from astradio_stream.music.v1_1.form import Decision
from astradio_stream.music.v1_1.tones import register_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astradio_stream.music.v1_1.form import Movement, Phrase
    from astradio_stream.music.v1_1.tones import Tone

_PLAIN: Final = (0.35, 0.65)
"""Step biases between which lines are left as they are."""
_MOST_TONES: Final = 80


def bent(
    seed: int,
    movement: Movement,
    phrases: Sequence[Phrase],
    melodies: Sequence[Sequence[Tone]],
) -> tuple[tuple[Tone, ...], ...]:
    """Return the melodies of a period as step bias and leap cap want them.

    Both are wishes in degrees: what is bent a little is bent at the same tones as what is bent
    much, so that more of a wish is never less of its effect.
    """
    _, lowest, highest = register_of(movement)
    bias = movement.palette.step_bias
    leaping = 0.7 * max(0.0, 1.0 - bias / _PLAIN[0])
    walking = max(0.0, (bias - _PLAIN[1]) / (1.0 - _PLAIN[1]))
    section = phrases[0].section
    chance = draws(seed, Decision.BENDING, movement.number, section, n=_MOST_TONES)
    line = [tone for tones in melodies for tone in tones]
    steps = [tone.step for tone in line]
    for n in range(1, len(line) - 1):
        turned = chance.unit() if n < _MOST_TONES else 1.0
        before, here, after = steps[n - 1], steps[n], steps[n + 1]
        if line[n].beat == 0.0:
            continue
        if turned < leaping and abs(here - before) <= 1 and here - 3 >= lowest:
            steps[n] = min(before, after) - 3  # a dip: the high point of the phrase stays
        elif turned < walking and abs(here - before) > 1:
            steps[n] = before + (1 if after > before else -1)
    cap = movement.palette.leap_cap
    for n in range(len(line) - 2, -1, -1):  # backwards, for cadences are not to be moved
        steps[n] = max(steps[n + 1] - cap, min(steps[n + 1] + cap, steps[n]))
    wished = iter([max(lowest, min(highest, step)) for step in steps])
    return tuple(tuple([_at(tone, next(wished)) for tone in tones]) for tones in melodies)


def _at(tone: Tone, step: int) -> Tone:
    """Return a tone on a step: most are there already."""
    return tone if tone.step == step else replace(tone, step=step)
