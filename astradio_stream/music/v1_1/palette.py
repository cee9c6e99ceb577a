"""From a reading to the musical constants of a movement: every rule with its reason.

A dimension of the music (0-1) begins in its middle and is moved by rules, one row each: which share
of the sky, how far, and why. A control that a listener set takes the place of the sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from astradio_stream.music.theory import KEY_NAMES

if TYPE_CHECKING:
    from astradio_stream.music.controls import Controls
    from astradio_stream.music.v1_1.reading import Reading


@dataclass(frozen=True, slots=True)
class Rule:
    """One way in which the sky moves the music."""

    dimension: str
    """What it moves."""
    feature: str
    """Which share of the sky (see `features_of`), counted from its middle."""
    weight: float
    """How far a full share moves it."""
    reason: str
    """Why, in an astrologer's words."""


# fmt: off
RULES: Final = (
    #    dimension      feature     weight  reason
    Rule("tempo",       "fire",      0.90, "fire drives"),
    Rule("tempo",       "cardinal",  0.30, "cardinal signs begin things"),
    Rule("tempo",       "earth",    -0.45, "earth takes its time"),
    Rule("tempo",       "water",    -0.65, "water lingers"),
    Rule("tempo",       "mars",      0.60, "a strong Mars presses on"),
    Rule("tempo",       "saturn",   -0.50, "a strong Saturn holds back"),
    Rule("density",     "air",       0.90, "air is talkative"),
    Rule("density",     "mercury",   0.80, "a strong Mercury fills every pause"),
    Rule("density",     "saturn",   -0.60, "Saturn leaves out"),
    Rule("density",     "water",    -0.30, "water flows in long notes"),
    Rule("brightness",  "ease",      1.40, "soft aspects open the sky"),
    Rule("brightness",  "friction", -1.50, "hard aspects cloud it"),
    Rule("brightness",  "sun",       0.50, "a strong Sun gives light"),
    Rule("brightness",  "fire",      0.50, "fire shines"),
    Rule("brightness",  "air",       0.25, "air is clear"),
    Rule("brightness",  "jupiter",   0.70, "Jupiter is cheerful"),
    Rule("brightness",  "pluto",    -0.90, "Pluto dwells below"),
    Rule("brightness",  "fullness",  0.20, "a full Moon lights the night"),
    Rule("tension",     "friction",  2.40, "squares and oppositions rub"),
    Rule("tension",     "ease",     -1.00, "trines and sextiles let go"),
    Rule("tension",     "uranus",    0.50, "Uranus surprises"),
    Rule("syncopation", "uranus",    1.00, "Uranus falls beside the beat"),
    Rule("syncopation", "mars",      0.70, "Mars accents where it likes"),
    Rule("syncopation", "mutable",   0.60, "mutable signs shift"),
    Rule("syncopation", "fixed",    -0.40, "fixed signs stand on the beat"),
    Rule("step_bias",   "venus",     0.70, "Venus moves by step"),
    Rule("step_bias",   "earth",     0.30, "earth goes on foot"),
    Rule("step_bias",   "jupiter",  -0.70, "Jupiter leaps"),
    Rule("motif_rate",  "fixed",     0.70, "fixed signs repeat"),
    Rule("motif_rate",  "mutable",  -0.60, "mutable signs vary"),
    Rule("arc_shape",   "moon",      0.60, "a strong Moon swells and ebbs"),
    Rule("arc_shape",   "water",     0.50, "water has tides"),
    Rule("space",       "water",     1.00, "water has no walls"),
    Rule("space",       "neptune",   0.90, "Neptune blurs the distance"),
    Rule("space",       "earth",    -0.50, "earth stands close"),
    Rule("drums",       "mars",      0.90, "Mars beats the drum"),
    Rule("drums",       "fire",      0.60, "fire wants to move"),
    Rule("drums",       "water",    -0.50, "water has no edges"),
    Rule("drums",       "neptune",  -0.60, "Neptune dissolves the beat"),
    Rule("register",    "air",       0.60, "air is high"),
    Rule("register",    "fire",      0.40, "fire rises"),
    Rule("register",    "earth",    -0.60, "earth lies low"),
    Rule("register",    "saturn",   -0.50, "Saturn is heavy"),
    Rule("register",    "pluto",    -0.60, "Pluto is deep"),
    Rule("pace",        "cardinal",  0.50, "cardinal signs move on"),
    Rule("pace",        "mercury",   0.70, "Mercury changes the subject"),
    Rule("pace",        "fixed",    -0.70, "fixed signs stay"),
    Rule("pace",        "saturn",   -1.00, "Saturn's harmony is slow"),
)

LEAD_RULES: Final = (
    #    dimension      leads       weight  reason
    Rule("brightness",  "sun",       0.12, "the Sun leads into the open"),
    Rule("arc_shape",   "moon",      0.25, "the Moon leads in tides"),
    Rule("density",     "mercury",   0.18, "Mercury leads by talking"),
    Rule("step_bias",   "venus",     0.20, "Venus leads gently"),
    Rule("drums",       "mars",      0.20, "Mars leads the charge"),
    Rule("register",    "jupiter",   0.25, "Jupiter leads upward"),
    Rule("pace",        "saturn",   -0.35, "Saturn leads slowly"),
    Rule("syncopation", "uranus",    0.25, "Uranus leads astray"),
    Rule("space",       "neptune",   0.25, "Neptune leads far out"),
    Rule("register",    "pluto",    -0.25, "Pluto leads down"),
)
"""How a movement bends to the body that leads it: what makes one differ from the next."""

GENRE_RULES: Final = (
    Rule("ambient",     "water",     1.30, "water drifts"),
    Rule("ambient",     "neptune",   1.60, "Neptune dreams"),
    Rule("ambient",     "mars",     -1.00, "Mars would not sit still"),
    Rule("classical",   "earth",     0.90, "earth builds forms that last"),
    Rule("classical",   "venus",     1.30, "Venus loves proportion"),
    Rule("classical",   "saturn",    0.90, "Saturn keeps the old rules"),
    Rule("jazz",        "air",       1.20, "air improvises"),
    Rule("jazz",        "mercury",   1.50, "Mercury phrases"),
    Rule("jazz",        "mutable",   0.70, "mutable signs bend harmony"),
    Rule("electronic",  "uranus",    1.80, "Uranus is electric"),
    Rule("electronic",  "air",       0.50, "air likes the new"),
    Rule("electronic",  "fixed",     0.60, "fixed signs loop"),
    Rule("lofi",        "moon",      1.30, "the Moon remembers"),
    Rule("lofi",        "earth",     0.60, "earth is warm and worn"),
    Rule("lofi",        "water",     0.40, "water is nostalgic"),
    Rule("house",       "fire",      1.20, "fire dances"),
    Rule("house",       "jupiter",   1.10, "Jupiter celebrates"),
    Rule("house",       "mars",      0.90, "Mars keeps the beat"),
)
# fmt: on

_MIDDLE: Final = {
    "fire": 0.25,
    "earth": 0.25,
    "air": 0.25,
    "water": 0.25,
    "cardinal": 1 / 3,
    "fixed": 1 / 3,
    "mutable": 1 / 3,
    "ease": 0.63,
    "friction": 0.64,
    "fullness": 0.5,
}
"""What an ordinary sky has; a body's ordinary share is a tenth."""

_STRONG_BODIES: Final = {
    "sun": 0,
    "moon": 1,
    "mercury": 2,
    "venus": 3,
    "mars": 4,
    "jupiter": 5,
    "saturn": 6,
    "uranus": 7,
    "neptune": 8,
    "pluto": 9,
}

_MODES_DARK_TO_BRIGHT: Final = ("phrygian", "aeolian", "dorian", "mixolydian", "ionian", "lydian")


@dataclass(frozen=True, slots=True)
class Palette:
    """The musical constants of one movement; shares are 0-1."""

    genre: str
    key: int
    """Pitch class of the tonic, 0 = C."""
    mode: str
    tempo: float
    """Within the genre's range."""
    density: float
    brightness: float
    tension: float
    syncopation: float
    step_bias: float
    motif_rate: float
    arc_shape: float
    space: float
    drums: float
    register: float
    """Low to high."""
    pace: float
    """How fast chords follow each other."""
    is_key_wished: bool
    """Whether a listener chose the key: then no movement leaves it."""
    leap_cap: int
    """Largest leap of a melody (scale steps)."""

    @property
    def key_name(self) -> str:
        """Name of the tonic."""
        return KEY_NAMES[self.key]


def features_of(reading: Reading) -> dict[str, float]:
    """Return the shares that rules speak of, each counted from its middle."""
    features = {name: getattr(reading, name) - middle for name, middle in _MIDDLE.items()}
    for name, body in _STRONG_BODIES.items():
        one = reading.bodies[body]
        features[name] = one.share - 0.1 + 0.06 * one.dignity
    return features


def _clamp(x: float) -> float:
    return min(1.0, max(0.0, x))


def _moved(rules: tuple[Rule, ...], features: dict[str, float]) -> dict[str, float]:
    values: dict[str, float] = {}
    for rule in rules:
        so_far = values.get(rule.dimension, 0.5)
        values[rule.dimension] = so_far + rule.weight * features[rule.feature]
    return values


def genre_of(reading: Reading) -> str:
    """Return the genre that suits a reading best."""
    scores = _moved(GENRE_RULES, features_of(reading))
    best = "ambient"
    for genre, score in scores.items():
        if score > scores[best]:
            best = genre
    return best


def _wish(wished: float | None, otherwise: float) -> float:
    return otherwise if wished is None else wished


def _led(sky: dict[str, float], lead: int | None) -> dict[str, float]:
    """Return dimensions bent by the body that leads."""
    led = dict(sky)
    for rule in LEAD_RULES:
        if lead is not None and _STRONG_BODIES[rule.feature] == lead:
            led[rule.dimension] += rule.weight
    return led


def palette_of(reading: Reading, controls: Controls, lead: int | None = None) -> Palette:
    """Return the constants of a movement under a reading, a listener's wishes respected.

    Args:
        reading: What the sky says.
        controls: What the listener says: it counts more.
        lead: The body that leads the movement, if any.
    """
    moved = _led(_moved(RULES, features_of(reading)), lead)
    sky = {name: _clamp(value) for name, value in moved.items()}
    brightness = _wish(controls.brightness, sky["brightness"])
    mode = controls.mode or _MODES_DARK_TO_BRIGHT[min(5, int(brightness * 6.0))]
    key = KEY_NAMES.index(controls.key) if controls.key else (7 * reading.bodies[0].sign) % 12
    step_bias = _wish(controls.step_bias, sky["step_bias"])
    return Palette(
        genre=controls.genre or genre_of(reading),
        key=key,
        mode=mode,
        tempo=_wish(controls.tempo_norm, sky["tempo"]),
        density=_wish(controls.density, sky["density"]),
        brightness=brightness,
        tension=_wish(controls.tension, sky["tension"]),
        syncopation=_wish(controls.syncopation, sky["syncopation"]),
        step_bias=step_bias,
        motif_rate=_wish(controls.motif_rate, sky["motif_rate"]),
        arc_shape=_wish(controls.arc_shape, sky["arc_shape"]),
        space=_wish(controls.space, sky["space"]),
        drums=_wish(controls.drums, sky["drums"]),
        register=sky["register"],
        pace=sky["pace"],
        is_key_wished=controls.key is not None,
        leap_cap=controls.leap_cap or (4 + round(3.0 * (1.0 - step_bias))),
    )
