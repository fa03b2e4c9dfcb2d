"""The folder of the models, codecs and request sets that the benchmarks read."""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).parents[1] / "data"
