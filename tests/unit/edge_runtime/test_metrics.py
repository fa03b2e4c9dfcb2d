"""Metrics: names in base units, bounded labels, and a dashboard that asks for what there is."""

import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from edgewright.edge_runtime.config import NodeConfig
from edgewright.edge_runtime.metrics import Metrics
from edgewright.edge_runtime.workers.pool import WorkerPool
from edgewright.tools.contracts.arms import LinkState

ROOT = Path(__file__).parents[3]
DASHBOARD = json.loads((ROOT / "deploy/grafana/edgewright.json").read_text("utf-8"))
PAGE = (ROOT / "docs/how-to/operate.md").read_text("utf-8")


@pytest.fixture(scope="module")
def metrics():
    """The metrics of a node with one model, after one call of each sort."""
    made = Metrics(WorkerPool.from_config(NodeConfig(), ["m"]), "device")
    made.requests("/v1/tools", "200").inc()
    made.seconds("/v1/tools").observe(0.1)
    made.arms("device-only", "").inc()
    made.bytes_up("edge").inc(10)
    made.bytes_down("edge").inc(10)
    made.link("edge", LinkState(rate_kb_per_s=100, rtt_ms=20, samples=1, up=True))
    made.fallbacks("link_broken").inc()
    made.spent({"head": 12.0, "upload": 3.0, "edge_tail": 4.0, "edge_invented": 1.0}, 0.5)
    return made


@pytest.fixture(scope="module")
def families(metrics):
    read = text_string_to_metric_families(metrics.render().decode())
    # The client adds when each counter began.
    return {one.name: one for one in read if not one.name.endswith("_created")}


def samples(families):
    return {sample.name: set(sample.labels) for one in families.values() for sample in one.samples}


def test_costs_are_counted_in_seconds_and_joules(families):
    stages = {
        sample.labels["stage"]: sample.value
        for sample in families["edgewright_stage_seconds"].samples
        if sample.name.endswith("_sum")
    }
    assert stages == {"head": 0.012, "upload": 0.003, "peer": 0.005}
    (energy,) = (
        sample.value
        for sample in families["edgewright_energy_joules"].samples
        if sample.name.endswith("_total")
    )
    assert energy == 0.5
    (built,) = families["edgewright_build_info"].samples
    assert (built.value, built.labels["role"]) == (1, "device")


def test_names_are_in_base_units(families):
    own = [name for name in families if name.startswith("edgewright_")]
    assert own
    assert not [name for name in own if re.search(r"_(ms|kb|kilobytes|milliseconds|mj)(_|$)", name)]
    for name in own:
        assert families[name].documentation
        if families[name].type == "counter":
            assert f"{name}_total" in samples(families)


def test_the_dashboard_asks_for_metrics_and_labels_that_exist(families):
    known = samples(families)
    queries = [
        (target["expr"], target.get("legendFormat", ""))
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
    ]
    shown = set()
    for query, legend in queries:
        names = re.findall(r"\b(?:edgewright|process)_[a-z_]+", query)
        assert names, query
        assert set(names) <= set(known), query
        shown |= set(names)
        # Prometheus adds the instance itself.
        labels = set().union(*(known[name] for name in names)) | {"instance"}
        grouped = {
            each.strip() for by in re.findall(r"by \(([^)]*)\)", query) for each in by.split(",")
        }
        asked = (
            grouped | set(re.findall(r"[{,](\w+)=", query)) | set(re.findall(r"{{(\w+)}}", legend))
        )
        assert asked <= labels, query
    lacking = {
        name
        for name in families
        if name.startswith("edgewright_") and not any(one.startswith(name) for one in shown)
    }
    assert not lacking


def test_the_page_describes_every_metric(families):
    described = set(re.findall(r"^\| `(edgewright_\w+)`", PAGE, re.M))
    there = {
        f"{name}_total" if one.type == "counter" else name
        for name, one in families.items()
        if name.startswith("edgewright_")
    }
    assert described == there


def test_the_scrape_names_what_is_served():
    scrape = yaml.safe_load((ROOT / "deploy/grafana/prometheus.yaml").read_text("utf-8"))
    (job,) = scrape["scrape_configs"]
    assert job["metrics_path"] == "/metrics"
    (targets,) = job["static_configs"]
    assert f"127.0.0.1:{NodeConfig().port}" in targets["targets"]
