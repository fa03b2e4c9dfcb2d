"""Whole runs on the real engine: by command line, interrupted and resumed, in a conversation."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data
from sklearn.datasets import load_digits

from edgewright.graphs.assistant.context import AssistantContext
from edgewright.graphs.assistant.session import open_session
from edgewright.graphs.assistant.training import LocalTrainer
from edgewright.graphs.federated.state import TrainSettings
from edgewright.graphs.services.services import open_services
from edgewright.tools.federated.serving.installed import installed_models
from edgewright.tools.nodes.launch import launch_node
from edgewright.tools.settings import ChatModelSettings, Settings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
EDGEWRIGHT = [sys.executable, "-c", "from edgewright.cli.main import app; app()"]
CLINICS = "ten clinics each have photos of handwritten digits; I need a classifier"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(folder))
    monkeypatch.delenv("EDGEWRIGHT_CHAT_MODEL", raising=False)
    monkeypatch.delenv("EDGEWRIGHT_DEVICE_URL", raising=False)
    return folder


@pytest.fixture
def shapes(tmp_path: Path) -> Path:
    """Return a folder of coloured images of several sizes, in three classes."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "parts"
    colours = {"brass": (200, 170, 60), "copper": (190, 90, 50), "steel": (130, 140, 150)}
    for name, colour in colours.items():
        (folder / name).mkdir(parents=True)
        for number in range(40):
            size = (int(rng.integers(20, 40)), int(rng.integers(20, 40)), 3)
            pixels = np.clip(rng.normal(colour, 25, size), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def edgewright(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*EDGEWRIGHT, *args],
        capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip


def last_json(process: subprocess.CompletedProcess[str]) -> Any:
    assert process.stdout, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


def digit(index: int) -> bytes:
    pixels = np.round(load_digits().images[index] * (255 / 16)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize((80, 80), Image.Resampling.NEAREST).save(buffer, "PNG")
    return buffer.getvalue()


def photograph(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_folder_of_unknown_images_becomes_a_tool(shapes, home):
    process = edgewright(
        "train", "sort photos of metal parts; some shops have far more than others",
        "--data", str(shapes), "--clients", "4", "--partition", "dirichlet", "--alpha", "1",
        "--trials", "1", "--target", "0.95", "--json",
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    report = last_json(process)
    assert report["tool"] == "metal-part-classifier"
    assert report["test"]["accuracy"] >= 0.8
    assert any("far more" in reason["words"] for reason in report["reasons"])
    folder = home / "runs" / report["run"]
    for name in ("report.json", "summary.md", "curves.png", "app/pyproject.toml",
                 "weights/weights.safetensors"):  # fmt: skip
        assert (folder / name).stat().st_size > 0
    with Image.open(folder / "curves.png") as drawn:
        assert drawn.width > 500

    shown = edgewright("runs", "show", report["run"])
    assert "metal-part-classifier" in shown.stdout
    (row,) = last_json(edgewright("runs", "list", "--json"))
    assert row["tool"] == "metal-part-classifier"
    (compared,) = last_json(edgewright("runs", "compare", report["run"], "--json"))
    assert compared == report
    cards = last_json(edgewright("plan", "--list", "--json"))
    assert {card["id"]: card["available"] for card in cards}["metal-part-classifier"]


@pytest.mark.parametrize(
    ("args", "code", "status"),
    [
        (["recognise digits", "--data", "/nowhere"], "data_missing", 2),
        (["recognise digits", "--clients", "0"], "no_clients", 2),
        (["recognise digits", "--clients", "999"], "too_many_clients", 2),
        (["recognise digits", "--engine", "simulation", "--approve", "auto"], "approval_needed", 2),
        (["--resume", "nothing"], "unknown_run", 2),
        ([], "usage", 2),
    ],
)
def test_invalid_arguments_are_reported_before_anything_starts(args, code, status):
    process = edgewright("train", *args, "--json")
    assert process.returncode == status
    assert last_json(process)["error"]["code"] == code


def test_a_killed_run_resumes(home):
    process = subprocess.Popen(
        [*EDGEWRIGHT, "train", CLINICS, "--trials", "1", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            curves = list(home.glob("runs/*/trials/01/curve.json"))
            if curves and len(json.loads(curves[0].read_text("utf-8"))) >= 3:
                break
            time.sleep(0.1)
        else:
            pytest.fail("no round was finished")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    before = json.loads(curves[0].read_text("utf-8"))
    (row,) = last_json(edgewright("runs", "list", "--json"))
    assert row["state"] == "interrupted"
    resumed = edgewright("train", "--resume", row["run"], "--json")
    assert resumed.returncode == 0, resumed.stderr
    assert last_json(resumed)["test"]["accuracy"] >= 0.93
    after = json.loads(curves[0].read_text("utf-8"))
    assert after[: len(before)] == before
    assert [point["round_number"] for point in after] == list(range(1, len(after) + 1))


async def test_one_conversation_goes_from_no_tool_to_using_it():
    # A node of its own that loads no model before the first request.
    bare = {"name": "local", "role": "device", "port": 0, "preload": []}
    async with launch_node(bare) as node:
        trainer = LocalTrainer(ChatModelSettings(), TrainSettings(trials=1, target=0.97))
        async with open_services(Settings(node_url=node.url)) as services:
            image = services.images.put(digit(3))
            context = AssistantContext(services=services, trainer=trainer)
            async with open_session(context) as session:
                before = await session.ask("which digit is this?", images=[image])
                assert "digit" not in " ".join(task.tool for task in before.plan.tasks)
                training = await session.ask(CLINICS)
                assert [task.tool for task in training.plan.tasks] == ["federated-training"]
                (model,) = installed_models()
                assert model.manifest.model in training.answer
                after = await session.ask("which digit is this?", images=[image])
                cat = services.images.put(photograph(data.chelsea()))
                unrelated = await session.ask("which digit is this?", images=[cat])
    assert [task.tool for task in after.plan.tasks] == [model.manifest.model]
    assert after.results[0].output["labels"][0]["label"] == "3"
    assert after.answer.startswith("3")
    assert "not one of its classes" in unrelated.answer.lower()
    assert unrelated.results[0].output["labels"] == []
