"""With the edge extra alone, every command works or names the extra that it needs.

``make test-edge`` runs this before it installs the vision extra.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CARD = ROOT / "tools/cards/catalogue/image-to-text.yaml"
MANUAL = ROOT / "tests/data/manuals/thermometer.md"


@pytest.fixture
def edgewright(edge_bin, tmp_path):
    def run(*args):
        return subprocess.run(
            [edge_bin / "edgewright", *map(str, args)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=tmp_path,
            env={**os.environ, "EDGEWRIGHT_HOME": str(tmp_path / "state")},
        )

    return run


@pytest.mark.parametrize(
    ("args", "extra"),
    [
        (("ask", "what is it?"), "agent"),
        (("chat",), "agent"),
        (("demo",), "agent"),
        (("plan", "what is it?"), "agent"),
        (("train", "sort digits"), "agent"),
        (("cards", "check", CARD), "agent"),
        (("cards", "from-manual", MANUAL, "--out", "draft.yaml"), "agent"),
        (("codec", "train", "fashion-vit", "--data", "digits"), "vision"),
        (("codec", "export", "some-codec", "--half", "device", "--out", "half"), "vision"),
        (("profile",), "vision"),
        (("node", "--port", "0"), "vision"),
    ],
    ids=lambda value: " ".join(map(str, value[:2])) if isinstance(value, tuple) else value,
)
def test_a_command_names_the_extra_that_it_needs(edgewright, args, extra):
    done = edgewright(*args)
    assert done.returncode == 1
    assert f"pip install 'edgewright[{extra}]'" in done.stderr.splitlines()[-1]
    assert "defect" not in done.stderr
    assert "Traceback" not in done.stderr


def test_the_missing_extra_is_json_on_request(edgewright):
    error = json.loads(edgewright("ask", "what is it?", "--json").stdout)["error"]
    assert error["code"] == "extra_missing"


@pytest.mark.parametrize(
    "args", [("--help",), ("--version",), ("plan", "--list"), ("runs", "list")]
)
def test_a_command_that_needs_no_extra_works(edgewright, args):
    done = edgewright(*args)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["show", "compare"])
def test_stored_runs_are_read_without_an_extra(edgewright, command):
    done = edgewright("runs", command, "some-run")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("[no_report]")


def test_doctor_lists_every_missing_extra(edgewright):
    report = json.loads(edgewright("doctor", "--json").stdout)
    fixes = {check["name"]: check["fix"] for check in report["checks"]}
    assert fixes["extra edge"] == ""
    for extra in ("vision", "agent", "codec", "federated"):
        assert fixes[f"extra {extra}"] == f"pip install 'edgewright[{extra}]'"
