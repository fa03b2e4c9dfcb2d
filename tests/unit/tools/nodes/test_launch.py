"""Failures to start a node."""

import time

import pytest

from edgewright.tools.errors import UnavailableError
from edgewright.tools.nodes.launch import launch_node


async def test_a_node_that_cannot_start_reports_the_reason(tmp_path):
    log = tmp_path / "node.log"
    with pytest.raises(UnavailableError, match="slowdown") as raised:
        async with launch_node({"slowdown": 0}, log=log):
            pass
    assert raised.value.info().code == "node_not_started"
    assert "slowdown" in log.read_text("utf-8")


def test_a_node_that_is_not_ready_in_time_is_stopped():
    node = launch_node({"port": 0}, timeout_s=0.05)
    started = time.monotonic()
    with pytest.raises(UnavailableError) as raised, node:
        pass
    assert raised.value.info().code == "node_not_ready"
    assert time.monotonic() - started < 15
    assert node.returncode is not None


def test_a_node_that_was_never_started_can_be_stopped():
    node = launch_node({"port": 0})
    node.stop()
    node.kill()
    assert node.returncode is None


def test_a_configuration_file_is_used_unchanged(tmp_path):
    path = tmp_path / "node.yaml"
    path.write_text("nonsense: 1\n", "utf-8")
    with pytest.raises(UnavailableError, match="nonsense"), launch_node(path):
        pass
    assert [entry.name for entry in tmp_path.iterdir()] == ["node.yaml"]
