"""Model versions never change: digests of what they played when they were published.

A failure here means that a link somebody shared plays something else. Make a new version instead.
For a new version only: `python tests/test_golden.py VERSION > tests/golden/VERSION.json`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from astradio_stream.audio.bank import Bank, build_bank
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.segment import Rendition
from astradio_stream.stream.versions import VERSIONS, ModelVersions

GOLDEN = Path(__file__).parent / "golden"
SEGMENTS = (0, 1, 61, 177, 3_600, 3_599_999)
_SKIES: tuple[dict[str, Any], ...] = (
    {"station": "now"},
    *(
        {
            "seed": 1_000_003 * n,
            "at": f"{1905 + 13 * n}-{1 + n:02d}-{2 * n + 1:02d}T{2 * n:02d}:07:00Z",
            "rate": (1, 0, 60, 86_400)[n % 4],
            "place": {"lat": 11.5 * n - 60.25, "lon": 170.5 - 31.125 * n},
        }
        for n in range(11)
    ),
)
_LIMA = {"datetime": "1959-02-11T23:48", "tz": "America/Lima", "lat": -12.05, "lon": -77.05}
_OSLO = {"datetime": "1983-07-02T03:15", "tz": "Europe/Oslo", "lat": 59.91, "lon": 10.75}
_UNTIMED = {"datetime": "2001-09-30", "tz": "Asia/Tokyo", "lat": 35.68, "lon": 139.69}
_AT = "2026-11-24T06:30:00Z"
_CHANGES = [
    {"index": 2_900_000, "controls": {"tempoNorm": 0.9, "drums": 1}},
    {"index": 8_500_001, "controls": {"genre": "lofi", "key": "Eb"}},
]

PROGRAMMES: dict[str, tuple[dict[str, Any], ...]] = {
    "v1.0": _SKIES,
    "v1.1": (
        {"station": "now"},
        {"station": "now-jazz"},
        *_SKIES[1:4],
        {"mode": "natal", "seed": 5, "charts": [_LIMA], "controls": {"genre": "ambient"}},
        {"mode": "natal", "seed": 6, "charts": [_UNTIMED], "controls": {"genre": "house"}},
        {"mode": "overlay", "charts": [_OSLO], "at": _AT, "rate": 600},
        {"mode": "compatibility", "seed": 8, "charts": [_LIMA, _OSLO]},
        {"mode": "compatibility", "charts": [_UNTIMED, _LIMA], "controls": {"genre": "classical"}},
        {"mode": "sandbox", "controls": {"genre": "electronic", "mode": "dorian", "tension": 1}},
        {"seed": 11, "at": _AT, "place": {"lat": 40.0, "lon": 20.0}, "changes": _CHANGES},
    ),
}
"""Twelve programmes of each version."""


def digests_of(version: str, bank: Bank) -> list[dict[str, Any]]:
    """Return programme, identity and digests of PCM and viz, as kept in the golden files."""
    found = []
    for raw in PROGRAMMES[version]:
        asked = raw | {"modelVersions": {"audio": version}}
        programme = resolve(asked, Moment(0), ModelVersions())
        rendition = Rendition(programme, bank)
        digests = {str(k): rendition.segment(k).digest() for k in SEGMENTS}
        found.append(
            {
                "programme": programme.to_json(),
                "programmeId": programme.programme_id,
                "segments": digests,
            }
        )
    return found


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_a_published_model_plays_what_it_played(path: Path, banks: dict[str, Bank]) -> None:
    assert digests_of(path.stem, banks[path.stem]) == json.loads(path.read_text())


def test_every_version_has_its_golden_file() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(VERSIONS["audio"])


if __name__ == "__main__":
    chosen = sys.argv[1]
    made = digests_of(chosen, build_bank(AUDIO_MODELS[chosen].instruments))
    print(json.dumps(made, indent=1))
