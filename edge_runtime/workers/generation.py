"""The operations of a worker whose experts make images."""

from __future__ import annotations

import base64
import io
import time
from typing import Any

from edgewright.edge_runtime.workers.settings import WorkerSettings
from edgewright.tools.contracts.profiles import EngineInfo
from edgewright.tools.errors import NotFoundError
from edgewright.tools.library import generating_experts
from edgewright.tools.models.expert import DRAWING


class GenerationOperations:
    """Experts that make an image from arguments alone.

    Args:
        settings: The worker's settings.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._experts = {
            name: expert
            for name, expert in generating_experts().items()
            if expert.model == settings.model
        }

    def describe(self) -> dict[str, Any]:
        """Return what is known of the model; there are no blocks, since nothing here is cut."""
        engine = None if self._settings.model == DRAWING else EngineInfo(name="torch").model_dump()
        return {
            "engine": engine,
            "revision": "",
            "blocks": [],
            "input_size": [0, 0],
            "encodings": "",
        }

    def run(
        self, operation: str, parameters: dict[str, Any], blob: bytes
    ) -> tuple[dict[str, Any], bytes]:
        """Execute one operation.

        Args:
            operation: ``whole``; no other one is possible.
            parameters: ``expert`` and ``args``.
            blob: Empty.

        Raises:
            NotFoundError: No such operation (``unknown_point``) or expert (``unknown_expert``).
            InputError: An argument cannot be used.
            UnavailableError: The model cannot be loaded.
        """
        name = parameters.get("expert", "")
        if operation != "whole":
            raise NotFoundError(
                "an expert that makes images has no partition points; run it on one node",
                code="unknown_point",
            )
        if name not in self._experts:
            raise NotFoundError(
                f"there is no expert {name[:100]!r}; choose one of {', '.join(self._experts)}",
                code="unknown_expert",
            )
        began = time.perf_counter()
        text, image = self._experts[name].generate(parameters["args"])
        generated_ms = (time.perf_counter() - began) * 1000
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        encoded = base64.b64encode(buffer.getvalue()).decode()
        output = {"text": text, "image_base64": encoded}
        stages_ms = {
            "generate": generated_ms,
            "encode": (time.perf_counter() - began) * 1000 - generated_ms,
        }
        return {"output": output, "stages_ms": stages_ms}, b""
