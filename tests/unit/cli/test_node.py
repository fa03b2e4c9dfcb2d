"""``edgewright node --print-config``."""

import json
from pathlib import Path

import yaml

from edgewright.edge_runtime.config import load_config

ROOT = Path(__file__).parents[3]


def test_what_is_printed_is_a_configuration(edgewright, tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEWRIGHT_NODE_NAME", "garden")
    given = ("node", "--config", ROOT / "examples/edge.yaml", "--port", 9, "--print-config")
    printed = edgewright(*given)
    assert printed.exit_code == 0
    (tmp_path / "effective.yaml").write_text(printed.stdout)
    config = load_config(tmp_path / "effective.yaml", environ={})
    assert (config.name, config.role, config.port) == ("garden", "edge", 9)
    assert json.loads(edgewright(*given, "--json").stdout) == yaml.safe_load(printed.stdout)


def test_a_wrong_configuration_is_an_error(edgewright, error_of):
    result = edgewright("node", "--print-config", "--json", "--host", "0.0.0.0")
    assert result.exit_code == 2
    assert error_of(result)["code"] == "invalid_config"
