"""The server's and the client's app of a deployment, without Flower's processes between them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from flwr.app import Context, Error, Message, RecordDict

from edgewright.tools.datasets.sources import load_source
from edgewright.tools.errors import InputError
from edgewright.tools.federated.app.checkpoint import load_newest
from edgewright.tools.federated.app.files import state_file
from edgewright.tools.federated.app.weights import load_arrays
from edgewright.tools.federated.deployment.client.app import client_app
from edgewright.tools.federated.deployment.client.samples import prepare_client
from edgewright.tools.federated.deployment.folders import (
    ClientFolder,
    DeployedRun,
    OperatorFolder,
    read_invitation,
)
from edgewright.tools.federated.deployment.operator.create import Plan, create_deployment
from edgewright.tools.federated.deployment.operator.publish import install_deployed
from edgewright.tools.federated.deployment.operator.report import (
    read_deployment_report,
    read_statuses,
)
from edgewright.tools.federated.deployment.operator.server_app import serve_run
from edgewright.tools.federated.deployment.records import Order
from edgewright.tools.federated.grids.in_process import InProcessGrid
from edgewright.tools.federated.records.candidate import Scaffold
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.serving.installed import install, installed_models
from edgewright.tools.federated.serving.versions import versions
from edgewright.tools.federated.template.writer import read_settings

Deploy = Callable[..., tuple[OperatorFolder, DeployedRun, list[ClientFolder]]]


@pytest.fixture
def deploy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_finished_run) -> Deploy:
    """Return a function that trains a deployment of two clients, one of which has no images."""
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path / "home"))
    return lambda **changes: _deploy(tmp_path, write_finished_run, changes)


def _deploy(
    tmp_path: Path, write_finished_run, changes: dict[str, object]
) -> tuple[OperatorFolder, DeployedRun, list[ClientFolder]]:
    source = RunFolder(tmp_path / "home/runs/RUN")
    write_finished_run(source, clients=2, **changes)
    folder = OperatorFolder(tmp_path / "clinics")
    create_deployment(folder, source, Plan(clients=2, address="127.0.0.1", rounds=2))
    assert not any(
        str(tmp_path).encode() in path.read_bytes()
        for part in (folder.app, folder.invitations)
        for path in part.rglob("*.*")
    )
    digits = load_source("digits")
    np.savez(
        tmp_path / "own.npz",
        images=digits.images[:900],
        labels=digits.labels[:900],
        classes=np.array(digits.classes),
    )
    places = [ClientFolder(tmp_path / f"client-{client}") for client in range(2)]
    for client, place in enumerate(places):
        invitation = read_invitation(folder.invitations / f"client-{client}.json")
        prepare_client(place, invitation, str(tmp_path / "own.npz"))
    (places[1].data / "train_images.npy").unlink()
    apps = [client_app(place, folder.app) for place in places]

    def deliver(message: Message, context: Context) -> Message:
        try:
            return apps[int(context.node_config["partition-id"])](message, context)
        except InputError as error:  # as Flower's own program reports it
            return Message(Error(0, f"{type(error)}:<'{error}'>"), reply_to=message)

    config = read_settings(folder.app).model_copy(update={"out": "run-01"}).run_config()
    grid = InProcessGrid(deliver, 2, config)  # type: ignore[arg-type]
    folder.flower.mkdir()
    folder.nodes.write_text('{"2": 0, "3": 1}')
    run = folder.next_run()
    run.write_order(Order(minimum=1, round_time_s=300))
    context = Context(1, 1, {}, RecordDict(), config)
    serve_run(grid, context, folder, folder.app)
    return folder, run, places


@pytest.mark.timeout(600)
def test_a_deployment_is_trained_scored_and_installed(deploy: Deploy) -> None:
    folder, run, _ = deploy()
    report = read_deployment_report(run)
    problems = [status.problem for status in read_statuses(run)]
    assert not problems[0]
    assert "train_images.npy" in problems[1]
    assert [each.clients for each in report.rounds] == [(0,), (0,)]
    assert [each.dropped[0].client for each in report.rounds] == [1, 1]
    assert report.best.accuracy > 0.6
    tool = install_deployed(folder)
    (model,) = installed_models()
    model.verify()
    assert (model.manifest.model, model.manifest.heads) == (tool, 0)
    assert model.graph is not None  # nodes need no sandbox for it
    with pytest.raises(InputError, match="--replace"):
        install_deployed(folder)
    earlier = model.manifest.model_copy(update={"run": "EARLIER"})
    install(model.card, earlier, model.app, model.weights)
    assert install_deployed(folder, replace=True) == tool
    kept = {each.run: each.current for each in versions(tool)}
    assert kept == {"EARLIER": False, "RUN-run-01": True}


@pytest.mark.timeout(600)
def test_deployed_clients_correct_their_gradients(deploy: Deploy) -> None:
    _, run, places = deploy(strategy=Scaffold())
    report = read_deployment_report(run)
    assert report.best.accuracy > 0.6
    checkpoint = load_newest(run.checkpoints)
    assert checkpoint is not None and checkpoint.optimiser["admitted"].tolist() == [2, 0]
    state = load_arrays(state_file(places[0].scratch("run-01") / "clients/0", 2))
    # The client is the only one, so its control variate is the server's.
    assert np.allclose(checkpoint.optimiser["control"], state["correction"], atol=1e-6)
    assert np.abs(state["correction"]).max() > 0
