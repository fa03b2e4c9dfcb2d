"""A node's configuration: precedence of its sources, and invalid values."""

from pathlib import Path

import pytest

from edgewright.edge_runtime.config import NodeConfig, load_config
from edgewright.tools.errors import InputError


def _file(folder: Path, text: str) -> Path:
    path = folder / "node.yaml"
    path.write_text(text, "utf-8")
    return path


def test_explicit_wins_over_environment_over_file_over_default(tmp_path: Path) -> None:
    path = _file(tmp_path, "name: from-file\nport: 1\nslowdown: 4\n")
    environ = {"EDGEWRIGHT_NODE_PORT": "2", "EDGEWRIGHT_NODE_NAME": "from-environment"}
    config = load_config(path, overrides={"port": 3, "host": None}, environ=environ)
    assert (config.port, config.name, config.slowdown) == (3, "from-environment", 4.0)
    assert config.host == "127.0.0.1"


def test_environment_completes_the_peer_of_the_file(tmp_path: Path) -> None:
    path = _file(tmp_path, "peer: {url: 'http://edge:8761'}\n")
    config = load_config(path, environ={"EDGEWRIGHT_PEER_API_KEY": "secret"})
    assert config.peer is not None
    assert config.peer.api_key is not None
    assert config.peer.api_key.get_secret_value() == "secret"
    assert "secret" not in repr(config)


def test_environment_alone_makes_a_peer() -> None:
    config = load_config(None, environ={"EDGEWRIGHT_PEER_URL": "http://edge:8761"})
    assert config.peer is not None
    assert config.peer.url == "http://edge:8761"


def test_empty_file_means_defaults(tmp_path: Path) -> None:
    assert load_config(_file(tmp_path, ""), environ={}) == NodeConfig()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("host: 0.0.0.0", "keys"),
        ("host: example.org", "^host .* set 'keys'"),
        ("slowdown: 0.5", "slowdown"),
        ("nonsense: 1", "^unknown key 'nonsense'"),
        ("keys: [{name: a, sha256: xyz, scopes: [infer]}]", "keys.0.sha256"),
        ("role: edge\npeer: {url: 'http://edge:1'}", "cannot have a peer"),
        ("peer: {url: edge}", "peer.url"),
        ("- a list", "field: value"),
        ("a: [", "not valid YAML"),
    ],
)
def test_wrong_configuration_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        load_config(_file(tmp_path, text), environ={})
    assert raised.value.info().code == "invalid_config"


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        load_config(tmp_path / "missing.yaml", environ={})


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_loopback_needs_no_key(host: str) -> None:
    assert NodeConfig(host=host).host == host


def test_a_key_allows_other_addresses() -> None:
    key = {"name": "a", "sha256": "0" * 64, "scopes": ["infer"]}
    assert NodeConfig.model_validate({"host": "0.0.0.0", "keys": [key]}).host == "0.0.0.0"
