"""The table of metrics: legal names, closed labels, and docs that list each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from astradio_stream.server.metrics import TABLE, Metrics, name_of

DOCS = Path(__file__).parent.parent / "docs" / "metrics.md"


def test_every_row_is_a_metric_of_the_page() -> None:
    metrics = Metrics()
    metrics.sessions.labels("done").inc()
    text, media_type = metrics.to_text()
    assert media_type.startswith("text/plain; version=0.0.4")
    names = {family.name for family in text_string_to_metric_families(text.decode())}
    assert {name_of(row) for row in TABLE} <= names
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


def test_many_at_once_are_counted_as_one_by_one() -> None:
    at_once, one_by_one = Metrics(), Metrics()
    for late_ns in (-5, 0, 999_999, 1_000_000, 1_000_001, 99_000_000, 100_000_000, 3 * 10**10):
        at_once.sent(late_ns, 700)
        one_by_one.quantum_lateness_seconds.observe(max(late_ns, 0) / 1e9)
        one_by_one.sent_bytes.inc(700)
    at_once.sent(250_000_000, 2_800, 4)
    for late_s in (0.25, 0.15, 0.05, 0.0):
        one_by_one.quantum_lateness_seconds.observe(late_s)
    one_by_one.sent_bytes.inc(2_800)
    at_once.flush()
    at_once.flush()

    def figures(metrics: Metrics) -> dict[str, float]:
        return {
            f"{sample.name}{sample.labels}": sample.value
            for family in metrics.registry.collect()
            for sample in family.samples
            if "lateness" in sample.name or "sent_bytes" in sample.name
            if not sample.name.endswith("_created")
        }

    assert figures(at_once) == pytest.approx(figures(one_by_one))
    assert figures(at_once)["astradio_quantum_lateness_seconds_count{}"] == 12


def test_the_docs_list_every_metric_and_its_label() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (\S+) \|", DOCS.read_text(), re.MULTILINE)
    written = {(name.removesuffix("_total"), kind, label.strip("`–")) for name, kind, label in rows}
    assert written == {(name_of(row), row.kind.__name__.lower(), row.label) for row in TABLE}


def test_milliseconds_are_counted_in_milliseconds() -> None:
    metrics = Metrics()
    metrics.compat_search_latency_ms.observe(20.0)
    value = metrics.registry.get_sample_value
    assert value("compat_search_latency_ms_bucket", {"le": "10.0"}) == 0
    assert value("compat_search_latency_ms_bucket", {"le": "25.0"}) == 1
