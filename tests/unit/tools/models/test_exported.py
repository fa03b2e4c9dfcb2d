"""An exported model equals PyTorch at every partition point; damaged exports are refused."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

from edgewright.tools.errors import InputError, NotFoundError, UnavailableError
from edgewright.tools.models import exports
from edgewright.tools.models.engines.onnx import adapter
from edgewright.tools.models.engines.onnx.adapter import ExportedModel
from edgewright.tools.models.engines.onnx.manifest import MANIFEST, graph_name, weights_of
from edgewright.tools.models.engines.onnx.quantising import calibration_of, fits
from edgewright.tools.models.engines.onnx.sessions import providers
from edgewright.tools.models.engines.torch import efficientnet
from edgewright.tools.models.engines.torch.chain import Chain
from edgewright.tools.models.engines.torch.export import MAX_DIFFERENCE, export_chain
from edgewright.tools.models.preprocessing import Preprocessing
from edgewright.tools.models.registry import ModelRegistry
from edgewright.tools.models.specification import engine_module

MODEL = "efficientnet-lite0"
CENTRE = (127.5, 127.5, 127.5)


def small_chain(model: str = "small") -> Chain:
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, stride=2, padding=1),
        torch.nn.Sequential(torch.nn.BatchNorm2d(8), torch.nn.ReLU()),
        torch.nn.Sequential(
            torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(8, 500)
        ),
    )
    blocks = {f"block{index}": block for index, block in enumerate(network)}
    preprocessing = Preprocessing(
        size=(16, 16), resample=Image.Resampling.BICUBIC, mean=CENTRE, deviation=CENTRE
    )
    return Chain(model=model, network=network, blocks=blocks, preprocessing=preprocessing)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small exported model."""
    folder = tmp_path_factory.mktemp("exports") / "small"
    export_chain(small_chain(), folder, licence="none")
    return folder


@pytest.fixture(scope="module")
def lite0() -> ExportedModel:
    found = ModelRegistry().load(MODEL, threads=1)
    assert isinstance(found, ExportedModel)
    return found


def assert_same(output: np.ndarray, expected: np.ndarray) -> None:
    assert output.dtype == np.float32
    assert np.abs(output - expected).max() <= MAX_DIFFERENCE * np.abs(expected).max()


def assert_parity(exported: ExportedModel, chain: Chain, images: list[Image.Image]) -> None:
    """Check heads, tails, blocks and labels at every partition point."""
    assert (exported.model, exported.revision) == (chain.model, chain.revision)
    assert tuple(exported.block_names) == tuple(chain.block_names)
    last = len(chain.block_names)
    for image in images:
        assert exported.preprocess(image).tobytes() == chain.preprocess(image).tobytes()
        x = chain.array(chain.preprocess(image))
        whole, features, carried = chain.run(x, 0, last), x, x
        for point in range(last + 1):
            start = max(point - 1, 0)
            features = chain.run(features, start, point)
            carried = exported.run(carried, start, point)
            assert exported.feature_shape(point) == chain.feature_shape(point) == carried.shape[1:]
            assert_same(carried, features)
            tail = exported.run(exported.run(x, 0, point), point, last)
            assert_same(tail, whole)
            assert tail.argmax() == whole.argmax()


@pytest.mark.slow
def test_every_cut_of_the_default_model_equals_pytorch(lite0, photograph):
    names = ("chelsea", "coffee", "rocket", "astronaut")
    assert_parity(lite0, efficientnet.load(), [photograph(name) for name in names])


def test_every_cut_of_a_small_model_equals_pytorch(small, noise):
    assert_parity(ExportedModel(small, threads=1), small_chain(), [noise])


def test_a_batch_gives_what_its_images_give(small):
    exported = ExportedModel(small, threads=1)
    batch = np.random.default_rng(0).standard_normal((3, 3, 16, 16)).astype(np.float32)
    together = exported.run(batch, 0, 3)
    alone = [exported.run(batch[at : at + 1], 0, 3) for at in range(3)]
    assert_same(together, np.concatenate(alone))


def test_ranges_without_a_graph_run_block_by_block(lite0, photograph):
    x = lite0.array(lite0.preprocess(photograph("cat")))
    features = lite0.run(x, 0, 3)
    assert_same(lite0.run(features, 3, 6), efficientnet.load().run(features, 3, 6))


def test_nothing_is_loaded_while_prepared_blocks_run(small, noise, monkeypatch):
    exported = ExportedModel(small, threads=1)
    for start, stop in ((0, 2), (2, 3)):
        exported.prepare(start, stop)
    monkeypatch.setattr(adapter, "Session", None)
    features = exported.run(exported.array(exported.preprocess(noise)), 0, 2)
    exported.run(features, 2, 3)


@pytest.mark.parametrize(("start", "stop"), [(0, 4), (-1, 2), (5, 5)])
def test_unknown_points_are_refused(small, start, stop):
    exported = ExportedModel(small, threads=1)
    with pytest.raises(NotFoundError) as caught:
        exported.run(np.zeros((1, 3, 16, 16), np.float32), start, stop)
    assert caught.value.info().code == "unknown_point"


def test_graphs_share_their_weights(small):
    graphs = sum(path.stat().st_size for path in small.glob("fp32/*.onnx"))
    weights = (small / weights_of(graph_name(0, 3))).stat().st_size
    assert weights >= 500 * 8 * 4
    assert graphs < 3 * weights


@pytest.mark.parametrize("name", [graph_name(0, 3), weights_of(graph_name(0, 3)), MANIFEST])
def test_damaged_files_are_refused(small, tmp_path, name):
    folder = Path(shutil.copytree(small, tmp_path / "small"))
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data if name != MANIFEST else data[:-9])
    with pytest.raises(UnavailableError) as caught:
        ExportedModel(folder, threads=1).run(np.zeros((1, 3, 16, 16), np.float32), 0, 3)
    assert caught.value.info().code == "export_unreadable"
    assert "edgewright models export small" in caught.value.message
    (folder / name).unlink()
    with pytest.raises(UnavailableError):
        ExportedModel(folder, threads=1).run(np.zeros((1, 3, 16, 16), np.float32), 0, 3)


def test_an_export_that_computes_something_else_is_not_kept(tmp_path, monkeypatch):
    chain = small_chain()
    monkeypatch.setattr(chain, "run", lambda x, start, stop: np.ones((1, 500), np.float32))
    with pytest.raises(UnavailableError) as caught:
        export_chain(chain, tmp_path / "small")
    assert caught.value.info().code == "export_failed"
    assert not (tmp_path / "small").exists()


@pytest.fixture
def empty_cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("EDGEWRIGHT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_engine_is_chosen_by_one_setting(monkeypatch, small):
    spec = ModelRegistry().get(MODEL)
    monkeypatch.setenv("EDGEWRIGHT_ENGINE", "torch")
    assert spec.load(threads=1).engine.name == "torch"
    assert engine_module().endswith("torch.chain")
    monkeypatch.setenv("EDGEWRIGHT_ENGINE", "onnx")
    assert spec.load(threads=1).engine.name == "onnx"
    assert engine_module().endswith("onnx.adapter")
    monkeypatch.setenv("EDGEWRIGHT_ENGINE", "abacus")
    with pytest.raises(InputError):
        spec.load(threads=1)


def test_a_missing_export_is_made_if_the_packages_are_there(empty_cache, monkeypatch):
    made = []

    def export(model, folder):
        made.append(model)
        export_chain(small_chain(model), folder)

    monkeypatch.setattr("edgewright.tools.models.exporting.export_model", export)
    for _ in range(2):
        assert exports.make_export(MODEL, "") == empty_cache / "models" / MODEL
    assert made == [MODEL]


def test_an_export_of_other_weights_does_not_apply(empty_cache):
    folder, own = exports.export_folder("small"), exports.export_folder("small", "others")
    assert exports.find_export("small", None) is None
    export_chain(small_chain(), folder, source="these")
    assert exports.find_export("small", None) == folder
    assert exports.find_export("small", "these") == folder
    assert exports.find_export("small", "others") is None
    export_chain(small_chain(), own, source="others")
    assert exports.find_export("small", "others") == own != folder
    assert exports.exported_revision(own) == small_chain().revision
    (folder / MANIFEST).write_text(json.dumps({"format": 2, "model": "another"}))
    assert exports.find_export("small", None) is None
    (own / MANIFEST).write_text((own / MANIFEST).read_text().replace('"format": 2', '"format": 9'))
    assert exports.find_export("small", "others") is None


def test_a_process_without_pytorch_has_another_one_export(empty_cache):
    program = (
        "import sys; from edgewright.tools.models import exports\n"
        f"print(exports.make_export({MODEL!r}, '')); assert 'torch' not in sys.modules"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=100, check=True
    )
    assert run.stdout.strip() == str(exports.find_export(MODEL, ""))


def test_an_export_that_fails_in_another_process_gives_its_reason(empty_cache, monkeypatch):
    monkeypatch.delitem(sys.modules, "torch")
    with pytest.raises(UnavailableError) as caught:
        exports.make_export("abacus", "")
    assert caught.value.info().code == "export_failed"
    assert "unknown model" in caught.value.message


@pytest.mark.parametrize("engine", ["auto", "onnx"])
def test_without_export_and_pytorch_the_error_names_the_command(empty_cache, monkeypatch, engine):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "torch" else real(name)
    )
    monkeypatch.setenv("EDGEWRIGHT_ENGINE", engine)
    spec = ModelRegistry().get(MODEL)
    assert f"edgewright models export {MODEL}" in spec.obstacle()
    if engine == "onnx":
        with pytest.raises(UnavailableError) as caught:
            spec.load()
        assert f"edgewright models export {MODEL}" in caught.value.message


def test_providers_are_configured_or_detected(monkeypatch):
    assert providers()[-1] == "CPU"
    monkeypatch.setenv("EDGEWRIGHT_PROVIDERS", "cpu")
    assert providers() == ("CPU",)
    monkeypatch.setenv("EDGEWRIGHT_PROVIDERS", "abacus, cpu")
    with pytest.raises(UnavailableError) as caught:
        providers()
    assert caught.value.info().code == "provider_missing"


def test_a_quantised_model_gives_nearly_the_same_result_cut_or_whole(lite0, photograph):
    quantised, last = lite0.variants["int8"].adapter, len(lite0.block_names)
    x = lite0.array(lite0.preprocess(photograph("chelsea")))
    whole = quantised.run(x, 0, last)
    for point in (1, 5, 9, 13, 17):
        # Rounding in the exact blocks moves single values by a step of the quantisation.
        output = quantised.run(quantised.run(x, 0, point), point, last)
        assert np.abs(output - whole).max() <= 0.05 * np.abs(whole).max()
        assert output.argmax() == whole.argmax()
    assert whole.argmax() == lite0.run(x, 0, last).argmax()
    assert not np.array_equal(whole, lite0.run(x, 0, last))


def test_the_first_blocks_of_a_quantised_model_are_exact(lite0, photograph):
    x = lite0.array(lite0.preprocess(photograph("coffee")))
    exact = lite0.run(x, 0, 4)
    assert_same(lite0.variants["int8"].adapter.run(x, 0, 4), exact)


def test_a_quantised_model_is_smaller_and_read_only_when_it_runs(lite0, photograph, monkeypatch):
    weights = [lite0._folder / weights_of(graph_name(0, 1, one)) for one in ("fp32", "int8")]
    assert weights[1].stat().st_size < 0.5 * weights[0].stat().st_size
    fresh = ExportedModel(lite0._folder, threads=1)
    monkeypatch.setattr(adapter, "Session", None)
    assert fresh.variants["int8"].fingerprint


def test_only_weights_with_a_calibration_are_quantised(small):
    assert ExportedModel(small, threads=1).variants == {}
    chain = efficientnet.load()
    calibration = calibration_of(MODEL, chain.revision)
    assert calibration is not None
    assert calibration_of(MODEL, "0" * 16) is None
    assert not fits(onnx.load(small / graph_name(0, 3), load_external_data=False), calibration)
