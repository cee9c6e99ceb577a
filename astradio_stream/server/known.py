"""The programmes that a `programmeId` alone may name: the last ones that were asked for here.

A programme of five hundred changes is large, so they are kept as compressed JSON and bounded by
bytes; `resolve` makes the same programme of it again, which is what it promises.
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


class KnownProgrammes:
    """Programmes by id, least recently named out first."""

    def __init__(self, most_bytes: int = KNOWN_BYTES) -> None:
        """Keep up to `most_bytes` of them."""
        self._most_bytes = most_bytes
        self._packed: OrderedDict[str, bytes] = OrderedDict()
        self._n_bytes = 0

    def __len__(self) -> int:
        return len(self._packed)

    def remember(self, programme: Programme) -> None:
        """Keep a programme."""
        key = programme.programme_id
        if key not in self._packed:
            packed = zlib.compress(json.dumps(programme.to_json()).encode(), 1)
            self._packed[key] = packed
            self._n_bytes += _OVERHEAD_BYTES + len(packed)
            while self._n_bytes > self._most_bytes and len(self._packed) > 1:
                _, oldest = self._packed.popitem(last=False)
                self._n_bytes -= _OVERHEAD_BYTES + len(oldest)
        self._packed.move_to_end(key)

    def recall(self, programme_id: str) -> Programme:
        """Return a programme.

        Raises:
            NotFound: no programme of this id was asked for here lately.
        """
        packed = self._packed.get(programme_id)
        if packed is None:
            raise NotFound("this server does not know the programmeId; send the programme itself")
        self._packed.move_to_end(programme_id)
        written = json.loads(zlib.decompress(packed))
        return resolve(written, Moment(0), ModelVersions())  # it names every default itself
