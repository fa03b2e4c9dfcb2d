"""``edgewright gc``."""

import json
import os
import time

import pytest


@pytest.fixture
def old_run(tmp_path):
    folder = tmp_path / "state" / "runs" / "r1"
    folder.mkdir(parents=True)
    (folder / "report.json").write_bytes(bytes(2_000_000))
    past = time.time() - 400 * 86_400
    for path in (folder, *folder.iterdir()):
        os.utime(path, (past, past))
    return folder


def test_a_dry_run_removes_nothing(edgewright, old_run):
    result = edgewright("gc", "--dry-run")
    assert result.exit_code == 0
    assert "2.0 MB would be freed" in result.stderr
    assert old_run.exists()


def test_it_reports_what_was_removed_and_kept(edgewright, old_run):
    result = edgewright("gc", "--json")
    report = json.loads(result.stdout)
    assert report["dry_run"] is False
    (runs,) = (each for each in report["kinds"] if each["kind"] == "training runs")
    assert (runs["removed"], runs["kept"]) == (1, 0)
    assert runs["removed_bytes"] >= 2_000_000
    assert not old_run.exists()
    assert "training runs" in edgewright("gc").stdout


def test_a_wrong_limit_is_reported(edgewright, error_of, monkeypatch):
    monkeypatch.setenv("EDGEWRIGHT_KEEP_UNUSED_DAYS", "never")
    result = edgewright("gc", "--json")
    assert result.exit_code == 2
    assert error_of(result)["code"] == "invalid_setting"
