"""Scoring models on the host: generated code gets images and returns logits, never labels."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from edgewright.tools.errors import InputError
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.trial import ModelScore, TrialResult
from edgewright.tools.federated.records.validated import read_weights
from edgewright.tools.federated.serving.sandboxed_model import SandboxedModel
from edgewright.tools.federated.trials.prepare import load_card
from edgewright.tools.sandbox.limits import SandboxLimits
from edgewright.tools.storage.atomic import new_folder

#: Maximum loss of a sample; also the loss of samples whose logits are not finite.
_WORST_LOSS = 100.0


class Split(BaseModel):
    """A held-out split in memory.

    Attributes:
        images: uint8 [N, H, W, C].
        labels: int64 [N].
        clients: int64 [N].
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, frozen=True)

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    clients: NDArray[np.int64]


def load_split(run: RunFolder, name: str) -> Split:
    """Load a held-out split, ``validation`` or ``test``."""
    arrays = {
        part: np.load(run.held / f"{name}_{part}.npy", allow_pickle=False)
        for part in ("images", "labels", "clients")
    }
    return Split(**arrays)


def score(logits: NDArray[np.float32], split: Split, clients: int) -> ModelScore:
    """Compute accuracy and loss from logits.

    Args:
        logits: float32 [N, classes]; rows that are not finite count as wrong.
        split: The split with its labels.
        clients: Number of clients.
    """
    finite = np.isfinite(logits).all(axis=1)
    safe = np.where(finite[:, None], logits, 0.0).astype(np.float64)
    correct = finite & (safe.argmax(axis=1) == split.labels)
    shifted = safe - safe.max(axis=1, keepdims=True)
    target_logits = shifted[np.arange(len(safe)), split.labels]
    losses = np.where(finite, np.log(np.exp(shifted).sum(axis=1)) - target_logits, _WORST_LOSS)
    members = [correct[split.clients == client] for client in range(clients)]
    return ModelScore(
        accuracy=float(correct.mean()),
        loss=float(np.minimum(losses, _WORST_LOSS).mean()),
        clients=tuple(float(part.mean()) if len(part) else None for part in members),
        suspect_labels=_suspect_labels(shifted, correct),
    )


def _suspect_labels(shifted: NDArray[np.float64], correct: NDArray[np.bool_]) -> float:
    """Estimate the share of wrong labels from logits and what is right by the labels.

    A model that knows the classes is as certain of an image with a wrong label as of any other, so
    half of these are above the median certainty of what it gets right. Of its own mistakes it is
    less certain.
    """
    if not correct.any() or correct.all():
        return 0.0
    certainty = 1 / np.exp(shifted).sum(axis=1)
    wrong = certainty[~correct] >= np.median(certainty[correct])
    return float(min((~correct).mean(), 2 * wrong.sum() / len(correct)))


def score_test(run: RunFolder, number: int) -> ModelScore:
    """Score a trial's best weights on the test split; a run can do so for only one trial.

    Args:
        run: The run.
        number: Number of the chosen trial.

    Raises:
        InputError: The test split was already used for another trial (``test_used``), the trial has
            no weights (``no_weights``), or its code failed.
    """
    used = run.held / "test_score.json"
    if used.exists():
        stored = json.loads(used.read_text("utf-8"))
        if stored["trial"] != number:
            raise InputError(
                f"the test split was already used for trial {stored['trial']}; selecting trials by "
                "their test score would invalidate it",
                code="test_used",
            )
        return ModelScore.model_validate(stored["score"])
    folder = run.trial(number)
    card, split = load_card(run), load_split(run, "test")
    result = TrialResult.model_validate_json(folder.result.read_text("utf-8"))
    if not result.best_round:
        raise InputError(f"trial {number} has no finished round", code="no_weights")
    with SandboxedModel(folder.app, len(card.classes)) as model:
        logits = model.logits(
            split.images, folder.weights(result.best_round), clients=split.clients
        )
    measured = score(logits, split, len(card.clients))
    used.write_text(json.dumps({"trial": number, "score": measured.model_dump()}), "utf-8")
    return measured


def collect_weights(
    checkpoint: Path, heads: dict[int, Path], target: Path, limits: SandboxLimits
) -> None:
    """Validate a round's weights and copy them out of the sandbox's folder.

    Args:
        checkpoint: The round's checkpoint.
        heads: State files of clients with personal heads, by client.
        target: Folder to create atomically.
        limits: Limits of the run: the weights of each file, and the bytes of all copies together.

    Raises:
        InputError: A file is invalid, or all are too large together (``bad_result``).
    """
    files = {"weights.safetensors": checkpoint / "weights.safetensors"}
    files |= {f"head-{client}.safetensors": path for client, path in sorted(heads.items())}
    left = limits.disk_bytes
    with new_folder(target) as part:
        for name, path in files.items():
            data = read_weights(path, limits.parameters)
            left -= len(data)
            if left < 0:
                raise InputError(
                    "the sandbox's output was rejected: weights and heads of a round take more "
                    f"than {limits.disk_bytes} bytes",
                    code="bad_result",
                )
            (part / name).write_bytes(data)


def digest_of(weights: Path) -> str:
    """Return the SHA-256 over the files of a weights folder."""
    digest = hashlib.sha256()
    for path in sorted(weights.glob("*.safetensors")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
