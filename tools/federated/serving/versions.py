"""The versions of a trained tool: which model serves it now, which served it before.

A model that is replaced stays on disk, and so does one that was not good enough to take its place.
A person can put any of them back.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from edgewright.tools.contracts.cards import ToolCard
from edgewright.tools.errors import InputError, NotFoundError
from edgewright.tools.federated.serving.installed import (
    InstalledModel,
    TrainedModelManifest,
    install,
    models_folder,
    read_model,
)
from edgewright.tools.storage.atomic import new_folder
from edgewright.tools.storage.locks import exclusive


class Placement(BaseModel):
    """A line of a tool's history.

    Attributes:
        run: Run that trained the model.
        event: ``installed`` if the model became the tool's, ``kept`` if it was only stored.
        at: When, in seconds since 1970.
        note: Why, for a person.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str
    event: Literal["installed", "kept"]
    at: float
    note: str = ""


class Version(BaseModel):
    """A model that a tool has or could have.

    Attributes:
        run: Run that trained it.
        current: Whether it is the tool's model.
        trained_at: When it was trained, in seconds since 1970; 0 if not recorded.
        test_accuracy: Accuracy on its run's test split; None if not recorded.
        note: What its last placement says.
    """

    model_config = ConfigDict(frozen=True)

    run: str
    current: bool
    trained_at: float
    test_accuracy: float | None
    note: str


def install_version(
    card: ToolCard,
    manifest: TrainedModelManifest,
    app: Path,
    weights: Path,
    graph: bytes | None = None,
    *,
    familiarity: bytes | None = None,
    note: str = "",
) -> InstalledModel:
    """Make a model the tool's; the one that it replaces stays as a version.

    Args:
        card: The card it serves.
        manifest: Its manifest.
        app: Folder of the generated app; it is copied.
        weights: Folder with its weights; it is copied.
        graph: The model as an ONNX graph; None if it could not be exported.
        familiarity: What its images look like; None if unknown.
        note: Why it takes the place, for the history.
    """
    with _locked(manifest.model):
        _store_current(manifest.model)
        model = install(card, manifest, app, weights, graph, familiarity=familiarity)
        _record(manifest.model, manifest.run, "installed", note)
    return model


def keep_version(
    card: ToolCard,
    manifest: TrainedModelManifest,
    app: Path,
    weights: Path,
    graph: bytes | None = None,
    *,
    familiarity: bytes | None = None,
    note: str,
) -> None:
    """Store a model as a version of a tool that keeps its present model.

    Args:
        card: The card it would serve.
        manifest: Its manifest.
        app: Folder of the generated app; it is copied.
        weights: Folder with its weights; it is copied.
        graph: The model as an ONNX graph; None if it could not be exported.
        familiarity: What its images look like; None if unknown.
        note: Why it does not take the place, for the history.
    """
    with _locked(manifest.model):
        folder = _stored(manifest.model, manifest.run)
        install(card, manifest, app, weights, graph, familiarity=familiarity, folder=folder)
        _record(manifest.model, manifest.run, "kept", note)


def versions(tool: str) -> list[Version]:
    """List a tool's versions, the latest placement first.

    Raises:
        NotFoundError: No such tool was trained here (``unknown_tool``).
    """
    current = _current(tool)
    found = {model.manifest.run: model for model in _stored_models(tool)}
    if current is not None:
        found[current.manifest.run] = current
    if not found:
        raise NotFoundError(
            f"no tool {tool[:100]!r} was trained here; 'edgewright runs list' shows the tools",
            code="unknown_tool",
        )
    placements = _placements(tool)
    order = {each.run: index for index, each in enumerate(placements)}
    notes = {each.run: each.note for each in placements}
    return [
        Version(
            run=run,
            current=current is not None and run == current.manifest.run,
            trained_at=model.manifest.trained_at,
            test_accuracy=model.manifest.test_accuracy,
            note=notes.get(run, ""),
        )
        for run, model in sorted(found.items(), key=lambda pair: -order.get(pair[0], -1))
    ]


def restore(tool: str, run: str | None = None) -> Version:
    """Make an earlier version of a tool its model again.

    Args:
        tool: Id of the tool.
        run: Run that trained the version; None for the one that served before the present one.

    Returns:
        The version, which is now current.

    Raises:
        NotFoundError: No such tool or version (``unknown_tool``, ``unknown_version``).
        UnavailableError: The version's files were changed (``model_damaged``).
    """
    known = versions(tool)
    with _locked(tool):
        wanted = run or _previous(tool, known)
        stored = {model.manifest.run: model for model in _stored_models(tool)}
        if wanted is None or not any(each.run == wanted for each in known):
            lacking = "earlier version" if run is None else f"version {run!r}"
            raise NotFoundError(
                f"the tool {tool!r} has no {lacking}; 'edgewright cards history {tool}' shows the "
                "versions",
                code="unknown_version",
            )
        if not any(each.current and each.run == wanted for each in known):
            stored[wanted].verify()
            _store_current(tool)
            with new_folder(models_folder() / tool) as part:
                shutil.copytree(stored[wanted].folder, part, dirs_exist_ok=True)
            _record(tool, wanted, "installed", "put back by a person")
    return next(each for each in versions(tool) if each.run == wanted)


def _previous(tool: str, known: list[Version]) -> str | None:
    """Return the run whose model served before the present one; None if there is none."""
    available = {each.run for each in known if not each.current}
    served = [each.run for each in _placements(tool) if each.event == "installed"]
    return next((run for run in reversed(served) if run in available), None)


def _store_current(tool: str) -> None:
    """Copy the tool's present model to its versions, unless it is there."""
    current = _current(tool)
    if current is None:
        return
    target = _stored(tool, current.manifest.run)
    kept = [model.manifest.revision for model in _stored_models(tool) if model.folder == target]
    if kept != [current.manifest.revision]:
        with new_folder(target) as part:
            shutil.copytree(current.folder, part, dirs_exist_ok=True)
    if not _placements(tool):
        _record(tool, current.manifest.run, "installed", "")


def _current(tool: str) -> InstalledModel | None:
    try:
        return read_model(models_folder() / tool / "manifest.json")
    except InputError:
        return None


def _stored_models(tool: str) -> Iterator[InstalledModel]:
    for path in sorted(_history(tool).glob("[!.]*/manifest.json")):
        try:
            yield read_model(path, model=tool)
        except InputError:
            continue


def _stored(tool: str, run: str) -> Path:
    """Return the folder of a version. A run's name is a name of a folder already."""
    return _history(tool) / Path(run).name


def _history(tool: str) -> Path:
    # Installed models are looked for in folders whose names begin with a letter.
    return models_folder() / ".versions" / Path(tool).name


@contextmanager
def _locked(tool: str) -> Iterator[None]:
    _history(tool).mkdir(parents=True, exist_ok=True)
    with exclusive(_history(tool) / "lock"):
        yield


def _record(tool: str, run: str, event: Literal["installed", "kept"], note: str) -> None:
    line = Placement(run=run, event=event, at=time.time(), note=note)
    with (_history(tool) / "history.jsonl").open("a", encoding="utf-8") as file:
        file.write(line.model_dump_json() + "\n")


def _placements(tool: str) -> list[Placement]:
    """Read the placements, oldest first; a damaged line is left out."""
    try:
        lines = (_history(tool) / "history.jsonl").read_text("utf-8").splitlines()
    except OSError:
        return []
    placements = []
    for line in lines:
        try:
            placements.append(Placement.model_validate(json.loads(line)))
        except (ValueError, ValidationError):
            continue
    return placements
