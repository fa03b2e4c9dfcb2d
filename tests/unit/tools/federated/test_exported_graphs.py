"""A graph from the sandbox is taken apart, and only what a classifier needs is kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgewright.tools.contracts.cards import ArgumentSpec, ToolCard
from edgewright.tools.errors import InputError, UnavailableError
from edgewright.tools.federated.records.graphs import read_graph
from edgewright.tools.federated.serving.installed import TrainedModelManifest, install

SHAPE, CLASSES = (1, 8, 8), 3


def model(*extra: onnx.NodeProto, weights: TensorProto | None = None) -> onnx.ModelProto:
    matrix = np.arange(64 * CLASSES, dtype=np.float32).reshape(64, CLASSES)
    nodes = [
        helper.make_node("Flatten", ["pixels"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["logits"]),
    ]
    graph = helper.make_graph(
        [*nodes, *extra],
        "g",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, (1, *SHAPE))],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, (1, CLASSES))],
        [weights or numpy_helper.from_array(matrix, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def read(path: Path, data: bytes) -> bytes:
    path.write_bytes(data)
    return read_graph(path, max_bytes=100_000, input_shape=SHAPE, classes=CLASSES)


def test_a_graph_is_written_anew_and_computes_the_same(tmp_path: Path) -> None:
    original = model()
    original.metadata_props.add(key="note", value="from the code")
    written = read(tmp_path / "g", original.SerializeToString())
    assert b"from the code" not in written
    pixels = np.ones((1, *SHAPE), np.float32)
    outputs = [
        onnxruntime.InferenceSession(one).run(None, {"pixels": pixels})[0]
        for one in (original.SerializeToString(), written)
    ]
    assert np.array_equal(*outputs)


_WITHOUT_PYTORCH = """
import sys
sys.modules |= dict.fromkeys(("torch", "torchvision", "safetensors", "onnx", "sandlock"))
import numpy as np
from edgewright.tools.library import models
spec = models().get("part-classifier")
assert spec.obstacle() == "", spec.obstacle()
adapter = spec.load(threads=1)
print(adapter.engine.name, *adapter.run(np.ones((1, 1, 8, 8), np.float32), 0, 1)[0])
"""


def test_a_node_runs_the_graph_without_pytorch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path / "home"))
    card = ToolCard(
        id="part-classifier", task_type="image-classification", title="parts",
        description="Says which part it is.", inputs=("image",), outputs=("label",),
        arguments={"image": ArgumentSpec(type="image", description="The picture.")},
        experts=("part-classifier-expert",),
    )  # fmt: skip
    manifest = TrainedModelManifest(
        model=card.id, run="r", classes=("a", "b", "c"), height=8, width=8, channels=1,
        revision="ab" * 8,
    )  # fmt: skip
    empty = tmp_path / "empty"
    empty.mkdir()
    installed = install(card, manifest, empty, empty, model().SerializeToString())
    command = [sys.executable, "-c", _WITHOUT_PYTORCH]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["onnx", "6048.0", "6112.0", "6176.0"], done.stderr
    assert installed.graph is not None
    installed.graph.write_bytes(b"another")
    with pytest.raises(UnavailableError, match="train it again"):
        installed.verify()


def _outside() -> TensorProto:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=(64, CLASSES))
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return tensor


def _huge() -> TensorProto:
    return TensorProto(name="w", data_type=TensorProto.FLOAT, dims=(2**40, 3), raw_data=b"1234")


def _repeats() -> onnx.NodeProto:
    body = helper.make_graph([], "body", [], [])
    return helper.make_node("Loop", ["pixels"], ["x"], body=body)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(lambda: b"\xff" * 40, id="no graph"),
        pytest.param(lambda: b"", id="empty"),
        pytest.param(lambda: model(_repeats()).SerializeToString(), id="loop"),
        pytest.param(
            lambda: model(helper.make_node("Custom", [], ["x"], domain="evil")).SerializeToString(),
            id="other domain",
        ),
        pytest.param(lambda: model(weights=_outside()).SerializeToString(), id="weights outside"),
        pytest.param(lambda: model(weights=_huge()).SerializeToString(), id="impossible shape"),
        pytest.param(lambda: model().SerializeToString() + b"x" * 200_000, id="too large"),
    ],
)
def test_anything_else_is_refused(tmp_path: Path, data: Any) -> None:
    with pytest.raises(InputError) as refused:
        read(tmp_path / "g", data())
    assert refused.value.info().code == "bad_result"


def test_mutated_graphs_are_refused_or_harmless(tmp_path: Path) -> None:
    original = bytearray(model().SerializeToString())
    rng = np.random.default_rng(0)
    for _ in range(500):
        data = bytearray(original)
        for place in rng.integers(0, len(data), 3):
            data[place] = rng.integers(0, 256)
        try:
            read(tmp_path / "g", bytes(data))
        except InputError:
            continue
