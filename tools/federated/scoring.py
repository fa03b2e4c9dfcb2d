"""Scores a model on labels that no generated code sees: it gets pictures, the host gets logits."""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from edgewright.tools.errors import InputError
from edgewright.tools.federated.check import fault_from, orders_for
from edgewright.tools.federated.layout import RunFolder
from edgewright.tools.federated.prepare import load_card
from edgewright.tools.federated.returned import read_logits, read_weights
from edgewright.tools.federated.sandbox.backends import find_sandbox
from edgewright.tools.federated.sandbox.confined import Confined
from edgewright.tools.federated.sandbox.policy import Policy, command
from edgewright.tools.federated.trial import Limits, Score, TrialResult
from edgewright.tools.scratch import scratch_folder

_START_S = 90.0
#: A sample whose logits are not finite, or surely wrong, costs this much and no more.
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


class ConfinedModel:
    """A written app's model in a sandbox of its own; a context manager.

    It serves scoring, and the expert that answers requests with a trained model.

    Args:
        app: Folder of the written app.
        classes: Number of classes.
        limits: What the sandbox allows; the time counts from the start.

    Raises:
        InputError: The model's code failed (the fault's code).
        UnavailableError: No sandbox works here (``no_sandbox``).
    """

    def __init__(self, app: Path, classes: int, *, limits: Limits | None = None) -> None:
        self._app = app
        self._classes = classes
        self._limits = limits or Limits()
        self._jobs = 0

    def __enter__(self) -> ConfinedModel:
        with ExitStack() as stack:
            folder = stack.enter_context(scratch_folder())
            self._inputs, self._scratch = folder / "in", folder / "out"
            self._inputs.mkdir()
            self._scratch.mkdir()
            policy = Policy(
                scratch=self._scratch, read=(self._app, self._inputs), limits=self._limits
            )
            orders = orders_for(self._app, self._limits)
            started = find_sandbox().start(command("score", orders), policy)
            self._confined: Confined = stack.enter_context(started)
            self._ready = False
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def logits(
        self,
        images: NDArray[np.uint8],
        weights: Path,
        *,
        clients: NDArray[np.int64] | None = None,
        timeout_s: float = 120.0,
    ) -> NDArray[np.float32]:
        """Run pictures through the model.

        Args:
            images: uint8 [N, H, W, C].
            weights: Folder with ``weights.safetensors`` and the clients' heads, if any.
            clients: Whose head each picture goes through; needed with personal heads.
            timeout_s: Longest wait.

        Returns:
            float32 [N, classes], whatever the code made of it: it may be anything.

        Raises:
            InputError: The code failed, or gave something that is no such array.
        """
        if not self._ready:
            self._expect("ready", _START_S)
            self._ready = True
        self._jobs += 1
        job = self._inputs / f"job-{self._jobs}"
        shutil.copytree(weights, job / "weights")
        np.save(job / "images.npy", images, allow_pickle=False)
        whose = np.zeros(len(images), dtype=np.int64) if clients is None else clients
        np.save(job / "clients.npy", whose, allow_pickle=False)
        output = self._scratch / f"logits-{self._jobs}.npy"
        self._confined.send(
            json.dumps(
                {
                    "images": str(job / "images.npy"),
                    "clients": str(job / "clients.npy"),
                    "weights": str(job / "weights"),
                    "logits": str(output),
                }
            )
        )
        try:
            self._expect("done", timeout_s)
            return read_logits(output, (len(images), self._classes))
        finally:
            shutil.rmtree(job, ignore_errors=True)
            output.unlink(missing_ok=True)

    def _expect(self, word: str, timeout_s: float) -> None:
        said = self._confined.receive(timeout_s)
        try:
            if json.loads(said or "").get(word) is True:
                return
        except (ValueError, AttributeError, RecursionError):
            pass
        fault = fault_from(said, self._confined)
        raise InputError(f"the model cannot be run: {fault.message}", code=fault.code)


def load_split(run: RunFolder, name: str) -> Split:
    """Read a held-out split, ``validation`` or ``test``."""
    arrays = {
        part: np.load(run.held / f"{name}_{part}.npy", allow_pickle=False)
        for part in ("images", "labels", "clients")
    }
    return Split(**arrays)


def score(logits: NDArray[np.float32], split: Split, clients: int) -> Score:
    """Compute accuracy and loss from logits.

    Args:
        logits: float32 [N, classes]; rows that are not finite are wrong.
        split: The split's labels.
        clients: How many clients there are.
    """
    finite = np.isfinite(logits).all(axis=1)
    safe = np.where(finite[:, None], logits, 0.0).astype(np.float64)
    right = finite & (safe.argmax(axis=1) == split.labels)
    shifted = safe - safe.max(axis=1, keepdims=True)
    picked = shifted[np.arange(len(safe)), split.labels]
    losses = np.where(finite, np.log(np.exp(shifted).sum(axis=1)) - picked, _WORST_LOSS)
    members = [right[split.clients == client] for client in range(clients)]
    return Score(
        accuracy=float(right.mean()),
        loss=float(np.minimum(losses, _WORST_LOSS).mean()),
        clients=tuple(float(part.mean()) if len(part) else None for part in members),
    )


def score_test(run: RunFolder, number: int) -> Score:
    """Score a trial's best weights on the test split, which a run can do once.

    Args:
        run: The run.
        number: The trial that was chosen.

    Raises:
        InputError: The test split was already used for another trial (``test_used``), the trial
            has no weights (``no_weights``), or its code failed.
    """
    used = run.held / "test_score.json"
    if used.exists():
        stored = json.loads(used.read_text("utf-8"))
        if stored["trial"] != number:
            raise InputError(
                f"the test split was already scored with trial {stored['trial']}; choosing by it "
                "would make its figure worthless",
                code="test_used",
            )
        return Score.model_validate(stored["score"])
    folder = run.trial(number)
    card, split = load_card(run), load_split(run, "test")
    result = TrialResult.model_validate_json(folder.result.read_text("utf-8"))
    if not result.best_round:
        raise InputError(f"trial {number} finished no round", code="no_weights")
    with ConfinedModel(folder.app, len(card.classes)) as model:
        logits = model.logits(
            split.images, folder.weights(result.best_round), clients=split.clients
        )
    measured = score(logits, split, len(card.clients))
    used.write_text(json.dumps({"trial": number, "score": measured.model_dump()}), "utf-8")
    return measured


def collect_weights(
    checkpoint: Path, heads: dict[int, Path], target: Path, max_parameters: int
) -> None:
    """Check a round's weights and copy them out of the sandbox's folder.

    Args:
        checkpoint: The round's checkpoint.
        heads: State files of clients with personal heads.
        target: Where to; there whole or not at all.
        max_parameters: Weights that a file may hold.

    Raises:
        InputError: A file did not pass its checks (``bad_result``).
    """
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    files = {"weights.safetensors": checkpoint / "weights.safetensors"}
    files |= {f"head-{client}.safetensors": path for client, path in sorted(heads.items())}
    for name, path in files.items():
        (part / name).write_bytes(read_weights(path, max_parameters))
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)


def digest_of(weights: Path) -> str:
    """Return the SHA-256 over the files of a weights folder."""
    digest = hashlib.sha256()
    for path in sorted(weights.glob("*.safetensors")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
