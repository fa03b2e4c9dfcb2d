"""Scoring program: runs a trained model on images and writes its logits, without labels.

Each line on standard input is a JSON job with file paths; each response is a JSON line.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.federated.sandboxed.program import (
    ProgramContext,
    fault_of,
    respond,
    start_program,
)

_BATCH = 256


def main() -> None:
    """Process jobs until standard input ends."""
    context = start_program()
    try:
        scorer = Scorer(context)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - generated code may raise anything
        respond(fault=fault_of(error).model_dump())
        return
    respond(ready=True)
    for line in sys.stdin:
        job = json.loads(line)
        try:
            logits = scorer.logits(
                np.load(job["images"], mmap_mode="r", allow_pickle=False),
                np.load(job["clients"], allow_pickle=False),
                Path(job["weights"]),
            )
            np.save(job["logits"], logits, allow_pickle=False)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
            respond(fault=fault_of(error).model_dump())
        else:
            respond(done=True)


class Scorer:
    """A generated model that turns images into logits.

    Args:
        context: The context of the program.
    """

    def __init__(self, context: ProgramContext) -> None:
        learner = importlib.import_module("edgewright.tools.federated.app.learner")
        self._weights = importlib.import_module("edgewright.tools.federated.app.weights")
        self._torch = importlib.import_module("torch")
        state = importlib.import_module("edgewright.tools.federated.app.client_state")
        self._to_tensor, self._head_of = learner.to_tensor, state.head_of
        task = importlib.import_module("federated_app.task").TASK
        self._classes = context.settings.classes
        self._model = learner.new_model(task, context.settings)
        self._model.eval()

    def logits(
        self, images: NDArray[np.uint8], clients: NDArray[np.int64], folder: Path
    ) -> NDArray[np.float32]:
        """Run each client's samples through the model, with the client's personal head if any."""
        shared = self._weights.load_arrays(folder / "weights.safetensors")
        result = np.zeros((len(images), self._classes), dtype=np.float32)
        heads = {path.stem: path for path in folder.glob("head-*.safetensors")}
        groups = np.unique(clients).tolist() if heads else [None]
        for client in groups:
            chosen = np.arange(len(images)) if client is None else np.flatnonzero(clients == client)
            self._weights.write_arrays(self._model, shared)
            if (head := heads.get(f"head-{client}")) is not None:
                own = self._head_of(self._weights.load_arrays(head))
                self._weights.write_arrays(self._model, own)
            for part in np.split(chosen, range(_BATCH, len(chosen), _BATCH)):
                with self._torch.no_grad():
                    output = self._model(self._to_tensor(np.asarray(images[part])))
                result[part] = output.numpy()
        return result


if __name__ == "__main__":
    main()
