"""Flower's own runtimes run the same app as the in-process grid, with equal weights."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from edgewright.tools.errors import UnavailableError
from edgewright.tools.federated.grids import flower
from edgewright.tools.federated.records.candidate import (
    Candidate,
    FedAvg,
    FedDyn,
    Scaffold,
    Strategy,
)
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.trial import Engine, TrialRequest, TrialResult
from edgewright.tools.federated.trials.prepare import DataRequest, prepare
from edgewright.tools.federated.trials.runner import run_trial
from edgewright.tools.sandbox.limits import SandboxLimits


@pytest.fixture
def candidate(candidate: Candidate) -> Candidate:
    """The small network, trained briefly."""
    return candidate.model_copy(update={"rounds": 2, "local_epochs": 1})


def trained(run: RunFolder, number: int, engine: Engine, candidate: Candidate) -> TrialResult:
    limits = SandboxLimits(time_s=200)
    request = TrialRequest(number=number, candidate=candidate, engine=engine, limits=limits)
    return run_trial(run, request)


def flower_processes() -> set[int]:
    """Return the ids of this test's child processes."""
    return {child.pid for child in psutil.Process(os.getpid()).children(recursive=True)}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("engine", "clients", "strategy"),
    [
        ("simulation", 4, FedAvg()),
        ("simulation", 4, Scaffold()),
        ("deployment", 3, FedAvg()),
        ("deployment", 3, Scaffold()),
        ("deployment", 3, FedDyn()),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_flower_trains_the_written_app_to_equal_weights(
    tmp_path: Path, engine: Engine, clients: int, strategy: Strategy, candidate: Candidate
) -> None:
    candidate = candidate.model_copy(update={"strategy": strategy})
    run = RunFolder(tmp_path)
    prepare(DataRequest(clients=clients, partition="dirichlet"), run)
    before = flower_processes()
    flower_result = trained(run, 1, engine, candidate)
    assert (flower_result.status, flower_result.fault, flower_result.sandbox) == (
        "finished",
        None,
        "none",
    )
    assert len(flower_result.curve) == 2
    in_process_result = trained(run, 2, "in-process", candidate)
    assert in_process_result.weights_sha256 == flower_result.weights_sha256
    assert [p.validation for p in in_process_result.curve] == [
        p.validation for p in flower_result.curve
    ]
    assert flower_processes() <= before
    registrations = [log.read_text() for log in run.trial(1).root.glob("logs/register-*.log")]
    assert len(registrations) == (clients if engine == "deployment" else 0)
    assert all("registered successfully" in text for text in registrations)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_run_that_exceeds_its_time_limit_is_ended(tmp_path: Path, candidate: Candidate) -> None:
    run = RunFolder(tmp_path)
    prepare(DataRequest(clients=3), run)
    request = TrialRequest(
        number=1, candidate=candidate, engine="deployment", limits=SandboxLimits(time_s=6)
    )
    before = flower_processes()
    result = run_trial(run, request)
    assert result.status == "failed"
    assert result.fault is not None and result.fault.code == "timeout"
    assert flower_processes() <= before


STARTER = """
import sys, time
from pathlib import Path
from edgewright.tools.federated.grids.flower import flower_run
from edgewright.tools.federated.records.layout import TrialFolder
from edgewright.tools.federated.records.trial import TrialRequest

request = TrialRequest.model_validate_json(sys.argv[2])
with flower_run(request, TrialFolder(Path(sys.argv[1])), clients=1):
    print("started", flush=True)
    time.sleep(60)
"""


def command(process: psutil.Process) -> str:
    """Return a process's command line; empty if it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_deployment_ends_when_its_starter_is_killed(tmp_path: Path, candidate: Candidate) -> None:
    request = TrialRequest(number=1, candidate=candidate, engine="deployment")
    (tmp_path / "app").mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path), request.model_dump_json()],
        stdout=subprocess.PIPE,
    ) as starter:
        assert starter.stdout is not None and starter.stdout.readline() == b"started\n"
        started: list[psutil.Process] = []
        # The SuperLink and the SuperNode each start a program that starts the app's parts.
        while sum("superexec" in command(each) for each in started) < 2:
            time.sleep(0.1)
            started = psutil.Process(starter.pid).children(recursive=True)
        starter.kill()
    deadline = time.monotonic() + 15
    while any(map(command, started)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(command, started))


def test_a_superlink_that_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, candidate: Candidate
) -> None:
    monkeypatch.setattr(flower, "_START_S", 0.1)
    run = RunFolder(tmp_path)
    prepare(DataRequest(clients=3), run)
    with pytest.raises(UnavailableError) as caught:
        trained(run, 1, "deployment", candidate)
    assert caught.value.info().code == "flower_unavailable"
