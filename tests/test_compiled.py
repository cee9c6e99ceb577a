"""The compiled loops: the same bits as their arithmetic written out in numpy."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from astradio_stream.audio import kernels
from astradio_stream.audio.mix import gathered, note_levels, render
from astradio_stream.music.note import Note
from astradio_stream.units import VIZ_SAMPLES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from astradio_stream.audio.bank import Bank

    F32 = NDArray[np.float32]

ROOT = Path(__file__).parents[1]
BETWEEN = np.array(kernels._BETWEEN)
KNEE, CEILING = np.float32(0.60 * 32767.0), np.float32(0.88 * 32767.0)

SOUNDS = (
    *[("pad", pitch) for pitch in (48, 60, 67)],
    *[("piano.soft", pitch) for pitch in (55, 62)],
    *[("drums", piece) for piece in (36, 42, 51)],
    *[("upright", 40), ("strings", 64), ("bell", 84)],
)
NOTES = st.lists(
    st.builds(
        lambda onset, duration, sound, left, right: Note(
            onset, duration, 0, *sound, 0.5, left, right
        ),
        st.integers(-150_000, 9_000),
        st.integers(1, 250_000),
        st.sampled_from(SOUNDS),
        st.floats(0.0, 1.5),
        st.floats(0.0, 1.5),
    ),
    max_size=7,
)


def added(bank: Bank, notes: list[Note], begin: int, n_samples: int, *, half: bool) -> F32:
    """Return the notes of one rate added up, one numpy pass a step, shape (2, n_samples)."""
    bus = np.zeros((2, n_samples), np.float32)
    for note in notes:
        made = bank.note(note.instrument, note.pitch)
        if made.half_rate != half:
            continue
        onset, held = note.onset, note.duration
        if half:
            onset, held = onset >> 1, held >> 1 or 1
        length = made.mixed.shape[1]
        place = np.arange(begin - onset, begin - onset + n_samples)
        source = place.copy()
        if made.loop:
            first = length - made.loop
            source = np.where(place >= length, first + (place - first) % made.loop, place)
        else:
            held = min(held, length)
        sounds = (place >= 0) & (place < held + len(made.release)) & (source < length)
        gains = np.array([[note.left * made.gain], [note.right * made.gain]]).astype(np.float32)
        part = made.mixed[:, source[sounds]].astype(np.float32) * gains
        let_go = place[sounds] >= held
        part[:, let_go] *= made.release[place[sounds][let_go] - held]
        bus[:, sounds] += part
    return bus


def mixed_by_numpy(bank: Bank, notes: list[Note], start: int, n_samples: int) -> NDArray[np.int16]:
    """Return what `render` has to be."""
    reach = len(BETWEEN)
    n_pairs = n_samples // 2 + 2
    even = start - start % 2
    full = added(bank, notes, even, 2 * n_pairs, half=False)
    half = added(bank, notes, even // 2 - reach, n_pairs + 2 * reach + 1, half=True)
    here = slice(reach, reach + n_pairs)
    between = np.zeros((2, n_pairs), np.float32)
    for n, weight in enumerate(BETWEEN):
        left = half[:, reach - n : reach - n + n_pairs]
        pair = (left + half[:, reach + 1 + n : reach + 1 + n + n_pairs]) * weight
        between = pair if n == 0 else between + pair
    full[:, 0::2] += half[:, here]
    full[:, 1::2] += between
    loud = np.abs(full) > KNEE
    over = np.abs(full) - KNEE
    room = CEILING - KNEE
    bent = np.copysign(KNEE + over * room / (over + room), full)
    whole = np.rint(np.where(loud, bent, full)).astype(np.int16)
    return whole[:, start - even : start - even + n_samples].T


@given(notes=NOTES, start=st.integers(0, 9_000), n_samples=st.integers(1, 12_000))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_mix_is_that_of_numpy_to_the_bit(
    banks: dict[str, Bank], notes: list[Note], start: int, n_samples: int
) -> None:
    bank = banks["v1.1"]
    expected = mixed_by_numpy(bank, notes, start, n_samples)
    assert np.array_equal(render(notes, bank, start, n_samples), expected)


@given(notes=NOTES, start=st.integers(0, 9_000))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_levels_are_those_of_numpy_to_the_bit(
    banks: dict[str, Bank], notes: list[Note], start: int
) -> None:
    bank = banks["v1.1"]
    found = note_levels(gathered(notes, bank), bank, start, 60)
    for note, levels in zip(notes, found, strict=True):
        made = bank.note(note.instrument, note.pitch)
        since = start - note.onset + VIZ_SAMPLES * np.arange(60)
        frame = (start - note.onset) // VIZ_SAMPLES + np.arange(60)
        loop = made.loop << made.half_rate
        if loop:
            first = (made.pcm.shape[1] << made.half_rate) - loop
            round_again = (first + (since - first) % loop) // VIZ_SAMPLES
            last = len(made.levels) - 1
            frame = np.where(since >= first, np.minimum(round_again, last), frame)
        sounds = (frame >= 0) & (frame < len(made.levels))
        n_release = len(made.release) << made.half_rate
        gone = np.clip((since - note.duration) / n_release, 0.0, 1.0)
        rest = np.float32(1.0) - gone.astype(np.float32)
        gain = np.float32(made.gain)
        left, right = np.float32(note.left) * gain, np.float32(note.right) * gain
        strength = np.sqrt(left * left + right * right)
        expected = np.zeros(60, np.float32)
        expected[sounds] = made.levels[frame[sounds]] * (rest * rest)[sounds] * strength
        assert np.array_equal(levels, expected)


TOTAL = """
import numpy as np
from astradio_stream.compiled import compiled

@compiled
def total(values):
    found = 0.0
    for value in values:
        found += value
    return found

print(total(np.arange(5.0)))
"""


def ran(code: str, cache: Path, folder: Path) -> str:
    """Return what a script prints that keeps its machine code in a folder."""
    (folder / "script.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "script.py"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=os.environ | {"NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_where_no_folder_takes_the_machine_code_it_is_made_all_the_same(tmp_path: Path) -> None:
    """A place that cannot be written costs time at every start, nothing else."""
    (tmp_path / "file").write_text("where a folder should be")
    assert ran(TOTAL, tmp_path / "file" / "cache", tmp_path) == "10.0\n"


@pytest.mark.parametrize(
    "damaged", [b"", b"\x80\x05no pickle", None], ids=["empty", "torn", "a folder"]
)
def test_damaged_machine_code_is_made_anew(tmp_path: Path, damaged: bytes | None) -> None:
    cache = tmp_path / "cache"
    assert ran(TOTAL, cache, tmp_path) == "10.0\n"
    kept = [path for path in cache.rglob("*") if path.suffix in {".nbi", ".nbc"}]
    assert len(kept) == 2
    for path in kept:
        path.unlink()
        if damaged is None:  # as on a full disk: nothing can be written here
            path.mkdir()
        else:
            path.write_bytes(damaged)
    assert ran(TOTAL, cache, tmp_path) == "10.0\n"


NARROW = """
from astradio_stream import compiled
compiled._OF_WIDE = ("what no processor has",)
"""
WIDE = """
from astradio_stream import compiled
compiled._ZEN = ""
"""
CPUINFO = Path("/proc/cpuinfo")
FLAGS = {*CPUINFO.read_text().split()} if CPUINFO.exists() else set()
HAS_WIDE = platform.machine() == "x86_64" and {"avx2", "bmi2", "f16c", "movbe"} <= FLAGS


@pytest.mark.parametrize("forced", [WIDE, NARROW], ids=["wide", "narrow"])
def test_no_multiply_is_fused_with_an_add(tmp_path: Path, forced: str) -> None:
    """The code is that of a plain processor, with wide vectors where they are wanted and there."""
    code = """
import numpy as np
from astradio_stream import compiled
from astradio_stream.audio import kernels

made = []
compiling = compiled._compiling
compiled._compiling = lambda function: made.append(compiling(function)) or made[-1]
from astradio_stream.server.banks import compile_kernels
compile_kernels()
for each in made:
    (text,) = each.inspect_asm().values()
    words = "mulps" in text, "ymm" in text, "zmm" in text or "fma" in text.lower()
    print(each.__name__, *words)
"""
    found = dict(
        line.split(maxsplit=1) for line in ran(forced + code, tmp_path, tmp_path).splitlines()
    )
    assert found.keys() == {"mix", "levels_of_notes", "_draw"}
    if platform.machine() == "x86_64":
        assert found["mix"] == f"True {forced == WIDE and HAS_WIDE} False"
        assert all(each.endswith("False") for each in found.values())


def test_wide_and_narrow_vectors_make_the_same_bits(tmp_path: Path, data_dir: Path) -> None:
    code = f"""
from pathlib import Path
from astradio_stream.server.banks import load_bank
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.segment import Rendition
from astradio_stream.stream.versions import ModelVersions

bank = load_bank(AUDIO_MODELS["v1.1"], Path({str(data_dir)!r}))
for seed in range(4):
    asked = {{"seed": seed, "at": f"20{{seed}}0-01-02T03:04:05Z"}}
    rendition = Rendition(resolve(asked, Moment(0), ModelVersions(audio="v1.1")), bank)
    for number in range(60, 66):
        print(rendition.segment(number).digest())
"""
    narrow, wide = (ran(forced + code, tmp_path, tmp_path) for forced in (NARROW, WIDE))
    assert narrow == wide
    assert len({*wide.split()}) == 24
