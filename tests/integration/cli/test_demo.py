"""The demo names the photographs correctly, cuts a model, and stops what it started."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(800)]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {**os.environ, "EDGEWRIGHT_HOME": str(tmp_path_factory.mktemp("state"))}


def _start(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [Path(sys.executable).parent / "edgewright", "demo", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _replies(environment: dict[str, str], *arguments: str) -> list[dict]:
    demo = _start(environment, "--json", *arguments)
    output, errors = demo.communicate(timeout=280)
    assert demo.returncode == 0, errors
    return json.loads(output)


def _cut(replies: list[dict]) -> list[dict]:
    """Return the cost reports of tasks whose model was cut."""
    reports = [result["report"] for reply in replies for result in reply["results"]]
    return [report for report in reports if report and report["frame_bytes"]]


def test_names_are_correct_and_a_model_was_cut(environment: dict[str, str], tmp_path: Path) -> None:
    own = tmp_path / "own.png"
    from PIL import Image
    from skimage import data

    Image.fromarray(data.coffee()).save(own)
    # At this rate and slowdown a cut is ahead of both other kinds of arm by about a quarter.
    replies = _replies(environment, "--rate", "60", "--slowdown", "40", "--image", str(own))
    answers = {
        (reply["image"].removeprefix("camera:"), reply["request"]): reply["answer"].lower()
        for reply in replies
    }
    assert len(answers) >= 9
    # The model is not sure of the rocket: an encoding that retains its accuracy may still yield one
    # kind (missile) of the three in the group (rocket).
    for question, correct in {
        ("cat.png", "What kind of animal is this?"): ("cat",),
        ("rocket.jpg", "Which category does this picture belong to?"): ("rocket", "missile"),
        ("espresso.png", "Detect the objects in this picture."): ("cup",),
        ("astronaut.png", "How many people are in the picture?"): ("one", "1"),
        ("page.png", "Read the text in this image."): ("region-based segmentation",),
        ("astronaut.png", "Detect the pose of the person in this photo."): ("joints",),
        (str(own), "What is this?"): ("espresso", "cup", "coffee"),
    }.items():
        assert any(word in answers[question] for word in correct), answers[question]
    # Which device is slow enough for a cut, and not too slow, depends on the machine and what else
    # it does: another one is tried before the cut is held to be missing.
    cut = _cut(replies)
    for slowdown in ("25", "60"):
        cut = cut or _cut(_replies(environment, "--rate", "60", "--slowdown", slowdown))
    assert cut
    for report in cut:
        assert report["nodes"] == ["demo-device", "edge"]
        assert report["bytes_up"] == report["frame_bytes"] > 1000
        assert report["slowdown"] in {25, 40, 60}


def test_without_slowdown_the_device_runs_everything_and_the_record_shows_it(
    environment: dict[str, str], tmp_path: Path
) -> None:
    record = tmp_path / "demo.svg"
    demo = _start(environment, "--record", str(record), "--rate", "20", "--slowdown", "1")
    output, errors = demo.communicate(timeout=280)
    assert demo.returncode == 0, errors
    answer, cost, plan, why = output.partition("cat.png\n")[2].splitlines()[:4]
    assert "cat" in answer.lower()
    assert re.fullmatch(r" +[\d.]+ s · [\d.]+ K?B up · .*[\d.]+ J *", cost)
    assert plan.split() == ["plan", "image-classification"]
    assert why.split()[0] == "why"
    assert "(Approximate:" not in output
    rows = re.findall(r"^ \d+\. .*", output.partition("where it ran")[2], re.MULTILINE)
    assert len(rows) >= 8
    assert all(re.search(r" device +[\d.]+ m?s +0 B", row) for row in rows), rows
    assert record.read_text("utf-8").startswith("<svg")


def test_ctrl_c_stops_both_nodes(environment: dict[str, str]) -> None:
    demo = _start(environment)
    children: list[psutil.Process] = []
    deadline = time.monotonic() + 60
    while len(children) < 4 and time.monotonic() < deadline:
        children = psutil.Process(demo.pid).children(recursive=True)
        time.sleep(0.1)
    assert children
    demo.send_signal(signal.SIGINT)
    _, errors = demo.communicate(timeout=40)
    assert demo.returncode == 130
    assert "Traceback" not in errors
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []
