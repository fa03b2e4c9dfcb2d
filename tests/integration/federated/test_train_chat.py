"""The chat-model coder in whole runs, against a scripted OpenAI-compatible server on loopback.

The answers are scripted: this proves plumbing and containment, not the quality of any model.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from edgewright.agents.fl_coder.coder import make_coder
from edgewright.graphs.federated.context import TrainingContext, TrainingServices
from edgewright.graphs.federated.session import open_run
from edgewright.graphs.federated.state import TrainSettings
from edgewright.graphs.federated.training_backend import LocalTrainingBackend
from edgewright.tools.federated.records.report import RunReport
from edgewright.tools.federated.trials.prepare import DataRequest
from edgewright.tools.settings import ChatModelSettings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
CANARY = "canary-5d0e"
MODEL = """
from torch import nn


def build_model(channels, height, width, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, classes))
"""
HOSTILE = """
from torch import nn


def build_model(channels, height, width, classes):
    with open({path!r}) as file:
        raise ValueError(file.read())
"""
GOOD = {
    "model": MODEL,
    "augmentation": "def augment(images):\n    return images\n",
    "optimiser": (
        "from torch import optim\n\n\n"
        "def build_optimiser(parameters, learning_rate):\n"
        "    return optim.Adam(parameters, lr=learning_rate)\n"
    ),
    "schedule": "def learning_rate(round_number, rounds):\n    return 0.01\n",
    "rounds": 2,
    "rationale": "a linear model is quick",
}


class Script:
    """The server's answers, in turn, the last one repeatedly; and the requests it received."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.requests: list[str] = []
        self.url = ""

    def say(self, *candidates: dict[str, Any] | str) -> None:
        for each in candidates:
            text = each if isinstance(each, str) else json.dumps({"candidate": each})
            self.answers.append(text)


@pytest.fixture
def script() -> Iterator[Script]:
    script = Script()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            script.requests.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            answer = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
            body = json.dumps(
                {
                    "id": "1", "object": "chat.completion", "created": 1, "model": "scripted",
                    "choices": [
                        {
                            "index": 0, "finish_reason": "stop",
                            "message": {"role": "assistant", "content": answer},
                        }
                    ],
                }
            ).encode()  # fmt: skip
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            del args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    script.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(folder))
    return folder


async def train(script: Script, **settings: Any) -> RunReport:
    """Train until an accuracy that is soon reached: the tests check who coded, not how well."""
    chat = ChatModelSettings(model="scripted", base_url=script.url, api_key="x", timeout_s=30)
    services = TrainingServices(coder=make_coder(chat), backend=LocalTrainingBackend())
    async with open_run(TrainingContext(services=services)) as run:
        return await run.begin(
            "read digits",
            DataRequest(source="digits", clients=3, samples=300),
            TrainSettings(**{"trials": 1, "target": 0.3, **settings}),
            approve=lambda _: {"type": "accept"},
        )


async def test_good_code_is_trained(script):
    script.say(GOOD, GOOD | {"rounds": 3})
    report = await train(script, trials=2, patience=9, target=None)
    assert [trial.coder for trial in report.trials] == ["chat-model", "chat-model"]
    assert report.test is not None
    assert report.tool
    assert "validation_accuracy" in script.requests[1]


async def test_bad_code_comes_back_with_its_error(script):
    bad = GOOD | {"model": MODEL.replace("classes))", "classes + 1))")}
    script.say(bad, GOOD)
    report = await train(script)
    assert [trial.coder for trial in report.trials] == ["chat-model", "chat-model"]
    assert report.trials[0].faults[0].slot == "model"
    assert report.best == 1
    assert (
        report.trials[0].faults[0].message[:30]
        in json.loads(script.requests[1])["messages"][1]["content"]
    )


async def test_code_that_never_compiles_ends_with_the_embedded_coder(script):
    script.say(*(GOOD | {"model": f"def build_model(:  # {n}\n"} for n in range(4)))
    report = await train(script)
    assert [trial.coder for trial in report.trials] == ["chat-model"] * 4 + ["embedded"]
    assert all(trial.faults[0].code == "syntax" for trial in report.trials[:4])
    assert "failed 4 times" in report.trials[-1].note
    assert report.test is not None


@pytest.mark.parametrize("answers", [("", "{}"), ("I would rather not.", "")])
async def test_an_empty_answer_ends_with_the_embedded_coder(script, answers):
    script.say(*answers)
    report = await train(script)
    assert [trial.coder for trial in report.trials] == ["embedded"]
    assert "was not used" in report.trials[0].note
    assert len(script.requests) == 2


async def test_a_hostile_proposal_reads_nothing(script, tmp_path, home):
    secret = tmp_path / "secret.txt"
    secret.write_text(CANARY, "utf-8")
    script.say(GOOD | {"model": HOSTILE.format(path=str(secret))}, GOOD)
    report = await train(script)
    assert report.trials[0].faults[0].code == "forbidden"
    assert report.best == 1
    written = "".join(script.requests) + report.model_dump_json()
    written += "".join(path.read_text("utf-8") for path in home.rglob("*.json"))
    assert CANARY not in written
