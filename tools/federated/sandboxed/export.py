"""Exporting program: writes a trained model as one ONNX graph, and its logits on sample images."""

from __future__ import annotations

import copy
import importlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from edgewright.tools.federated.sandboxed.program import (
    ProgramContext,
    fault_of,
    respond,
    start_program,
)

_OPSET = 17


def main() -> None:
    """Write both files, or print the first fault."""
    context = start_program()
    try:
        _export(context)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - generated code may raise anything
        respond(fault=fault_of(error).model_dump())
    else:
        respond(done=True)


def _export(context: ProgramContext) -> None:
    torch = importlib.import_module("torch")
    learner = importlib.import_module("edgewright.tools.federated.app.learner")
    models = _models(context, learner, torch)
    images = learner.to_tensor(np.load(context.extra["images"], allow_pickle=False))
    with torch.no_grad():
        # One by one, as a node runs them: code may treat the images of a batch together.
        logits = torch.cat([model(image) for model in models for image in images.split(1)])
    np.save(context.extra["logits"], logits.numpy(), allow_pickle=False)
    with torch.no_grad(), warnings.catch_warnings(action="ignore"):
        torch.onnx.export(
            _mean_of(models, torch).eval(),
            (images[:1],),
            context.extra["graph"],
            input_names=["pixels"],
            output_names=["logits"],
            opset_version=_OPSET,
            dynamo=False,
        )


def _models(context: ProgramContext, learner: Any, torch: Any) -> list[Any]:
    """Return the model with each personal head, in the order of the clients; or the only one."""
    weights = importlib.import_module("edgewright.tools.federated.app.weights")
    state = importlib.import_module("edgewright.tools.federated.app.client_state")
    task = importlib.import_module("federated_app.task").TASK
    folder, heads = Path(context.extra["weights"]), int(context.extra["heads"])
    model = learner.new_model(task, context.settings)
    weights.write_arrays(model, weights.load_arrays(folder / "weights.safetensors"))
    models = []
    for client in range(max(1, heads)):
        one = copy.deepcopy(model)
        path = folder / f"head-{client}.safetensors"
        if heads and path.exists():
            weights.write_arrays(one, state.head_of(weights.load_arrays(path)))
        models.append(one.eval())
    return models


def _mean_of(models: list[Any], torch: Any) -> Any:
    """Return a module that computes the logarithm of the models' mean probabilities."""

    class Mean(torch.nn.Module):  # type: ignore[misc]  # PyTorch is imported late
        def __init__(self) -> None:
            super().__init__()
            self.models = torch.nn.ModuleList(models)

        def forward(self, pixels: Any) -> Any:
            logits = [torch.log_softmax(model(pixels), 1) for model in self.models]
            if len(logits) == 1:
                return logits[0]
            return torch.logsumexp(torch.stack(logits), 0) - float(np.log(len(logits)))

    return Mean()


if __name__ == "__main__":
    main()
