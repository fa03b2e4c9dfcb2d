"""The model that every baseline serves, run as a worker of a node runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PIL import Image

from edgewright.tools.images.decode import decode
from edgewright.tools.images.encode import encode
from edgewright.tools.library import load_adapter, output_experts
from edgewright.tools.memory import keep_freed_memory

MODEL = "efficientnet-lite0"
EXPERT = "efficientnet-lite0-classifier"

#: From an encoded image to the expert's output.
Predictor = Callable[[bytes], dict[str, Any]]


def predictor() -> Predictor:
    """Return the model, run as a node's worker runs it, by the engine of the environment."""
    adapter = load_adapter(MODEL, threads=1)
    expert = output_experts(lambda model: adapter)[EXPERT]
    last = len(adapter.block_names)

    def predict(data: bytes) -> dict[str, Any]:
        features = adapter.array(adapter.preprocess(decode(data)))
        return expert.postprocess(adapter.run(features, 0, last), {})

    keep_freed_memory()
    predict(encode(Image.new("RGB", (320, 240)), "jpeg", 90))
    return predict
