"""Writing a candidate as a standard Flower app; every engine runs the same files."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import get_args

from edgewright.tools.federated.app.settings import AppSettings
from edgewright.tools.federated.records.candidate import Candidate, CodeSlot
from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.storage.removal import remove

PACKAGE = "federated_app"
SLOTS: tuple[CodeSlot, ...] = get_args(CodeSlot)

_PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "federated-app"
version = "1.0.0"
description = "Federated image classification, written by Edgewright"
license = "Apache-2.0"
dependencies = ["edgewright[federated]", "flwr[simulation]>=1.41,<1.42"]

[tool.hatch.build.targets.wheel]
packages = ["federated_app"]

[tool.flwr.app]
publisher = "edgewright"

[tool.flwr.app.components]
serverapp = "federated_app.server_app:app"
clientapp = "federated_app.client_app:app"

[tool.flwr.app.config]
{config}
"""


def settings_for(
    candidate: Candidate,
    card: DataCard,
    *,
    data: Path,
    out: Path,
    seed: int,
    keep_checkpoints: int = 2,
) -> AppSettings:
    """Return the settings of an app.

    Args:
        candidate: The candidate to train.
        card: Card of the training data.
        data: Folder with the training split.
        out: Folder that the app writes to.
        seed: Seed of the run.
        keep_checkpoints: Number of newest checkpoints to keep; 0 keeps all.
    """
    return AppSettings(
        data=str(data),
        out=str(out),
        seed=seed,
        channels=card.channels,
        height=card.height,
        width=card.width,
        classes=len(card.classes),
        clients=len(card.clients),
        samples=card.train,
        samples_max=card.largest_client,
        keep_checkpoints=keep_checkpoints,
        **candidate.model_dump(exclude={*SLOTS, "rationale"}),
    )


def write_app(candidate: Candidate, settings: AppSettings, folder: Path) -> None:
    """Write the app, replacing the folder if it exists.

    Args:
        candidate: The code of the slots.
        settings: All other settings, written as the app's run config.
        folder: Folder for ``pyproject.toml`` and the package ``federated_app``.
    """
    write_source({slot: candidate.code(slot) for slot in SLOTS}, settings, folder)


def write_source(source: Mapping[CodeSlot, str], settings: AppSettings, folder: Path) -> None:
    """Write an app from the source of its slots, replacing the folder if it exists.

    Args:
        source: The code of each slot.
        settings: All other settings, written as the app's run config.
        folder: Folder for ``pyproject.toml`` and the package ``federated_app``.
    """
    remove(folder)
    with as_file(
        files("edgewright.tools.federated.template") / "app-template" / PACKAGE
    ) as template:
        shutil.copytree(
            template, folder / PACKAGE, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    slots = folder / PACKAGE / "slots"
    slots.mkdir()
    (slots / "__init__.py").write_text('"""The proposed code of this app."""\n', "utf-8")
    for slot in SLOTS:
        slot_file(folder, slot).write_text(source[slot], "utf-8")
    config = "\n".join(f"{key} = {_toml(value)}" for key, value in settings.run_config().items())
    (folder / "pyproject.toml").write_text(_PYPROJECT.format(config=config), "utf-8")


def slot_file(app: Path, slot: CodeSlot) -> Path:
    """Return the file of a slot's source in an app."""
    return app / PACKAGE / "slots" / f"{slot}.py"


def read_settings(app: Path) -> AppSettings:
    """Read the settings of an app from its project file."""
    config = tomllib.loads((app / "pyproject.toml").read_text("utf-8"))
    return AppSettings.read(config["tool"]["flwr"]["app"]["config"])


def _toml(value: str | int | float | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return repr(value)
