"""Quantising a model to ``int8``, from ranges that were calibrated on photographs."""

from __future__ import annotations

import hashlib
import importlib.resources
import logging
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, shape_inference
from pydantic import BaseModel, ConfigDict, ValidationError

_LOG = logging.getLogger(__name__)
_FOLDER = importlib.resources.files("edgewright.tools.models.engines.onnx") / "calibrations"
#: Operations whose inputs are quantised, where these have a calibrated range.
QUANTISED_OPERATIONS = ["Conv", "Gemm", "Add", "Clip", "GlobalAveragePool", "Flatten"]


class Calibration(BaseModel):
    """The ranges of a model's activations; ``scripts/calibrate_int8.py`` measures them.

    Attributes:
        model: Model id.
        revision: Fingerprint of its weights.
        method: How the ranges were taken.
        images: The images that were used.
        ranges: Least and greatest value of each tensor, by its name in the exported graph.
        exact: Names of operations that stay in ``fp32``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    revision: str
    method: str
    images: str
    ranges: dict[str, tuple[float, float]]
    exact: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Return what changes with the quantised model."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


def calibration_of(model: str, revision: str) -> Calibration | None:
    """Return the calibration that ships for a model; None if there is none for these weights.

    Args:
        model: Model id.
        revision: Fingerprint of its weights.
    """
    path = _FOLDER / f"{model}.json"
    if not path.is_file():
        return None
    try:
        calibration = Calibration.model_validate_json(path.read_bytes())
    except ValidationError:
        _LOG.warning("the calibration of %s is damaged; it is not quantised", model)
        return None
    return calibration if calibration.revision == revision else None


def quantise(model: onnx.ModelProto, calibration: Calibration) -> onnx.ModelProto:
    """Return a model whose weights and activations have 8 bits.

    Weights have a scale for each output channel. Those of matrix products have 7 bits: processors
    without dot products of bytes (AVX2) add two products in 16 bits, and saturate with 8. So the
    accuracy is the same on every processor. Features at partition points remain float32.

    Args:
        model: The model with its weights, and with the features at every point named.
        calibration: Ranges of its activations.

    Returns:
        The quantised model, in the form that ``write_export`` needs.
    """
    from onnxruntime.quantization import QuantType
    from onnxruntime.quantization.calibrate import TensorData, TensorsData
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

    single = with_last_output(model)
    products = [node.input[1] for node in single.graph.node if _is_matrix_product(node)]
    seven_bits: dict[str, Any] = {
        "quant_type": QuantType.QInt8, "symmetric": True, "reduce_range": True, "axis": 0
    }  # fmt: skip
    ranges = {
        name: TensorData(lowest=np.float32(low), highest=np.float32(high))
        for name, (low, high) in calibration.ranges.items()
    }
    quantizer = QDQQuantizer(
        single,
        per_channel=True,
        reduce_range=False,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=TensorsData("minmax", ranges),
        nodes_to_quantize=[],
        nodes_to_exclude=list(calibration.exact),
        op_types_to_quantize=QUANTISED_OPERATIONS,
        extra_options={
            "WeightSymmetric": True,
            "TensorQuantOverrides": {name: [seven_bits] for name in products},
        },
    )
    quantizer.quantize_model()
    quantised: onnx.ModelProto = quantizer.model.model
    return quantised


def fits(model: onnx.ModelProto, calibration: Calibration) -> bool:
    """Return whether a calibration names the tensors of a model.

    Another version of the exporter may name them differently.

    Args:
        model: The exported model.
        calibration: Ranges of its activations.
    """
    tensors = {name for node in model.graph.node for name in node.output}
    tensors |= {value.name for value in model.graph.input}
    return calibration.ranges.keys() <= tensors


def with_last_output(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy with only the last output: the features at other points are quantised too.

    It has the shapes of all tensors, which quantising needs.

    Args:
        model: The model with its weights.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    *_, last = copy.graph.output
    output = onnx.ValueInfoProto()
    output.CopyFrom(last)
    del copy.graph.output[:]
    copy.graph.output.append(output)
    return shape_inference.infer_shapes(copy, strict_mode=True, data_prop=True)


def _is_matrix_product(node: NodeProto) -> bool:
    """Return whether an operation runs as a product of matrices, unlike depthwise convolutions."""
    if node.op_type == "Conv":
        return all(one.i == 1 for one in node.attribute if one.name == "group")
    return node.op_type == "Gemm"
