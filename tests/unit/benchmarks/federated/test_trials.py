"""The ten data sets of the benchmark of trials, and what it counts."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from edgewright.benchmarks.federated.sets import SETS, SIDE, data_request
from edgewright.benchmarks.federated.trials import costs, markdown_of
from edgewright.tools.datasets.sources import load_source

RECORDS = [
    {
        "name": name, "kind": "easy", "samples": 100, "classes": 3, "test_samples": 50,
        "stopped": {"trials": 1, "reason": "perfect"}, "test": [0.9, 0.92],
        "trials": [{"simulated_s": 1.0, "bytes": 1e6, "wall_s": 2.0, "validation": 1.0}] * trials,
    }
    for name, trials in (("one", 1), ("two", 3))
]  # fmt: skip


def test_there_are_ten_small_sets_of_every_kind():
    assert len({each.name for each in SETS}) == 10
    assert max(each.samples for each in SETS) <= 4000
    assert set(Counter(each.kind for each in SETS)) == {
        "easy", "skewed", "noisy", "tiny", "many classes",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["vowels", "shapes", "few surfaces"])
def test_drawn_images_are_a_source_of_data(name: str, tmp_path: Path):
    (named,) = (each for each in SETS if each.name == name)
    samples = load_source(data_request(named, tmp_path).source)
    assert samples.images.shape[:3] == (named.samples, SIDE, SIDE)
    assert len(np.unique(samples.labels)) == len(samples.classes)
    written = (tmp_path / f"{name.replace(' ', '-')}.npz").stat().st_mtime_ns
    data_request(named, tmp_path)
    assert (tmp_path / f"{name.replace(' ', '-')}.npz").stat().st_mtime_ns == written


def test_a_run_of_today_costs_the_trials_before_it_stops():
    assert costs(RECORDS[1], "simulated_s") == (1.0, 3.0)
    text = markdown_of(RECORDS)
    assert "a run saves 50 % of the simulated seconds, 50 % of the bytes" in text
    assert "90.00 % against 92.00 %" in text
    assert (
        "| two | easy | 100 | 3 | 1 (perfect) | 3 | 1 | 3 | 1.0 | 3.0 | 90.0 % | 92.0 % |" in text
    )
