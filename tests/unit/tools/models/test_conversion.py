"""Operations of TensorFlow become nodes of ONNX that compute the same."""

import base64
import json

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from torch.nn import functional

from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.catalogue import CatalogueModel, Conversion, PackageSource
from edgewright.tools.models.catalogue_models import catalogue_models
from edgewright.tools.models.conversion.conversion import (
    compare,
    convert,
    example,
    sampled,
    write,
)
from edgewright.tools.models.conversion.operations import IMAGE, Operations, UnconvertedError
from edgewright.tools.models.conversion.writer import GraphWriter, Tensor
from edgewright.tools.models.engines.onnx.adapter import ExportedModel
from edgewright.tools.models.installed import read_installed

SIZE = (9, 12)


@pytest.fixture
def graph():
    """A graph of an image, its operations, and what running it on a random image gives."""
    operations = Operations(GraphWriter())
    image = Tensor("image", (1, *SIZE, 3), IMAGE)
    pixels = np.random.default_rng(0).standard_normal((1, *SIZE, 3)).astype(np.float32)

    def run(output):
        model = operations.writer.finished(SIZE, output)
        session = onnxruntime.InferenceSession(model.SerializeToString())
        found = session.run(None, {"image": pixels.transpose(0, 3, 1, 2)})[0]
        assert found.shape == output.shape
        return found

    return operations, image, pixels, run


def first(tensor):
    """Channels first, as PyTorch has them."""
    return torch.from_numpy(np.ascontiguousarray(tensor.transpose(0, 3, 1, 2)))


@pytest.mark.parametrize(("step", "total"), [(1, 2), (2, 1), (3, 0)])
def test_same_padding_puts_the_odd_pixel_last(graph, step, total):
    operations, image, pixels, run = graph
    weights = np.random.default_rng(1).standard_normal((3, 3, 3, 5)).astype(np.float32)
    bias = np.arange(5, dtype=np.float32)
    output = operations.convolution(image, weights, bias, strides=(step, step), padding="SAME")
    needed = [max(0, (-(-size // step) - 1) * step + 3 - size) for size in SIZE]
    assert needed[0] + needed[1] >= total
    (top, left) = (one // 2 for one in needed)
    padded = functional.pad(first(pixels), (left, needed[1] - left, top, needed[0] - top))
    expected = functional.conv2d(
        padded, torch.from_numpy(weights.transpose(3, 2, 0, 1).copy()), torch.from_numpy(bias), step
    )
    assert np.allclose(run(output), expected.numpy().transpose(0, 2, 3, 1), atol=1e-5)


def test_a_depthwise_convolution_with_a_padding_before_it_and_relu6_after_it(graph):
    operations, image, pixels, run = graph
    weights = 4 * np.random.default_rng(1).standard_normal((3, 3, 1, 3)).astype(np.float32)
    padded = operations.pad(image, np.array([[0, 0], [1, 0], [2, 1], [0, 0]]))
    output = operations.convolution(padded, weights, None, strides=(2, 2), padding="VALID")
    output = operations.activation("Relu6", output)
    around = functional.pad(first(pixels), (2, 1, 1, 0))
    kernel = torch.from_numpy(weights.transpose(3, 2, 0, 1).copy())
    expected = functional.conv2d(around, kernel, stride=2, groups=3).clamp(0, 6)
    assert np.allclose(run(output), expected.numpy().transpose(0, 2, 3, 1), atol=1e-5)


def test_a_maximum_ignores_what_was_padded_with_infinity(graph):
    operations, image, pixels, run = graph
    padded = operations.pad(image, np.array([[0, 0], [1, 1], [1, 1], [0, 0]]), -np.inf)
    output = operations.pool("MaxPool", padded, kernel=(3, 3), strides=(2, 2), padding="VALID")
    expected = functional.max_pool2d(first(pixels), 3, 2, 1)
    assert np.allclose(run(output), expected.numpy().transpose(0, 2, 3, 1))


def test_resizing_samples_the_centres_of_pixels(graph):
    operations, image, pixels, run = graph
    output = operations.resize(image, (18, 24), half_pixels=True)
    expected = functional.interpolate(first(pixels), (18, 24), mode="bilinear")
    assert np.allclose(run(output), expected.numpy().transpose(0, 2, 3, 1), atol=1e-5)


def test_the_order_of_axes_survives_every_operation(graph):
    operations, image, pixels, run = graph
    rows = np.arange(SIZE[1] * 3, dtype=np.float32).reshape(SIZE[1], 3)
    turned = operations.transpose(operations.binary("Mul", image, rows), (0, 2, 3, 1))
    parts = operations.split(turned, (1, 2), 2)
    joined = operations.concatenate(parts[::-1], -2)
    flat = operations.reshape(joined, (1, -1, 3))
    output = operations.binary("Add", flat, np.float32(2) * np.arange(3, dtype=np.float32))
    expected = (pixels * rows).transpose(0, 2, 3, 1)
    expected = np.concatenate([expected[:, :, 1:], expected[:, :, :1]], 2).reshape(1, -1, 3)
    assert np.allclose(run(output), expected + 2 * np.arange(3), atol=1e-5)


def test_the_largest_number_is_found_and_gathered(graph):
    operations, image, pixels, run = graph
    flat = operations.reshape(image, (1, -1, 3))
    where = operations.argmax(flat, 1)
    place = operations.reshape(where, (3, 1))
    rows = operations.reshape(flat, (-1, 3))
    output = operations.gather(rows, place)
    expected = pixels.reshape(-1, 3)[pixels.reshape(-1, 3).argmax(0)]
    assert np.allclose(run(output), expected)


def test_weights_that_halves_hold_are_stored_as_halves():
    writer = GraphWriter()
    half = np.random.default_rng(0).standard_normal(1000).astype(np.float16)
    writer.constant(half.astype(np.float32))
    writer.constant(half.astype(np.float32) + np.float32(1e-5))
    kinds = [tensor.data_type for tensor in writer._constants.values()]
    assert kinds == [10, 1]


def test_what_cannot_be_converted_is_named():
    operations = Operations(GraphWriter())
    image = Tensor("image", (1, *SIZE, 3), IMAGE)
    with pytest.raises(UnconvertedError, match="Swish"):
        operations.activation("Swish", image)
    with pytest.raises(UnconvertedError, match="EXPLICIT"):
        weights = np.zeros((1, 1, 3, 3), np.float32)
        operations.convolution(image, weights, None, strides=(1, 1), padding="EXPLICIT")


def text(value):
    return {"s": base64.b64encode(value.encode()).decode()}


def numbers(*values):
    return {"list": {"i": [str(value) for value in values]}}


@pytest.fixture
def graph_model(tmp_path):
    """A graph model of TensorFlow.js with quantised weights, and what it computes."""
    random = np.random.default_rng(0)
    codes = random.integers(0, 256, (3, 3, 3, 4), np.uint8)
    scale, least = np.float32(0.01), np.float32(-1.2)
    bias = random.standard_normal(4).astype(np.float16)
    shape = np.array([1, -1, 4], np.int32)
    (tmp_path / "graph.bin").write_bytes(codes.tobytes() + bias.tobytes() + shape.tobytes())
    weights = [
        {"name": "kernel", "shape": [3, 3, 3, 4], "dtype": "float32",
         "quantization": {"dtype": "uint8", "scale": float(scale), "min": float(least)}},
        {"name": "bias", "shape": [4], "dtype": "float32",
         "quantization": {"dtype": "float16", "original_dtype": "float32"}},
        {"name": "shape", "shape": [3], "dtype": "int32"},
    ]  # fmt: skip
    nodes = [
        {"name": "image", "op": "Placeholder"},
        *({"name": one["name"], "op": "Const"} for one in weights),
        {"name": "features", "op": "_FusedConv2D", "input": ["image", "kernel", "bias"],
         "attr": {"strides": numbers(1, 2, 2, 1), "dilations": numbers(1, 1, 1, 1),
                  "padding": text("SAME"), "data_format": text("NHWC"),
                  "fused_ops": {"list": {"s": [text("BiasAdd")["s"], text("Relu")["s"]]}}}},
        {"name": "rows", "op": "Reshape", "input": ["features", "shape"]},
    ]  # fmt: skip
    model = {
        "modelTopology": {"node": nodes},
        "weightsManifest": [{"paths": ["graph.bin"], "weights": weights}],
        "signature": {"outputs": {"rows:0": {}}},
    }
    (tmp_path / "graph.json").write_text(json.dumps(model))
    kernel = torch.from_numpy((codes * scale + least).transpose(3, 2, 0, 1).copy())
    image = torch.from_numpy(example((8, 8)))
    padded = functional.pad(image, (0, 1, 0, 1))
    outputs = functional.conv2d(padded, kernel, torch.from_numpy(bias.astype(np.float32)), 2)
    assert outputs.max() > 1
    return tmp_path, outputs.relu().numpy().transpose(0, 2, 3, 1).reshape(1, -1, 4)


CONVERSION = Conversion(format="tfjs", size=(8, 8), outputs=(("rows",),))


def test_a_graph_model_computes_the_same(graph_model):
    folder, expected = graph_model
    model = convert(folder, CONVERSION)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    found = session.run(None, {"image": example((8, 8))})[0]
    assert np.allclose(found, expected, atol=1e-4)


def test_an_unknown_operation_and_a_truncated_file_are_reported(graph_model):
    folder, _ = graph_model
    weights = (folder / "graph.bin").read_bytes()
    (folder / "graph.bin").write_bytes(weights[:-5])
    with pytest.raises(UnavailableError, match="cannot be converted"):
        convert(folder, CONVERSION)
    (folder / "graph.bin").write_bytes(weights)
    changed = (folder / "graph.json").read_text().replace("Reshape", "Enigma")
    (folder / "graph.json").write_text(changed)
    with pytest.raises(UnavailableError, match="operation Enigma"):
        convert(folder, CONVERSION)


def test_an_output_that_differs_from_the_original_is_refused(graph_model, monkeypatch, tmp_path):
    folder, expected = graph_model
    file = tmp_path / "model.onnx"
    file.write_bytes(convert(folder, CONVERSION).SerializeToString())
    references = tmp_path / "tools"
    references.mkdir()
    monkeypatch.setattr(
        "edgewright.tools.models.conversion.conversion.files", lambda package: references
    )
    right = {"small": sampled(expected)}
    (references / "references.json").write_text(json.dumps(right))
    assert compare("small", file, (8, 8)) < 1e-5
    right["small"]["values"][3] += 0.01 * right["small"]["largest"]
    (references / "references.json").write_text(json.dumps(right))
    with pytest.raises(UnavailableError, match=r"differs by 0\.01"):
        compare("small", file, (8, 8))


def test_a_cut_model_is_installed_like_an_exported_one(graph_model, tmp_path):
    folder, expected = graph_model
    source = PackageSource(
        npm="@us/small", version="1", archive={"sha256": "0" * 64, "bytes": 1},
        files={"graph.json": {"path": "graph.json"}},
    )  # fmt: skip
    model = CatalogueModel(
        name="small", title="Small", serves="tests", licence="MIT", packed_by="us",
        default=False, keeps_mb=1, sources=(source,), conversion=CONVERSION, cut=True,
    )  # fmt: skip
    target = tmp_path / "installed"
    target.mkdir()
    whole = write(model, convert(folder, CONVERSION), target)
    session = onnxruntime.InferenceSession(str(target / whole))
    found = session.run(None, {session.get_inputs()[0].name: example((8, 8))})[0]
    assert np.allclose(found, expected, atol=1e-4)
    cut = ExportedModel(target, threads=1)
    image = cut.preprocess(Image.new("RGB", (20, 30), (10, 20, 30)))
    assert cut.array(image)[0, :, 0, 0].tolist() == [10, 20, 30]
    features = cut.run(example((8, 8)), 0, 1)
    assert np.allclose(cut.run(features, 1, len(cut.block_names)), expected, atol=1e-4)


@pytest.mark.skipif(read_installed("nanodet") is None, reason="the default set is not installed")
def test_the_installed_set_is_sound_and_can_be_cut():
    for spec in catalogue_models():
        if spec.found_export() is None:
            assert f"edgewright models install {spec.id}" in spec.obstacle()
            continue
        model = spec.load(threads=1)
        last = len(model.block_names)
        image = np.full((1, *model.feature_shape(0)), 127, np.float32)
        whole = model.run(image, 0, last)
        middle = model.run(image, 0, last // 2)
        assert np.allclose(model.run(middle, last // 2, last), whole, rtol=1e-4, atol=1e-4)
