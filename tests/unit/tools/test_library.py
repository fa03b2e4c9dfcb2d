"""The library reports what can run and why other experts cannot, and loads models."""

import importlib.util
import subprocess
import sys

import pytest
from safetensors.torch import save_file

from edgewright.tools.cards import CardRegistry
from edgewright.tools.errors import InputError, NotFoundError, UnavailableError
from edgewright.tools.library import expert_statuses, experts, load_adapter, sensing_experts
from edgewright.tools.models.catalogue_models import catalogue_models
from edgewright.tools.models.engines.torch import efficientnet
from edgewright.tools.models.specification import BUILTIN_MODELS


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch, no_installed_models):
    for spec in BUILTIN_MODELS:
        if spec.variable:
            monkeypatch.delenv(spec.variable, raising=False)


def test_every_card_finds_its_experts():
    known = experts() | {expert.id: expert for expert in sensing_experts()}
    for card in CardRegistry.builtin():
        for expert_id in card.experts:
            assert known[expert_id].card == card.id


def test_without_configuration_the_approximate_ones_run():
    statuses = expert_statuses()
    assert set(statuses) == set(experts()) | {expert.id for expert in sensing_experts()}
    assert statuses["efficientnet-lite0-classifier"].available
    assert statuses["label-captioner"].approximate
    blip = statuses["blip-captioner"]
    assert not blip.available
    assert blip.reason == (
        "BLIP weights not found: set EDGEWRIGHT_BLIP_CAPTIONING to a local folder or "
        "hub-id@revision, or run 'edgewright models install blip-captioning'"
    )
    by_card = {status.card.id: status for status in CardRegistry.builtin().statuses(statuses)}
    assert by_card["image-to-text"].expert.expert == "label-captioner"
    assert "EDGEWRIGHT_BLIP_CAPTIONING" in by_card["image-to-text"].reason
    assert "edgewright models install nanodet" in by_card["image-to-text"].reason


def test_a_configured_folder_takes_over(monkeypatch, tiny_blip):
    monkeypatch.setenv("EDGEWRIGHT_BLIP_VQA", str(tiny_blip("vqa")))
    statuses = expert_statuses()
    assert statuses["blip-question-answerer"].available
    by_card = {status.card.id: status for status in CardRegistry.builtin().statuses(statuses)}
    assert by_card["visual-question-answering"].expert.expert == "blip-question-answerer"


@pytest.mark.parametrize(
    ("value", "code"),
    [("google/vit", "model_not_pinned"), ("/no/such/folder", "model_missing")],
)
def test_wrong_configuration_is_reported(monkeypatch, value, code):
    monkeypatch.setenv("EDGEWRIGHT_VIT", value)
    status = expert_statuses()["vit-classifier"]
    assert not status.available
    assert status.reason.startswith("EDGEWRIGHT_VIT: ")
    with pytest.raises(UnavailableError) as caught:
        load_adapter("vit")
    assert caught.value.info().code == code


def test_a_hub_model_that_is_not_cached_is_reported(monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("EDGEWRIGHT_VIT", "owner/name@v1")
    status = expert_statuses()["vit-classifier"]
    assert not status.available
    assert "set EDGEWRIGHT_VIT to a local folder" in status.reason
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    assert expert_statuses()["vit-classifier"].available


def test_missing_packages_are_reported(monkeypatch, tmp_path):
    monkeypatch.setenv("EDGEWRIGHT_CACHE", str(tmp_path))
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "torch" else real(name)
    )
    light = {
        "onnx",
        "perception",
        "drawing",
        "controlnet",
        *(spec.id for spec in catalogue_models()),
        *(expert.model for expert in sensing_experts()),
    }
    for status in expert_statuses().values():
        if status.model in light:
            continue  # need no PyTorch, or are not configured
        assert not status.available
        assert status.reason.startswith("torch not installed: pip install 'edgewright[vision]'")
    reason = expert_statuses()["efficientnet-lite0-classifier"].reason
    assert "edgewright models export efficientnet-lite0" in reason


def test_unknown_and_unconfigured_models_raise():
    with pytest.raises(NotFoundError) as caught:
        load_adapter("resnet")
    assert caught.value.info().code == "unknown_model"
    with pytest.raises(UnavailableError) as caught:
        load_adapter("blip-vqa")
    assert caught.value.info().code == "model_not_configured"


@pytest.mark.parametrize(
    ("model", "variable", "expert", "args"),
    [
        ("vit", "EDGEWRIGHT_VIT", "vit-classifier", {}),
        ("torchvision", "EDGEWRIGHT_TORCHVISION", "torchvision-classifier", {}),
        ("onnx", "EDGEWRIGHT_ONNX", "onnx-classifier", {}),
        ("blip-captioning", "EDGEWRIGHT_BLIP_CAPTIONING", "blip-captioner", {}),
        ("blip-vqa", "EDGEWRIGHT_BLIP_VQA", "blip-question-answerer", {"question": "is it red ?"}),
    ],
)
def test_configured_models_run_from_image_to_text(
    monkeypatch, tmp_path, noise, request, model, variable, expert, args
):
    if model == "onnx":
        folder = request.getfixturevalue("save_onnx")(tmp_path, "squeezenet1_1")
    elif model == "torchvision":
        folder = request.getfixturevalue("save_classifier")(tmp_path, "squeezenet1_1")
    elif model == "vit":
        folder = request.getfixturevalue("tiny_vit")
    else:
        folder = request.getfixturevalue("tiny_blip")(model.removeprefix("blip-"))
    monkeypatch.setenv(variable, str(folder))
    adapter, reader = load_adapter(model), experts()[expert]
    reader.check(args)
    x = adapter.array(adapter.preprocess(noise))
    output = reader.postprocess(adapter.run(x, 0, len(adapter.block_names)), args)
    assert load_adapter(model) is adapter
    assert isinstance(output["text"], str)
    if expert.endswith("classifier"):
        assert [label["label"].startswith("thing ") for label in output["labels"]] == [True] * 5


def test_a_tuned_efficientnet_is_configured_by_its_folder(monkeypatch, tmp_path):
    weights = efficientnet.load_for_tuning(2).network.state_dict()
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(UnavailableError) as caught:
        load_adapter("efficientnet-lite0-tuned")
    assert "set EDGEWRIGHT_EFFICIENTNET to a local folder" in str(caught.value)
    monkeypatch.setenv("EDGEWRIGHT_EFFICIENTNET", str(tmp_path))
    assert load_adapter("efficientnet-lite0-tuned").feature_shape(18) == (2,)


def test_blip_requires_a_question():
    with pytest.raises(InputError):
        experts()["blip-question-answerer"].check({})


def test_a_light_client_loads_nothing_heavy():
    program = (
        "import sys; from edgewright.tools.library import expert_statuses, experts\n"
        "expert_statuses()\n"
        "experts()['label-question-answerer'].check({'question': 'is it a dog'})\n"
        "heavy = {'torch', 'torchvision', 'transformers', 'PIL', 'huggingface_hub'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
