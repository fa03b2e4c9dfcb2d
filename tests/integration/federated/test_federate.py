"""The page on training across machines, carried out: an operator and three clients on one wheel.

Each has a home and a folder of its own, and runs its commands as separate processes, with TLS and
registered keys. One client is killed on the way, and the SuperLink is started again.
"""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from edgewright.tools.datasets.sources import load_source
from edgewright.tools.federated.records.layout import RunFolder

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/how-to/train-across-machines.md"
CLIENTS, ROUNDS = 3, 10
#: Several times what a busy machine takes for a round.
PATIENCE_S = 400


def commands(heading: str) -> list[str]:
    """Return the commands of the page below a heading."""
    section = PAGE.read_text("utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    return "".join(re.findall(r"```console\n(.*?)```", section, re.DOTALL)).splitlines()


@dataclass
class Machine:
    """A machine of the deployment: a home, a working folder, and processes with their output."""

    folder: Path
    program: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.folder / "home").mkdir(parents=True)

    def environment(self) -> dict[str, str]:
        inherited = ("EDGEWRIGHT_CACHE", "PATH", "LANG")
        values = {name: os.environ[name] for name in inherited if name in os.environ}
        return values | {
            "HOME": str(self.folder / "home"),
            "EDGEWRIGHT_HOME": str(self.folder / "home"),
            "HF_HUB_OFFLINE": "1",
        }

    def start(self, command: str, log: str, *more: str) -> subprocess.Popen[bytes]:
        _, *arguments = shlex.split(command)
        with (self.folder / log).open("ab") as output:
            process = subprocess.Popen(
                [self.program, *arguments, *more],
                cwd=self.folder,
                env=self.environment(),
                stdout=output,
                stderr=output,
            )
        self.started.append(process)
        return process

    def run(self, command: str, *more: str) -> str:
        process = self.start(command, "run.log", *more)
        assert process.wait(PATIENCE_S) == 0, self.read("run.log")
        return self.read("run.log")

    def read(self, log: str) -> str:
        return (self.folder / log).read_text("utf-8")

    def wait_for(self, text: str, log: str, count: int = 1) -> None:
        wait_until(lambda: self.read(log).count(text) >= count, lambda: self.read(log))

    def stop(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.terminate()  # whatever it has started ends with it
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()


def wait_until(reached: Callable[[], bool], explain: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.5)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The command of an environment with the wheel, whose dependencies are this environment's."""
    environment = tmp_path_factory.mktemp("installed") / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    pip = [sys.executable, "-m", "pip", "--python", environment, "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", wheel], check=True, timeout=PATIENCE_S)
    (packages,) = environment.glob("lib/python*/site-packages")
    dependencies = Path(sysconfig.get_path("purelib"))
    (packages / "dependencies.pth").write_text(f"{dependencies}\n", "utf-8")
    for name in ("flwr", "flower-superlink", "flower-supernode", "flower-superexec"):
        text = (Path(sys.executable).parent / name).read_text("utf-8")
        copy = environment / "bin" / name
        copy.write_text(text.replace(sys.executable, str(environment / "bin/python")), "utf-8")
        copy.chmod(0o755)
    return environment / "bin" / "edgewright"


@pytest.fixture
def machines(tmp_path: Path, program: Path, write_finished_run) -> Iterator[list[Machine]]:
    """The operator's machine and those of the clients, each with its own samples."""
    found = [Machine(tmp_path / name, program) for name in ("operator", "a", "b", "c")]
    write_finished_run(RunFolder(found[0].folder / "home/runs/RUN"), clients=CLIENTS)
    digits = load_source("digits")
    for number, machine in enumerate(found[1:]):
        own = np.arange(len(digits.labels)) % CLIENTS == number
        np.savez(
            machine.folder / "photographs.npz",
            images=digits.images[own],
            labels=digits.labels[own],
            classes=np.array(digits.classes),
        )
    yield found
    for machine in reversed(found):
        machine.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_page_trains_across_machines(machines: list[Machine]) -> None:
    operator, *clients = machines
    (init,) = commands("Operator: set it up")
    init = init.replace("link.example.org", "localhost")
    operator.run(init, "--port", str(free_port()), "--rounds", str(ROUNDS))
    (serve,) = commands("Operator: start the SuperLink")
    link = operator.start(serve, "serve.log", "--host", "127.0.0.1")

    (join,) = commands("Each client: prepare and join")
    nodes = []
    for number, machine in enumerate(clients):
        name = f"client-{number}"
        invitation = (operator.folder / f"clinics/invitations/{name}.json").read_text("utf-8")
        assert str(operator.folder) not in invitation
        (machine.folder / f"{name}.json").write_text(invitation, "utf-8")
        command = join.replace("client-0", name).replace("photographs/", "photographs.npz")
        nodes.append(machine.start(command, "join.log"))
    clients[0].wait_for("not admitted yet", "join.log")
    (copy,) = commands("Operator: admit the clients")
    assert copy == "cp client-0.pub client-1.pub client-2.pub clinics/keys/"
    for number, machine in enumerate(clients):
        key = f"client-{number}/client-{number}.pub"
        wait_until((machine.folder / key).exists, lambda: "a client has no key")
        target = operator.folder / "clinics/keys" / f"client-{number}.pub"
        target.write_bytes((machine.folder / key).read_bytes())
    operator.wait_for(": joined", "serve.log", CLIENTS)

    (train,) = commands("Operator: train")
    training = operator.start(train, "train.log", "--json")
    operator.wait_for("round 1: 3 clients", "train.log")
    nodes[2].kill()
    operator.wait_for("client 2 left out", "train.log")
    link.terminate()
    link.wait(PATIENCE_S)
    operator.wait_for("the SuperLink was stopped", "train.log")
    lost = re.search(r"Rounds up to (\d+) are stored, and round (\d+)", operator.read("train.log"))
    assert lost and int(lost[2]) == int(lost[1]) + 1
    operator.start(serve, "serve.log", "--host", "127.0.0.1")
    assert training.wait(3 * PATIENCE_S) == 0, operator.read("train.log")
    outcome = json.loads(operator.read("train.log").splitlines()[-1])
    assert [len(each["clients"]) for each in outcome["rounds"]] == [3] + [2] * (ROUNDS - 1)
    assert outcome["restarts"] == 1
    assert outcome["accuracy"] > 0.6
    assert outcome["clients"].keys() >= {"0", "1"}

    # Nothing of the operator's machine is with a client, nor of a client with the operator.
    for one in machines:
        for other in machines:
            assert one is other or not holds(one.folder, str(other.folder).encode())
    (install,) = commands("Operator: install")
    assert "digit-classifier is installed" in operator.run(install)
    assert "run-01" in operator.run("edgewright cards history handwritten-digit-classifier")


def holds(folder: Path, text: bytes) -> bool:
    """Return whether a file below a folder contains a text."""
    return any(text in path.read_bytes() for path in folder.rglob("*") if path.is_file())
