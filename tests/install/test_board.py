"""Nodes run with the edge and onnx extras alone, from an exported model that was copied to them.

``make test-edge`` runs this before it installs the vision extra.
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.nodes.client import NodeClient

ROOT = Path(__file__).parents[2]
MODEL = "efficientnet-lite0"
CAT = ROOT / "tools/offload/photographs/cat.jpg"
MUST_BE_ABSENT = ("torch", "torchvision", "transformers", "sklearn", "onnx", "scipy", "networkx")
MAX_ENVIRONMENT_MB = 350
MAX_MEMORY_MB = 200
# What a node imports in any case; its start is compared with that, as a busy machine slows both.
IMPORTS = "import fastapi, httpx, numpy, onnxruntime, uvicorn"
MAX_STARTS_PER_IMPORT = 6

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the exported model, as copied to a board."""
    folder = tmp_path_factory.mktemp("export")
    command = [Path(sys.executable).parent / "edgewright", "models", "export", MODEL]
    subprocess.run([*command, "--out", folder], check=True, timeout=200, stdout=subprocess.DEVNULL)
    cache = tmp_path_factory.mktemp("cache")
    shutil.copytree(folder / MODEL, cache / "models" / MODEL)
    return cache


@contextmanager
def node(
    edge_bin: Path, cache: Path, home: Path, **config: Any
) -> Iterator[tuple[str, psutil.Process]]:
    """Run a node until the end of the block; yield its URL and its process."""
    home.mkdir(exist_ok=True)
    file = home / "node.yaml"
    file.write_text(json.dumps({"port": 0, "profile_runs": 1, **config}))  # JSON is YAML
    environment = {**os.environ, "EDGEWRIGHT_HOME": str(home), "EDGEWRIGHT_CACHE": str(cache)}
    command = [edge_bin / "edgewright", "node", "--config", file]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            yield ready["url"], psutil.Process(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


def test_no_framework_is_installed_and_the_environment_is_small(edge_bin: Path) -> None:
    code = (
        "import importlib.util as u; "
        f"print([m for m in {MUST_BE_ABSENT!r} if u.find_spec(m) is not None])"
    )
    run = subprocess.run([edge_bin / "python", "-c", code], capture_output=True, text=True)
    assert run.stdout.strip() == "[]"
    size = sum(path.lstat().st_size for path in edge_bin.parent.rglob("*"))
    sys.stderr.write(f"environment: {size / 1e6:.0f} MB\n")
    assert size <= MAX_ENVIRONMENT_MB * 1e6


async def test_two_such_nodes_share_a_request(edge_bin: Path, cache: Path, tmp_path: Path) -> None:
    image = CAT.read_bytes()
    arms = [
        Arm(kind="device-only"),
        Arm(kind="edge-only"),
        Arm(kind="edge-only", image_codec="webp", quality=90),
        Arm(kind="co-inference", point=9, codec="quantised8"),
        Arm(kind="co-inference", point=7, codec="transform-2"),
        Arm(kind="co-inference", point=5, codec="transform-1"),
    ]
    with node(edge_bin, cache, tmp_path / "edge", name="server", role="edge") as (edge, _):
        peers = {"peers": [{"url": edge}]}
        with node(edge_bin, cache, tmp_path / "device", name="board", **peers) as (url, _):
            async with NodeClient(url) as client:
                for arm in arms:
                    options = InvokeOptions(arm=arm, deadline_s=60)
                    answer = await client.invoke("image-classification", options, image)
                    assert answer.report is not None
                    assert answer.report.arm == arm.label
                    assert not answer.report.fallback
                    assert "cat" in answer.output["text"]


_SLOTS = {
    "model": "from torch import nn\n\n\ndef build_model(channels, height, width, classes):\n"
    "    return nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, classes))\n",
    "augmentation": "def augment(images):\n    return images\n",
    "optimiser": "import torch\n\n\ndef build_optimiser(parameters, learning_rate):\n"
    "    return torch.optim.Adam(parameters, lr=learning_rate)\n",
    "schedule": "def learning_rate(round_number, rounds):\n    return 0.005\n",
}


@pytest.fixture
def trained_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder with a model as training installs it, which finds the brightest colour."""
    import numpy as np
    from safetensors.numpy import save_file

    from edgewright.tools.federated.records.candidate import Candidate
    from edgewright.tools.federated.records.data_card import ClientCard, DataCard
    from edgewright.tools.federated.serving.exporting import export_graph
    from edgewright.tools.federated.serving.installed import TrainedModelManifest, install
    from edgewright.tools.federated.serving.tool_card import tool_card
    from edgewright.tools.federated.template.writer import settings_for, write_app

    home = tmp_path / "trained"
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(home))
    data = DataCard(
        name="lamps", height=8, width=8, channels=3, original_side=8,
        classes=("red", "green", "blue"), train=9, validation=9, test=9, partition="iid",
        clients=(ClientCard(samples=9, histogram=(3, 3, 3)),),
        balance=1.0, label_skew=0.0, size_skew=1.0,
    )  # fmt: skip
    candidate = Candidate(**_SLOTS, rounds=1)
    settings = settings_for(candidate, data, data=tmp_path, out=tmp_path, seed=0)
    write_app(candidate, settings, tmp_path / "app")
    weights = tmp_path / "weights"
    weights.mkdir()
    arrays = {"1.weight": np.repeat(np.eye(3), 64, axis=1), "1.bias": np.zeros(3)}
    save_file(
        {name: np.ascontiguousarray(value, np.float32) for name, value in arrays.items()},
        weights / "weights.safetensors",
    )
    card = tool_card("photos of lamps", data, set())
    manifest = TrainedModelManifest(
        model=card.id, run="r", classes=data.classes, height=8, width=8, channels=3,
        revision="ab" * 8,
    )  # fmt: skip
    graph = export_graph(manifest, tmp_path / "app", weights)
    install(card, manifest, tmp_path / "app", weights, graph)
    return home


async def test_a_trained_model_is_served_without_a_framework(
    edge_bin: Path, cache: Path, trained_home: Path
) -> None:
    from io import BytesIO

    from PIL import Image

    image = BytesIO()
    Image.new("RGB", (40, 30), (10, 200, 30)).save(image, "PNG")
    with node(edge_bin, cache, trained_home, name="board") as (url, _):
        async with NodeClient(url) as client:
            answer = await client.invoke(
                "lamp-classifier", InvokeOptions(deadline_s=60), image.getvalue()
            )
    assert answer.output["text"].startswith("green (")
    assert answer.report is not None
    assert "ONNX Runtime" in answer.report.engines["board"]


async def test_a_node_is_small_and_starts_quickly(
    edge_bin: Path, cache: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    with node(edge_bin, cache, home) as (url, _):  # the first start writes compiled modules
        await _measured(url)
    starts_s, imports_s = [], [_cpu_s_of_imports(edge_bin)]
    with node(edge_bin, cache, home) as (_, process):
        starts_s.append(_cpu_s_of_all(process))
    imports_s.append(_cpu_s_of_imports(edge_bin))
    with node(edge_bin, cache, home) as (url, process):
        starts_s.append(_cpu_s_of_all(process))
        async with NodeClient(url) as client:
            for _ in range(5):
                await client.invoke("image-classification", InvokeOptions(), CAT.read_bytes())
        children = process.children(recursive=True)
        worker = max(children, key=lambda child: child.memory_full_info().pss)
        memory_mb = sum(one.memory_full_info().pss for one in (process, worker)) / 1e6
        all_mb = sum(one.memory_full_info().pss for one in (process, *children)) / 1e6
    sys.stderr.write(
        f"ready after {min(starts_s):.2f} s of CPU time, of which imports alone take "
        f"{min(imports_s):.2f} s; node and worker {memory_mb:.0f} MB, with their helpers "
        f"{all_mb:.0f} MB\n"
    )
    assert memory_mb <= MAX_MEMORY_MB
    assert min(starts_s) <= MAX_STARTS_PER_IMPORT * min(imports_s)


def _cpu_s_of_imports(edge_bin: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([edge_bin / "python", "-c", IMPORTS], check=True, timeout=100)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _cpu_s_of_all(process: psutil.Process) -> float:
    return sum(_cpu_s(one) for one in (process, *process.children(recursive=True)))


def test_without_an_export_the_error_names_the_command(edge_bin: Path, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "EDGEWRIGHT_HOME": str(tmp_path),
        "EDGEWRIGHT_CACHE": str(tmp_path),
    }
    run = subprocess.run(
        [edge_bin / "edgewright", "node", "--port", "0"],
        capture_output=True, text=True, timeout=60, env=environment, check=False,
    )  # fmt: skip
    assert run.returncode == 1
    assert f"edgewright models export {MODEL}" in run.stderr.splitlines()[-1]


async def _measured(url: str) -> None:
    """Wait until a node has measured its model, so that only its worker is left."""
    import asyncio

    async with NodeClient(url) as client:
        async with asyncio.timeout(200):
            while not (await client.profile()).models:
                await asyncio.sleep(0.5)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
