"""The instrument table of model v1.1.

All but the kit and the textures are kept at half the rate, and all that is not dry stands in one
hall. The gains make one note, struck at full velocity and held for a second, equally loud on every
instrument (see `gains`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from astradio_stream.audio.instrument import Instrument
from astradio_stream.audio.v1_1 import basses, bells, drums, keys, leads, plucked
from astradio_stream.audio.v1_1 import sustained as held
from astradio_stream.audio.v1_1 import textures as bed
from astradio_stream.audio.v1_1.gains import GAINS

_hall = partial(Instrument, half_rate=True)
_many = partial(_hall, steady=True)
_dry = partial(Instrument, half_rate=True, mono=True)

# What sustains: its length is that of its attack, and a loop follows.
_SUSTAINED: Final = (
    #      name    low high length release wet  T60 chord synth    loop
    _many("pad", 45, 76, 0.70, 0.90, 0.20, 2.6, 1, held.pad, held.PAD_LOOP_S),
    _many("strings", 48, 84, 0.60, 0.55, 0.20, 2.4, 1, held.strings, held.STRINGS_LOOP_S),
    _many("choir", 48, 76, 0.65, 0.70, 0.24, 2.8, 1, held.choir, held.CHOIR_LOOP_S),
    _many("glass", 60, 88, 0.65, 0.90, 0.24, 3.0, 1, held.glass, held.GLASS_LOOP_S),
    _hall("organ", 40, 76, 0.25, 0.09, 0.08, 1.6, 1, held.organ, held.ORGAN_LOOP_S),
    _many("air", 48, 72, 0.55, 0.90, 0.20, 2.8, 1, held.air, held.AIR_LOOP_S),
    _hall("flute", 60, 91, 0.75, 0.16, 0.20, 2.4, 1, leads.flute, leads.LEAD_LOOP_S),
    _hall("lead", 52, 84, 0.75, 0.14, 0.15, 2.2, 1, leads.lead, leads.LEAD_LOOP_S),
    _hall("violin", 55, 91, 0.75, 0.22, 0.20, 2.4, 1, leads.violin, leads.LEAD_LOOP_S),
    _many("saw", 48, 84, 0.30, 0.18, 0.13, 2.0, 1, leads.saw, leads.SAW_LOOP_S),
    _dry("sub", 26, 45, 0.25, 0.12, 0.00, 1.0, 1, basses.sub, basses.BASS_LOOP_S),
    _dry("organbass", 28, 48, 0.25, 0.08, 0.00, 1.0, 1, basses.organbass, basses.BASS_LOOP_S),
)

# What dies by itself: the last figure is the length of its highest notes.
_STRUCK: Final = (
    #      name       low high length release wet  T60 chord synth   loop shortest
    _hall("piano.soft", 36, 88, 2.80, 0.40, 0.16, 2.4, 1, keys.piano_soft, 0.0, 1.2),
    _hall("piano.hard", 36, 88, 2.80, 0.40, 0.16, 2.4, 1, keys.piano_hard, 0.0, 1.2),
    _hall("epiano.soft", 40, 84, 2.30, 0.25, 0.12, 2.0, 1, keys.epiano_soft, 0.0, 1.05),
    _hall("epiano.hard", 40, 84, 2.30, 0.25, 0.12, 2.0, 1, keys.epiano_hard, 0.0, 1.05),
    _hall("harp", 48, 91, 2.00, 0.60, 0.12, 2.4, 1, plucked.harp, 0.0, 1.0),
    _hall("guitar", 40, 79, 2.20, 0.30, 0.14, 1.8, 1, plucked.guitar, 0.0, 1.2),
    _hall("pluck", 48, 88, 1.20, 0.20, 0.16, 2.0, 1, plucked.pluck, 0.0, 0.7),
    _hall("stab", 48, 76, 0.80, 0.10, 0.15, 1.6, 1, plucked.stab),
    _hall("vibes", 55, 84, 2.40, 0.60, 0.18, 2.4, 1, bells.vibes, 0.0, 1.4),
    _hall("bell", 64, 96, 2.75, 0.90, 0.22, 3.0, 1, bells.bell, 0.0, 1.5),
    _hall("celesta", 60, 96, 1.70, 0.50, 0.20, 2.6, 1, bells.celesta, 0.0, 0.9),
    _dry("upright", 28, 52, 1.90, 0.14, 0.00, 1.0, 1, basses.upright, 0.0, 1.5),
    _dry("bass", 28, 52, 1.80, 0.10, 0.00, 1.0, 1, basses.bass, 0.0, 1.4),
)

_FULL_RATE: Final = (
    # A stroke is never let go before it has rung out: its release is longer than any piece.
    Instrument("drums", 35, 70, 3.20, 4.00, 0.00, 1.0, 1, drums.drums, pieces=drums.PIECES),
    Instrument("vinyl", 60, 60, 0.60, 0.60, 0.00, 1.0, 1, bed.vinyl, bed.VINYL_LOOP_S),
    Instrument("noise", 60, 60, 1.20, 1.50, 0.00, 1.0, 1, bed.sea, bed.NOISE_LOOP_S),
)

INSTRUMENTS: Final = tuple(
    replace(row, gains=GAINS[row.name]) for row in (*_SUSTAINED, *_STRUCK, *_FULL_RATE)
)
