"""Calibrates the shipped tables of the entropy coder on photographs.

Run ``python scripts/calibrate_tables.py tools/codecs/tables.npz PHOTOGRAPH ...``. The result is
reproducible: it depends only on the photographs and the weights. The tables of the classifier were
calibrated on ``astronaut``, ``motorcycle_left``, ``hubble_deep_field``, ``ihc`` and ``retina`` of
scikit-image, ``grace_hopper`` of Matplotlib, and ``china`` and ``flower`` of scikit-learn, in this
order.

With ``--model``, the tables of a detector or a pose network are calibrated on the development half
of the photographs in ``benchmarks/data/experts``. Tables of other models stay as they are.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from edgewright.benchmarks.workloads.scenes import images as scenes
from edgewright.tools.codec_training.calibration import calibrate, crops, retains, save
from edgewright.tools.codecs.quantised import Tables
from edgewright.tools.codecs.registry import GENERIC
from edgewright.tools.images.decode import decode
from edgewright.tools.library import load_adapter, load_original, output_experts

_CLASSIFIER = "efficientnet-lite0"
_CROPS = 12


def main() -> int:
    """Calibrate the tables and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="file to write")
    parser.add_argument("photographs", type=Path, nargs="*", help="images to calibrate on")
    parser.add_argument("--model", default=_CLASSIFIER, help="model id")
    parser.add_argument("--unpacked", type=Path, help="folder of packages that were unpacked")
    options = parser.parse_args()
    if options.model == _CLASSIFIER:
        photographs = [decode(path.read_bytes()) for path in options.photographs]
        tables = calibrate(load_original(_CLASSIFIER), crops(photographs, each=_CROPS))
    else:
        tables = _of_detector(options.model, scenes("development", options.unpacked))
    save({**_stored(options.out), **tables}, options.out)
    for name, entry in tables.items():
        sys.stdout.write(f"{name}: {entry.steps:g} steps per standard deviation\n")
    return 0


def _of_detector(model: str, scenes: list[Image.Image]) -> dict[str, Tables]:
    """Calibrate the tables of a model with whole scenes and what its expert reads from them."""
    expert = next(one for one in output_experts().values() if one.model == model)
    adapter = load_adapter(model, threads=1)
    tables = calibrate(adapter, crops(scenes, each=1), retains(expert))
    return {name: table for name, table in tables.items() if name != GENERIC}


def _stored(path: Path) -> dict[str, Tables]:
    if not path.is_file():
        return {}
    with np.load(path, allow_pickle=False) as stored:
        columns = (stored[name] for name in ("names", "steps", "frequencies"))
        return {
            str(name): Tables(float(steps), frequencies)
            for name, steps, frequencies in zip(*columns, strict=True)
        }


if __name__ == "__main__":
    sys.exit(main())
