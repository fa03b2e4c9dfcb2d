"""Compares the first request after set-up with the second, to show that set-up prepared everything.

Run ``make first-request``. Each round begins with a new state folder and the cache that ``make
setup`` filled; medians are compared, since other processes share the machine.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

#: The first request may take this many times as long as the second.
LIMIT = 1.2
_ROUNDS = 3
_EDGEWRIGHT = Path(sys.executable).with_name("edgewright")
_PHOTOGRAPH = Path("tools/offload/photographs/cat.jpg")


def main() -> int:
    """Ask twice in each round, and compare.

    Returns:
        0, or 1 when the first request takes too long.
    """
    rounds = [_round() for _ in range(_ROUNDS)]
    first_s, second_s = (statistics.median(times_s) for times_s in zip(*rounds, strict=True))
    ratio = first_s / second_s
    sys.stdout.write(f"first {first_s:.1f} s, second {second_s:.1f} s, {ratio:.2f} times\n")
    return int(ratio > LIMIT)


def _round() -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="edgewright-") as state:
        environment = {**os.environ, "EDGEWRIGHT_HOME": state}
        return _seconds(environment), _seconds(environment)


def _seconds(environment: dict[str, str]) -> float:
    command: list[str | Path] = [
        _EDGEWRIGHT,
        "ask",
        "What is this?",
        "--image",
        _PHOTOGRAPH,
        "--json",
    ]
    began = time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)  # noqa: S603
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
