"""Rules and dashboard: legal, about metrics that there are, each alert seen to fire and not to."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from prometheus_client import Gauge, Histogram

from astradio_stream.server.metrics import TABLE

ROOT = Path(__file__).parent.parent
OPS = ROOT / "ops" / "prometheus"
RULES = OPS / "rules.yml"
STORIES = OPS / "rules_test.yml"
DASHBOARD = ROOT / "ops" / "grafana" / "astradio.json"


def series() -> set[str]:
    """Return every name that the page of metrics can have."""
    found = set()
    for row in TABLE:
        if row.kind is Histogram:
            found |= {f"{row.exposed}_{part}" for part in ("bucket", "sum", "count")}
        else:
            found.add(row.exposed if row.kind is Gauge else f"{row.exposed}_total")
    return found


def named_in(text: str) -> set[str]:
    return set(re.findall(r"\bastradio_\w+", text))


def recorded() -> set[str]:
    return set(re.findall(r"- record: (\w+)", RULES.read_text()))


def alerts() -> list[str]:
    return re.findall(r"- alert: (\w+)", RULES.read_text())


def test_prometheus_takes_the_files(require_tool: Callable[[str], str]) -> None:
    tool = require_tool("promtool")
    for what, path in (("rules", RULES), ("config", OPS / "prometheus.yml")):
        checked = subprocess.run([tool, "check", what, path], capture_output=True, check=False)
        assert checked.returncode == 0, checked.stderr


def test_each_alert_fires_and_keeps_still_as_told(require_tool: Callable[[str], str]) -> None:
    tool = require_tool("promtool")
    told = subprocess.run([tool, "test", "rules", STORIES], capture_output=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


def test_each_alert_has_both_stories() -> None:
    text = STORIES.read_text()
    for alert in alerts():
        assert f"- name: {alert} fires\n" in text
        assert f"- name: {alert} does not fire\n" in text


def test_rules_are_about_metrics_that_there_are() -> None:
    assert named_in(RULES.read_text()) <= series()


def test_the_names_that_people_use_are_recorded_and_documented() -> None:
    docs = (ROOT / "docs" / "metrics.md").read_text()
    table = docs[docs.index("| rule | what |") :]
    assert set(re.findall(r"`((?:\w+_ms|viz_fps_avg|http_\w+_rate))`", table)) == recorded()


def test_each_alert_leads_to_its_place_in_the_runbook() -> None:
    runbook = (ROOT / "RUNBOOK.md").read_text()
    places = {heading.lower() for heading in re.findall(r"^### (\w+)$", runbook, re.MULTILINE)}
    for alert in alerts():
        assert f'runbook: "RUNBOOK.md#{alert.lower()}"' in RULES.read_text()
        assert alert.lower() in places


def test_the_dashboard_shows_what_there_is_and_all_of_it() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    named = set().union(*map(named_in, asked))
    assert named <= series()
    unseen = {row.exposed for row in TABLE if not any(row.exposed in name for name in named)}
    # These the dashboard shows by the names that the rules record.
    through_rules = {row.exposed for row in TABLE if row.exposed in RULES.read_text()}
    assert unseen <= through_rules
    for name in recorded():
        assert any(re.search(rf"\b{name}\b", expression) for expression in asked), name


def test_the_dashboard_is_one_that_grafana_reads() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    assert {"title", "uid", "schemaVersion", "templating", "time"} <= dashboard.keys()
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, "panels lie over one another"
        assert max(x for x, _ in cells) < 24
        taken |= cells
        assert panel["title"]
        assert all(target["expr"] and target["refId"] for target in panel["targets"])
