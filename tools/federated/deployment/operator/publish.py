"""Installing the model of a deployment as a tool."""

from __future__ import annotations

from pathlib import Path

from edgewright.tools.cards.registry import CardRegistry
from edgewright.tools.errors import InputError
from edgewright.tools.federated.app.files import WEIGHTS, round_folder
from edgewright.tools.federated.app.weights import load_arrays, save_arrays
from edgewright.tools.federated.deployment.folders import DeployedRun, OperatorFolder
from edgewright.tools.federated.deployment.operator.report import read_deployment_report
from edgewright.tools.federated.deployment.records import Deployment
from edgewright.tools.federated.serving.exporting import graph_if_exportable
from edgewright.tools.federated.serving.installed import TrainedModelManifest, installed_models
from edgewright.tools.federated.serving.tool_card import tool_card
from edgewright.tools.federated.serving.versions import install_version
from edgewright.tools.federated.trials.scoring import digest_of
from edgewright.tools.storage.scratch import scratch_folder


def install_deployed(folder: OperatorFolder, *, run: str = "", replace: bool = False) -> str:
    """Install the best model of a finished run as a tool; one that it replaces stays a version.

    Args:
        folder: The operator's folder.
        run: Name of the run; empty for the newest one that has ended.
        replace: Whether it may take the place of a tool with the same classes and image format.

    Returns:
        Id of the tool's card.

    Raises:
        InputError: The model is not better than guessing (``not_learned``), or such a tool is
            installed already (``tool_exists``).
        NotFoundError: No run has ended (``no_report``).
    """
    deployment = folder.deployment()
    ended = [each for each in folder.runs() if each.report.exists()]
    chosen = folder.run(run) if run else (ended or [folder.next_run()])[-1]
    report = read_deployment_report(chosen)
    data = deployment.data
    if report.best.accuracy <= 1 / len(data.classes):
        raise InputError(
            f"the model is right on {report.best.accuracy:.2%} of the clients' validation samples, "
            "no better than guessing; train longer or choose another trial",
            code="not_learned",
        )
    card = tool_card(deployment.purpose, data, _used_ids(deployment, replace))
    with scratch_folder() as scratch:
        weights = scratch / "weights"
        _copy_weights(chosen, report.best.round_number, weights)
        manifest = TrainedModelManifest(
            model=card.id,
            run=f"{deployment.run}-{chosen.root.name}",
            classes=data.classes,
            height=data.height,
            width=data.width,
            channels=data.channels,
            revision=digest_of(weights)[:16],
            trained_at=chosen.report.stat().st_mtime,
        )
        graph = graph_if_exportable(manifest, folder.app, weights)
        note = (
            f"right on {report.best.accuracy:.1%} of the clients' validation samples, in round "
            f"{report.best.round_number} of a deployment"
        )
        install_version(card, manifest, folder.app, weights, graph, note=note)
    return card.id


def _copy_weights(run: DeployedRun, number: int, target: Path) -> None:
    target.mkdir()
    stored = round_folder(run.checkpoints, number) / WEIGHTS
    save_arrays(target / WEIGHTS, load_arrays(stored))


def _used_ids(deployment: Deployment, replace: bool) -> set[str]:
    """Return the ids that the new card cannot have.

    Raises:
        InputError: There is a tool for the same task, which must not be replaced.
    """
    data = deployment.data
    used = {card.id for card in CardRegistry.builtin()}
    for model in installed_models():
        other = model.manifest
        if not other.is_for(data):
            used.add(other.model)
        elif not replace:
            raise InputError(
                f"{other.model!r} has the same classes; pass --replace to put this model in its "
                "place",
                code="tool_exists",
            )
    return used
