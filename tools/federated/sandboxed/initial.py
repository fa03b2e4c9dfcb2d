"""The initial weights of an app's model, for a server that runs none of its code."""

from __future__ import annotations

import importlib
from pathlib import Path

from edgewright.tools.federated.app.files import WEIGHTS
from edgewright.tools.federated.sandboxed.program import fault_of, respond, start_program


def main() -> None:
    """Write the weights; print their names in the model's order, and which an optimiser changes."""
    context = start_program()
    try:
        learner = importlib.import_module("edgewright.tools.federated.app.learner")
        weights = importlib.import_module("edgewright.tools.federated.app.weights")
        task = importlib.import_module("federated_app.task").TASK
        model = learner.new_model(task, context.settings)
        arrays = weights.read_arrays(model, weights.tensor_names(model))
        weights.save_arrays(Path(context.settings.out) / WEIGHTS, arrays)
        trainable = {name for name, p in model.named_parameters() if p.requires_grad}
        respond(done=True, names=list(arrays), trainable=sorted(trainable & set(arrays)))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - generated code may raise anything
        respond(fault=fault_of(error).model_dump())


if __name__ == "__main__":
    main()
