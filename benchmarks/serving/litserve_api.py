"""The model behind LitServe, whose worker process imports this module; it needs the bench extra."""

from __future__ import annotations

import base64
from typing import Any

import litserve

from edgewright.benchmarks.serving.predictor import predictor


class ImageApi(litserve.LitAPI):  # type: ignore[misc]
    """Answers JSON with an image in base64, since LitServe reads no raw bodies."""

    def setup(self, device: str) -> None:
        """Load the model."""
        self._predict = predictor()

    def decode_request(self, request: dict[str, str]) -> bytes:
        """Return the encoded image."""
        return base64.b64decode(request["image"])

    def predict(self, data: bytes) -> dict[str, Any]:
        """Return the expert's output."""
        return self._predict(data)
