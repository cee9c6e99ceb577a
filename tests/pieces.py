"""What tests of pieces share: programmes of every mode and model, and a reader of MIDI files."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import mido
from hypothesis import strategies as st

from astradio_stream.music.controls import GENRES
from astradio_stream.music.score import Score
from astradio_stream.music.theory import KEY_NAMES
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.modes import MODE_NAMES, MODES
from astradio_stream.stream.programme import Programme, resolve
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.units import SAMPLE_RATE_HZ

BERLIN = {"datetime": "1990-05-04T12:30", "tz": "Europe/Berlin", "lat": 52.5, "lon": 13.4}
SYDNEY = {"datetime": "1971-11-30T04:05", "tz": "Australia/Sydney", "lat": -33.9, "lon": 151.2}
UNTIMED = {"datetime": "1985-11-14", "tz": "Europe/Paris", "lat": 48.9, "lon": 2.3}

BY_MODE: dict[str, dict[str, Any]] = {
    "transit": {"mode": "transit", "seed": 3, "at": "2026-11-23T22:00:00Z"},
    "sky": {"mode": "sky", "at": "1969-07-20T20:17:40Z", "rate": 3600},
    "natal": {"mode": "natal", "charts": [BERLIN]},
    "overlay": {"mode": "overlay", "charts": [SYDNEY], "at": "2026-11-23T22:00Z", "rate": 600},
    "compatibility": {"mode": "compatibility", "seed": 8, "charts": [BERLIN, UNTIMED]},
    "sandbox": {"mode": "sandbox", "controls": {"key": "D", "density": 0.8, "genre": "jazz"}},
}
"""A programme of each mode, under each of its names."""
assert set(BY_MODE) == set(MODE_NAMES)


def played(raw: dict[str, Any], version: str = "v1.1") -> tuple[Programme, Score]:
    """Return a programme on an audio model, offered or not, and a new score of it."""
    programme = resolve(raw, Moment(0), ModelVersions(audio=version))
    return programme, AUDIO_MODELS[version].score_of(programme)


_shares = st.floats(0, 1)
_controls = st.fixed_dictionaries(
    {},
    optional={
        "density": _shares,
        "tempoNorm": _shares,
        "tension": _shares,
        "drums": _shares,
        "space": _shares,
        "key": st.sampled_from(KEY_NAMES),
        "genre": st.sampled_from(GENRES),
    },
)
_moments = st.builds(
    "{}-{:02d}-{:02d}T{:02d}:{:02d}".format,
    st.integers(1900, 2050),
    st.integers(1, 12),
    st.integers(1, 28),
    st.integers(0, 23),
    st.integers(0, 59),
)
_lats, _lons = st.floats(-60, 60), st.floats(-180, 180)


@st.composite
def _births(draw: st.DrawFn) -> dict[str, Any]:
    moment = draw(_moments)
    known = draw(st.booleans())
    datetime = moment + "Z" if known else moment[: len("1990-01-01")]
    return {"datetime": datetime, "tz": "UTC", "lat": draw(_lats), "lon": draw(_lons)}


@st.composite
def programmes(draw: st.DrawFn) -> dict[str, Any]:
    """Return any programme that model v1.1 plays, as a client writes it."""
    mode = MODES[draw(st.sampled_from(list(MODES)))]
    raw: dict[str, Any] = {
        "mode": mode.name,
        "seed": draw(st.integers(0, 2**53 - 1)),
        "charts": [draw(_births()) for _ in range(mode.n_charts)],
        "controls": draw(_controls),
    }
    if mode.has_moving_sky:
        raw["at"] = draw(_moments) + "Z"
        raw["rate"] = draw(st.sampled_from([0, 1, 60, 3600, 86_400]))
        raw["place"] = {"lat": draw(_lats), "lon": draw(_lons)}
    indices = draw(st.lists(st.integers(1, 400 * SAMPLE_RATE_HZ), max_size=3, unique=True))
    raw["changes"] = [{"index": index, "controls": draw(_controls)} for index in sorted(indices)]
    return raw


def read(data: bytes) -> mido.MidiFile:
    """Return a MIDI file as mido reads it."""
    return mido.MidiFile(file=BytesIO(data))


class FileClock:
    """From the ticks of a file to seconds, as its own tempo events say."""

    def __init__(self, file: mido.MidiFile) -> None:
        self._per_beat = file.ticks_per_beat
        self._tempos = [(0, 0.0, 500_000)]
        tick = 0
        for message in file.tracks[0]:
            tick += message.time
            if message.type == "set_tempo":
                last_tick, last_s, tempo = self._tempos[-1]
                at_s = last_s + mido.tick2second(tick - last_tick, self._per_beat, tempo)
                self._tempos.append((tick, at_s, message.tempo))

    def at(self, tick: int) -> tuple[float, float]:
        """Return the time of a tick and how long a tick is there (seconds)."""
        base, base_s, tempo = [row for row in self._tempos if row[0] <= tick][-1]
        per_tick = tempo / 1e6 / self._per_beat
        return base_s + (tick - base) * per_tick, per_tick


def sounding(file: mido.MidiFile) -> list[tuple[str, int, float, float, float]]:
    """Return (track, pitch, onset, end, seconds per tick at the onset) of every note, in seconds.

    Asserts that no note is struck twice, let go unstruck, or stuck.
    """
    clock = FileClock(file)
    found = []
    for track in file.tracks[1:]:
        tick, struck = 0, {}
        for message in track:
            tick += message.time
            if message.type == "note_on":
                assert (message.channel, message.note) not in struck
                assert 1 <= message.velocity <= 127
                struck[message.channel, message.note] = tick
            elif message.type == "note_off":
                on = struck.pop((message.channel, message.note))
                assert tick > on
                onset, per_tick = clock.at(on)
                found.append((track.name, message.note, onset, clock.at(tick)[0], per_tick))
        assert not struck, "a note is stuck"
    return sorted(found, key=lambda row: (row[2], row[1]))
