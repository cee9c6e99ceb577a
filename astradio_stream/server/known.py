"""The programmes that a `programmeId` alone may name: the last ones that were asked for here.

A programme of five hundred changes is large, so they are kept as compressed JSON and bounded by
bytes; `resolve` makes the same programme of it again, which is what it promises. One that names
saved charts is kept as it is: what it is written as does not tell the births that it plays.
"""

from __future__ import annotations

import json
import zlib
from collections import OrderedDict
from typing import Final

from astradio_stream.errors import NotFound
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.programme import Programme, resolve
from astradio_stream.stream.versions import ModelVersions

KNOWN_BYTES: Final = 6_000_000
"""About ten thousand programmes that nobody has steered, or a thousand that were steered often."""
_OVERHEAD_BYTES: Final = 300
"""Of one entry: its id, two objects, its place in the table."""
_LOOSE: Final = 16
"""How many times larger a programme is than what it packs into."""


class KnownProgrammes:
    """Programmes by id, least recently named out first."""

    def __init__(self, most_bytes: int = KNOWN_BYTES) -> None:
        """Keep up to `most_bytes` of them."""
        self._most_bytes = most_bytes
        self._kept: OrderedDict[str, tuple[bytes | Programme, int]] = OrderedDict()
        self._n_bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def remember(self, programme: Programme) -> None:
        """Keep a programme."""
        key = programme.programme_id
        if key not in self._kept:
            packed = zlib.compress(json.dumps(programme.to_json()).encode(), 1)
            is_veiled = bool(programme.saved_charts)
            n_bytes = _OVERHEAD_BYTES + len(packed) * (_LOOSE if is_veiled else 1)
            self._kept[key] = (programme if is_veiled else packed, n_bytes)
            self._n_bytes += n_bytes
            while self._n_bytes > self._most_bytes and len(self._kept) > 1:
                _, (_, n_oldest) = self._kept.popitem(last=False)
                self._n_bytes -= n_oldest
        self._kept.move_to_end(key)

    def recall(self, programme_id: str) -> Programme:
        """Return a programme.

        Raises:
            NotFound: no programme of this id was asked for here lately.
        """
        found = self._kept.get(programme_id)
        if found is None:
            raise NotFound("this server does not know the programmeId; send the programme itself")
        self._kept.move_to_end(programme_id)
        kept, _ = found
        if isinstance(kept, Programme):
            return kept
        written = json.loads(zlib.decompress(kept))
        return resolve(written, Moment(0), ModelVersions())  # it names every default itself
