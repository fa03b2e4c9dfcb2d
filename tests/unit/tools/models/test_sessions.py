"""Graphs that share the memory of their process compute the same as others."""

import numpy as np
import onnx
import psutil
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgewright.tools.models.engines.onnx.sessions import Session


@pytest.fixture
def graph(tmp_path):
    weights = np.random.default_rng(0).standard_normal((16, 3, 3, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["image", "weights"], ["maps"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["maps"], ["active"]),
        helper.make_node("ReduceMean", ["active"], ["output"], axes=[2, 3], keepdims=0),
    ]
    value = helper.make_tensor_value_info
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "small",
            [value("image", TensorProto.FLOAT, [1, 3, "H", "W"])],
            [value("output", TensorProto.FLOAT, [1, 16])],
            [numpy_helper.from_array(weights, "weights")],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.save(model, tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


@pytest.mark.parametrize("side", [32, 640])
def test_shared_memory_changes_no_result(graph, side):
    image = np.random.default_rng(1).standard_normal((1, 3, side, side)).astype(np.float32)
    alone = Session(graph, threads=1)
    first, second = (Session(graph, threads=1, shared=True) for _ in range(2))
    expected = alone.run(image)
    for _ in range(3):
        assert np.array_equal(first.run(image), expected)
        assert np.array_equal(second.run(image), expected)


def test_what_a_large_input_needed_is_returned(graph):
    session = Session(graph, threads=1, shared=True)
    session.run(np.zeros((1, 3, 64, 64), np.float32))
    before = psutil.Process().memory_info().rss
    large = np.zeros((1, 3, 1600, 1600), np.float32)  # and 164 MB of maps for each operation
    session.run(large)
    del large
    assert psutil.Process().memory_info().rss - before < 100_000_000
