"""``edgewright doctor``."""

import json
import sqlite3

import pytest

from edgewright.cli.commands import checks
from edgewright.cli.extras import UNCHECKED, extras
from edgewright.tools.codecs import entropy


@pytest.fixture
def examined(edgewright):
    def run():
        result = edgewright("doctor", "--json")
        report = json.loads(result.stdout)
        assert result.exit_code == (0 if report["ok"] else 1)
        return {check["name"]: check for check in report["checks"]}

    return run


def test_a_complete_machine(examined, edgewright):
    found = examined()
    assert found["python"]["state"] == "ok"
    assert found["state folder"]["state"] == "ok"
    assert found["expert efficientnet-lite0-classifier"]["state"] == "ok"
    assert "EDGEWRIGHT_VIT" in found["expert vit-classifier"]["fix"]
    assert "private" in found["device node"]["detail"]
    assert "device node" in edgewright("doctor").stdout


def test_an_entropy_coder_that_is_not_compiled(examined, monkeypatch):
    assert examined()["entropy coder"]["detail"] == "compiled"
    monkeypatch.setattr(entropy, "COMPILED", False)
    found = examined()["entropy coder"]
    assert found["state"] == "note"
    assert "C compiler" in found["fix"]


def test_a_missing_extra_names_its_command(examined, monkeypatch):
    required = {"agent": ("langgraph", "no-such-package"), "codec": ("no-such-package",)}
    monkeypatch.setattr(checks, "extras", lambda: required)
    found = examined()
    assert found["extra agent"]["state"] == "note"
    assert (
        found["extra agent"]["detail"] == "for plan, ask, chat and train; missing: no-such-package"
    )
    assert found["extra agent"]["fix"] == "pip install 'edgewright[agent]'"
    assert found["extra codec"]["state"] == "note"


def test_a_machine_needs_one_engine(examined, monkeypatch):
    assert "ONNX Runtime" in examined()["engine"]["detail"]
    monkeypatch.setattr(checks, "_ENGINES", {"no-such-package": "No engine"})
    assert examined()["engine"]["state"] == "problem"
    assert examined()["engine"]["fix"] == "pip install 'edgewright[onnx]'"


def test_every_extra_has_a_purpose():
    assert set(checks.PURPOSES) == set(extras()) - set(UNCHECKED)


def test_a_python_that_is_too_new(examined, monkeypatch):
    monkeypatch.setattr(checks, "_PYTHONS", ((2, 7),))
    assert examined()["python"]["state"] == "problem"


def test_a_state_folder_that_cannot_be_created(examined, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path / "file" / "state"))
    assert "EDGEWRIGHT_HOME" in examined()["state folder"]["fix"]


def test_too_little_space(examined, monkeypatch):
    monkeypatch.setattr(checks, "_MIN_FREE_BYTES", 1 << 62)
    assert examined()["state folder"]["state"] == "problem"


def test_threads_that_another_program_holds(examined, tmp_path):
    path = tmp_path / "state" / "threads.sqlite"
    path.parent.mkdir(exist_ok=True)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("CREATE TABLE a (b)")
    assert examined()["threads"]["state"] == "ok"
    other.execute("BEGIN EXCLUSIVE")
    try:
        assert "another program" in examined()["threads"]["detail"]
    finally:
        other.close()


def test_a_chat_model_that_cannot_be_reached(examined, monkeypatch):
    monkeypatch.setenv("EDGEWRIGHT_CHAT_MODEL", "some-model")
    monkeypatch.setenv("OPENAI_BASE_URL", "ftp://nowhere")
    assert examined()["chat model"]["state"] == "problem"
    assert "OPENAI_BASE_URL" in examined()["chat model"]["fix"]


def test_no_password_of_a_url_is_shown(edgewright, monkeypatch):
    url = "http://me:s3cret@127.0.0.1:x"
    monkeypatch.setenv("EDGEWRIGHT_CHAT_MODEL", "some-model")
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    result = edgewright("doctor", "--json", "--node", url)
    checks = {check["name"]: check for check in json.loads(result.stdout)["checks"]}
    assert checks["chat model"]["state"] == checks["device node"]["state"] == "problem"
    assert "s3cret" not in result.stdout + result.stderr


def test_each_of_several_nodes_is_checked(edgewright):
    result = edgewright("doctor", "--json", "--node", "http://127.0.0.1:x, http://127.0.0.2:x,")
    checks = json.loads(result.stdout)["checks"]
    details = [check["detail"] for check in checks if check["name"] == "device node"]
    assert ["127.0.0.1:x" in details[0], "127.0.0.2:x" in details[1]] == [True, True]
