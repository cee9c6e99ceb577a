"""The instruments of v1.1: in tune, held without a seam, equally loud, small, always the same.

`python tests/test_audio_v1_1.py` prints the gains to be kept in `audio/v1_1/gains.py`.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from astradio_stream.audio.bank import Bank, render_pitches, stored_samples
from astradio_stream.audio.exact import frequency_hz
from astradio_stream.audio.hall import hall
from astradio_stream.audio.instrument import Instrument
from astradio_stream.audio.mix import gathered, note_levels, render
from astradio_stream.audio.v1_1 import plucked, waves
from astradio_stream.audio.v1_1.bells import _BELL, _CELESTA, _VIBES
from astradio_stream.audio.v1_1.gains import KIT_BALANCE_DB, REFERENCE_LUFS
from astradio_stream.audio.v1_1.instruments import INSTRUMENTS
from astradio_stream.audio.v1_1.sustained import _GLASS
from astradio_stream.music.note import Note, placed
from astradio_stream.music.score import Score
from astradio_stream.server.banks import load_bank
from astradio_stream.stream.models import AudioModel
from astradio_stream.stream.programme import Programme
from astradio_stream.units import SAMPLE_RATE_HZ

F64 = NDArray[np.float64]

TABLE = {instrument.name: instrument for instrument in INSTRUMENTS}
LOOPED = [i.name for i in INSTRUMENTS if i.loop_s]
NOISY = ("air", "vinyl", "noise", "drums")
TONAL = [i for i in INSTRUMENTS if i.name not in NOISY]
RANGED = [i for i in INSTRUMENTS if i.lowest < i.highest and not i.pieces]
STRUCK = [i for i in RANGED if not i.loop_s]
ENDS_AND_MIDDLE = [
    (i.name, pitch) for i in TONAL for pitch in (i.lowest, (i.lowest + i.highest) // 2, i.highest)
]

CONTRACT = {
    # name: lowest and highest pitch that composers may rely on
    "pad": (45, 76), "strings": (48, 84), "choir": (48, 76), "glass": (60, 88),
    "organ": (40, 76), "air": (48, 72), "piano.soft": (36, 88), "piano.hard": (36, 88),
    "epiano.soft": (40, 84), "epiano.hard": (40, 84), "harp": (48, 91), "guitar": (40, 79),
    "pluck": (48, 88), "stab": (48, 76), "vibes": (55, 84), "bell": (64, 96),
    "celesta": (60, 96), "flute": (60, 91), "lead": (52, 84), "violin": (55, 91),
    "saw": (48, 84), "sub": (26, 45), "upright": (28, 52), "bass": (28, 52),
    "organbass": (28, 48), "drums": (35, 70), "vinyl": (60, 60), "noise": (60, 60),
}  # fmt: skip
PIECES = (35, 36, 37, 38, 39, 40, 41, 42, 44, 45, 46, 48, 49, 51, 53, 54, 69, 70)


def no_score(programme: Programme) -> Score:
    raise NotImplementedError


def load(folder: Path) -> Bank:
    return load_bank(AudioModel("v1.1", INSTRUMENTS, no_score), folder)


@pytest.fixture(scope="module")
def sounds(data_dir: Path) -> Bank:
    """The bank of model v1.1."""
    return load(data_dir)


def held(name: str, pitch: int, seconds: float = 1.0, gain: float = 1.0, onset: int = 0) -> Note:
    duration = round(seconds * SAMPLE_RATE_HZ)
    return placed(
        onset=onset, duration=duration, voice=0, instrument=name, pitch=pitch, velocity=1.0,
        gain=gain, pan=0.0,
    )  # fmt: skip


def heard(bank: Bank, note: Note, seconds: float, start_s: float = 0.0) -> F64:
    """Return what a note sounds like in the mix, shape (2, n_samples), full scale 1."""
    start, n_samples = round(start_s * SAMPLE_RATE_HZ), round(seconds * SAMPLE_RATE_HZ)
    return render((note,), bank, start, n_samples).T.astype(np.float64) / 32_768.0


def power_of(wave: F64, n_fft: int | None = None) -> tuple[F64, F64]:
    """Return frequencies and power, both channels added."""
    window = np.hanning(wave.shape[1])
    power = (np.abs(np.fft.rfft(wave * window, n_fft)) ** 2).sum(axis=0)
    return np.fft.rfftfreq(n_fft or wave.shape[1], 1 / SAMPLE_RATE_HZ), power


def loudness_lufs(wave: F64) -> float:
    """Return the greatest momentary loudness (400 ms).

    **Source:** the two filters of ITU-R BS.1770-4, tables 1 and 2, at 48 kHz.
    """
    n_fft = 1 << 18
    z = np.exp(-2j * np.pi * np.arange(n_fft // 2 + 1) / n_fft)
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z * z) / (
        1.0 - 1.69065929318241 * z + 0.73248077421585 * z * z
    )
    high_pass = (1.0 - z) ** 2 / (1.0 - 1.99004745483398 * z + 0.99007225036621 * z * z)
    weighted = np.fft.irfft(np.fft.rfft(wave, n_fft) * shelf * high_pass)[:, : wave.shape[1]]
    summed = np.concatenate([[0.0], np.cumsum((weighted**2).sum(axis=0))])
    mean = (summed[19_200:] - summed[:-19_200]) / 19_200
    return float(-0.691 + 10 * np.log10(mean.max()))


def centroid_hz(wave: F64) -> float:
    frequencies, power = power_of(wave)
    return float((frequencies * power).sum() / power.sum())


# The table.


def test_names_and_ranges_are_what_composers_rely_on(sounds: Bank) -> None:
    assert {i.name: (i.lowest, i.highest) for i in INSTRUMENTS} == CONTRACT
    assert TABLE["drums"].pitches == PIECES
    for instrument in INSTRUMENTS:
        for pitch in instrument.pitches:
            note = sounds.note(instrument.name, pitch)
            assert note.pcm.shape == (
                1 if instrument.mono else 2,
                stored_samples(instrument, pitch),
            )


def test_every_instrument_stands_in_the_docs() -> None:
    text = (Path(__file__).parents[1] / "docs" / "instruments.md").read_text()
    for instrument in INSTRUMENTS:
        single = instrument.lowest == instrument.highest
        reach = f"{instrument.lowest}" if single else f"{instrument.lowest}–{instrument.highest}"
        assert f"| `{instrument.name}` | {'pieces' if instrument.pieces else reach} |" in text


def test_the_bank_stays_small(sounds: Bank) -> None:
    assert sounds.n_bytes <= 142e6  # of 150: what is to come needs room


def test_a_pitch_rendered_alone_is_that_of_the_bank(sounds: Bank) -> None:
    for instrument in INSTRUMENTS:
        for pitch in (instrument.pitches[0], instrument.pitches[-1]):
            alone = render_pitches(instrument, [pitch])[0]
            assert np.array_equal(alone, sounds.note(instrument.name, pitch).pcm), instrument.name


def digest_of(bank: Bank) -> str:
    """Return the SHA-256 of all notes in the order of the table."""
    digest = hashlib.sha256()
    for instrument in INSTRUMENTS:
        for pitch in instrument.pitches:
            digest.update(bank.note(instrument.name, pitch).pcm.tobytes())
    return digest.hexdigest()


BACKWARDS = """
import hashlib
from astradio_stream.audio.bank import batches_of, render_pitches
from astradio_stream.audio.v1_1.instruments import INSTRUMENTS

made = {}
for instrument, pitches in reversed(batches_of(INSTRUMENTS)):
    for pitch, pcm in zip(pitches, render_pitches(instrument, pitches)):
        made[instrument.name, pitch] = pcm
digest = hashlib.sha256()
for instrument in INSTRUMENTS:
    for pitch in instrument.pitches:
        digest.update(made[instrument.name, pitch].tobytes())
print(digest.hexdigest())
"""


def test_another_process_makes_the_same_bank_in_another_order(sounds: Bank) -> None:
    made = subprocess.run(
        [sys.executable, "-c", BACKWARDS], capture_output=True, text=True, check=True
    )
    assert made.stdout.strip() == digest_of(sounds)


def test_the_bank_from_its_file_is_the_bank_that_was_made(sounds: Bank, data_dir: Path) -> None:
    again = load(data_dir)
    for name in ("pad", "sub", "drums", "vinyl"):
        pitch = TABLE[name].pitches[0]
        made, kept = sounds.note(name, pitch), again.note(name, pitch)
        assert np.array_equal(made.pcm, kept.pcm)
        assert np.array_equal(made.levels, kept.levels)
        assert np.array_equal(made.bands, kept.bands)
        assert (made.loop, made.gain, made.half_rate) == (kept.loop, kept.gain, kept.half_rate)


# Every note.


def test_no_note_clips_or_begins_or_ends_in_a_step(sounds: Bank) -> None:
    for instrument in INSTRUMENTS:
        for pitch in instrument.pitches:
            pcm = sounds.note(instrument.name, pitch).pcm.astype(np.int32)
            assert 29_900 <= np.abs(pcm).max() <= 30_003
            assert np.abs(pcm[:, 0]).max() <= 300, f"{instrument.name} {pitch} begins in a step"
            if not instrument.loop_s:
                assert np.abs(pcm[:, -1]).max() <= 1, f"{instrument.name} {pitch} ends in a step"


def test_no_note_has_a_direct_component(sounds: Bank) -> None:
    for instrument in INSTRUMENTS:
        for pitch in instrument.pitches:
            note = sounds.note(instrument.name, pitch)
            pcm = note.pcm[:, -note.loop :] if note.loop else note.pcm
            assert np.abs(pcm.mean(axis=1)).max() < 32.768, f"{instrument.name} {pitch}"


@pytest.mark.parametrize(("name", "pitch"), ENDS_AND_MIDDLE)
def test_notes_are_in_tune(sounds: Bank, name: str, pitch: int) -> None:
    """A held section has its centre within 3 cents, a struck note its peak within 8."""
    wave = heard(sounds, held(name, pitch, 6.0), 4.0 if name in LOOPED else 1.2, 0.1)
    frequencies, power = power_of(wave, 1 << 20)
    wanted = frequency_hz(pitch)
    near = (frequencies > wanted * 0.97) & (frequencies < wanted * 1.03)
    if name in LOOPED:
        found = (frequencies[near] * power[near]).sum() / power[near].sum()
        assert abs(1200 * np.log2(found / wanted)) < 3
    else:
        found = frequencies[near][power[near].argmax()]
        assert abs(1200 * np.log2(found / wanted)) < 8


@pytest.mark.parametrize("instrument", [*TONAL, TABLE["air"]], ids=lambda i: i.name)
def test_there_is_no_alias(sounds: Bank, instrument: Instrument) -> None:
    """Nothing above 13 kHz comes from doubling the rate: less than -60 dB of the note."""
    for pitch in (*instrument.pitches[::7], instrument.highest):
        frequencies, power = power_of(heard(sounds, held(instrument.name, pitch), 0.4, 0.02))
        treble_db = 10 * np.log10(power[frequencies > 13_000].sum() / power.sum())
        assert treble_db < -60, f"{instrument.name} {pitch}: {treble_db:.1f} dB"


def modes_of(name: str) -> F64:
    """Return where an instrument's partials may lie, as multiples of its pitch."""
    tables = {"bell": _BELL, "celesta": _CELESTA, "vibes": _VIBES, "glass": _GLASS}
    if name in tables:
        return np.array([row[0] for row in tables[name]])
    return np.arange(1, 400) * (0.5 if name == "organ" else 1.0)  # an organ has a 16' stop


@pytest.mark.parametrize("instrument", TONAL, ids=lambda i: i.name)
def test_nothing_folds_back_between_the_partials(
    instrument: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the highest pitch, dry, less than -60 dB of the note lies away from its partials.

    Folded side bands and the steps of a table would lie there. The hall rings there by right, and
    so do bow and breath: they are left out, by taking the noise from which they are made.
    """
    for module in (waves, plucked):
        monkeypatch.setattr(module, "noise", lambda _key, n: np.zeros(n, np.float32))
    pitch, n_samples = instrument.highest, 24_000
    dry = instrument.synth(pitch, 2_400 + n_samples)[:, 2_400:].astype(np.float64)
    power = (np.abs(np.fft.rfft(dry * np.hanning(n_samples) ** 2)) ** 2).sum(axis=0)
    frequencies = np.fft.rfftfreq(n_samples, 1 / 24_000)
    base = frequency_hz(pitch)
    away = np.abs(frequencies[:, np.newaxis] - base * modes_of(instrument.name)).min(axis=1)
    # Detuning, vibrato, stiffness and decay widen a partial, but never to half of its distance.
    stray = away > np.minimum(40.0 + 0.02 * frequencies, base / 4)
    assert stray.mean() > 0.19
    assert 10 * np.log10(power[stray].sum() / power.sum()) < -60


# Loops.


@pytest.mark.parametrize("name", LOOPED)
def test_a_loop_has_no_seam(sounds: Bank, name: str) -> None:
    """What leads to its end leads to its beginning too, and the step over it is no larger."""
    instrument = TABLE[name]
    for pitch in (*instrument.pitches[::5], instrument.highest):
        note = sounds.note(name, pitch)
        pcm = note.pcm.astype(np.float64)
        begin, n_lead = pcm.shape[1] - note.loop, 240
        before_end, before_begin = pcm[:, -n_lead:], pcm[:, begin - n_lead : begin]
        apart = ((before_end - before_begin) ** 2).mean() / (pcm[:, begin:] ** 2).mean()
        assert 10 * np.log10(apart + 1e-12) < -50, f"{name} {pitch}"
        bends = np.abs(np.diff(np.concatenate([pcm[:, begin:], pcm[:, begin : begin + 400]], 1), 2))
        seam = bends[:, note.loop - 3 : note.loop + 1].max()
        assert seam <= 1.02 * bends[:, : note.loop - 3].max(), f"{name} {pitch}"


@pytest.mark.parametrize("name", [n for n in LOOPED if n not in ("vinyl", "noise")])
def test_a_held_note_keeps_its_level(sounds: Bank, name: str) -> None:
    """However its voices beat, a tenth of a second is never 3 dB louder than another."""
    instrument = TABLE[name]
    n_window = instrument.rate_hz // 10
    for pitch in instrument.pitches:
        note = sounds.note(name, pitch)
        power = (note.pcm[:, -note.loop :].astype(np.float64) ** 2).sum(axis=0)
        summed = np.cumsum(np.concatenate([[0.0], power, power[:n_window]]))
        levels = summed[n_window:] - summed[:-n_window]
        swing_db = 10 * np.log10(levels.max() / levels.min())
        assert swing_db < 3.0, f"{name} {pitch}: {swing_db:.1f} dB"


@pytest.mark.parametrize("name", [i.name for i in INSTRUMENTS if i.steady and i.name != "air"])
def test_a_steady_note_is_alive(sounds: Bank, name: str) -> None:
    """What a held section does not change in level it changes in place: the sides swing."""
    pitch = TABLE[name].pitches[len(TABLE[name].pitches) // 2]
    note = sounds.note(name, pitch)
    left, right = note.pcm[:, -note.loop :].astype(np.float64)
    n_parts = note.loop // 2_400
    sides = ((left - right) ** 2)[: n_parts * 2_400].reshape(n_parts, -1).mean(axis=1)
    assert 10 * np.log10(sides.max() / sides.min()) > 1.5


@pytest.mark.parametrize("name", LOOPED)
def test_a_held_note_lasts_and_then_falls_silent(sounds: Bank, name: str) -> None:
    pitch = TABLE[name].lowest
    note = held(name, pitch, 20.0)
    late = heard(sounds, note, 1.0, 18.5)
    early = heard(sounds, note, 1.0, 2.0)
    assert np.abs(late).max() > 0.4 * np.abs(early).max()
    release_s = TABLE[name].release_s
    assert not heard(sounds, note, 0.5, 20.01 + release_s).any()


@pytest.mark.parametrize("name", ["pad", "flute", "sub", "noise"])
def test_levels_go_round_with_the_loop(sounds: Bank, name: str) -> None:
    note = held(name, TABLE[name].lowest, 15.0, 0.5)
    levels = note_levels(gathered((note,), sounds), sounds, 10 * SAMPLE_RATE_HZ, 120)[0]
    wave = heard(sounds, note, 2.0, 10.0)
    found = np.sqrt((wave.reshape(2, 120, 800) ** 2).sum(axis=0).mean(axis=1))
    assert levels.min() > 0
    assert np.median(levels / found) == pytest.approx(1.0, rel=0.1)


# The mix.


ENSEMBLE = ("pad", "sub", "flute", "drums", "piano.hard", "noise", "bell", "organbass")
SPAN = 400_000


@st.composite
def scores(draw: st.DrawFn) -> tuple[Note, ...]:
    notes = []
    for _ in range(draw(st.integers(1, 8))):
        name = draw(st.sampled_from(ENSEMBLE))
        notes.append(
            placed(
                onset=draw(st.integers(-300_000, SPAN)),
                duration=draw(st.integers(1, 500_000)),
                voice=0,
                instrument=name,
                pitch=draw(st.sampled_from(TABLE[name].pitches)),
                velocity=1.0,
                gain=draw(st.sampled_from((0.1, 1.0, 4.0))),
                pan=draw(st.sampled_from((-1.0, -0.2, 0.5))),
            )
        )
    return tuple(sorted(notes, key=lambda note: note.onset))


@given(notes=scores(), cuts=st.lists(st.integers(1, SPAN - 1), min_size=1, max_size=4, unique=True))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_render_in_parts_equals_render_whole(
    sounds: Bank, notes: tuple[Note, ...], cuts: list[int]
) -> None:
    whole = render(notes, sounds, 0, SPAN)
    edges = [0, *sorted(cuts), SPAN]
    parts = [render(notes, sounds, a, b - a) for a, b in zip(edges, edges[1:], strict=False)]
    assert np.array_equal(np.concatenate(parts), whole)


@given(onset=st.integers(0, 3_000), start=st.integers(0, 6_000))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_note_at_half_rate_begins_on_the_even_sample_before(
    sounds: Bank, onset: int, start: int
) -> None:
    note, even = held("harp", 60, onset=onset), held("harp", 60, onset=onset // 2 * 2)
    assert np.array_equal(render((note,), sounds, start, 999), render((even,), sounds, start, 999))


def test_one_channel_is_heard_in_the_middle(sounds: Bank) -> None:
    left, right = heard(sounds, held("bass", 36), 0.5)
    assert np.array_equal(left, right)


# Sound.


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda i: i.name)
def test_all_are_equally_loud_at_gain_one(sounds: Bank, instrument: Instrument) -> None:
    middle = len(instrument.pitches) // 2
    around = instrument.pitches[max(0, middle - 3) : middle + 4]
    if instrument.pieces:
        around = instrument.pitches
    off = []
    for pitch in around:
        balance = KIT_BALANCE_DB[pitch] if instrument.pieces else 0.0
        found = loudness_lufs(heard(sounds, held(instrument.name, pitch, gain=0.5), 2.0)) + 6.02
        off.append(found - balance - REFERENCE_LUFS)
    assert abs(float(np.mean(off))) < 1.0
    assert max(map(abs, off)) < (0.5 if instrument.pieces else 3.5)


@pytest.mark.parametrize("instrument", RANGED, ids=lambda i: i.name)
def test_the_whole_range_is_equally_loud(sounds: Bank, instrument: Instrument) -> None:
    """Every fourth pitch lies within 2 dB of the reference, and the range within 0.5 on average."""
    off = [
        loudness_lufs(heard(sounds, held(instrument.name, pitch, gain=0.5), 2.0))
        + 20 * np.log10(2.0)
        - REFERENCE_LUFS
        for pitch in instrument.pitches[::4]
    ]
    assert abs(float(np.mean(off))) < 0.5
    assert max(map(abs, off)) < 2.0


@pytest.mark.parametrize("name", ["piano", "epiano"])
def test_a_harder_blow_is_brighter_and_not_merely_louder(sounds: Bank, name: str) -> None:
    for pitch in (48, 60, 72):
        soft = heard(sounds, held(f"{name}.soft", pitch, gain=0.5), 0.5)
        hard = heard(sounds, held(f"{name}.hard", pitch, gain=0.5), 0.5)
        assert centroid_hz(hard) > 1.15 * centroid_hz(soft)
        assert abs(loudness_lufs(hard) - loudness_lufs(soft)) < 1.0


@pytest.mark.parametrize("instrument", STRUCK, ids=lambda i: i.name)
def test_what_is_struck_decays_by_itself(sounds: Bank, instrument: Instrument) -> None:
    """No quarter of a note is louder than the one before, and it ends far below its beginning."""
    for pitch in (*instrument.pitches[::6], instrument.highest):
        pcm = sounds.note(instrument.name, pitch).pcm.astype(np.float64)
        power = (pcm**2).sum(axis=0)
        quarters = [part.mean() for part in np.array_split(power, 4)]
        assert all(late < 1.05 * early for early, late in zip(quarters, quarters[1:], strict=False))
        tenth = instrument.rate_hz // 10
        end_db = 10 * np.log10(power[-tenth:].mean() / power[:tenth].mean())
        assert end_db < -24, f"{instrument.name} {pitch}: {end_db:.1f} dB"


@pytest.mark.parametrize("name", ["piano.hard", "harp", "guitar", "upright", "bass", "bell"])
def test_treble_dies_sooner_than_the_root(sounds: Bank, name: str) -> None:
    pitch = (TABLE[name].lowest + TABLE[name].highest) // 2
    wave = heard(sounds, held(name, pitch, 3.0), 1.2)
    early, late = wave[:, 2_400:14_400], wave[:, 33_600:45_600]
    shares = []
    for part in (early, late):
        frequencies, power = power_of(part)
        shares.append(power[frequencies > 4.5 * frequency_hz(pitch)].sum() / power.sum())
    assert 10 * np.log10(shares[0] / shares[1]) > 3


WIDTH_DB = {
    # loudness of the side against the middle, at least: sections wide, soloists in their place
    "pad": -12, "strings": -12, "choir": -10, "glass": -13, "organ": -14, "air": -9, "saw": -11,
    "piano.soft": -22, "piano.hard": -22, "epiano.soft": -18, "epiano.hard": -18, "harp": -14,
    "guitar": -18, "pluck": -17, "stab": -14, "vibes": -17, "bell": -19, "celesta": -18,
    "flute": -29, "lead": -29, "violin": -20,
}  # fmt: skip


@pytest.mark.parametrize("name", WIDTH_DB)
def test_stereo_is_as_wide_as_its_table_says(sounds: Bank, name: str) -> None:
    pitch = (TABLE[name].lowest + TABLE[name].highest) // 2
    left, right = heard(sounds, held(name, pitch), 1.0)
    width_db = 10 * np.log10(((left - right) ** 2).sum() / ((left + right) ** 2).sum())
    assert WIDTH_DB[name] < width_db < -3


def test_kick_and_toms_are_mono_below_120_hz(sounds: Bank) -> None:
    for piece in (35, 36, 41, 45):
        left, right = heard(sounds, held("drums", piece), 0.6)
        spectrum = np.fft.rfft(left - right)
        low = np.fft.rfftfreq(len(left), 1 / SAMPLE_RATE_HZ) < 120
        whole = np.abs(np.fft.rfft(left + right))[low].max()
        assert np.abs(spectrum)[low].max() < 0.02 * whole


def test_the_kick_ends_deep_and_the_hats_are_high(sounds: Bank) -> None:
    late = heard(sounds, held("drums", 36), 0.25, 0.12)
    frequencies, power = power_of(late, 1 << 18)
    assert 40 < frequencies[power.argmax()] < 60
    for hat in (42, 44, 46):
        assert centroid_hz(heard(sounds, held("drums", hat), 0.3)) > 6_000


def test_stereo_folds_to_mono_without_loss(sounds: Bank) -> None:
    for instrument in (*TONAL, TABLE["air"]):
        pitch = (instrument.lowest + instrument.highest) // 2
        wave = heard(sounds, held(instrument.name, pitch), 1.0)
        assert np.corrcoef(wave)[0, 1] > 0.2, instrument.name


def test_the_hall_decays_as_it_says() -> None:
    impulse = np.zeros((1, 2, 72_000), np.float32)
    impulse[0, :, 0] = 1.0
    wet = hall(impulse, 2.0)[0].astype(np.float64)
    energy_db = 10 * np.log10((wet.reshape(2, 30, 2_400) ** 2).mean(axis=(0, 2)) + 1e-20)
    slope = np.polyfit(np.arange(5, 20) * 0.1, energy_db[5:20], 1)[0]
    assert -60 / slope == pytest.approx(2.0, rel=0.15)
    assert abs(np.corrcoef(wet)[0, 1]) < 0.2


def test_no_pitch_booms_in_the_hall() -> None:
    """The loudest per cent of frequencies lie less than 9 dB above the mean."""
    impulse = np.zeros((1, 2, 96_000), np.float32)
    impulse[0, 0, 0] = 1.0
    gain = np.abs(np.fft.rfft(hall(impulse, 2.4)[0, 0].astype(np.float64), 1 << 18)) ** 2
    frequencies = np.fft.rfftfreq(1 << 18, 1 / 24_000)
    mid = gain[(frequencies > 250) & (frequencies < 1_500)]
    assert 10 * np.log10(np.percentile(mid, 99) / mid.mean()) < 9


def measured_gains(bank: Bank) -> dict[str, tuple[float, ...]]:
    """Return gains that lead to the reference loudness: four along a range, or one per piece."""
    gains = {}
    for instrument in INSTRUMENTS:
        wanted = []
        for pitch in instrument.pitches:
            # As quiet as the mix passes straight: what is measured is the note, not the master.
            quiet = 0.25 / bank.note(instrument.name, pitch).gain
            found = loudness_lufs(heard(bank, held(instrument.name, pitch, gain=quiet), 2.0))
            balance = KIT_BALANCE_DB[pitch] if instrument.pieces else 0.0
            wanted.append(REFERENCE_LUFS + balance - found + 20 * np.log10(0.25))
        if instrument.pieces or len(wanted) == 1:
            fitted = np.array(wanted)
        else:
            place = np.linspace(0, 3, len(wanted))
            hats = np.maximum(0, 1 - np.abs(place[:, np.newaxis] - np.arange(4)))
            fitted = np.linalg.lstsq(hats, np.array(wanted), rcond=None)[0]
        gains[instrument.name] = tuple(round(float(10 ** (db / 20)), 3) for db in fitted)
    return gains


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        for name, row in measured_gains(load(Path(folder))).items():
            print(f"    {name!r}: {row},".replace("'", '"'))
