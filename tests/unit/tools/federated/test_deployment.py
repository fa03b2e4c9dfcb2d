"""Deployments: a client's own folder, keys, fresh runs, and programs that end."""

import fcntl
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from edgewright.tools.errors import InputError
from edgewright.tools.federated.app.guard import error_text
from edgewright.tools.federated.app.learner import load_shard
from edgewright.tools.federated.app.weights import InitialModel
from edgewright.tools.federated.deployment.client import supernode
from edgewright.tools.federated.deployment.client.samples import prepare_client, sample_counts
from edgewright.tools.federated.deployment.folders import (
    ClientFolder,
    OperatorFolder,
    read_invitation,
)
from edgewright.tools.federated.deployment.initial import read_initial_model, write_initial_model
from edgewright.tools.federated.deployment.operator.control import Node, read_key
from edgewright.tools.federated.deployment.operator.create import Plan, create_deployment
from edgewright.tools.federated.deployment.operator.superlink import Admission
from edgewright.tools.federated.deployment.programs import write_programs
from edgewright.tools.federated.deployment.records import (
    Invitation,
    Order,
)
from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.federated.records.data_card import ClientCard, DataCard
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.local_privacy import DpSgd
from edgewright.tools.federated.records.report import RunReport, TrialReport
from edgewright.tools.federated.records.report import write_report as write_run_report
from edgewright.tools.federated.records.trial import (
    CurvePoint,
    LinkSpeed,
    ModelScore,
    TrialResult,
)

INVITATION = Invitation(
    client=1,
    clients=3,
    address="link.example.org:8000",
    authority="-----BEGIN CERTIFICATE-----",
    purpose="tell rings from bars",
    classes=("bar", "ring"),
    height=16,
    width=16,
    channels=1,
)


def archive(path: Path, classes: tuple[str, ...] = ("ring", "bar"), count: int = 20) -> str:
    """Write a client's samples: bright images of the first class, dark ones of the second."""
    labels = np.arange(count) % len(classes)
    images = np.where(labels == 0, 250, 5).astype(np.uint8)[:, None, None, None]
    images = np.broadcast_to(images, (count, 24, 24, 3))
    np.savez(path, images=images, labels=labels, classes=np.array(classes))
    return str(path)


def test_a_client_prepares_its_own_folder(tmp_path: Path) -> None:
    folder = ClientFolder(tmp_path / "own")
    prepare_client(folder, INVITATION, archive(tmp_path / "site.npz"))
    images = np.load(folder.data / "train_images.npy")
    labels = np.load(folder.data / "train_labels.npy")
    assert images.shape[1:] == (16, 16, 1)
    assert sample_counts(folder) == (len(images), 20 - len(images))
    # The archive's class 0, "ring", is the deployment's class 1.
    assert ((images.mean(axis=(1, 2, 3)) > 100) == (labels == 1)).all()
    assert set(np.load(folder.data / "train_clients.npy")) == {1}
    assert folder.key.stat().st_mode & 0o077 == 0
    key = folder.public_key(1).read_bytes()
    prepare_client(folder, INVITATION, None)  # again, with the same samples and key
    assert folder.public_key(1).read_bytes() == key


def test_data_that_do_not_fit_the_invitation_are_refused(tmp_path: Path) -> None:
    folder = ClientFolder(tmp_path / "own")
    with pytest.raises(InputError, match="--data") as caught:
        prepare_client(folder, INVITATION, None)
    assert caught.value.info().code == "no_shard"
    with pytest.raises(InputError, match=r"star.*its classes are bar, ring"):
        prepare_client(folder, INVITATION, archive(tmp_path / "a.npz", ("ring", "star")))
    with pytest.raises(InputError, match="at least") as caught:
        prepare_client(folder, INVITATION, archive(tmp_path / "b.npz", count=2))
    assert caught.value.info().code == "too_few_samples"


def test_a_missing_file_is_named_without_its_folder(tmp_path: Path) -> None:
    folder = ClientFolder(tmp_path / "own")
    prepare_client(folder, INVITATION, archive(tmp_path / "site.npz"))
    (folder.held / "validation_labels.npy").unlink()
    with pytest.raises(InputError, match=r"\(validation_labels\.npy\)") as caught:
        sample_counts(folder)
    assert str(tmp_path) not in caught.value.message


def test_a_file_that_is_no_invitation(tmp_path: Path) -> None:
    (tmp_path / "client-0.json").write_text("{}")
    with pytest.raises(InputError, match="not an invitation"):
        read_invitation(tmp_path / "client-0.json")


@pytest.mark.parametrize("address", ["link.example.org:8000", "https://link", "", "two words"])
def test_an_address_that_is_none_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(InputError, match="neither an IP address nor a DNS name"):
        create_deployment(
            OperatorFolder(tmp_path / "new"), RunFolder(tmp_path), Plan(clients=3, address=address)
        )


def test_a_trial_with_noise_of_its_clients_is_refused(tmp_path: Path, candidate: Candidate) -> None:
    score = ModelScore(accuracy=0.9, loss=0.2, clients=(0.9, 0.9))
    point = CurvePoint(
        round_number=1, train_loss=None, train_accuracy=None, validation=score, bytes_up=1,
        bytes_down=1, simulated_s=1.0, wall_s=1.0,
    )  # fmt: skip
    result = TrialResult(
        number=1, status="finished", engine="in-process", sandbox="sandlock", seed=0,
        curve=(point,), best_round=1,
    )  # fmt: skip
    private = candidate.model_copy(update={"local_privacy": DpSgd()})
    trial = TrialReport(
        coder="embedded", candidate=private, reasons=(), note="", faults=(), result=result
    )
    clients = (ClientCard(samples=50, histogram=(25, 25)),) * 3
    card = DataCard(
        name="digits", height=8, width=8, channels=1, original_side=8, classes=("0", "1"),
        train=150, validation=20, test=20, partition="iid", clients=clients, balance=1.0,
        label_skew=0.0, size_skew=1.0,
    )  # fmt: skip
    report = RunReport(
        run="run", purpose="digits", stop="privacy", engine="in-process", seed=0, link=LinkSpeed(),
        data=card, trials=(trial,), best=1, test=score,
    )  # fmt: skip
    source = RunFolder(tmp_path / "run")
    source.root.mkdir()
    write_run_report(source, report)
    with pytest.raises(InputError, match="noise of its clients") as refused:
        plan = Plan(clients=3, address="link.example.org")
        create_deployment(OperatorFolder(tmp_path / "new"), source, plan)
    assert refused.value.info().code == "local_privacy"
    assert not (tmp_path / "new").exists()


def test_flower_starts_no_code_of_an_app(tmp_path: Path) -> None:
    folder = ClientFolder(tmp_path / "a folder")
    write_programs(folder, "flwr-clientapp", "some.module")
    programs = {path.name: path.read_text() for path in folder.programs.iterdir()}
    ours = {name for name, text in programs.items() if "-m some.module" in text}
    assert ours == {"flwr-clientapp"}
    assert {"flwr-serverapp", "flwr-agentapp"} <= programs.keys()
    assert all("exit 1" in text for name, text in programs.items() if name not in ours)


class Link:
    """A SuperLink's answers: the nodes that are registered, and those that are online."""

    def __init__(self) -> None:
        self.found: dict[str, Node] = {}

    def nodes(self) -> list[Node]:
        return list(self.found.values())

    def register(self, key: bytes, name: str) -> None:
        self.found[name] = Node(7 + len(self.found), name, key, online=False)

    def unregister(self, node: Node) -> None:
        del self.found[node.name]


def test_keys_are_admitted_and_clients_are_named(tmp_path: Path) -> None:
    folder = OperatorFolder(tmp_path / "deployed")
    folder.keys.mkdir(parents=True)
    folder.flower.mkdir()
    own = ClientFolder(tmp_path / "own")
    prepare_client(own, INVITATION, archive(tmp_path / "site.npz"))
    link = Link()
    admission = Admission(folder, 2, link)  # type: ignore[arg-type]
    assert [line.split(";")[0] for line in admission.update()] == [
        "client 0: no key yet",
        "client 1: no key yet",
    ]
    (folder.keys / "client-1.pub").write_bytes(own.public_key(1).read_bytes())
    assert list(admission.update()) == ["client 1: admitted; it has not connected yet"]
    assert link.found["client-1"].key == read_key(own.public_key(1))
    assert folder.client_of() == {7: 1}
    for online, line in ((True, "client 1: joined"), (False, "client 1: gone")):
        node = link.found["client-1"]
        link.found["client-1"] = Node(node.number, node.name, node.key, online)
        assert list(admission.update()) == [line]
    (folder.keys / "client-0.pub").write_text("no key")
    assert [line for line in admission.update() if "no public key" in line]
    assert list(admission.update()) == []  # said once


def test_initial_weights_keep_their_order(tmp_path: Path) -> None:
    weights = {name: np.ones(2, np.float32) for name in ("1.weight", "1.bias", "0.mean")}
    write_initial_model(tmp_path / "initial", InitialModel(weights, frozenset({"1.weight"})))
    model = read_initial_model(tmp_path / "initial")
    assert list(model.weights) == list(weights)
    assert model.trainable == {"1.weight"}


def test_a_client_without_a_shard_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"client 2 has no data: train_clients\.npy"):
        load_shard(tmp_path, 2)


def test_a_run_that_has_ended_is_never_resumed(tmp_path: Path) -> None:
    folder = OperatorFolder(tmp_path)
    first = folder.next_run()
    first.write_order(Order(minimum=1, round_time_s=60))
    assert folder.next_run() == first  # interrupted
    first.report.write_text("{}")
    second = folder.next_run()
    assert second != first
    assert not second.root.exists()


@pytest.mark.parametrize("name", ["../../other", "out", "run-1/..", ""])
def test_a_name_that_is_no_runs_leads_nowhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="no run"):
        OperatorFolder(tmp_path).run(name)


def test_why_a_node_is_not_connected(tmp_path: Path) -> None:
    log = tmp_path / "supernode.log"
    key = tmp_path / "client-1.pub"
    log.write_text("[code: 2004] Failed to activate SuperNode.")
    assert "send" in supernode._reason(log, 0, "link:8000", key)
    assert "does not answer" in supernode._reason(log, log.stat().st_size, "link:8000", key)
    log.write_text("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")
    with pytest.raises(InputError, match="new invitation") as caught:
        supernode._reason(log, 0, "link:8000", key)
    assert caught.value.info().code == "not_trusted"


def test_an_error_keeps_its_words_and_loses_its_class() -> None:
    quoted = "<class 'edgewright.tools.errors.InputError'>:<'client 2 has no data'>"
    assert error_text(quoted) == "client 2 has no data"
    assert error_text("no such node") == "no such node"


STUBBORN = """
import fcntl, signal, sys, time
from edgewright.tools.federated.deployment.programs import end_with_starter

signal.signal(signal.SIGINT, signal.SIG_IGN)
end_with_starter(grace_s=0.1)
with open(sys.argv[1], "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    print("locked", flush=True)
    time.sleep(600)
"""
STARTER = "import subprocess, sys; subprocess.run([sys.executable, *sys.argv[1:]])"


def test_a_program_that_is_stuck_ends_after_its_starter_and_frees_the_run(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    command = [sys.executable, "-c", STARTER, "-c", STUBBORN, str(lock)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None and starter.stdout.readline() == b"locked\n"
        starter.kill()
        with lock.open() as file:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                with suppress(BlockingIOError):
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return
                time.sleep(0.1)
    pytest.fail("the run is still locked")
