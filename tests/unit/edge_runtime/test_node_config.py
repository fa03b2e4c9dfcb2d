"""A node's configuration: precedence of its sources, and invalid values."""

from pathlib import Path

import pytest

from edgewright.edge_runtime.config import NodeConfig, load_config, masked
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
    path = _file(tmp_path, "peers: [{url: 'http://edge:8761'}]\n")
    config = load_config(path, environ={"EDGEWRIGHT_PEER_API_KEY": "secret"})
    assert config.peers[0].api_key is not None
    assert config.peers[0].api_key.get_secret_value() == "secret"
    assert "secret" not in repr(config)


def test_environment_alone_makes_a_peer() -> None:
    config = load_config(None, environ={"EDGEWRIGHT_PEER_URL": "http://edge:8761"})
    assert config.peers[0].url == "http://edge:8761"


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
        ("role: cloud\npeers: [{url: 'http://edge:1'}]", "cannot have peers"),
        ("peers: [{url: 'http://a:1'}, {url: 'http://b:1'}]", "two peers are named 'edge'"),
        ("peer: {url: 'http://edge:1'}", "'peer' is now the list 'peers'"),
        ("peers: [{url: edge}]", "peers.0.url"),
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


# -- secret files ----------------------------------------------------------------------------------


def test_a_secret_comes_from_the_file_that_its_variable_names(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret\n")
    environ = {
        "EDGEWRIGHT_PEER_URL": "http://edge:8761",
        "EDGEWRIGHT_PEER_API_KEY_FILE": str(tmp_path / "key"),
    }
    config = load_config(None, environ=environ)
    assert config.peers[0].api_key is not None
    assert config.peers[0].api_key.get_secret_value() == "secret"


def test_keys_and_role_come_from_the_environment(tmp_path: Path) -> None:
    path = _file(tmp_path, f"- {{name: garden, sha256: {'ab' * 32}, scopes: [infer]}}\n")
    environ = {
        "EDGEWRIGHT_NODE_ROLE": "edge",
        "EDGEWRIGHT_NODE_HOST": "0.0.0.0",
        "EDGEWRIGHT_NODE_KEYS_FILE": str(path),
    }
    config = load_config(None, environ=environ)
    assert config.role == "edge"
    assert [key.name for key in config.keys] == ["garden"]
    environ["EDGEWRIGHT_NODE_KEYS"] = path.read_text()
    del environ["EDGEWRIGHT_NODE_KEYS_FILE"]
    assert load_config(None, environ=environ) == config


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"EDGEWRIGHT_NODE_NAME": "a", "EDGEWRIGHT_NODE_NAME_FILE": "b"}, "unset one"),
        ({"EDGEWRIGHT_NODE_NAME_FILE": "/nowhere/name"}, "EDGEWRIGHT_NODE_NAME_FILE"),
        ({"EDGEWRIGHT_NODE_NAME_FILE": __file__.rpartition("/")[0]}, "Is a directory|folder"),
        ({"EDGEWRIGHT_NODE_KEYS": "a: ["}, "EDGEWRIGHT_NODE_KEYS is not valid YAML"),
        ({"EDGEWRIGHT_NODE_CONFIG": "/nowhere/node.yaml"}, "cannot read"),
    ],
)
def test_a_wrong_variable_is_named(environ: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_config(None, environ=environ)


def test_the_file_may_be_named_by_the_environment(tmp_path: Path) -> None:
    environ = {"EDGEWRIGHT_NODE_CONFIG": str(_file(tmp_path, "name: garden"))}
    assert load_config(None, environ=environ).name == "garden"
    other = tmp_path / "other.yaml"
    other.write_text("name: other")
    assert load_config(other, environ=environ).name == "other"


def test_the_effective_configuration_is_shown_without_secrets(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        "peers: [{url: 'https://user:secret@edge:8761', api_key: secret, ca: edge.pem}]\n"
        f"keys: [{{name: a, sha256: {'ab' * 32}, scopes: [infer, admin]}}]\n"
        "environment: {EDGEWRIGHT_VIT: /srv/vit, HF_TOKEN: secret,"
        " HTTPS_PROXY: 'http://user:secret@proxy'}\n",
    )
    values = masked(load_config(path, overrides={"port": 9}, environ={}))
    assert "secret" not in str(values)
    assert values["port"] == 9
    assert values["peers"][0]["ca"] == "edge.pem"
    assert values["keys"][0]["scopes"] == ["admin", "infer"]
    assert values["environment"]["EDGEWRIGHT_VIT"] == "/srv/vit"
