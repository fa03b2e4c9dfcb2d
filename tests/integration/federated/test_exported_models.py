"""Trained models are exported in the sandbox, and a worker without PyTorch runs the graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from edgewright.tools.errors import InputError
from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.federated.records.data_card import ClientCard, DataCard
from edgewright.tools.federated.serving.adapter import TrainedNetwork
from edgewright.tools.federated.serving.exporting import export_graph
from edgewright.tools.federated.serving.installed import TrainedModelManifest, install
from edgewright.tools.federated.serving.models import trained_models
from edgewright.tools.federated.serving.tool_card import tool_card
from edgewright.tools.federated.template.writer import settings_for, write_app

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

_CONVOLUTIONS = """
from torch import nn


def build_model(channels, height, width, classes):
    return nn.Sequential(
        nn.Conv2d(channels, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.SiLU(), nn.MaxPool2d(2),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.2), nn.Linear(32, classes)
    )
"""
_DEPENDS = """
from torch import nn


class Odd(nn.Module):
    def __init__(self, pixels, classes):
        super().__init__()
        self.layer = nn.Linear(pixels, classes)

    def forward(self, images):
        flat = images.flatten(1)
        return self.layer(flat) if float(flat.mean()) > 0.4 else -self.layer(flat)


def build_model(channels, height, width, classes):
    return Odd(channels * height * width, classes)
"""
_CLIENT = ClientCard(samples=9, histogram=(3, 3, 3))
_DATA = DataCard(
    name="parts", height=8, width=8, channels=3, original_side=8, classes=("a", "b", "c"),
    train=9, validation=9, test=9, partition="iid", clients=(_CLIENT,) * 3,
    balance=1.0, label_skew=0.0, size_skew=1.0,
)  # fmt: skip


@pytest.fixture
def trained(
    tmp_path: Path, candidate: Candidate, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, int], tuple[TrainedModelManifest, Path, Path]]:
    """Return a function that writes an app with weights for it; nothing is trained."""
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path / "home"))

    def write(source: str, heads: int) -> tuple[TrainedModelManifest, Path, Path]:
        code = candidate.model_copy(update={"model": source, "personal_head": heads > 0})
        settings = settings_for(code, _DATA, data=tmp_path, out=tmp_path, seed=0)
        write_app(code, settings, tmp_path / "app")
        names = {"0.weight": (8, 3, 3, 3), "0.bias": (8,), "7.weight": (3, 32), "7.bias": (3,)}
        if source is _DEPENDS:
            names = {"layer.weight": (3, 192), "layer.bias": (3,)}
        rng = np.random.default_rng(1)
        weights = tmp_path / "weights"
        weights.mkdir()

        def arrays(prefix: str, part: str) -> dict[str, np.ndarray]:
            return {
                prefix + name: rng.normal(size=shape).astype(np.float32)
                for name, shape in names.items()
                if name.startswith(part)
            }

        save_file(arrays("", ""), weights / "weights.safetensors")
        for client in range(heads):
            save_file(arrays("head:", "7."), weights / f"head-{client}.safetensors")
        manifest = TrainedModelManifest(
            model="part-classifier", run="r", classes=_DATA.classes, height=8, width=8, channels=3,
            heads=heads, revision="ab" * 8,
        )  # fmt: skip
        return manifest, tmp_path / "app", weights

    return write


def test_the_graph_answers_like_the_sandbox(
    trained: Callable[[str, int], tuple[TrainedModelManifest, Path, Path]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    manifest, app, weights = trained(_CONVOLUTIONS, 3)
    graph = export_graph(manifest, app, weights)
    card = tool_card("photos of parts", _DATA, set()).model_copy(update={"id": manifest.model})
    installed = install(card, manifest, app, weights, graph)
    assert installed.graph is not None and len(graph) < 40_000  # the heads share what is before
    pixels = np.random.default_rng(2).integers(0, 256, (20, 31, 3), np.uint8)
    outputs = []
    for engine in ("auto", "torch"):
        monkeypatch.setenv("EDGEWRIGHT_ENGINE", engine)
        (spec,) = trained_models()
        adapter = spec.load(threads=1)
        assert isinstance(adapter, TrainedNetwork)
        assert adapter.engine.name == ("onnx" if engine == "auto" else "sandbox")
        features = adapter.array(adapter.preprocess(Image.fromarray(pixels)))
        outputs.append(adapter.run(features, 0, 1))
    assert np.allclose(*outputs, atol=1e-4 * np.abs(outputs[1]).max())


def test_a_model_whose_graph_would_compute_something_else_is_not_exported(
    trained: Callable[[str, int], tuple[TrainedModelManifest, Path, Path]],
) -> None:
    with pytest.raises(InputError) as refused:
        export_graph(*trained(_DEPENDS, 0))
    assert refused.value.info().code == "export_failed"
