"""Measuring a node's own speed, and storing the result."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from edgewright.edge_runtime.config import NodeConfig
from edgewright.edge_runtime.workers.pool import worker_from_config
from edgewright.tools.contracts.profiles import ModelProfile, NodeProfile
from edgewright.tools.errors import StorageError
from edgewright.tools.settings import home
from edgewright.tools.storage.atomic import write_file

log = logging.getLogger(__name__)

#: Maximum time for a piece of measuring, and seconds until the node is looked at again.
_PIECE_S, _POLL_S = 120.0, 0.01


def measure_profile(config: NodeConfig) -> NodeProfile:
    """Measure the models of ``preload``, and store the result.

    Args:
        config: The node's configuration.

    Returns:
        The node's profile, without link and peer.

    Raises:
        UnavailableError: A model cannot be loaded.
        StorageError: The profile cannot be written.
    """
    profile = stored(config)
    for model in config.preload:
        models = {**profile.models, model: asyncio.run(measure_model(config, model))}
        profile = profile.model_copy(update={"models": models})
    store(config, profile)
    return profile


async def measure_model(
    config: NodeConfig, model: str, *, idle: Callable[[], bool] = lambda: True
) -> ModelProfile:
    """Measure one model in a worker of its own, in short pieces.

    Args:
        config: The node's configuration.
        model: Model id.
        idle: Returns whether no call needs the processor; between pieces, measuring waits for that.

    Raises:
        UnavailableError: The model cannot be loaded.
        DeadlineError: A piece took far too long.
    """
    worker = worker_from_config(config, model)
    camera = str(config.camera.resolve()) if config.camera else None
    parameters = {"camera": camera, "runs": config.profile_runs}
    try:
        while True:
            while not idle():
                await asyncio.sleep(_POLL_S)
            deadline = asyncio.get_running_loop().time() + _PIECE_S
            header, _ = await worker.call("profile", parameters, deadline=deadline)
            if header["profile"] is not None:
                return ModelProfile.model_validate(header["profile"])
    finally:
        await worker.close()


def stored(config: NodeConfig) -> NodeProfile:
    """Read the stored profile, as far as it applies to the current configuration.

    Args:
        config: The node's configuration.

    Returns:
        The profile without models that were measured with other threads or another slowdown;
        without any model if there is no readable file.
    """
    empty = NodeProfile(node=config.name, role=config.role)
    try:
        profile = NodeProfile.model_validate_json(_file(config).read_bytes())
    except FileNotFoundError:
        return empty
    except (OSError, ValidationError):
        log.warning("the stored profile cannot be read; measuring again")
        return empty
    current = (config.threads, config.slowdown)
    models = {
        name: model
        for name, model in profile.models.items()
        if (model.threads, model.slowdown) == current
    }
    return empty.model_copy(update={"models": models})


def store(config: NodeConfig, profile: NodeProfile) -> None:
    """Write a profile to its file atomically.

    Args:
        config: The node's configuration.
        profile: The measured profile.

    Raises:
        StorageError: It cannot be written.
    """
    path = _file(config)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, profile.model_dump_json(indent=2).encode())
    except OSError as error:
        raise StorageError(
            f"the profile cannot be written ({error.strerror}); free some space, or set "
            "'profile_file'"
        ) from None


def _file(config: NodeConfig) -> Path:
    return config.profile_file or home() / "profiles" / f"{config.name}.json"
