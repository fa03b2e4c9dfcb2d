"""A trained model's code, run in the sandbox: images in, logits out."""

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
from edgewright.tools.sandbox.backends import find_sandbox
from edgewright.tools.sandbox.limits import SandboxLimits
from edgewright.tools.sandbox.policy import Policy
from edgewright.tools.sandbox.programs import command, fault_from, orders_for
from edgewright.tools.sandbox.watcher import SandboxedProcess
from edgewright.tools.storage.scratch import scratch_folder

# A process that imports torch on a busy machine.
_START_S = 90.0


class SandboxedModel:
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
                scratch=self._scratch, read=(self._app, self._inputs), limits=self._limits
            )
            orders = orders_for(self._app, self._limits)
            started = find_sandbox().start(
                command("edgewright.tools.federated.sandboxed.score", orders), policy
            )
            self._confined: SandboxedProcess = stack.enter_context(started)
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
