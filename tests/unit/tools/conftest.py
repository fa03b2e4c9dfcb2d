"""Small real models, saved like large ones, and real photographs."""

import io
import json
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image


@pytest.fixture(scope="session")
def photograph() -> Callable[[str], Image.Image]:
    """Return a real photograph by its name in scikit-image."""
    return lambda name: Image.fromarray(getattr(skimage.data, name)())


@pytest.fixture(scope="session")
def jpeg(photograph: Callable[[str], Image.Image]) -> Callable[[str], bytes]:
    """Return a real photograph as JPEG bytes."""

    def encoded(name: str) -> bytes:
        buffer = io.BytesIO()
        photograph(name).save(buffer, "JPEG", quality=95)
        return buffer.getvalue()

    return encoded


@pytest.fixture(scope="session")
def tiny_vit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small ViT with random weights."""
    import torch
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("tiny") / "vit"
    names = {index: f"thing {index}" for index in range(7)}
    config = ViTConfig(
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=64,
        image_size=32,
        patch_size=8,
        id2label=names,
        label2id={name: index for index, name in names.items()},
    )
    ViTForImageClassification(config).save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def save_classifier() -> Callable[..., Path]:
    """Save a torchvision classifier with seeded weights, in the form of a trained one."""
    import torch
    import torchvision
    from safetensors.torch import save_file

    def save(folder: Path, network_name: str, **config: object) -> Path:
        torch.manual_seed(0)
        network = torchvision.models.get_model(network_name, weights=None, num_classes=7)
        # Fresh batch norms are identities; give each channel its own statistics.
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                torch.nn.init.uniform_(module.weight, 0.5, 1.5)
                torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
                torch.nn.init.normal_(module.running_mean, std=0.1)
        folder.mkdir(parents=True, exist_ok=True)
        save_file(network.state_dict(), folder / "model.safetensors")
        names = [f"thing {index}" for index in range(7)]
        description = {"architecture": network_name, "label_names": names, "image_size": 64}
        (folder / "config.json").write_text(json.dumps(description | config))
        return folder

    return save


@pytest.fixture(scope="session")
def save_onnx() -> Callable[..., Path]:
    """Save a torchvision classifier as a user has it: an ONNX file and its description."""
    import torch
    import torchvision

    def save(folder: Path, network_name: str) -> Path:
        torch.manual_seed(0)
        network = torchvision.models.get_model(network_name, weights=None, num_classes=7).eval()
        folder.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings(action="ignore"):
            torch.onnx.export(
                network,
                (torch.zeros(1, 3, 64, 64),),
                folder / "model.onnx",
                dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}},
                input_names=["input"],
                output_names=["output"],
                dynamo=False,
            )
        names = [f"thing {index}" for index in range(7)]
        (folder / "config.json").write_text(json.dumps({"label_names": names}))
        return folder

    return save


@pytest.fixture
def noise() -> Image.Image:
    """Return a seeded noise image, 50 x 40 pixels."""
    values = np.random.default_rng(7).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    return Image.fromarray(values)
