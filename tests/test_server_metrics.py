"""The table of metrics: legal names, closed labels, and docs that list each."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from astradio_stream.server.metrics import TABLE, Metrics

DOCS = Path(__file__).parent.parent / "docs" / "metrics.md"


def test_every_row_is_a_metric_of_the_page() -> None:
    metrics = Metrics()
    metrics.sessions.labels("done").inc()
    text, media_type = metrics.to_text()
    assert media_type.startswith("text/plain; version=0.0.4")
    names = {family.name for family in text_string_to_metric_families(text.decode())}
    assert {f"astradio_{row.name}" for row in TABLE} <= names
    assert "process_resident_memory_bytes" in names


def test_names_are_legal_and_fields_exist() -> None:
    for row in TABLE:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", row.name)
        assert row.name in Metrics.__annotations__
    assert len(Metrics.__annotations__) == len(TABLE)


def test_two_apps_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.sent_bytes.inc(5)
    assert other.registry.get_sample_value("astradio_sent_bytes_total") == 0


def test_the_docs_list_every_metric_and_its_label() -> None:
    rows = re.findall(r"^\| `astradio_(\w+)` \| (\w+) \| (\S+) \|", DOCS.read_text(), re.MULTILINE)
    written = {(name.removesuffix("_total"), kind, label.strip("`–")) for name, kind, label in rows}
    assert written == {(row.name, row.kind.__name__.lower(), row.label) for row in TABLE}
