"""Nodes run with the edge and onnx extras alone, from an exported model that was copied to them.

``make test-edge`` runs this before it installs the vision extra.
"""

import json
import os
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
MAX_START_CPU_S = 3.0

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
        peer = {"peer": {"url": edge}}
        with node(edge_bin, cache, tmp_path / "device", name="board", **peer) as (url, _):
            async with NodeClient(url) as client:
                for arm in arms:
                    options = InvokeOptions(arm=arm, deadline_s=60)
                    answer = await client.invoke("image-classification", options, image)
                    assert answer.report is not None
                    assert answer.report.arm == arm.label
                    assert not answer.report.fallback
                    assert "cat" in answer.output["text"]


async def test_a_node_is_small_and_starts_quickly(
    edge_bin: Path, cache: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    with node(edge_bin, cache, home) as (url, _):  # the first start writes compiled modules
        await _measured(url)
    with node(edge_bin, cache, home) as (url, process):
        started_s = sum(_cpu_s(one) for one in (process, *process.children(recursive=True)))
        async with NodeClient(url) as client:
            for _ in range(5):
                await client.invoke("image-classification", InvokeOptions(), CAT.read_bytes())
        children = process.children(recursive=True)
        worker = max(children, key=lambda child: child.memory_full_info().pss)
        memory_mb = sum(one.memory_full_info().pss for one in (process, worker)) / 1e6
        all_mb = sum(one.memory_full_info().pss for one in (process, *children)) / 1e6
    sys.stderr.write(
        f"ready after {started_s:.2f} s of CPU time; node and worker {memory_mb:.0f} MB, with "
        f"their helpers {all_mb:.0f} MB\n"
    )
    assert memory_mb <= MAX_MEMORY_MB
    assert started_s <= MAX_START_CPU_S


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
