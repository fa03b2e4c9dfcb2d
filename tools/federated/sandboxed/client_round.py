"""A client's part of a deployed round: score the global model, then train it on the own samples.

Everything is in this process's argument: one round is one process, so nothing of the code that it
runs lasts from round to round except the client's state in the scratch folder.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from edgewright.tools.federated.app.files import CONTROL, LOGITS, UPDATE, WEIGHTS
from edgewright.tools.federated.app.instruction import TrainInstruction
from edgewright.tools.federated.sandboxed.program import (
    ProgramContext,
    fault_of,
    respond,
    start_program,
)
from edgewright.tools.federated.sandboxed.score import Scorer


def main() -> None:
    """Print what the client reports of the round, or the first fault."""
    context = start_program()
    try:
        respond(done=True, **_round(context))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - generated code may raise anything
        respond(fault=fault_of(error).model_dump())


def _round(context: ProgramContext) -> dict[str, Any]:
    job, settings = context.extra, context.settings
    out, weights = Path(settings.out), Path(job["weights"])
    images = np.load(job["images"], mmap_mode="r", allow_pickle=False)
    clients = np.full(len(images), job["client"], dtype=np.int64)
    np.save(out / LOGITS, Scorer(context).logits(images, clients, weights), allow_pickle=False)
    if not job["round"]:
        return {}
    learner = importlib.import_module("edgewright.tools.federated.app.learner")
    files = importlib.import_module("edgewright.tools.federated.app.weights")
    instruction = TrainInstruction(
        arrays=files.load_arrays(weights / WEIGHTS),
        round_number=job["round"],
        control=files.load_arrays(weights / CONTROL),
        admitted=tuple(job["admitted"]),
    )
    task = importlib.import_module("federated_app.task").TASK
    result = learner.train_round(task, settings, instruction, client=job["client"])
    (out / UPDATE).write_bytes(result.payload)
    return {"samples": result.samples, "loss": result.loss, "accuracy": result.accuracy}


if __name__ == "__main__":
    main()
