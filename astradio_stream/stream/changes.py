"""The steering of a programme: what a listener wished from the start, and from which index on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from astradio_stream.errors import Detail, ValidationFailed
from astradio_stream.fields import integer, json_object, shown
from astradio_stream.music.controls import Controls, controls_to_json, read_controls
from astradio_stream.units import LAST_INDEX

if TYPE_CHECKING:
    from astradio_stream.fields import Details

MAX_CHANGES: Final = 500
"""How often a programme can be steered."""

Change: TypeAlias = tuple[int, Controls]
"""From which sample index on, and what is wished from there."""


def read_changes(raw: object, details: Details) -> tuple[Change, ...]:
    """Return the `changes` of a programme out of JSON, noting every mistake in them."""
    if not isinstance(raw, list):
        details.append(Detail("changes", f"changes must be a list, got {shown(raw)}"))
        return ()
    if len(raw) > MAX_CHANGES:
        sentence = f"changes must hold at most {MAX_CHANGES}, got {len(raw)}"
        details.append(Detail("changes", sentence))
    changes: list[Change] = []
    for n, one in enumerate(raw[:MAX_CHANGES]):
        change = _read_change(one, f"changes[{n}]", details)
        if change is None:
            continue
        if changes and change[0] <= changes[-1][0]:
            path = f"changes[{n}].index"
            sentence = f"{path} must be greater than the one before, {changes[-1][0]}"
            details.append(Detail(path, f"{sentence}, got {change[0]}"))
        changes.append(change)
    return tuple(changes)


def _read_change(raw: object, path: str, details: Details) -> Change | None:
    """Return one change, or None where its index is wrong and nothing can be compared with it."""
    change = json_object(raw, path, details)
    if not isinstance(raw, dict):
        return None
    for name in ("index", "controls"):
        if name not in change:
            details.append(Detail(f"{path}.{name}", f"{path}.{name} is required"))
    controls = read_controls(change.get("controls", {}), f"{path}.controls", details)
    if "index" not in change:
        return None
    n_before = len(details)
    index: int = integer(0, LAST_INDEX)(change["index"], f"{path}.index", details)
    return (index, controls) if len(details) == n_before else None


def changes_to_json(changes: tuple[Change, ...]) -> list[dict[str, Any]]:
    """Return `changes` as clients read and write them."""
    return [{"index": index, "controls": controls_to_json(wished)} for index, wished in changes]


def with_change_after(
    changes: tuple[Change, ...], index: int, controls: Controls
) -> tuple[Change, ...]:
    """Return changes and one more; at the index of the last one the two become one.

    Raises:
        ValidationFailed: The index lies before the last change or is none, or there is no room.
    """
    first = changes[-1][0] if changes else 0
    if not first <= index <= LAST_INDEX:
        sentence = f"a change must come at an index from {first}, that of the last, to {LAST_INDEX}"
        raise ValidationFailed([Detail("index", f"{sentence}, got {index}")])
    if changes and index == first:
        return (*changes[:-1], (index, changes[-1][1].updated_by(controls)))
    if len(changes) >= MAX_CHANGES:
        sentence = f"a programme can be steered {MAX_CHANGES} times, and this one was"
        raise ValidationFailed([Detail("changes", sentence)])
    return (*changes, (index, controls))
