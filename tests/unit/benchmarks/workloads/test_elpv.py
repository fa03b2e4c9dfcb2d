"""The base model for solar cells: its test split, and the blocks that tuning changes."""

import json
import sys
from types import ModuleType

import numpy as np
import pytest
import torch

from edgewright.benchmarks.workloads import elpv
from edgewright.tools.codec_training.images import labelled
from edgewright.tools.codec_training.loop import Schedule
from edgewright.tools.errors import NotFoundError
from edgewright.tools.models.engines.torch import efficientnet

CELLS = 8


@pytest.fixture
def samples(monkeypatch):
    """Return a set in the package's form, whose cells are distinguished by their grey value."""
    probability = np.array([0, 1 / 3, 2 / 3, 1] * (CELLS // 4))
    cells = np.repeat(np.arange(CELLS, dtype=np.uint8) * 20, 300 * 300).reshape(CELLS, 300, 300)
    package = ModuleType("elpv_dataset.utils")
    package.load_dataset = lambda: (cells, probability, np.array(["mono"] * CELLS))
    monkeypatch.setitem(sys.modules, "elpv_dataset", ModuleType("elpv_dataset"))
    monkeypatch.setitem(sys.modules, "elpv_dataset.utils", package)
    return elpv.load_samples()


def test_a_quarter_is_for_testing_and_labels_stay_with_their_cells(samples):
    assert samples.images.shape == (CELLS, 224, 224, 1)
    assert samples.test.sum() == CELLS // 4
    cells = samples.images[:, 0, 0, 0] // 20
    assert sorted(cells) == list(range(CELLS))
    assert list(cells) != list(range(CELLS))
    assert np.array_equal(samples.labels, cells % 4 >= 2)
    assert np.array_equal(elpv.load_samples().images, samples.images)


def test_a_missing_package_is_reported(monkeypatch):
    monkeypatch.setitem(sys.modules, "elpv_dataset.utils", None)
    with pytest.raises(NotFoundError) as caught:
        elpv.load_samples()
    assert caught.value.info().code == "data_missing"


def test_tuning_leaves_the_first_blocks_unchanged_and_runs_once(samples, monkeypatch, tmp_path):
    monkeypatch.setattr(elpv, "_SCHEDULE", Schedule(epochs=1, batch=2, rate=1e-3))
    training, validation = (
        labelled(samples, np.array(chosen), part=part, licence="none")
        for part, chosen in (("training", [0, 1]), ("validation", [2]))
    )
    steps = []
    adapter = elpv.tuned(training, validation, tmp_path, steps.append)
    assert len(steps) == 1
    assert elpv.tuned(training, validation, tmp_path, steps.append) is adapter
    assert len(steps) == 1
    (folder,) = tmp_path.iterdir()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["revision"] == adapter.revision
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "model.safetensors"]
    pretrained, last = efficientnet.load(), len(adapter.block_names)
    batch = adapter.tensor(adapter.preprocess(next(training.read())))
    head = adapter.forward(batch, 0, elpv._FROZEN)
    assert torch.equal(head, pretrained.forward(batch, 0, elpv._FROZEN))
    assert not torch.equal(
        adapter.forward(head, elpv._FROZEN, last - 1),
        pretrained.forward(head, elpv._FROZEN, last - 1),
    )
    assert adapter.forward(head, elpv._FROZEN, last).shape == (1, 2)
