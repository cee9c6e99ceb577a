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
PROGRAMMES: tuple[dict[str, Any], ...] = (
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


def digests_of(version: str, bank: Bank) -> list[dict[str, Any]]:
    """Return programme, identity and digests of PCM and viz, as kept in the golden files."""
    found = []
    for raw in PROGRAMMES:
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
