"""The search of several processes: all alike at once, and equal to the store after a crash."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path
from typing import Any

import httpx

from astradio_stream.store.database import FILE_NAME
from tests.processes import running
from tests.test_server_compat import ASKER, birth, ids, ranked, search, tenths
from tests.visitor import Visitor


def micro(match: dict[str, Any]) -> int:
    return round(match["score"] * 1e6)


def assert_search_is(url: str, charts: dict[str, dict[str, Any]]) -> None:
    """Check that the search finds exactly these charts, in the order of the full scorer."""
    expected = ranked({key: tenths(each) for key, each in charts.items()}, tenths(ASKER), "overall")
    found: list[tuple[str, int]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = search(url, limit=60, cursor=cursor)
        assert page["searched"] == len(charts)
        found += [(match["chartId"], micro(match)) for match in page["matches"]]
        cursor = page["nextCursor"]
    assert found == expected


def saved_in(data_dir: Path) -> dict[str, dict[str, Any]]:
    """Return the public charts of a database."""
    with contextlib.closing(sqlite3.connect(data_dir / FILE_NAME)) as connection:
        rows = connection.execute(
            "SELECT id, datetime, tz, lat_deg, lon_deg FROM charts WHERE visibility = 'public'"
        ).fetchall()
    return {
        row[0]: dict(zip(("datetime", "tz", "lat", "lon"), row[1:], strict=True)) for row in rows
    }


def own_data(tmp_path: Path, data_dir: Path) -> Path:
    """Return a data directory of one's own with the banks that are made already."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "banks").symlink_to(data_dir / "banks")
    return data


def test_the_index_is_the_store_after_a_crash(tmp_path: Path, data_dir: Path) -> None:
    data = own_data(tmp_path, data_dir)
    with running(tmp_path / "run", data, RATE_LIMIT_MAX="1000000") as server:
        visitor = Visitor(server.url)
        assert visitor.register().status_code == 201
        acknowledged: dict[str, str] = {}
        enough = threading.Event()

        def write() -> None:
            for n in range(10_000):
                with contextlib.suppress(httpx.TransportError):
                    chart_id = visitor.save(**birth(n), visibility="public")
                    acknowledged[chart_id] = "public"
                    if n % 3 == 0:
                        path = f"/api/charts/{chart_id}"
                        visitor.send("PATCH", path, {"visibility": "private"})
                        acknowledged[chart_id] = "private"
                    if n == 30:
                        enough.set()
                    continue
                return

        writer = threading.Thread(target=write)
        writer.start()
        assert enough.wait(120)
        server.process.kill()
        writer.join()
        visitor.client.close()
    with running(tmp_path / "run", data, RATE_LIMIT_MAX="1000000") as server:
        public = saved_in(data)
        assert {key for key, state in acknowledged.items() if state == "public"} <= public.keys()
        assert (
            not {key for key, state in acknowledged.items() if state == "private"} & public.keys()
        )
        assert_search_is(server.url, public)


def test_every_process_sees_every_change_at_once(tmp_path: Path, data_dir: Path) -> None:
    data = own_data(tmp_path, data_dir)
    with running(tmp_path / "run", data, "--workers", "2", RATE_LIMIT_MAX="1000000") as server:
        visitor = Visitor(server.url)
        assert visitor.register().status_code == 201

        def everywhere() -> list[list[str]]:
            return [ids(search(server.url)) for _ in range(8)]  # a connection each

        assert everywhere() == [[]] * 8
        chart_id = visitor.save(visibility="public")
        assert everywhere() == [[chart_id]] * 8
        visitor.send("PATCH", f"/api/charts/{chart_id}", {"visibility": "private"})
        assert everywhere() == [[]] * 8
        visitor.send("PATCH", f"/api/charts/{chart_id}", {"visibility": "public"})
        assert everywhere() == [[chart_id]] * 8
        assert visitor.send("DELETE", "/api/account").status_code == 204
        assert everywhere() == [[]] * 8
        visitor.client.close()
        server.process.terminate()  # the parent takes its workers with it
        server.process.wait(60)
