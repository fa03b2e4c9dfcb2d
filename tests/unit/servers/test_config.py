"""The configuration fails closed."""

import pytest

from edgewright.edge_runtime.keys import new_key
from edgewright.servers.config import ServeConfig, load_config
from edgewright.tools.errors import InputError


def test_the_defaults_are_for_this_machine_alone():
    config = load_config(None, environ={})
    assert (config.host, config.port) == ("127.0.0.1", 8770)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.20", "example.org"])
def test_other_machines_are_let_in_with_keys_or_tls_only(host):
    with pytest.raises(InputError, match="set 'keys' or 'tls'") as caught:
        load_config(None, overrides={"host": host}, environ={})
    assert caught.value.info().code == "invalid_config"
    with pytest.raises(InputError, match="other machines"):
        load_config(None, environ={"EDGEWRIGHT_SERVE_HOST": host})
    keys = [{"name": "a", "sha256": new_key()[1], "scopes": ["infer"]}]
    assert ServeConfig(host=host, keys=keys).host == host
    tls = {"certificate": "a.pem", "private_key": "b.pem"}
    assert ServeConfig(host=host, tls=tls).host == host


def test_arguments_come_before_variables_and_those_before_the_file(tmp_path):
    file = tmp_path / "serve.yaml"
    file.write_text("host: localhost\nport: 1\nlimits: {concurrency: 3}\n")
    environ = {"EDGEWRIGHT_SERVE_CONFIG": str(file), "EDGEWRIGHT_SERVE_PORT": "2"}
    config = load_config(None, overrides={"host": "::1", "port": None}, environ=environ)
    assert (config.host, config.port, config.limits.concurrency) == ("::1", 2, 3)
    keys = "[{name: a, sha256: " + "ab" * 32 + ", scopes: [infer]}]"
    config = load_config(None, environ={"EDGEWRIGHT_SERVE_KEYS": keys})
    assert config.keys[0].scopes == {"infer"}
    with pytest.raises(InputError, match="unknown key 'colour'"):
        load_config(None, overrides={"colour": "red"}, environ={})
