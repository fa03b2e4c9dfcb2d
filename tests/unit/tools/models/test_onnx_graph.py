"""Any ONNX classifier is cut along its graph, with the output that it had before."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest

from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.engines.onnx import classifier
from edgewright.tools.models.engines.onnx.adapter import ExportedModel
from edgewright.tools.models.engines.onnx.graph import cut
from edgewright.tools.models.engines.torch.macs import block_macs
from edgewright.tools.models.engines.torch.torchvision_classifier import Classifier
from edgewright.tools.models.source import ModelSource


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["resnet18", "densenet121", "mobilenet_v2"])
def test_every_cut_equals_the_file(save_onnx, tmp_path, photograph, architecture):
    folder = save_onnx(tmp_path / "file", architecture)
    classifier.export(ModelSource(str(folder)), tmp_path / "export")
    exported = ExportedModel(tmp_path / "export", threads=1)
    assert exported.label_names[6] == "thing 6"
    assert exported.input_size == (64, 64)
    x = exported.array(exported.preprocess(photograph("chelsea")))
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    (whole,) = session.run(None, {"input": x})
    last = len(exported.block_names)
    assert last >= 8
    for point in range(last + 1):
        features = exported.run(x, 0, point)
        assert features.shape[1:] == exported.feature_shape(point)
        np.testing.assert_allclose(exported.run(features, point, last), whole, atol=1e-4)


def test_a_graph_is_cut_where_its_traced_original_is(save_onnx, save_classifier, tmp_path):
    chain = Classifier(ModelSource(str(save_classifier(tmp_path, "resnet18"))))
    graph = cut(onnx.load(save_onnx(tmp_path / "file", "resnet18") / "model.onnx"))
    assert [block.shape for block in graph.blocks] == [
        chain.feature_shape(point) for point in range(1, len(chain.block_names) + 1)
    ]
    assert [block.macs for block in graph.blocks] == block_macs(chain)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"label_names": ["one", "two"]}, "model_incomplete"),
        ({"label_names": "none"}, "model_unreadable"),
        ({"interpolation": "magic"}, "model_unreadable"),
    ],
)
def test_a_wrong_description_is_an_error(save_onnx, tmp_path, change, code):
    folder = save_onnx(tmp_path / "file", "squeezenet1_1")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(UnavailableError) as caught:
        classifier.export(ModelSource(str(folder)), tmp_path / "export")
    assert caught.value.info().code == code
    assert not (tmp_path / "export").exists()


def test_a_damaged_file_is_an_error(save_onnx, tmp_path):
    folder = save_onnx(tmp_path / "file", "squeezenet1_1")
    (folder / "model.onnx").write_bytes(b"not a graph")
    with pytest.raises(UnavailableError) as caught:
        classifier.export(ModelSource(str(folder)), tmp_path / "export")
    assert caught.value.info().code == "model_unreadable"


def test_a_model_with_two_inputs_is_not_cut():
    value = onnx.helper.make_tensor_value_info
    inputs = [value(name, onnx.TensorProto.FLOAT, [1, 3, 4, 4]) for name in "ab"]
    output = value("c", onnx.TensorProto.FLOAT, [1, 3, 4, 4])
    node = onnx.helper.make_node("Add", ["a", "b"], ["c"])
    model = onnx.helper.make_model(onnx.helper.make_graph([node], "sum", inputs, [output]))
    with pytest.raises(UnavailableError) as caught:
        cut(model)
    assert caught.value.info().code == "model_not_traceable"
