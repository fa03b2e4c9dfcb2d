"""The mood demonstration: two node processes, generated traffic and sound, four scenes."""

import json
import subprocess
import sys

import pytest
from PIL import Image

CARDS = {"mood-from-network-traffic", "mood-from-acoustic-signals"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_demo_shows_both_sources_a_contradiction_and_each_source_missing(tmp_path):
    plot = tmp_path / "mood.png"
    command = [sys.executable, "-c", "from edgewright.cli.main import app; app()"]
    done = subprocess.run(
        [*command, "sensors", "demo", "--json", "--save", str(plot)],
        capture_output=True,
        text=True,
        timeout=550,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    both, against, no_speaker, no_router = json.loads(done.stdout)
    for scene in (both, against, no_speaker, no_router):
        tasks = {task["tool"]: task for task in scene["plan"]["tasks"]}
        assert set(tasks) == {*CARDS, "decision-fusion"}
        assert set(tasks["decision-fusion"]["depends_on"]) == {tasks[card]["id"] for card in CARDS}
        assert "trained on simulated data" in scene["answer"]
    results = {one["tool"]: one for one in both["results"]}
    assert [results[card]["status"] for card in sorted(CARDS)] == ["ok", "ok"]
    nodes = {card: results[card]["report"]["nodes"] for card in CARDS}
    assert nodes == {
        "mood-from-network-traffic": ["router"],
        "mood-from-acoustic-signals": ["speaker"],
    }
    assert all(results[card]["report"]["sensor_bytes"] for card in CARDS)
    assert results["mood-from-acoustic-signals"]["output"]["evidence"]["breath_per_min"]
    assert results["mood-from-network-traffic"]["output"]["evidence"]["usage"]
    fused = {one["tool"]: one for one in against["results"]}["decision-fusion"]["output"]
    assert len(fused["evidence"]["contradicting"]) == 2
    assert "contradict" in against["answer"]
    for scene, missing in ((no_speaker, "acoustic signals"), (no_router, "network traffic")):
        fused = {one["tool"]: one for one in scene["results"]}["decision-fusion"]
        assert fused["status"] == "ok"
        (named,) = fused["output"]["evidence"]["missing"]
        assert missing in named
        assert "is missing" in scene["answer"]
    with Image.open(plot) as picture:
        assert min(picture.size) > 300
