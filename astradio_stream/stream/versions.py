"""The versions of everything that decides what a programme sounds and looks like."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

VERSIONS: Final = {
    "audio": ("v1.0", "v1.1"),
    "text": ("v1.0",),
    "viz": ("v1.0",),
    "matching": ("v1.0",),
}
"""Versions this server plays, oldest first, by model. None is ever changed, only added."""


@dataclass(frozen=True, slots=True)
class ModelVersions:
    """One version of each model."""

    audio: str = VERSIONS["audio"][-1]
    """How it is composed and how it sounds."""
    text: str = VERSIONS["text"][-1]
    """How it is told in words."""
    viz: str = VERSIONS["viz"][-1]
    """Which parameters the picture gets."""
    matching: str = VERSIONS["matching"][-1]
    """How charts are compared."""

    def to_json(self) -> dict[str, str]:
        """Return `modelVersions`."""
        return asdict(self)
