"""Calibrates the shipped tables of the entropy coder on photographs.

Run ``python scripts/calibrate_tables.py tools/codecs/tables.npz PHOTOGRAPH ...``. The result is
reproducible: it depends only on the photographs and the weights. The shipped file was calibrated on
``astronaut``, ``motorcycle_left``, ``hubble_deep_field``, ``ihc`` and ``retina`` of scikit-image,
``grace_hopper`` of Matplotlib, and ``china`` and ``flower`` of scikit-learn, in this order.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edgewright.tools.codec_training.calibration import calibrate, crops, save
from edgewright.tools.images.decode import decode
from edgewright.tools.library import load_original

_CROPS = 12


def main() -> int:
    """Calibrate the tables and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="file to write")
    parser.add_argument("photographs", type=Path, nargs="+", help="images to calibrate on")
    options = parser.parse_args()
    photographs = [decode(path.read_bytes()) for path in options.photographs]
    tables = calibrate(load_original("efficientnet-lite0"), crops(photographs, each=_CROPS))
    save(tables, options.out)
    for name, entry in tables.items():
        sys.stdout.write(f"{name}: {entry.steps:g} steps per standard deviation\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
