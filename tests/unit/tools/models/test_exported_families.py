"""Every family of models keeps its outputs at every partition point when it is exported."""

import numpy as np
import pytest

from edgewright.tools.models.engines.onnx.adapter import ExportedModel
from edgewright.tools.models.engines.torch import blip, efficientnet, vit
from edgewright.tools.models.engines.torch.export import MAX_DIFFERENCE, export_chain
from edgewright.tools.models.engines.torch.macs import block_macs
from edgewright.tools.models.engines.torch.torchvision_classifier import Classifier
from edgewright.tools.models.source import ModelSource


@pytest.fixture(params=["vit", "blip-captioning", "blip-vqa", "resnet18", "densenet121", "tuned"])
def chain(request, tmp_path):
    if request.param == "vit":
        return vit.load(ModelSource(str(request.getfixturevalue("tiny_vit"))))
    if request.param.startswith("blip"):
        kind = request.param.removeprefix("blip-")
        load = blip.load_captioning if kind == "captioning" else blip.load_questions
        return load(ModelSource(str(request.getfixturevalue("tiny_blip")(kind))))
    if request.param == "tuned":
        return efficientnet.load_for_tuning(3)
    folder = request.getfixturevalue("save_classifier")(tmp_path / "weights", request.param)
    return Classifier(ModelSource(str(folder)))


@pytest.mark.slow
def test_every_cut_equals_pytorch(chain, photograph, tmp_path):
    manifest = export_chain(chain, tmp_path / "export", source="s", licence="l")
    exported = ExportedModel(tmp_path / "export", threads=1)
    assert (manifest.model, manifest.revision) == (chain.model, chain.revision)
    assert exported.label_names == tuple(getattr(chain, "label_names", ()))
    assert [block.macs for block in manifest.blocks] == block_macs(chain)
    x = chain.array(chain.preprocess(photograph("chelsea")))
    last = len(chain.block_names)
    whole = chain.run(x, 0, last)
    for point in range(last + 1):
        head = exported.run(x, 0, point)
        assert_same(head, chain.run(x, 0, point))
        assert head.shape[1:] == exported.feature_shape(point) == chain.feature_shape(point)
        tail = exported.run(head, point, last)
        assert_same(tail, whole)
        assert tail[0].argmax() == whole[0].argmax()
        # A head and a tail may run in different engines.
        assert_same(chain.run(head, point, last), whole)


def assert_same(output: np.ndarray, expected: np.ndarray) -> None:
    assert np.abs(output - expected).max() <= MAX_DIFFERENCE * np.abs(expected).max()
