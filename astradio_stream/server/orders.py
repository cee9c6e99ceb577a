"""An order: which piece somebody wants. Everything about the piece follows from it and the build.

It is read from the body of a request, and kept as a few hundred bytes of JSON from which the piece
can be made again at any time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import rfc8785

from astradio_stream.errors import ValidationFailed
from astradio_stream.fields import number
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.charts import plain_number
from astradio_stream.stream.piece import Span
from astradio_stream.stream.programme import Programme, mistakes_of, resolve
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.units import samples_to_seconds, seconds_to_samples

if TYPE_CHECKING:
    from astradio_stream.fields import Details

DEFAULT_DURATION_S: Final = 60
SHORTEST_S: Final = 1
LONGEST_S: Final = 600


@dataclass(frozen=True)
class Order:
    """Which piece: a programme from its beginning on."""

    programme: Programme
    """What is played."""
    n_samples: int
    """How long."""

    @property
    def span(self) -> Span:
        """The piece in sample indices."""
        return Span(0, self.n_samples)

    @property
    def duration_s(self) -> float:
        """How long (seconds)."""
        return samples_to_seconds(self.n_samples)

    @cached_property
    def id(self) -> str:
        """SHA-256 of its canonical JSON."""
        return sha256(rfc8785.dumps(self.to_json())).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return what `order_from_json` reads."""
        return {
            "programme": self.programme.to_json(),
            "durationS": plain_number(self.duration_s),
        }


def read_order(fields: dict[str, Any], now: Moment, defaults: ModelVersions) -> Order:
    """Return the order in a request: the fields of a programme, and `durationS`.

    Args:
        fields: The body, as parsed. Names that the contract does not know are ignored.
        now: The moment of the request; its whole minute is the default of `at`.
        defaults: Versions to use where the client names none.

    Raises:
        ValidationFailed: fields are wrong; all of them are named.
        NotFound: there is no such station.
    """
    details: Details = []
    duration_s = _duration_s(fields, details)
    if details:
        raise ValidationFailed([*mistakes_of(fields, defaults), *details])
    return Order(resolve(fields, now, defaults), seconds_to_samples(duration_s))


def require_readable(fields: dict[str, Any], defaults: ModelVersions) -> None:
    """Find mistakes in a request before anything that it names is looked up.

    Raises:
        ValidationFailed: fields are wrong; all of them are named.
    """
    details: Details = []
    _duration_s(fields, details)
    if mistakes := [*mistakes_of(fields, defaults), *details]:
        raise ValidationFailed(mistakes)


def order_from_json(kept: dict[str, Any]) -> Order:
    """Return an order that was kept; the models that it was made with are played, or none.

    Raises:
        NotFound: it names a saved chart that was not looked up.
    """
    programme = dict(kept["programme"])
    versions = ModelVersions(**programme.pop("modelVersions"))
    return Order(resolve(programme, Moment(0), versions), seconds_to_samples(kept["durationS"]))


def _duration_s(fields: dict[str, Any], details: Details) -> float:
    read = number(SHORTEST_S, LONGEST_S)
    duration_s: float = read(fields.get("durationS", DEFAULT_DURATION_S), "durationS", details)
    return duration_s
