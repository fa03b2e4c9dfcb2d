"""Running an app's code in the sandbox, for its initial weights and for a client's round."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from edgewright.tools.errors import InputError
from edgewright.tools.federated.app.files import CONTROL, LOGITS, UPDATE, WEIGHTS
from edgewright.tools.federated.app.instruction import TrainInstruction
from edgewright.tools.federated.app.settings import AppSettings
from edgewright.tools.federated.app.weights import InitialModel, save_arrays
from edgewright.tools.federated.deployment.folders import ClientFolder
from edgewright.tools.federated.deployment.records import Counts
from edgewright.tools.federated.records.candidate import CodeSlot
from edgewright.tools.federated.records.validated import read_file, read_logits, read_weights
from edgewright.tools.federated.template.writer import (
    SLOTS,
    read_settings,
    slot_file,
    write_source,
)
from edgewright.tools.models.engines.torch.lite0_weights import weights_files
from edgewright.tools.sandbox.backends import find_sandbox
from edgewright.tools.sandbox.limits import SandboxLimits
from edgewright.tools.sandbox.policy import Policy
from edgewright.tools.sandbox.programs import command, fault_from, program_argument, read_answer
from edgewright.tools.storage.scratch import scratch_folder

_MAX_SOURCE_BYTES = 100_000
_INITIAL = "edgewright.tools.federated.sandboxed.initial"
_ROUND = "edgewright.tools.federated.sandboxed.client_round"


@dataclass(frozen=True)
class RoundOutcome:
    """What a client's round gave.

    Attributes:
        counts: Score of the global model on the client's validation samples.
        payload: The encoded update; empty if it was only scored.
        samples: Number of training samples.
        loss: Mean training loss in the last local epoch.
        accuracy: Training accuracy in the last local epoch.
    """

    counts: Counts
    payload: bytes = b""
    samples: int = 0
    loss: float = 0.0
    accuracy: float = 0.0


def read_source(app: Path) -> dict[CodeSlot, str]:
    """Read the source of an app's slots, and nothing else of it.

    Raises:
        InputError: A slot is missing or too large (``bad_app``).
    """
    try:
        return {slot: read_file(slot_file(app, slot), _MAX_SOURCE_BYTES).decode() for slot in SLOTS}
    except (InputError, UnicodeDecodeError):
        raise InputError("the app that was sent lacks the code of a slot", code="bad_app") from None


def initial_model(app: Path, limits: SandboxLimits) -> InitialModel:
    """Build an app's model in the sandbox and return its initial weights.

    Raises:
        InputError: The code failed (with the fault's code).
        UnavailableError: No sandbox works on this machine (``no_sandbox``).
    """
    with scratch_folder() as folder:
        scratch = folder / "out"
        scratch.mkdir()
        settings = read_settings(app)
        answer = _run(_INITIAL, read_source(app), settings, scratch, scratch, limits, {})
        data = read_weights(scratch / WEIGHTS, limits.parameters)
    weights = load(data)
    names = [str(name) for name in answer.get("names", ())]
    if sorted(names) != sorted(weights):
        raise InputError("the app's weights do not bear the names it gave", code="bad_result")
    trainable = frozenset(str(name) for name in answer.get("trainable", ()))
    # Updates are vectors, so the order of the tensors is part of the model.
    return InitialModel({name: weights[name] for name in names}, trainable)


def run_round(
    folder: ClientFolder,
    source: dict[CodeSlot, str],
    settings: AppSettings,
    instruction: TrainInstruction,
    *,
    client: int,
    limits: SandboxLimits,
) -> RoundOutcome:
    """Score a global model on a client's validation samples, and train it on the others.

    Args:
        folder: The client's folder.
        source: The code of the app's slots.
        settings: The app's settings.
        instruction: The server's instruction; its round 0 only scores.
        client: Number of the client.
        limits: Resource limits of the sandbox.

    Raises:
        InputError: The code failed (with the fault's code), or its output is invalid.
        UnavailableError: No sandbox works on this machine (``no_sandbox``).
    """
    scratch = folder.scratch(settings.out)
    scratch.mkdir(parents=True, exist_ok=True)
    images = folder.held / "validation_images.npy"
    labels = np.load(folder.held / "validation_labels.npy", allow_pickle=False)
    with scratch_folder() as inputs:
        save_arrays(inputs / WEIGHTS, instruction.arrays)
        save_arrays(inputs / CONTROL, instruction.control)
        job = {
            "weights": str(inputs),
            "images": str(images),
            "client": client,
            "round": instruction.round_number,
            "admitted": instruction.admitted,
        }
        answer = _run(_ROUND, source, settings, folder.data, scratch, limits, job, images, inputs)
    counts = _counts(scratch / LOGITS, labels, settings.classes)
    if not instruction.round_number:
        return RoundOutcome(counts)
    return RoundOutcome(
        counts=counts,
        payload=read_file(
            scratch / UPDATE, 4 * limits.parameters * settings.strategy.vectors + 1_000_000
        ),
        samples=int(_number(answer, "samples")),
        loss=_number(answer, "loss"),
        accuracy=_number(answer, "accuracy"),
    )


def _run(
    module: str,
    source: dict[CodeSlot, str],
    settings: AppSettings,
    data: Path,
    scratch: Path,
    limits: SandboxLimits,
    extra: dict[str, Any],
    *readable: Path,
) -> dict[str, Any]:
    """Run a program in the sandbox to its end and return its answer."""
    with scratch_folder() as folder:
        # Of the app that was sent only the slots are used; all else is this package's own.
        app = folder / "app"
        local = settings.model_copy(update={"data": str(data), "out": str(scratch)})
        write_source(source, local, app)
        policy = Policy(
            scratch=scratch, read=(app, data, *readable, *weights_files()), limits=limits
        )
        argument = program_argument(app, limits, **extra)
        with find_sandbox().start(command(module, argument), policy) as process:
            line = process.receive(limits.time_s)
            process.wait(5)
            answer = read_answer(line)
            if answer.get("done") is not True:
                fault = fault_from(line, process)
                raise InputError(f"the app failed: {fault.message[:300]}", code=fault.code)
            return answer


def _counts(logits: Path, labels: NDArray[np.int64], classes: int) -> Counts:
    values = read_logits(logits, (len(labels), classes))
    finite = np.isfinite(values).all(axis=1)
    correct = finite & (np.where(finite[:, None], values, 0.0).argmax(axis=1) == labels)
    return Counts(correct=int(correct.sum()), samples=len(labels))


def _number(answer: dict[str, Any], name: str) -> float:
    value = answer.get(name)
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    return 0.0
