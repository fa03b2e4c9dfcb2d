"""Running a trained model's code in the sandbox: images in, logits out."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.errors import InputError
from edgewright.tools.federated.records.validated import read_logits
from edgewright.tools.models.engines.torch.lite0_weights import weights_files
from edgewright.tools.sandbox.backends import find_sandbox
from edgewright.tools.sandbox.limits import SandboxLimits
from edgewright.tools.sandbox.policy import Policy
from edgewright.tools.sandbox.programs import command, fault_from, program_argument, read_answer
from edgewright.tools.sandbox.watcher import SandboxedProcess
from edgewright.tools.storage.removal import remove
from edgewright.tools.storage.scratch import scratch_folder

# Enough for a process that imports PyTorch on a busy machine.
_START_S = 90.0


def mean_log_probabilities(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the logarithms of the mean probabilities of several heads.

    Args:
        logits: float32 [heads, N, classes].

    Returns:
        float32 [N, classes].
    """
    exact = logits.astype(np.float64)
    exact -= np.logaddexp.reduce(exact, axis=2, keepdims=True)
    mean = np.logaddexp.reduce(exact, axis=0) - np.log(len(logits))
    return np.asarray(mean, np.float32)


class SandboxedModel:
    """A generated app's model in its own sandbox; a context manager.

    Used for scoring and for serving a trained model.

    Args:
        app: Folder of the generated app.
        classes: Number of classes.
        limits: Resource limits of the sandbox; its time counts from the start.

    Raises:
        InputError: The model's code failed (with the fault's code).
        UnavailableError: No sandbox works on this machine (``no_sandbox``).
    """

    def __init__(self, app: Path, classes: int, *, limits: SandboxLimits | None = None) -> None:
        self._app = app
        self._classes = classes
        self._limits = limits or SandboxLimits()
        self._jobs = 0

    def __enter__(self) -> SandboxedModel:
        with ExitStack() as stack:
            folder = stack.enter_context(scratch_folder())
            self._inputs, self._scratch = folder / "in", folder / "out"
            self._inputs.mkdir()
            self._scratch.mkdir()
            policy = Policy(
                scratch=self._scratch,
                read=(self._app, self._inputs, *weights_files()),
                limits=self._limits,
            )
            argument = program_argument(self._app, self._limits)
            started = find_sandbox().start(
                command("edgewright.tools.federated.sandboxed.score", argument), policy
            )
            self._process: SandboxedProcess = stack.enter_context(started)
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
        """Run images through the model.

        Args:
            images: uint8 [N, H, W, C].
            weights: Folder with ``weights.safetensors`` and the personal heads, if any.
            clients: Client whose head is used for each image; required with personal heads.
            timeout_s: Maximum wait.

        Returns:
            float32 [N, classes]. The values come from untrusted code and are unchecked.

        Raises:
            InputError: The code failed, or its output is not such an array.
        """
        if not self._ready:
            self._expect("ready", _START_S)
            self._ready = True
        self._jobs += 1
        job = self._inputs / f"job-{self._jobs}"
        shutil.copytree(weights, job / "weights")
        np.save(job / "images.npy", images, allow_pickle=False)
        client_ids = np.zeros(len(images), dtype=np.int64) if clients is None else clients
        np.save(job / "clients.npy", client_ids, allow_pickle=False)
        output = self._scratch / f"logits-{self._jobs}.npy"
        self._process.allow_output()
        self._process.send(
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
            remove(job)
            remove(output)

    def _expect(self, word: str, timeout_s: float) -> None:
        line = self._process.receive(timeout_s)
        if read_answer(line).get(word) is True:
            return
        fault = fault_from(line, self._process)
        raise InputError(f"the model cannot be run: {fault.message}", code=fault.code)
