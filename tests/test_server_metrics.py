"""The table of metrics: legal names, closed labels, and docs that list each."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from astradio_stream.server.logfiles import tally
from astradio_stream.server.metrics import TABLE, Metrics
from astradio_stream.wire.messages import Report

DOCS = Path(__file__).parent.parent / "docs" / "metrics.md"


def test_every_row_is_a_metric_of_the_page() -> None:
    metrics = Metrics()
    metrics.sessions.labels("done").inc()
    text, media_type = metrics.to_text()
    assert media_type.startswith("text/plain; version=0.0.4")
    names = {family.name for family in text_string_to_metric_families(text.decode())}
    assert {row.exposed for row in TABLE} <= names
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


def test_pictures_reported_by_many_are_counted_as_one_by_one() -> None:
    at_once, one_by_one = Metrics(), Metrics()
    for fps in (0.0, 5.0, 5.01, 59.9, 60.0, 144.0, 1e6):
        at_once.reported(Report(0, 0, 0, fps, None, None))
        one_by_one.viz_fps_avg.observe(fps)
    at_once.flush()
    at_once.flush()

    def figures(metrics: Metrics) -> dict[tuple[str, str], float]:
        (family,) = [one for one in metrics.registry.collect() if "viz_fps" in one.name]
        return {
            (sample.name, sample.labels.get("le", "")): sample.value
            for sample in family.samples
            if not sample.name.endswith("_created")
        }

    assert figures(at_once) == pytest.approx(figures(one_by_one))
    assert figures(at_once)["astradio_viz_fps_avg_count", ""] == 7


def test_the_docs_list_every_metric_and_its_label() -> None:
    rows = re.findall(r"^\| `(astradio_\w+)` \| (\w+) \| (\S+) \|", DOCS.read_text(), re.MULTILINE)
    written = {(name.removesuffix("_total"), kind, label.strip("`–")) for name, kind, label in rows}
    assert written == {(row.exposed, row.kind.__name__.lower(), row.label) for row in TABLE}


def test_milliseconds_are_told_in_seconds() -> None:
    metrics = Metrics()
    metrics.compose_latency_ms.observe(1_500.0)
    value = metrics.registry.get_sample_value
    assert value("astradio_compose_latency_seconds_sum") == 1.5
    assert value("astradio_compose_latency_seconds_bucket", {"le": "1.5"}) == 1
    assert value("astradio_compose_latency_seconds_bucket", {"le": "1.0"}) == 0


def test_what_can_be_counted_is_told_before_it_happens() -> None:
    metrics = Metrics()
    value = metrics.registry.get_sample_value
    for code in ("RATE_LIMITED", "CSRF_FAILED"):
        assert value("astradio_errors_total", {"code": code}) == 0
    assert value("astradio_determinism_checks_total", {"result": "different"}) == 0
    metrics.answered(429, "RATE_LIMITED")
    metrics.answered(200, None)
    assert value("astradio_errors_total", {"code": "RATE_LIMITED"}) == 1
    assert value("astradio_http_responses_total", {"class": "4xx"}) == 1
    assert metrics.n_answered["4xx"] == metrics.n_answered["2xx"] == 1


def test_reports_of_pictures_are_counted() -> None:
    metrics = Metrics()
    for fps, init_ms in ((60.0, 12.0), (50.0, None), (None, None)):
        metrics.reported(Report(0, 0, 0, fps, init_ms, None))
    value = metrics.registry.get_sample_value
    metrics.flush()
    assert value("astradio_viz_fps_avg_sum") == 110.0
    assert value("astradio_viz_fps_avg_count") == 2
    assert value("astradio_viz_init_seconds_sum") == 0.012


def test_prometheus_finds_nothing_to_say_against_the_page(
    require_tool: Callable[[str], str],
) -> None:
    metrics = Metrics()
    for row in TABLE:
        if row.label and not row.values:
            getattr(metrics, row.name).labels("x")
    checked = subprocess.run(
        [require_tool("promtool"), "check", "metrics"],
        input=metrics.to_text()[0],
        capture_output=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_lines_that_were_lost_are_counted() -> None:
    metrics = Metrics()
    metrics.flush()
    before = metrics.registry.get_sample_value("astradio_log_lines_lost_total") or 0
    tally.n_lost += 2
    metrics.flush()
    assert metrics.registry.get_sample_value("astradio_log_lines_lost_total") == before + 2
