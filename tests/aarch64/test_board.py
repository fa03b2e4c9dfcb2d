"""An emulated 64-bit ARM board as a device, with an edge server on this machine: the same frames,
labels and cost reports as from a device on this machine.

``make test-aarch64`` runs this. It needs root, and installs Debian's packages for emulation.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.launch import launch_node

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts/aarch64.sh"
CANNOT_EMULATE = 77
MODEL = "efficientnet-lite0"
PHOTOGRAPHS = ("cat", "rocket")
ARMS = (
    Arm(kind="device-only"),
    Arm(kind="edge-only"),
    Arm(kind="edge-only", image_codec="webp", quality=90),
    Arm(kind="co-inference", point=9, codec="quantised8"),
    Arm(kind="co-inference", point=7, codec="transform-2"),
)
#: A call on the emulated board takes seconds.
DEADLINE_S = 100

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


class Board:
    """The emulated machine; it sees one folder of this machine, under the same name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            "EDGEWRIGHT_CACHE": str(folder / "cache"),
            "EDGEWRIGHT_HOME": str(folder / "home"),
            "PYTHONSAFEPATH": "1",
        }

    def command(self, *program: object) -> list[str]:
        variables = [f"{name}={value}" for name, value in self.environment.items()]
        return [str(SCRIPT), "run", str(self.folder), "env", *variables, *map(str, program)]

    def run(self, *program: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*program), capture_output=True, text=True, timeout=400, check=False
        )

    @contextmanager
    def node(self, config: Path) -> Iterator[str]:
        """Run a node and yield its URL."""
        command = self.command("edgewright", "node", "--config", config)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                yield json.loads(process.stdout.readline())["url"]
            finally:
                process.terminate()
        assert process.returncode == 0


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What both machines see: photographs and the exported model."""
    folder = tmp_path_factory.mktemp("board")
    (folder / "photographs").mkdir()
    for name in PHOTOGRAPHS:
        shutil.copy(ROOT / f"tools/offload/photographs/{name}.jpg", folder / "photographs")
    shutil.copy(Path(__file__).with_name("frames.py"), folder)
    export = [Path(sys.executable).with_name("edgewright"), "models", "export", MODEL]
    subprocess.run(
        [*export, "--out", folder / "cache/models"],
        check=True,
        timeout=300,
        stdout=subprocess.DEVNULL,
    )
    return folder


@pytest.fixture(scope="session")
def board(folder: Path) -> Board:
    """The board with today's wheel."""
    emulator = subprocess.run([SCRIPT, "emulator"], stderr=subprocess.PIPE, text=True)
    if emulator.returncode == CANNOT_EMULATE:
        pytest.skip(emulator.stderr.strip().splitlines()[-1])
    assert emulator.returncode == 0, emulator.stderr
    subprocess.run(["make", "--silent", "wheel-aarch64"], cwd=ROOT, check=True)
    (wheel,) = (ROOT / "dist/aarch64").glob("*.whl")
    environment = {**os.environ, "PYTHON": sys.executable}
    install = [SCRIPT, "install", f"{wheel.relative_to(ROOT)}[edge,onnx]"]
    subprocess.run(install, cwd=ROOT, env=environment, check=True)
    return Board(folder)


@pytest.fixture(scope="session")
def here(folder: Path) -> Mapping[str, str]:
    """Variables with which this machine runs the same engine and model."""
    return {
        "EDGEWRIGHT_CACHE": str(folder / "cache"),
        "EDGEWRIGHT_HOME": str(folder / "home-here"),
        "EDGEWRIGHT_ENGINE": "onnx",
    }


def test_the_doctor_finds_a_board_that_is_complete(board: Board) -> None:
    run = board.run("edgewright", "doctor", "--json")
    checks = {check["name"]: check for check in json.loads(run.stdout)["checks"]}
    assert checks["entropy coder"]["detail"] == "compiled"
    for name in ("python", "extra edge", "extra onnx", f"expert {MODEL}-classifier"):
        assert checks[name]["state"] == "ok", checks[name]


def test_frames_are_those_of_this_machine(board: Board, here: Mapping[str, str]) -> None:
    """Every byte: entropy-coded streams, and the frames of photographs."""
    photographs, folder = board.folder / "photographs", board.folder
    script = folder / "frames.py"
    subprocess.run(
        [sys.executable, script, photographs, folder / "x86-64"],
        env={**os.environ, **here},
        check=True,
        timeout=200,
    )
    run = board.run("python", script, photographs, folder / "aarch64")
    assert run.returncode == 0, run.stderr
    written = {
        machine: {path.name: path.read_bytes() for path in (folder / machine).iterdir()}
        for machine in ("x86-64", "aarch64")
    }
    assert len(written["x86-64"]) == 1 + 3 * len(PHOTOGRAPHS)
    assert written["aarch64"] == written["x86-64"]


async def test_results_are_those_of_a_device_on_this_machine(
    board: Board, here: Mapping[str, str]
) -> None:
    settings = {
        "name": "device",
        "port": 0,
        "profile_runs": 1,
        "profile_file": str(board.folder / "profile.json"),
    }
    edge_settings = {**settings, "name": "edge", "role": "edge"}
    config = board.folder / "device.yaml"
    async with launch_node(edge_settings, environment=here) as edge:
        config.write_text(json.dumps({**settings, "peers": [{"url": edge.url}]}))  # JSON is YAML
        # What a device here measures spares the board minutes of measuring.
        profile = [Path(sys.executable).with_name("edgewright"), "profile", "--config", config]
        subprocess.run(
            profile, env={**os.environ, **here}, check=True, timeout=200, stdout=subprocess.DEVNULL
        )
        async with launch_node(config, environment=here) as device:
            expected = await results(device.url, board.folder)
        with board.node(config) as url:
            found = await results(url, board.folder)
    assert found == expected
    labels = [text for _, _, text, _ in found]
    assert all("cat" in text for text in labels[: len(ARMS)])


async def results(url: str, folder: Path) -> list[tuple[str, str, str, dict[str, Any]]]:
    """Return what a device answers for every photograph and arm, its times apart."""
    found = []
    async with NodeClient(url, timeout_s=DEADLINE_S) as client:
        for name in PHOTOGRAPHS:
            image = (folder / f"photographs/{name}.jpg").read_bytes()
            for arm in ARMS:
                options = InvokeOptions(arm=arm, deadline_s=DEADLINE_S)
                answer = await client.invoke("image-classification", options, image)
                assert answer.report is not None
                report = answer.report.model_dump()
                report["stages_ms"] = list(report["stages_ms"])
                # Energy follows from times, and the response's body contains times.
                del report["energy_j"], report["bytes_down"]
                found.append((name, arm.label, answer.output["text"], report))
    return found
