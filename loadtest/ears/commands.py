"""`python -m loadtest ears`: what outside ears hear, as tables."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.music.controls import GENRES
from astradio_stream.music.theory import KEY_NAMES
from astradio_stream.stream.segment import Rendition
from astradio_stream.units import SAMPLE_RATE_HZ
from loadtest.ears import cloud, energies, form, keys, levels, likeness, tempi
from loadtest.ears.excerpts import (
    RHYTHMIC,
    Excerpt,
    excerpt_of,
    in_turn,
    load_model_bank,
    natal,
    sound_of,
)
from loadtest.table import print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from astradio_stream.audio.bank import Bank

Wants = tuple[int, int]
"""Charts and seconds that a command was asked for."""


def _excerpts(wants: Wants, genres: tuple[str, ...]) -> Iterator[Excerpt]:
    n_charts, seconds = wants
    bank = load_model_bank()
    for number in range(n_charts):
        yield excerpt_of(in_turn(number, genres), number, bank, seconds)


def _tally(answers: Iterable[tuple[str, str]], columns: tuple[str, ...]) -> list[list[str]]:
    """Return a table of how often each genre got each answer, and all together."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for genre, answer in answers:
        counts[genre][answer] += 1
        counts["all"][answer] += 1
    rows = [["genre", "charts", *columns]]
    for genre in (*(genre for genre in GENRES if genre in counts), "all"):
        total = counts[genre].total()
        shares = [f"{counts[genre][name] / total:.0%}" for name in columns]
        rows.append([genre, str(total), *shares])
    return rows


def tempo(wants: Wants) -> None:
    """Print how often the declared tempo is heard."""
    answers, others = [], []
    for each in _excerpts(wants, RHYTHMIC):
        heard = tempi.tempo_bpm(tempi.onset_envelope(cloud.heard(each.wave)))
        answer = tempi.relation(heard, each.tempo_bpm)
        answers.append((each.genre, answer))
        if answer == "other":
            others.append(f"  chart {each.number}, {each.genre} from {each.first} s: declared "
                          f"{each.tempo_bpm:.1f}, heard {heard:.1f}")  # fmt: skip
    title = f"Tempo heard, of {wants[0]} random charts, {wants[1]} s each"
    rows = _tally(answers, ("exact", "half", "double", "other"))
    print_table(f"{title} (wanted: other <= 10%)", rows)
    print("\n".join(others))


def key(wants: Wants) -> None:
    """Print how often the declared key is heard."""
    answers, others = [], []
    for each in _excerpts(wants, GENRES):
        chroma = keys.chroma_of(cloud.heard(each.wave))
        found, match, lead = keys.key_of(keys.loudness_of(chroma))
        declared = keys.declared_key(KEY_NAMES.index(each.mark.key), each.mark.mode)
        answer = found.relation_to(declared)
        answers.append((each.genre, answer))
        if answer in ("parallel", "far"):
            others.append(
                f"  chart {each.number}, {each.genre} from {each.first} s: declared "
                f"{each.mark.key} {each.mark.mode}, heard {KEY_NAMES[found.tonic]} "
                f"{'minor' if found.is_minor else 'major'} ({match:.2f}, lead {lead:.2f})"
            )
    title = f"Key heard, of {wants[0]} random charts, {wants[1]} s each"
    rows = _tally(answers, ("exact", "relative", "fifth", "parallel", "far"))
    print_table(f"{title} (wanted: exact >= 60%, with relative and fifth >= 90%)", rows)
    print("\n".join(others))


def loudness(wants: Wants) -> None:
    """Print loudness over every five minutes, true peak, direct component and steps."""
    n_charts, seconds = wants
    bank = load_model_bank()
    rows = [["genre", "LUFS min", "max", "range LU", "true peak dB", "|DC|", "worst step"]]
    for genre in GENRES:
        lufs: list[float] = []
        ranges, peaks, directs, steps = [], [], [], []
        for number in range(n_charts):
            wave = sound_of(Rendition(natal(number, genre=genre), bank), 0, seconds)
            powers = levels.powers_of(wave)
            lufs += levels.every_integrated_lufs(powers, min(300, seconds), 10)
            ranges.append(levels.loudness_range_lu(powers))
            peaks.append(levels.true_peak_db(wave))
            directs.append(levels.direct_component(wave))
            steps.append(levels.worst_step(wave).ratio)
        figures = [f"{min(lufs):.1f}", f"{max(lufs):.1f}", f"{np.median(ranges):.1f}"]
        figures += [f"{max(peaks):.2f}", f"{max(directs):.5f}", f"{max(steps):.1f}"]
        rows.append([genre, *figures])
    title = f"Loudness of any 5 minutes of {n_charts} charts, {seconds} s each"
    wanted = "-16 +- 1 LUFS, true peak <= -1, |DC| < 0.001"
    print_table(f"{title} (wanted: {wanted}, steps < {levels.CLICK:.0f})", rows)


def human(wants: Wants) -> None:
    """Print where each genre stands among pieces by human composers."""
    n_charts, seconds = wants
    bank = load_model_bank()
    pieces = cloud.human_figures()
    medians: dict[str, dict[str, float]] = {}
    for genre in GENRES:
        found = [
            cloud.figures_of(sound_of(Rendition(natal(number, genre=genre), bank), 0, seconds))
            for number in range(n_charts)
        ]
        medians[genre] = {name: float(np.median([f[name] for f in found])) for name in pieces}
    rows = [["figure", "human p10", "p50", "p90", *GENRES]]
    places = [["figure", *GENRES]]
    for name, values in pieces.items():
        middle = [f"{np.percentile(values, share):.2f}" for share in (10, 50, 90)]
        rows.append([name, *middle, *(f"{medians[genre][name]:.2f}" for genre in GENRES)])
        shares = [cloud.percentile_among(medians[genre][name], values) for genre in GENRES]
        places.append([name, *(f"{s:.0f}{' ' if 10 <= s <= 90 else '!'}" for s in shares)])
    print_table(f"Medians of {n_charts} charts, first {seconds} s of each", rows)
    print_table("Percentile among the human pieces (! outside the middle 80%)", places)


def _distribution(name: str, values: Iterable[float]) -> list[str]:
    found = sorted(values)
    shares = np.percentile(found, (1, 10, 50, 90))
    return [name, f"{found[0]:.3f}", *(f"{v:.3f}" for v in shares), f"{found[-1]:.3f}"]


@dataclass(frozen=True, slots=True)
class _Heard:
    """A piece, as it is compared."""

    chart: int
    paper: likeness.OnPaper
    ear: likeness.ByEar

    def apart(self, other: _Heard) -> dict[str, float]:
        parts = {f"score: {k}": v for k, v in self.paper.apart(other.paper).items()}
        return parts | {f"sound: {k}": v for k, v in self.ear.apart(other.ear).items()}


def _mean_of(apart: dict[str, float], kind: str) -> float:
    return likeness.distance({name: v for name, v in apart.items() if name.startswith(kind)})


_BY_KIND: Final[dict[str, Callable[[_Heard, _Heard], float]]] = {
    "score": lambda a, b: likeness.distance(a.paper.apart(b.paper)),
    "sound": lambda a, b: likeness.distance(a.ear.apart(b.ear)),
}


def _piece(chart: int, seed: int, bank: Bank, seconds: int) -> _Heard:
    rendition = Rendition(natal(chart, seed=seed), bank)
    paper = likeness.on_paper(rendition.score, 0, seconds * SAMPLE_RATE_HZ)
    return _Heard(chart, paper, likeness.by_ear(sound_of(rendition, 0, seconds)))


_SEEDS: Final = 20


def identity(wants: Wants) -> None:
    """Print how far charts are apart, and the seeds of one chart."""
    n_charts, seconds = wants
    bank = load_model_bank()
    pieces = [_piece(chart, chart, bank, seconds) for chart in range(n_charts)]
    kinds = tuple(_BY_KIND)
    between: dict[str, list[float]] = {kind: [] for kind in kinds}
    parts: defaultdict[str, list[float]] = defaultdict(list)
    for place, one in enumerate(pieces):
        for other in pieces[:place]:
            apart = one.apart(other)
            for name, value in apart.items():
                parts[name].append(value)
            for kind in kinds:
                between[kind].append(_mean_of(apart, kind))
    head = ["", "least", "p1", "p10", "p50", "p90", "most"]
    rows = [head, *(_distribution(kind, between[kind]) for kind in kinds)]
    rows += [_distribution(name, values) for name, values in parts.items()]
    print_table(f"Distance of {n_charts} charts from each other, {seconds} s (0-1)", rows)

    families = [
        [_piece(chart, 1_000 + seed, bank, seconds) for seed in range(_SEEDS)]
        for chart in range(min(10, n_charts))
    ]
    rows = [["", "own p50", "others p50", "nearer to own", "nearest is own"]]
    for kind in kinds:
        own, others, nearer, nearest = likeness.own_and_others(families, _BY_KIND[kind])
        figures = [f"{own:.3f}", f"{others:.3f}", f"{nearer:.1%}", f"{nearest:.1%}"]
        rows.append([kind, *figures])
    print_table(f"The same chart with {_SEEDS} seeds, of {len(families)} charts", rows)


def hour(wants: Wants) -> None:
    """Print what an hour of one programme is like, for some charts."""
    n_charts, seconds = wants
    bank = load_model_bank()
    stop = seconds * SAMPLE_RATE_HZ
    head = ["chart, genre", "alike p50", "most", "sound p50", "most", "motifs", "covered"]
    rows = [[*head, "by chance", "LUFS min", "max", "keys", "prepared"]]
    unprepared = []
    for number in range(n_charts):
        rendition = Rendition(in_turn(number), bank)
        score = rendition.score
        alike = form.likeness_of_windows(form.bars_of(score, stop))
        line = form.line_of(score, 0, stop)
        per_tick = seconds / max(1, line[-1][0])
        motifs = form.recurrence_of(line, per_tick)
        chance = form.recurrence_of(form.shuffled(line, Random(f"steps {number}")), per_tick)
        wave = sound_of(rendition, 0, seconds)
        heard = form.likeness_by_ear(cloud.heard(wave))
        lufs = levels.every_integrated_lufs(levels.powers_of(wave), 300, 10)
        changes = form.key_changes(score, stop)
        ready = [change for change in changes if change.preparation != "none"]
        unprepared += [(number, c) for c in changes if c.preparation == "none"]
        genre = str(score.palette_json(0)["genre"])
        rows.append(
            [f"{number}, {genre}", f"{np.median(alike):.2f}", f"{alike.max():.2f}",
             f"{np.median(heard):.2f}", f"{heard.max():.2f}", str(motifs.n_motifs),
             f"{motifs.covered:.0%}", str(chance.n_motifs), f"{min(lufs):.1f}", f"{max(lufs):.1f}",
             str(len(changes)), str(len(ready))]
        )  # fmt: skip
    print_table(f"{seconds} s of one programme: windows of two minutes, keys, loudness", rows)
    for number, change in unprepared:
        print(f"  chart {number} at {change.index / SAMPLE_RATE_HZ:.0f} s: {change.before} to "
              f"{change.after} after {change.chord}")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Command:
    """One question to outside ears."""

    answer: Callable[[Wants], None]
    n_charts: int
    """How many charts, unless it is said."""
    seconds: int
    """How much of each, unless it is said."""


def energies_table(_wants: Wants) -> None:
    """Print how much the ear gets from one note of each instrument."""
    for line in energies.lines_of(load_model_bank()):
        print(line)


COMMANDS: Final = {
    "tempo": Command(tempo, 60, 45),
    "key": Command(key, 60, 45),
    "loudness": Command(loudness, 3, 900),
    "human": Command(human, 5, 150),
    "identity": Command(identity, 200, 60),
    "hour": Command(hour, 6, 3_600),
    "energies": Command(energies_table, 0, 0),
}
"""By name."""


def run(name: str, n_charts: int | None, seconds: int | None) -> None:
    """Answer a question, of as many charts and seconds as are asked for."""
    command = COMMANDS[name]
    command.answer((n_charts or command.n_charts, seconds or command.seconds))
