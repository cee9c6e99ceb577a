"""Controls: what a listener may wish of the music, in the table of the HTTP contract.

A wish that is not there leaves its matter to the sky. There is no `null`: what was once wished can
be wished otherwise, not unwished, so that a list of changes reads the same from any of its indices.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from astradio_stream.errors import Detail
from astradio_stream.fields import integer, json_object, number, one_of, shown
from astradio_stream.music.theory import KEY_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from astradio_stream.fields import Details, Reader

GENRES: Final = ("ambient", "classical", "jazz", "electronic", "lofi", "house")
"""Genres of the contract."""
MODE_NAMES: Final = (
    "ionian",
    "dorian",
    "phrygian",
    "lydian",
    "mixolydian",
    "aeolian",
    "locrian",
)
"""The modes of `theory.MODES`, in the order of the white keys that they begin on."""
MAX_LEAP_CAP: Final = 7
"""An octave, in scale steps."""

_LETTERS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS: Final = {"": 0, "#": 1, "b": -1}
KEY_OF_SPELLING: Final[Mapping[str, str]] = {
    letter + accidental: KEY_NAMES[(pitch_class + shift) % 12]
    for letter, pitch_class in _LETTERS.items()
    for accidental, shift in _ACCIDENTALS.items()
}
"""The one name of a key that we use, by each way to spell it: `Db` and `C#` are one key."""


@dataclass(frozen=True, slots=True)
class Controls:
    """A listener's wishes; None leaves a matter to the sky. Shares are 0-1."""

    tempo_norm: float | None = None
    """Tempo within the range of the genre."""
    density: float | None = None
    """How many notes."""
    brightness: float | None = None
    """Bright or dark: mode, register, colour of the sound."""
    tension: float | None = None
    """Dissonance and suspense."""
    syncopation: float | None = None
    """How much falls beside the beat."""
    step_bias: float | None = None
    """Whether melodies go by step (1) or leap (0)."""
    leap_cap: int | None = None
    """Largest leap of a melody (scale steps, 1-7)."""
    motif_rate: float | None = None
    """How often motifs return."""
    arc_shape: float | None = None
    """How far phrases and sections swell and ebb."""
    space: float | None = None
    """Room around the voices."""
    drums: float | None = None
    """How much is drummed; 0 is none."""
    key: str | None = None
    """Tonic, one of `theory.KEY_NAMES`."""
    mode: str | None = None
    """Scale, one of `theory.MODES`."""
    genre: str | None = None
    """One of `GENRES`."""

    def updated_by(self, later: Controls) -> Controls:
        """Return these wishes and later ones; where both wish, the later one counts."""
        return replace(self, **wishes_of(later))


def wishes_of(controls: Controls) -> dict[str, Any]:
    """Return attribute -> value of what is wished, in the order of the table."""
    values = {row.attribute: getattr(controls, row.attribute) for row in CONTROLS}
    return {attribute: value for attribute, value in values.items() if value is not None}


def _read_key(value: object, path: str, details: Details) -> str:
    """Read the name of a key in any spelling."""
    if isinstance(value, str) and value in KEY_OF_SPELLING:
        return KEY_OF_SPELLING[value]
    sentence = f"{path} must be a key from C to B, such as C, F# or Bb, got {shown(value)}"
    details.append(Detail(path, sentence))
    return KEY_NAMES[0]


def _read_share(value: object, path: str, details: Details) -> float:
    share: float = number(0, 1)(value, path, details)
    return share + 0.0  # -0.0 is 0.0


@dataclass(frozen=True, slots=True)
class Control:
    """One row of the table of controls."""

    name: str
    """In JSON."""
    attribute: str
    """In `Controls`."""
    read: Reader
    """Checks a value and returns it in its one form."""
    meaning: str
    """What it changes, from its least to its most; for the page and the docs."""


# fmt: off
CONTROLS: Final = (
    #       name           attribute      reader                    meaning
    Control("tempoNorm",   "tempo_norm",  _read_share,              "slow to fast, in the genre"),
    Control("density",     "density",     _read_share,              "few notes to many"),
    Control("brightness",  "brightness",  _read_share,              "dark to bright"),
    Control("tension",     "tension",     _read_share,              "at rest to strained"),
    Control("syncopation", "syncopation", _read_share,              "on the beat to beside it"),
    Control("stepBias",    "step_bias",   _read_share,              "melodies leap, or go by step"),
    Control("leapCap",     "leap_cap",    integer(1, MAX_LEAP_CAP), "widest leap (scale steps)"),
    Control("motifRate",   "motif_rate",  _read_share,              "ever new to often returning"),
    Control("arcShape",    "arc_shape",   _read_share,              "level to swelling and ebbing"),
    Control("space",       "space",       _read_share,              "a dry room to a wide one"),
    Control("drums",       "drums",       _read_share,              "none to many"),
    Control("key",         "key",         _read_key,                "the tonic, C to B"),
    Control("mode",        "mode",        one_of(*MODE_NAMES),      "the scale, ionian to locrian"),
    Control("genre",       "genre",       one_of(*GENRES),          "how it is played"),
)
# fmt: on
"""Every control of the contract."""


def read_controls(raw: object, path: str, details: Details) -> Controls:
    """Return the wishes in an object out of JSON; names that the table lacks are ignored.

    Args:
        raw: As parsed.
        path: What the client calls the object, for instance ``changes[3].controls``.
        details: Where each mistake is noted, with its whole path.
    """
    wishes = json_object(raw, path, details)
    return Controls(
        **{
            row.attribute: row.read(wishes[row.name], f"{path}.{row.name}", details)
            for row in CONTROLS
            if row.name in wishes
        }
    )


def controls_to_json(controls: Controls) -> dict[str, Any]:
    """Return wishes as clients read and write them; whole numbers as such, so 1.0 is 1."""
    wishes = wishes_of(controls)
    return {
        row.name: int(value) if isinstance(value, float) and value.is_integer() else value
        for row in CONTROLS
        if (value := wishes.get(row.attribute)) is not None
    }
