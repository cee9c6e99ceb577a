"""Two servers that never heard of each other: the same station, sample for sample."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from astradio_stream.units import QUANTUM_SAMPLES
from tests.listener import listening
from tests.processes import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator

N_COMMON = 30
"""Quanta that both listeners must have heard."""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Running]]:
    """Two processes with nothing in common: each has made its own note banks."""
    with ExitStack() as stack:
        started = []
        for name in ("a", "b"):
            folder = tmp_path_factory.mktemp(name)
            started.append(stack.enter_context(running(folder, folder / "data")))
        yield started


def test_each_server_has_its_own_data(servers: list[Running]) -> None:
    banks = [sorted((server.log_file.parent / "data" / "banks").iterdir()) for server in servers]
    assert [path.name for path in banks[0]] == [path.name for path in banks[1]] != []
    assert not any(mine.samefile(theirs) for mine, theirs in zip(*banks, strict=True))


@pytest.mark.parametrize("station", ["now", "now-jazz"])
def test_two_servers_play_the_same_station(servers: list[Running], station: str) -> None:
    programme = {"station": station}
    one_url, other_url = (server.ws_url for server in servers)
    with listening(one_url, programme) as one, listening(other_url, programme) as other:
        assert one.ready["programmeId"] == other.ready["programmeId"]
        assert one.ready["sessionId"] != other.ready["sessionId"]
        assert one.ready["viz"] == other.ready["viz"]

        def n_common() -> int:
            return (min(one.end, other.end) - max(one.first, other.first)) // QUANTUM_SAMPLES

        while n_common() < N_COMMON:
            for listener in (one, other):
                listener.take_quanta(1)
        assert one.skipped == other.skipped == []
        heard = [{quantum.index: quantum for quantum in by.received} for by in (one, other)]
    common = sorted(heard[0].keys() & heard[1].keys())
    assert len(common) == n_common()
    for index in common:
        mine, theirs = (quanta[index] for quanta in heard)
        assert mine.crc32 == theirs.crc32
        assert mine.viz_frames == theirs.viz_frames
        assert len(mine.viz_frames) == 6
        assert mine.packets == theirs.packets  # there is one build of libopus here
    assert len({heard[0][index].crc32 for index in common}) == len(common)  # it is no silence
