"""From a chart to the musical constants of a movement: model v1.0.

===============  ==========================================  ===================================
what             from the sky                                why
===============  ==========================================  ===================================
key              Sun's sign, Aries = C and up by fifths      the Sun is the centre, so is the key
mode             soft against hard aspects, bright bodies    ease brightens, friction darkens
tempo            fire and air against earth and water        fire drives, water lingers
metre            the Moon's modality: mutable sways in 3     the Moon keeps the body's time
density          air and Mercury's speed                     air talks
tension          strength of squares and oppositions         friction
room             water                                       water has no walls
line             Moon's phase: waxing rises, waning falls    tides
pan              angle of a body from the ascendant          where it stands in the sky
weight           aspects a body makes, nearness to angles    how much it has to say
===============  ==========================================  ===================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from astradio_stream.music.theory import KEY_NAMES
from astradio_stream.units import SAMPLE_RATE_HZ

MOVEMENT_SAMPLES: Final = 180 * SAMPLE_RATE_HZ
"""A movement lasts three minutes to the sample, so that its place in the stream needs no memory."""

_BODY_WEIGHTS: Final = (3.0, 3.0, 2.0, 2.0, 2.0, 1.5, 1.5, 1.0, 1.0, 1.0)
"""Say of each body in the balance of elements: the lights first, the slow ones last."""

_ORB_DEG: Final = 7.0
_ASPECTS: Final = ((0.0, 0.15), (60.0, 0.6), (90.0, -1.0), (120.0, 1.0), (180.0, -0.8))
"""Angle (degrees) and ease: 1 flows, -1 rubs."""

_MODES: Final = ("phrygian", "aeolian", "dorian", "mixolydian", "ionian", "lydian")
_SLOWEST_BPM: Final = 58.0
_FASTEST_BPM: Final = 100.0


@dataclass(frozen=True, slots=True)
class Sky:
    """What v1.0 reads of a chart."""

    longitudes_deg: tuple[float, ...]
    """Ten ecliptic longitudes (degrees), Sun to Pluto."""
    speeds_deg_per_day: tuple[float, ...]
    """Ten speeds in longitude (degrees per day)."""
    ascendant_deg: float
    """Longitude of the ascendant (degrees); 0 where it is not known."""


@dataclass(frozen=True, slots=True)
class Palette:
    """The musical constants of one movement."""

    key: int
    """Pitch class of the tonic, 0 = C."""
    mode: str
    """Name of the mode (see `theory.MODES`)."""
    n_bars: int
    """Bars in the movement, a multiple of 4."""
    beats: int
    """Beats per bar, 3 or 4."""
    density: float
    """How many notes the quick voices play (0-1)."""
    tension: float
    """Friction in the sky (0-1)."""
    brightness: float
    """How bright harmony and register are (0-1)."""
    space: float
    """How far apart things sound (0-1)."""
    line: float
    """Direction of melodies: 1 rises (waxing Moon), -1 falls (waning)."""
    fullness: float
    """Share of the Moon that is lit (0-1)."""
    retrograde: tuple[bool, ...]
    """Ten flags, Sun to Pluto."""
    pans: tuple[float, ...]
    """Ten places, -1 left to 1 right."""
    weights: tuple[float, ...]
    """Ten weights around 1."""
    steps: tuple[int, ...]
    """Nine small numbers (0-6) from the angles between neighbours: the seed of the motifs."""

    @property
    def tempo_bpm(self) -> float:
        """Beats per minute, exactly as played."""
        return self.n_bars * self.beats * 60.0 * SAMPLE_RATE_HZ / MOVEMENT_SAMPLES

    @property
    def key_name(self) -> str:
        """Name of the tonic."""
        return KEY_NAMES[self.key]


def _clamp(x: float) -> float:
    return min(1.0, max(0.0, x))


def _triangle(angle_deg: float) -> float:
    """Return a wave through 0 at 0°, 1 at 90°, -1 at 270°, made of straight lines."""
    turn = (angle_deg / 360.0 + 0.25) % 1.0
    return 1.0 - abs(4.0 * turn - 2.0)


def _separation_deg(a_deg: float, b_deg: float) -> float:
    apart = abs(a_deg - b_deg) % 360.0
    return min(apart, 360.0 - apart)


def _ease_and_friction(sky: Sky) -> tuple[float, float, list[float]]:
    """Return the sums of soft and of hard aspects, and each body's part in both."""
    ease = friction = 0.0
    parts = [0.0] * 10
    for a in range(10):
        for b in range(a + 1, 10):
            apart = _separation_deg(sky.longitudes_deg[a], sky.longitudes_deg[b])
            for angle_deg, quality in _ASPECTS:
                strength = 1.0 - abs(apart - angle_deg) / _ORB_DEG
                if strength <= 0.0:
                    continue
                said = strength * (_BODY_WEIGHTS[a] + _BODY_WEIGHTS[b]) / 4.0
                parts[a] += strength
                parts[b] += strength
                ease += max(0.0, quality) * said
                friction += max(0.0, -quality) * said
    return ease, friction, parts


def palette_of(sky: Sky) -> Palette:
    """Return the constants of a movement that begins under `sky`."""
    signs = [int(longitude // 30.0) % 12 for longitude in sky.longitudes_deg]
    elements = [0.0] * 4
    for sign, weight in zip(signs, _BODY_WEIGHTS, strict=True):
        elements[sign % 4] += weight / 18.0
    fire, earth, air, water = elements
    ease, friction, parts = _ease_and_friction(sky)

    # Tempo: a whole number of 4-bar phrases fills the movement.
    beats = 3 if signs[1] % 3 == 2 else 4
    drive = _clamp(0.42 + 1.1 * fire + 0.6 * air - 0.7 * earth - 0.9 * water)
    wished_bpm = _SLOWEST_BPM + (_FASTEST_BPM - _SLOWEST_BPM) * drive
    n_bars = 4 * round(wished_bpm * 3.0 / beats / 4.0)

    # Mode: ease against friction, coloured by the luminous elements.
    tension = _clamp(friction / (friction + ease + 3.0) * 1.7)
    mood = _clamp(0.5 + 0.11 * (ease - friction) + 0.35 * (fire + air - 0.5))
    phase_deg = (sky.longitudes_deg[1] - sky.longitudes_deg[0]) % 360.0
    neighbours = zip(sky.longitudes_deg[:-1], sky.longitudes_deg[1:], strict=True)

    return Palette(
        key=(7 * signs[0]) % 12,
        mode=_MODES[min(5, int(mood * 6.0))],
        n_bars=n_bars,
        beats=beats,
        density=_clamp(0.25 + 1.2 * air + 0.12 * abs(sky.speeds_deg_per_day[2])),
        tension=tension,
        brightness=mood,
        space=_clamp(0.3 + 1.4 * water),
        line=_triangle(phase_deg),
        fullness=1.0 - abs(phase_deg / 180.0 - 1.0),
        retrograde=tuple(speed < 0.0 for speed in sky.speeds_deg_per_day),
        pans=tuple(
            0.55 * _triangle(longitude - sky.ascendant_deg) for longitude in sky.longitudes_deg
        ),
        weights=tuple(0.85 + 0.3 * part / (part + 1.5) for part in parts),
        steps=tuple(int((b - a) % 360.0 * 7.0 / 360.0) % 7 for a, b in neighbours),
    )
