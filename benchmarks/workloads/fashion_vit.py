"""Train the small vision transformer on Fashion-MNIST for the split benchmark.

Run ``python -m edgewright.benchmarks.workloads.fashion_vit FOLDER``. After an interruption it
resumes at the last epoch. The data come from Debian's ``dataset-fashion-mnist``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from edgewright.benchmarks.common.progress import ProgressLogger
from edgewright.tools.codec_training.loop import Schedule, fit
from edgewright.tools.codecs.learned.manifest import digest_of
from edgewright.tools.datasets.samples import Samples
from edgewright.tools.datasets.sources import load_source
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.models.engines.torch.chain import fingerprint

#: Images of the training split that are held out for validation.
VALIDATION = 5000
_SCHEDULE = Schedule(epochs=7, batch=128, rate=2e-3, decay=0.05)
#: Maximum shift of a training image in each direction, in pixels.
_SHIFT = 2
_SEED = 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and save the model.

    Returns:
        0, or 1 when the data are not installed.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the model is written")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    try:
        samples = load_source("fashion-mnist")
        network = train(samples, options.folder / "checkpoint.pt")
    except EdgewrightError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    save(network, samples, options.folder)
    (options.folder / "checkpoint.pt").unlink()
    return 0


def split(samples: Samples) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the indices of the training and the validation images."""
    assert samples.test is not None
    usable = torch.nonzero(~torch.from_numpy(samples.test))[:, 0]
    return usable[:-VALIDATION], usable[-VALIDATION:]


def pixels(images: torch.Tensor) -> torch.Tensor:
    """Convert uint8 ``[B, H, W, 1]`` to the network's input, float32 ``[B, 3, H, W]``."""
    return (images.permute(0, 3, 1, 2).float() / 127.5 - 1).expand(-1, 3, -1, -1)


def train(samples: Samples, checkpoint: Path) -> Any:
    """Train the transformer with cross-entropy on randomly shifted images."""
    from transformers import ViTConfig, ViTForImageClassification

    torch.manual_seed(_SEED)
    names = dict(enumerate(samples.classes))
    network: Any = ViTForImageClassification(
        ViTConfig(
            hidden_size=96,
            num_hidden_layers=6,
            num_attention_heads=4,
            intermediate_size=192,
            image_size=28,
            patch_size=7,
            id2label=names,
            label2id={name: index for index, name in names.items()},
        )
    )
    chosen, _ = split(samples)
    images, labels = torch.from_numpy(samples.images), torch.from_numpy(samples.labels)

    def loss_of(indices: torch.Tensor) -> torch.Tensor:
        rows = chosen[indices]
        loss: torch.Tensor = network(_shifted(pixels(images[rows])), labels=labels[rows]).loss
        return loss

    fit(
        "vit",
        network.train(),
        loss_of,
        samples=len(chosen),
        schedule=_SCHEDULE,
        seed=_SEED,
        checkpoint=checkpoint,
        report=ProgressLogger("fashion-vit"),
    )
    return network.eval()


def _shifted(batch: torch.Tensor) -> torch.Tensor:
    """Shift each image by up to ``_SHIFT`` pixels, with background at the borders."""
    height, width = batch.shape[2:]
    padded = functional.pad(batch, (_SHIFT,) * 4, value=-1.0)
    corners = torch.randint(2 * _SHIFT + 1, (len(batch), 2)).tolist()
    return torch.stack(
        [
            image[:, top : top + height, left : left + width]
            for image, (top, left) in zip(padded, corners, strict=True)
        ]
    )


def save(network: Any, samples: Samples, folder: Path) -> None:
    """Write the model in the format of transformers, with a manifest."""
    from transformers import ViTImageProcessor

    network.save_pretrained(folder)
    processor = ViTImageProcessor(
        size={"height": 28, "width": 28}, image_mean=[0.5] * 3, image_std=[0.5] * 3
    )
    processor.save_pretrained(folder)
    manifest = {
        "model": "vit",
        "revision": fingerprint(network.state_dict()),
        "recipe": {"schedule": asdict(_SCHEDULE), "seed": _SEED, "shift": _SHIFT},
        "source": {"name": samples.name, "licence": "MIT"},
        "validation_accuracy": _accuracy(network, samples),
        "digest": digest_of(folder / "model.safetensors"),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")


def _accuracy(network: Any, samples: Samples) -> float:
    images, labels = torch.from_numpy(samples.images), torch.from_numpy(samples.labels)
    correct = 0
    with torch.inference_mode():
        for rows in torch.split(split(samples)[1], 500):
            correct += int((network(pixels(images[rows])).logits.argmax(1) == labels[rows]).sum())
    return correct / VALIDATION


if __name__ == "__main__":
    raise SystemExit(main())
