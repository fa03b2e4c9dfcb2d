"""Calibrates the ``int8`` variant of EfficientNet-Lite0 on photographs.

Run ``python scripts/calibrate_int8.py``; it takes some minutes. Methods of calibration are compared
by the accuracy retention that they give on photographs that they were not calibrated on, and the
ranges of the best are written. ``make bench-accuracy-retention`` then measures it on photographs
that took no part in this.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod
from onnxruntime.quantization.calibrate import create_calibrator

from edgewright.benchmarks.workloads.photographs import load_for_calibration
from edgewright.tools.codec_training.images import ImageSet
from edgewright.tools.models.adapter import Features
from edgewright.tools.models.engines.onnx.quantising import (
    QUANTISED_OPERATIONS,
    Calibration,
    quantise,
    with_last_output,
)
from edgewright.tools.models.engines.onnx.writing import point_name
from edgewright.tools.models.engines.torch import efficientnet
from edgewright.tools.models.engines.torch.chain import Chain
from edgewright.tools.models.engines.torch.export import traced

_OUT = Path("tools/models/engines/onnx/calibrations")
_METHODS = {
    "least and greatest value": (CalibrationMethod.MinMax, {}),
    "percentile 99.999": (CalibrationMethod.Percentile, {"percentile": 99.999}),
    "entropy": (CalibrationMethod.Entropy, {}),
}
_CALIBRATED, _COMPARED = 128, 400


class _Images(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, inputs: Features) -> None:
        self._inputs = iter(inputs)

    def get_next(self) -> dict[str, Features] | None:
        """Return the next input by its name; None at the end."""
        features = next(self._inputs, None)
        return None if features is None else {point_name(0): features[np.newaxis]}


def main() -> int:
    """Calibrate, compare, and write the best calibration."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=_OUT)
    parser.add_argument(
        "--exact-blocks",
        type=int,
        default=4,
        help="blocks at the beginning that stay in fp32: they lose most accuracy and gain least",
    )
    options = parser.parse_args()
    calibration_images, comparison_images = load_for_calibration()
    chain = efficientnet.load()
    compared = _inputs(chain, comparison_images, _COMPARED)
    with tempfile.TemporaryDirectory() as folder:
        model = traced(chain, Path(folder))
        whole = Path(folder) / "whole.onnx"
        onnx.save(with_last_output(model), whole)
        expected = _probabilities(_outputs(whole.read_bytes(), compared))
        best, best_share = None, 0.0
        inputs = _inputs(chain, calibration_images, _CALIBRATED)
        for method in _METHODS:
            one = Calibration(
                model=chain.model,
                revision=chain.revision,
                method=method,
                images=f"{calibration_images.name}, {_CALIBRATED}",
                ranges=dict(_ranges(whole, inputs, method)),
                exact=_first_operations(model, options.exact_blocks),
            )
            share = _accuracy_retention(model, one, compared, expected)
            sys.stdout.write(f"{method}: accuracy retention {share:.2%}\n")
            sys.stdout.flush()
            if share > best_share:
                best, best_share = one, share
    assert best is not None
    (options.out / f"{chain.model}.json").write_text(best.model_dump_json(indent=1) + "\n", "utf-8")
    return 0


def _inputs(chain: Chain, images: ImageSet, count: int) -> Features:
    """Return inputs for images that are spread over a set."""
    chosen = set(np.linspace(0, images.count - 1, count).astype(int).tolist())
    arrays = [
        chain.array(chain.preprocess(image))
        for index, image in enumerate(images.read())
        if index in chosen
    ]
    return np.concatenate(arrays)


def _ranges(
    whole: Path, inputs: Features, method: str
) -> Iterator[tuple[str, tuple[float, float]]]:
    """Yield the range of each tensor, with six digits."""
    kind, options = _METHODS[method]
    calibrator = create_calibrator(
        str(whole),
        QUANTISED_OPERATIONS,
        augmented_model_path=str(whole.with_name("augmented.onnx")),
        calibrate_method=kind,
        extra_options=options,
    )
    calibrator.collect_data(_Images(inputs))
    for name, found in calibrator.compute_data().items():
        low, high = (float(f"{float(np.asarray(value).item()):.6g}") for value in found.range_value)
        yield name, (low, high)


def _first_operations(model: onnx.ModelProto, blocks: int) -> tuple[str, ...]:
    """Return the names of the operations before a partition point."""
    names: list[str] = []
    for node in model.graph.node:
        if node.op_type in QUANTISED_OPERATIONS:
            names.append(node.name)
        if point_name(blocks) in node.output:
            return tuple(names)
    return ()


def _accuracy_retention(
    model: onnx.ModelProto,
    calibration: Calibration,
    inputs: Features,
    expected: Features,
) -> float:
    outputs = _outputs(quantise(model, calibration).SerializeToString(), inputs)
    retained = expected[np.arange(len(expected)), outputs.argmax(1)].sum()
    return float(retained / expected.max(1).sum())


def _outputs(model: bytes, inputs: Features) -> Features:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    rows = [session.run(None, {point_name(0): one[np.newaxis]})[0] for one in inputs]
    return np.concatenate(rows)


def _probabilities(logits: Features) -> Features:
    shares = np.exp(logits - logits.max(1, keepdims=True))
    probabilities: Features = shares / shares.sum(1, keepdims=True)
    return probabilities


if __name__ == "__main__":
    sys.exit(main())
