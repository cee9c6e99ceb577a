"""What returns, returns changed: carried on, filled, thinned or turned upside down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from astradio_stream.music.chance import Draws, draws
from astradio_stream.music.v1_1.craft import GOOD_ENOUGH, Harmony, craft_of
from astradio_stream.music.v1_1.form import CONTRAST, STATE, VARY, Decision
from astradio_stream.music.v1_1.tones import Tone, register_of, restful_step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astradio_stream.music.v1_1.form import Movement, Phrase

_N_TRIES: Final = 4
_DRAWS: Final = 256


def _carried(
    tones: Sequence[Tone], phrase: Phrase, movement: Movement, by: int
) -> tuple[Tone, ...]:
    """Carry a phrase to another step of the scale; its cadence stays."""
    _, lowest, highest = register_of(movement)
    found = []
    for tone in tones:
        stays = tone.bar == 3 and phrase.closes
        step = tone.step if stays else max(lowest, min(highest, tone.step + by))
        if tone.beat == 0.0 and not stays:
            step = restful_step(phrase.chords[tone.bar], step, movement.palette.mode)
        found.append(Tone(tone.bar, tone.beat, tone.beats, step))
    return tuple(found)


def _filled(tones: Sequence[Tone], chance: Draws) -> tuple[Tone, ...]:
    """Fill the gaps: a long note that a third or more follows passes through the step between."""
    found = []
    for tone, after in zip(tones, (*tones[1:], tones[-1]), strict=True):
        gap = after.step - tone.step
        if tone.beats >= 1.0 and abs(gap) >= 2 and chance.unit() < 0.8:
            half = tone.beats / 2.0 if tone.beats < 2.0 else tone.beats - 1.0
            passing = tone.step + (gap - (1 if gap > 0 else -1))
            found.append(Tone(tone.bar, tone.beat, half, tone.step))
            found.append(Tone(tone.bar, tone.beat + half, tone.beats - half, passing))
        else:
            found.append(tone)
    return tuple(found)


def _thinned(tones: Sequence[Tone], chance: Draws) -> tuple[Tone, ...]:
    """Leave out light notes; the one before sounds on."""
    found: list[Tone] = []
    for tone in tones:
        before = found[-1] if found else None
        light = tone.beat % 1.0 != 0.0 and tone.beats <= 0.75
        if light and before is not None and before.bar == tone.bar and chance.unit() < 0.7:
            until = tone.beat + tone.beats
            found[-1] = Tone(before.bar, before.beat, until - before.beat, before.step)
        else:
            found.append(tone)
    return tuple(found)


def _overturned(tones: Sequence[Tone], movement: Movement) -> tuple[Tone, ...]:
    """Turn the second bar upside down around its first note."""
    _, lowest, highest = register_of(movement)
    axis = next((tone.step for tone in tones if tone.bar == 1), 0)
    return tuple(
        Tone(t.bar, t.beat, t.beats, max(lowest, min(highest, 2 * axis - t.step)))
        if t.bar == 1
        else t
        for t in tones
    )


def varied(
    seed: int, movement: Movement, phrases: Sequence[Phrase], theme: Sequence[Sequence[Tone]]
) -> tuple[tuple[Tone, ...], ...]:
    """Return a theme as a section says it: plain at first, changed where it varies or returns."""
    section = phrases[0].section
    first_time = movement.section_kind(section) not in movement.form[: section % len(movement.form)]
    chance = draws(seed, Decision.THEME, movement.number, 200 + section, n=_DRAWS)
    if phrases[0].kind in (STATE, CONTRAST) and first_time and section < len(movement.form):
        return tuple(map(tuple, theme))
    harmony = [Harmony(phrase.chords, phrase.closes) for phrase in phrases]
    best, best_craft = tuple(map(tuple, theme)), -1.0
    for _ in range(_N_TRIES):
        changed = _one_way(chance, movement, phrases, theme)
        craft = craft_of(changed, movement, harmony, best_craft)
        if craft > best_craft:
            best, best_craft = changed, craft
        if craft >= GOOD_ENOUGH:
            break
    return best


def _one_way(
    chance: Draws, movement: Movement, phrases: Sequence[Phrase], theme: Sequence[Sequence[Tone]]
) -> tuple[tuple[Tone, ...], ...]:
    """Change a theme in a way of chance; one of few notes is rather filled than carried."""
    slow = movement.genre.theme == "long"
    varies = phrases[0].kind == VARY
    ways = ("carried", "filled", "overturned") if varies else ("filled", "thinned", "carried")
    way = chance.pick(("filled", "filled", "carried") if slow else ways)
    if way == "filled":
        return tuple(_filled(tones, chance) for tones in theme)
    if way == "thinned":
        return tuple(_thinned(tones, chance) for tones in theme)
    if way == "overturned":
        return (_overturned(theme[0], movement), *map(tuple, theme[1:]))
    _, lowest, highest = register_of(movement)
    steps = [tone.step for tones in theme for tone in tones]
    up, down = highest - max(steps), min(steps) - lowest
    by = (2 if chance.unit() < 0.5 else -2) if min(up, down) >= 2 else 2 if up > down else -2
    return tuple(
        _carried(tones, phrase, movement, by) for tones, phrase in zip(theme, phrases, strict=True)
    )
