"""Trainings of the console: whose they are, who decides, and that none runs without a page."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest

from edgewright.agents.fl_coder.embedded.coder import EmbeddedCoder
from edgewright.edge_runtime.keys import digest
from edgewright.graphs.federated.context import TrainingContext, TrainingServices, run_folder
from edgewright.servers.config import ServeConfig
from edgewright.servers.console.trainings import Decision, Described, Training, Trainings
from edgewright.servers.front import Front
from edgewright.tools.errors import InputError, NotFoundError, OverloadedError
from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.progress import TrialProgress
from edgewright.tools.federated.records.report import RunReport
from edgewright.tools.federated.records.trial import (
    CheckedFacts,
    CurvePoint,
    ModelFacts,
    ModelScore,
    TrialResult,
)
from edgewright.tools.federated.trials.check import CheckResult
from edgewright.tools.federated.trials.prepare import DataRequest, prepare

PURPOSE = "ten clinics have photos of handwritten digits and meet over a slow link"
SCORE = ModelScore(accuracy=1.0, loss=0.1, clients=(1.0,) * 10)


class Backend:
    """Prepares the data; its trials go on until they are allowed to end, or are abandoned."""

    def __init__(self) -> None:
        self.allowed = threading.Event()
        self.training = 0

    def prepare(self, request: DataRequest, run: RunFolder) -> DataCard:
        return prepare(request, run)

    def check(self, *_: Any) -> CheckResult:
        facts = ModelFacts(parameters=10, weight_bytes=40, flop_per_sample=1.0)
        return CheckResult((), CheckedFacts(sha256="ab" * 32, model=facts))

    def train(self, run: RunFolder, request: Any, on_event: Callable[..., None]) -> TrialResult:
        del run
        self.training += 1
        try:
            while not self.allowed.wait(0.01):
                on_event(TrialProgress(number=1, event="client", round=1, client=0))
        finally:
            self.training -= 1
        point = CurvePoint(
            round_number=1, train_loss=0.1, train_accuracy=1.0, validation=SCORE, bytes_up=1,
            bytes_down=1, simulated_s=1.0, wall_s=1.0,
        )  # fmt: skip
        return TrialResult(
            number=request.number, status="finished", engine="in-process", sandbox="none", seed=0,
            curve=(point,), best_round=1,
        )  # fmt: skip

    def test(self, *_: Any) -> ModelScore:
        return SCORE

    def publish(self, run: RunFolder, report: RunReport, *, replace: bool) -> RunReport:
        del run, replace
        return report.model_copy(update={"tool": "digit-classifier" if report.best else ""})


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
def front(session: Any, tmp_path: Path) -> Front:
    async def refresh() -> None: ...

    example = SimpleNamespace(request="Which digit is this?")
    session.services.refresh = refresh
    session.services.cards = {"digit-classifier": SimpleNamespace(demonstrations=[example])}
    return Front(ServeConfig(data=(tmp_path / "allowed",)), session)


@pytest.fixture
async def open_trainings(front: Front, backend: Backend) -> AsyncIterator[Callable[..., Trainings]]:
    services = TrainingServices(coder=EmbeddedCoder(), backend=backend)

    def make(**options: Any) -> Trainings:
        return Trainings(front, context=TrainingContext(services=services), **options)

    yield make
    backend.allowed.set()


async def until(training: Training, event: str) -> Any:
    """Return the last event, once it is the one that is awaited."""
    while training.events[-1:] == [] or training.events[-1]["event"] != event:
        await asyncio.sleep(0.005)
    return training.events[-1]


async def approved(trainings: Trainings) -> Training:
    training = trainings.begin("ann", Described(purpose=PURPOSE))
    await until(training, "waiting")
    trainings.decide(training, Decision(type="accept"))
    await until(training, "client")
    return training


async def test_nothing_is_trained_before_a_person_has_decided(
    open_trainings: Callable[..., Trainings], backend: Backend
) -> None:
    trainings = open_trainings()
    training = trainings.begin("ann", Described(purpose=PURPOSE))
    await until(training, "waiting")
    assert [each["event"] for each in training.events] == [
        "prepared", "proposed", "checked", "waiting",
    ]  # fmt: skip
    assert (training.state, backend.training) == ("waiting", 0)
    words = {each["words"] for each in training.events[1]["proposal"]["choices"]}
    assert any(each and each in PURPOSE for each in words)

    trainings.decide(training, Decision(type="response", words="only 4 rounds"))
    await until(training, "waiting")
    proposals = [each["proposal"] for each in training.events if each["event"] == "proposed"]
    assert proposals[-1]["candidate"]["rounds"] == 4

    backend.allowed.set()
    trainings.decide(training, Decision(type="accept"))
    over = await until(training, "over")
    assert over["example"] == "Which digit is this?"
    assert (training.state, training.tool) == ("over", "digit-classifier")
    with pytest.raises(InputError, match="decided elsewhere"):
        trainings.decide(training, Decision(type="accept"))


async def test_a_training_belongs_to_its_caller_and_has_the_machine_alone(
    open_trainings: Callable[..., Trainings],
) -> None:
    trainings = open_trainings()
    training = await approved(trainings)
    assert trainings.of("ben") == []
    with pytest.raises(NotFoundError):
        trainings.get(training.id, "ben")
    with pytest.raises(OverloadedError, match="one at a time"):
        trainings.begin("ben", Described(purpose=PURPOSE))
    trainings.stop(training)
    await until(training, "stopped")


async def test_what_was_stopped_goes_on(
    open_trainings: Callable[..., Trainings], backend: Backend
) -> None:
    trainings = open_trainings()
    training = await approved(trainings)
    trainings.stop(training)
    stopped = await until(training, "stopped")
    assert (stopped["why"], stopped["resumable"]) == ("person", True)
    # Whoever reads so can rely on it.
    assert backend.training == 0
    backend.allowed.set()
    trainings.resume(training)
    await until(training, "over")
    assert training.tool == "digit-classifier"


async def test_a_training_that_no_page_shows_is_stopped(
    open_trainings: Callable[..., Trainings], backend: Backend
) -> None:
    trainings = open_trainings(unwatched_s=2.0)
    async with trainings.watching():
        training = await approved(trainings)
        page = asyncio.create_task(anext(training.follow(10**6, alive_s=60.0)))
        await asyncio.sleep(3.0)
        assert training.state == "working"  # a page shows it, however long
        page.cancel()
        assert (await until(training, "stopped"))["why"] == "unwatched"
        assert backend.training == 0


async def test_the_end_of_the_server_ends_the_training_and_what_pages_follow(
    open_trainings: Callable[..., Trainings], backend: Backend, front: Front
) -> None:
    trainings = open_trainings()
    async with trainings.watching():
        training = await approved(trainings)

        async def events() -> list[Any]:
            return [event async for _, event in training.follow(0, alive_s=60.0)]

        page = asyncio.create_task(events())
        front.draining = True
        assert (await page)[-1]["why"] == "server"
    assert backend.training == 0
    assert run_folder(training.run).intent.exists()


@pytest.mark.parametrize(
    ("purpose", "source"),
    [
        ("sort our parts in /etc/ssl/ by their photos", None),
        ("sort our parts", "/etc"),
        ("sort our parts", "allowed/../secret.npz"),
        ("sort our parts", "allowed/link.npz"),
    ],
)
async def test_words_and_pages_reach_no_other_data(
    open_trainings: Callable[..., Trainings], tmp_path: Path, purpose: str, source: str | None
) -> None:
    (tmp_path / "allowed").mkdir()
    images = np.zeros((40, 8, 8), np.uint8)
    np.savez(tmp_path / "secret.npz", images=images, labels=np.arange(40) % 2)
    (tmp_path / "allowed" / "link.npz").symlink_to(tmp_path / "secret.npz")
    if source and source.startswith("allowed"):
        source = str(tmp_path / source)
    training = open_trainings().begin("ann", Described(purpose=purpose, source=source))
    failed = await until(training, "failed")
    assert (failed["code"], failed["resumable"]) == ("data_not_allowed", False)


async def test_allowed_data_are_listed_and_used(
    open_trainings: Callable[..., Trainings], tmp_path: Path
) -> None:
    (tmp_path / "allowed").mkdir()
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    images = rng.integers(0, 256, (40, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "allowed" / "parts.npz", images=images, labels=labels)
    source = str(tmp_path / "allowed" / "parts.npz")
    wanted = Described(purpose="sort our parts", source=source, clients=2)
    training = open_trainings().begin("ann", wanted)
    await until(training, "waiting")
    assert training.events[0]["card"]["name"] == "parts"
    assert len(training.events[0]["card"]["clients"]) == 2


async def test_training_and_installing_need_their_scopes(
    connect: Callable[..., httpx.AsyncClient],
) -> None:
    keys = [
        {"name": scope, "sha256": digest(scope.encode()), "scopes": ["infer", scope]}
        for scope in ("infer", "train", "admin")
    ]
    client = connect(keys=keys)
    for scope, method, path in (
        ("train", "GET", "/trainings"),
        ("train", "GET", "/trainings/data"),
        ("train", "POST", "/trainings/0/resume"),
        ("admin", "PUT", "/installations/nothing"),
    ):
        url = f"/console/api{path}"
        assert (await client.request(method, url)).status_code == 401
        without = await client.request(method, url, headers={"Authorization": "Bearer infer"})
        assert (without.status_code, without.json()["code"]) == (403, "scope_missing")
        granted = {"Authorization": f"Bearer {scope}"}
        assert (await client.request(method, url, headers=granted)).status_code in (200, 404)
        other = {**granted, "Origin": "http://evil.example"}
        refused = await client.request(method, url, headers=other)
        assert refused.json()["code"] == "cross_site"


async def test_models_are_listed_with_what_is_missing(
    connect: Callable[..., httpx.AsyncClient],
) -> None:
    found = (await connect().get("/console/api/models")).json()
    (nanodet,) = [each for each in found["catalogue"] if each["name"] == "nanodet"]
    assert nanodet["doing"] == nanodet["error"] == ""
    assert {"title", "serves", "licence", "installed", "expected_bytes"} <= set(nanodet)
    assert found["models"]


async def test_the_failure_of_an_installation_is_said(
    connect: Callable[..., httpx.AsyncClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEWRIGHT_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("PATH", str(tmp_path))
    client = connect()
    assert (await client.put("/console/api/installations/nanodet")).status_code == 202

    async def entry() -> Any:
        listed = (await client.get("/console/api/models")).json()["catalogue"]
        return next(each for each in listed if each["name"] == "nanodet")

    while (await entry())["doing"]:
        await asyncio.sleep(0.01)
    assert "npm is needed" in (await entry())["error"]
    assert not (await entry())["installed"]
